{{/* Generated from charts/shared by `nox -s generate`: edit it there. */}}
{{/* Structures that users wrote, without the nulls in them. */}}

{{/*
YAML map, or nothing: maps that users key themselves, merged, the last one wins. Nulls are skipped, because that is
how a later file deletes a key; values become text, because labels, annotations and selectors are.
*/}}
{{- define "vllm-endpoint.map" -}}
  {{- $merged := dict }}
  {{- range $map := . }}
    {{- range $key, $value := $map }}
      {{- if kindIs "invalid" $value }}
        {{- $_ := unset $merged $key }}
      {{- else }}
        {{- $_ := set $merged $key (include "vllm-endpoint.text" $value) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with $merged }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* YAML list, or nothing: a pass-through list. */}}
{{- define "vllm-endpoint.list" -}}
  {{- with without (. | default list) nil }}{{ include "vllm-endpoint.yaml" . }}{{ end }}
{{- end }}

{{/*
YAML: a user's structure without the nulls in it. A null is how a later file deletes, and Kubernetes would read zero in
the place of some: a limit of null is a limit of 0.
*/}}
{{- define "vllm-endpoint.yaml" -}}
  {{- if contains "null" (toRawJson .) }}
    {{- $copy := deepCopy . }}
    {{- include "vllm-endpoint.deleteNulls" $copy }}
    {{- toYaml $copy }}
  {{- else }}
    {{- /* As nearly always; a copy costs more than the rest. */}}
    {{- toYaml . }}
  {{- end }}
{{- end }}

{{/* Nothing: changes the structure in place, at every depth. */}}
{{- define "vllm-endpoint.deleteNulls" -}}
  {{- if kindIs "map" . }}
    {{- range $key, $value := . }}
      {{- if kindIs "invalid" $value }}{{ $_ := unset $ $key }}{{ end }}
      {{- if kindIs "slice" $value }}{{ $_ := set $ $key (without $value nil) }}{{ end }}
      {{- include "vllm-endpoint.deleteNulls" $value }}
    {{- end }}
  {{- else if kindIs "slice" . }}
    {{- range . }}{{ include "vllm-endpoint.deleteNulls" . }}{{ end }}
  {{- end }}
{{- end }}

{{/* JSON list: the keys of a map that are set, not null. */}}
{{- define "vllm-endpoint.keysSet" -}}
  {{- $set := list }}
  {{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $set = append $set $key }}{{ end }}{{ end }}
  {{- toJson $set }}
{{- end }}

{{/* Names, labels and annotations of the objects of a release. */}}

{{/*
String: the chart's name, or its alias in an umbrella chart. Names may have capitals, dots and underscores there, which
objects' names may not.
*/}}
{{- define "vllm-endpoint.name" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.name.cut") }}{{- end }}

{{- define "vllm-endpoint.name.cut" -}}
  {{- default .Chart.Name .Values.nameOverride | include "vllm-endpoint.cut" }}
{{- end }}

{{/* String: release and chart name, the stem of all names; at most 63 characters. */}}
{{- define "vllm-endpoint.fullname" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.fullname.cut") }}{{- end }}

{{- define "vllm-endpoint.fullname.cut" -}}
  {{- if .Values.fullnameOverride }}
    {{- .Values.fullnameOverride }}
  {{- else if contains (include "vllm-endpoint.name" .) .Release.Name }}
    {{- include "vllm-endpoint.cut" .Release.Name }}
  {{- else }}
    {{- printf "%s-%s" .Release.Name (include "vllm-endpoint.name" .) | include "vllm-endpoint.cut" }}
  {{- end }}
{{- end }}

{{/* String: a name as Kubernetes takes it, at most 63 characters. */}}
{{- define "vllm-endpoint.cut" -}}
  {{- regexReplaceAll "[._]" (lower .) "-" | trunc 63 | trimAll "-" }}
{{- end }}

{{/* String: a stem with a suffix that survives the cut at 63. Takes a list: stem, suffix. */}}
{{- define "vllm-endpoint.suffixed" -}}
  {{- $suffix := printf "-%s" (last .) }}
  {{- printf "%s%s" (first . | trunc (sub 63 (len $suffix) | int) | trimAll "-") $suffix }}
{{- end }}

{{/* String: the namespace of every object. */}}
{{- define "vllm-endpoint.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end }}

{{/* YAML map: what selects the pods of this release, and never changes. */}}
{{- define "vllm-endpoint.selectorLabels" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.selectorLabels.own") }}{{- end }}

{{- define "vllm-endpoint.selectorLabels.own" -}}
  {{- dict "app.kubernetes.io/name" (include "vllm-endpoint.name" .) "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* YAML map: the labels of every object. */}}
{{- define "vllm-endpoint.labels" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.labels.own") }}{{- end }}

{{- define "vllm-endpoint.labels.own" -}}
  {{- $own := dict
    "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_.")
    "app.kubernetes.io/version" .Chart.AppVersion
    "app.kubernetes.io/managed-by" .Release.Service }}
  {{- include "vllm-endpoint.map" (list $own .Values.commonLabels (include "vllm-endpoint.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/* YAML map, or nothing: annotations. Takes a list: the root context, then maps of annotations. */}}
{{- define "vllm-endpoint.annotations" -}}
  {{- include "vllm-endpoint.map" (prepend (rest .) (first .).Values.commonAnnotations) }}
{{- end }}

{{/*
What costs as much as the rest of a render is done once, whoever asks for it: the root context, which all files of a
chart share, keeps it. Only for what follows from the root context alone.
*/}}

{{/* What a define returns for the root context. Takes a list: root context, the define's name. */}}
{{- define "vllm-endpoint.once" -}}
  {{- $root := first . }}
  {{- $kept := get $root "once" | default dict }}
  {{- if not (hasKey $kept (last .)) }}
    {{- $_ := set $root "once" (set $kept (last .) (include (last .) $root)) }}
  {{- end }}
  {{- get $kept (last .) }}
{{- end }}

{{/*
Refuses values. Rules are defines that return an item for every one that is broken,

    - key: what is wrong: what to write instead

which may go on in the lines after it; lines are trimmed, so rules are indented as code is. All are reported together,
so that whoever only has Helm gets every answer at once. Takes a list: root context, names of defines.
*/}}
{{- define "vllm-endpoint.refuse" -}}
  {{- $root := first . }}
  {{- $messages := list }}
  {{- range $rules := last . }}
    {{- range include $rules $root | trim | splitList "\n" }}
      {{- $line := trim . }}
      {{- if hasPrefix "- " $line }}
        {{- $messages = append $messages (printf "  %s" $line) }}
      {{- else if $line }}
        {{- $messages = append (initial $messages) (printf "%s %s" (last $messages) $line) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if $messages }}
    {{- printf "\n\nThese values cannot work:\n\n%s\n" (join "\n" $messages) | fail }}
  {{- end }}
{{- end }}

{{/* Lines for text that YAML cannot hold. */}}
{{- define "vllm-endpoint.validate.text" }}
  {{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
  {{- $control := `[\x7f-\x{9f}\x{fffe}\x{ffff}]` }}
  {{- if regexMatch $control (toRawJson .Values) }}
    {{- range $key, $value := .Values }}
      {{- if regexMatch $control (toRawJson $value) }}
        - {{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Values as text and as numbers. */}}

{{/* String: a value as text, nothing for null. JSON prints 10000000 in full where `quote` makes 1e+07 of it. */}}
{{- define "vllm-endpoint.text" -}}
  {{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toRawJson . }}{{ end }}
{{- end }}

{{/* String: text that Kubernetes leaves alone. It would expand `$(NAME)` and halve `$$` in a variable's value. */}}
{{- define "vllm-endpoint.literal" -}}
  {{- $text := include "vllm-endpoint.text" . }}
  {{- ternary (replace "$" "$$" $text) $text (regexMatch "\\$[$(]" $text) }}
{{- end }}

{{/* String: a Kubernetes quantity as a decimal number (bytes, cores), for comparisons: "1.5Gi" is 1610612736. */}}
{{- define "vllm-endpoint.quantity" -}}
  {{- $text := include "vllm-endpoint.text" . }}
  {{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text }}
  {{- $factors := dict "" 1 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
    "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
  {{- printf "%f" (mulf (float64 $number) (get $factors (trimPrefix $number $text))) }}
{{- end }}
