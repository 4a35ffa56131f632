{{- define "vllm-endpoint.validate.objects" }}
  {{- include "vllm-endpoint.validate.extraObjects" . }}
{{- end }}

{{/* JSON list: the objects that only this chart has, as "vllm-endpoint.validate.extraObjects" takes them. */}}
{{- define "vllm-endpoint.objects" -}}
  {{- $there := include "vllm-endpoint.dashboards.namespace" . }}
  {{- toJson (list
    (list "apps Deployment" "vllm-endpoint.deployment.name" true)
    (list " ConfigMap" "vllm-endpoint.configMap.name" true)
    (list " ConfigMap" "vllm-endpoint.limits.name" .Values.limits.rateLimitService.service)
    (list " ConfigMap" "vllm-endpoint.dashboard.endpoint.name" .Values.dashboards.enabled $there)) }}
{{- end }}
