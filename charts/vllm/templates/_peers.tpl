{{/* Engines that talk to another process. The tables are python/vllm_chart/vllm_args/peers.py. */}}

{{/* "true" if the engine loads a NIXL connector, or nothing. */}}
{{- define "vllm.usesNixl" -}}
  {{- $args := .Values.engine.args | default dict }}
  {{- if or .Values.engine.extraArgs (regexMatch "kv-transfer-config" (keys $args | join " ")) }}
    {{- include "vllm.load" . }}
    {{- $names := .Facts.peers.nixl }}
    {{- $found := list }}
    {{- range include "vllm.once" (list . "vllm.connectors") | fromJsonArray }}
      {{- if has .name $names }}
        {{- $found = append $found .name }}
      {{- end }}
    {{- end }}
    {{- if $found }}true{{ end }}
  {{- end }}
{{- end }}

{{/*
JSON list of {where, value}: what a row of the tables says for a connector: of its key where that is given, else of its
variable, else its default. `value` is a text or a variable's {valueFrom}. Takes a list: root context, row, connector.
*/}}
{{- define "vllm.peers.values" -}}
  {{- $root := first . }}
  {{- $row := index . 1 }}
  {{- $connector := last . }}
  {{- $found := list }}
  {{- if and (has $connector.name $row.connectors) (not (has $connector.role ($row.quiet | default list))) }}
    {{- $holders := list ($connector.extra | default dict) }}
    {{- if $row.flag }}{{ $holders = list $connector.config }}{{ end }}
    {{- if $row.tier }}
      {{- $holders = list }}
      {{- range compact (($connector.extra | default dict).secondary_tiers | default list) }}
        {{- if eq (.type | include "vllm.text") $row.tier }}{{ $holders = append $holders . }}{{ end }}
      {{- end }}
    {{- end }}
    {{- $env := $root.Values.env | default dict }}
    {{- range $holder := $holders }}
      {{- $where := $connector.where }}
      {{- $value := "" }}
      {{- if $row.key }}{{ $value = get $holder $row.key }}{{ end }}
      {{- if and (not $value) $row.env (hasKey $env $row.env) }}
        {{- $where = printf "env.%s" $row.env }}
        {{- $value = get $env $row.env }}
        {{- if kindIs "map" $value }}{{ $value = $value.value | default $value }}{{ end }}
      {{- end }}
      {{- $value = $value | default $row.default }}
      {{- if not (kindIs "invalid" $value) }}{{ $found = append $found (dict "where" $where "value" $value) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- toJson $found }}
{{- end }}
