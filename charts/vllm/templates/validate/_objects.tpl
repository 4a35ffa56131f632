{{- define "vllm.validate.objects" }}
  {{- include "vllm.validate.extraObjects" . }}
{{- end }}

{{/*
JSON list: the objects that only this chart has, as "vllm.validate.extraObjects" takes them. Without the download's Job,
whose name follows from what is in it.
*/}}
{{- define "vllm.objects" -}}
  {{- $claim := and .Values.persistence.enabled (not .Values.persistence.existingClaim) }}
  {{- $claim = and $claim (not .Values.persistence.ephemeral) }}
  {{- $group := include "vllm.workload.apiVersion" . | splitList "/" | first }}
  {{- $workload := printf "%s %s" $group (include "vllm.workload.kind" .) }}
  {{- $dashboards := .Values.dashboards.enabled }}
  {{- $there := include "vllm.dashboards.namespace" . }}
  {{- $held := and .Values.autoscaling.wakeUp.httpAddon.enabled (include "vllm.autoscales" (list . "KEDA")) }}
  {{- toJson (list
    (list $workload "vllm.workload.name" true)
    (list " Service" "vllm.service.pods.name" .Values.service.pods.enabled)
    (list "networking.k8s.io Ingress" "vllm.ingress.name" .Values.ingress.enabled)
    (list "inference.networking.k8s.io InferencePool" "vllm.inferencePool.name" .Values.inferencePool.enabled)
    (list "gateway.networking.k8s.io HTTPRoute" "vllm.httpRoute.name" .Values.httpRoute.enabled)
    (list "http.keda.sh InterceptorRoute" "vllm.interceptorRoute.name" $held)
    (list " ConfigMap" "vllm.lifecycle.name" true)
    (list " ConfigMap" "vllm.chatTemplate.name" .Values.model.chatTemplate)
    (list " ConfigMap" "vllm.lora.list.name" .Values.lora.reload)
    (list " ConfigMap" "vllm.dashboard.service.name" $dashboards $there)
    (list " ConfigMap" "vllm.dashboard.replica.name" $dashboards $there)
    (list " PersistentVolumeClaim" "vllm.claim.name" $claim)
    (list " Pod" "vllm.test.name" .Values.test.enabled)) }}
{{- end }}
