{{/* Of the dashboard what is this chart's own: see "vllm-endpoint.dashboards.configMaps". */}}

{{/* String: the name of its object. */}}
{{- define "vllm-endpoint.dashboard.endpoint.name" -}}
  {{- include "vllm-endpoint.dashboard.name" (list . "endpoint") }}
{{- end }}

{{/* JSON map: what the variables of the dashboard are preset to, all of it text. */}}
{{- define "vllm-endpoint.dashboards.preset" -}}
  {{- dict
    "namespace" (include "vllm-endpoint.namespace" .)
    "release" (include "vllm-endpoint.fullname" .) | toJson }}
{{- end }}
