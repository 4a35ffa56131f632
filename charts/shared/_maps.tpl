{{/* Structures that users wrote, without the nulls in them. */}}

{{/*
YAML map, or nothing: maps that users key themselves, merged, the last one wins. Nulls are skipped, because that is
how a later file deletes a key; values become text, because labels, annotations and selectors are.
*/}}
{{- define "chart.map" -}}
  {{- $merged := dict }}
  {{- range $map := . }}
    {{- range $key, $value := $map }}
      {{- if kindIs "invalid" $value }}
        {{- $_ := unset $merged $key }}
      {{- else }}
        {{- $_ := set $merged $key (include "chart.text" $value) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with $merged }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* YAML list, or nothing: a pass-through list. */}}
{{- define "chart.list" -}}
  {{- with without (. | default list) nil }}{{ include "chart.yaml" . }}{{ end }}
{{- end }}

{{/*
YAML: a user's structure without the nulls in it. A null is how a later file deletes, and Kubernetes would read zero in
the place of some: a limit of null is a limit of 0.
*/}}
{{- define "chart.yaml" -}}
  {{- if contains "null" (toRawJson .) }}
    {{- $copy := deepCopy . }}
    {{- include "chart.deleteNulls" $copy }}
    {{- toYaml $copy }}
  {{- else }}
    {{- /* As nearly always; a copy costs more than the rest. */}}
    {{- toYaml . }}
  {{- end }}
{{- end }}

{{/* Nothing: changes the structure in place, at every depth. */}}
{{- define "chart.deleteNulls" -}}
  {{- if kindIs "map" . }}
    {{- range $key, $value := . }}
      {{- if kindIs "invalid" $value }}{{ $_ := unset $ $key }}{{ end }}
      {{- if kindIs "slice" $value }}{{ $_ := set $ $key (without $value nil) }}{{ end }}
      {{- include "chart.deleteNulls" $value }}
    {{- end }}
  {{- else if kindIs "slice" . }}
    {{- range . }}{{ include "chart.deleteNulls" . }}{{ end }}
  {{- end }}
{{- end }}

{{/* JSON list: the keys of a map that are set, not null. */}}
{{- define "chart.keysSet" -}}
  {{- $set := list }}
  {{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $set = append $set $key }}{{ end }}{{ end }}
  {{- toJson $set }}
{{- end }}
