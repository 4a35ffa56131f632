{{- define "vllm-endpoint.validate.network" }}
  {{- include "vllm-endpoint.validate.networkPolicy" . }}
  {{- include "vllm-endpoint.validate.service" . }}
  {{- $ports := list (int .Values.containerPort) (int .Values.metricsPort) (int .Values.adminPort) }}
  {{- if lt (len (uniq $ports)) 3 }}
    - metricsPort: containerPort, metricsPort and adminPort are {{ join ", " $ports }}: write three different ports
  {{- end }}
{{- end }}
