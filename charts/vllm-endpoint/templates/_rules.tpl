{{/* What files/rules.yaml, where the expressions are, comes to for this release. */}}

{{/* YAML list: the groups of rules. */}}
{{- define "vllm-endpoint.rules.groups" -}}
  {{- $name := include "vllm-endpoint.fullname" . }}
  {{- $interval := .Values.prometheusRule.interval | default "30s" }}
  {{- $rules := include "vllm-endpoint.rules.read" . | fromYaml }}
  {{- $alerts := include "vllm-endpoint.rules.alerts" (list . $rules.alerts) | fromJsonArray }}
  {{- list
    (dict "name" $name "interval" $interval "rules" $rules.recording)
    (dict "name" (printf "%s-alerts" $name) "interval" $interval "rules" $alerts) | toYaml }}
{{- end }}

{{/* JSON map: what texts of the file are for this release. */}}
{{- define "vllm-endpoint.rules.texts" -}}{}{{- end }}

{{/* JSON map: the settings of each alert where nothing is written. */}}
{{- define "vllm-endpoint.rules.defaults" -}}{{ .Files.Get "files/generated/alerts.json" }}{{- end }}

{{/* JSON list: alerts that would be wrong for this release. */}}
{{- define "vllm-endpoint.rules.leftOut" -}}
  {{- /* With no pods by intention there is nothing to miss. */}}
  {{- if eq (include "vllm-endpoint.text" .Values.replicaCount) "0" }}["VLLMEndpointAbsent"]{{ else }}[]{{ end }}
{{- end }}

{{/* JSON map: what an alert's settings come to. Takes a list: root context, what the file says, its settings. */}}
{{- define "vllm-endpoint.rules.settings" -}}{{ last . | toJson }}{{- end }}
