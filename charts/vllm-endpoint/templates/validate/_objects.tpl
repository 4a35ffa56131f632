{{- define "vllm-endpoint.validate.objects" }}
  {{- $least := include "vllm-endpoint.text" .Values.podDisruptionBudget.minAvailable }}
  {{- $most := include "vllm-endpoint.text" .Values.podDisruptionBudget.maxUnavailable }}
  {{- if and (ne $least "") (ne $most "") }}
    - podDisruptionBudget.minAvailable: Kubernetes takes one of minAvailable and maxUnavailable: leave one empty
  {{- end }}
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
