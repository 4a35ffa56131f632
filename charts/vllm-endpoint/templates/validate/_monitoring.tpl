{{- define "vllm-endpoint.validate.monitoring" }}
  {{- include "vllm-endpoint.validate.monitors" . }}
{{- end }}
