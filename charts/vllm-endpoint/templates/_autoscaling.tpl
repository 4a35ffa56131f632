{{/* Who changes the number of replicas, and by what measure. */}}

{{/* String: the name of its object. */}}
{{- define "vllm-endpoint.autoscaler.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* Integer as string: the replicas; nothing where somebody else counts them (autoscaling, or replicaCount: null). */}}
{{- define "vllm-endpoint.replicas" -}}
  {{- if not (or .Values.autoscaling.enabled (kindIs "invalid" .Values.replicaCount)) }}
    {{- int .Values.replicaCount }}
  {{- end }}
{{- end }}
