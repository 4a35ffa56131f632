{{- define "vllm-endpoint.validate.rules" }}
  {{- include "vllm-endpoint.validate.alerts" (list . "VLLMEndpointDown") }}
  {{- if .Values.prometheusRule.enabled }}
    {{- range $name := list "VLLMEndpointErrors" "VLLMEndpointUnauthorized" "VLLMEndpointLimited" }}
      {{- include "vllm-endpoint.validate.share" (list $ $name) }}
    {{- end }}
  {{- end }}
{{- end }}
