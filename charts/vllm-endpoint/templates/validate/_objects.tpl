{{- define "vllm-endpoint.validate.objects" }}
  {{- $least := include "vllm-endpoint.text" .Values.podDisruptionBudget.minAvailable }}
  {{- $most := include "vllm-endpoint.text" .Values.podDisruptionBudget.maxUnavailable }}
  {{- if and (ne $least "") (ne $most "") }}
    - podDisruptionBudget.minAvailable: Kubernetes takes one of minAvailable and maxUnavailable: leave one empty
  {{- end }}
{{- end }}
