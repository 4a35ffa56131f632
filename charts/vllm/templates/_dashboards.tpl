{{/* Of the dashboards what is this chart's own: see "vllm.dashboards.configMaps". */}}

{{/* Strings: the names of their objects. */}}
{{- define "vllm.dashboard.service.name" -}}{{ include "vllm.dashboard.name" (list . "service") }}{{- end }}
{{- define "vllm.dashboard.replica.name" -}}{{ include "vllm.dashboard.name" (list . "replica") }}{{- end }}

{{/* JSON map: what the variables of the dashboards are preset to, all of it text. */}}
{{- define "vllm.dashboards.preset" -}}
  {{- $slo := .Values.slo }}
  {{- $preset := dict
    "namespace" (include "vllm.namespace" .)
    "release" (include "vllm.fullname" .)
    "ttft_slo" (include "vllm.float" $slo.ttft.seconds)
    "itl_slo" (include "vllm.float" $slo.itl.seconds)
    "ttft_objective" (include "vllm.text" $slo.ttft.objective)
    "itl_objective" (include "vllm.text" $slo.itl.objective)
    "error_objective" (include "vllm.text" $slo.errors)
    "gpus" (max 1 (int .Values.gpu.count) | toString)
    "price" (include "vllm.text" .Values.dashboards.gpuHourPrice)
    "target" (include "vllm.autoscaling.requestsPerReplica" .)
    "kv_target" (include "vllm.text" .Values.autoscaling.kvCacheUsage) }}
  {{- toJson $preset }}
{{- end }}
