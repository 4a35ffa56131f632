{{/*
What holds the engine's pods. The only file that knows its kind, who counts its replicas, and how it rolls; beside
deployment.yaml, which renders it.
*/}}

{{/* Strings: its kind, its API, its name. */}}
{{- define "vllm.workload.kind" -}}Deployment{{- end }}
{{- define "vllm.workload.apiVersion" -}}apps/v1{{- end }}
{{- define "vllm.workload.name" -}}{{ include "vllm.fullname" . }}{{- end }}

{{/* String: it as kubectl takes it, "deployment/llm-vllm". */}}
{{- define "vllm.workload.resource" -}}
  {{- printf "%s/%s" (include "vllm.workload.kind" . | lower) (include "vllm.workload.name" .) }}
{{- end }}

{{/* String: the label that tells its pods of one revision from those of another. */}}
{{- define "vllm.workload.revisionLabel" -}}pod-template-hash{{- end }}

{{/* Integer as string: its replicas; nothing where somebody else counts them (autoscaling, or replicaCount: null). */}}
{{- define "vllm.workload.replicas" -}}
  {{- if not (or .Values.autoscaling.enabled (kindIs "invalid" .Values.replicaCount)) }}
    {{- int .Values.replicaCount }}
  {{- end }}
{{- end }}

{{/* Integer as string, or nothing: replicas that a user wrote beside autoscaling; the default is no such thing. */}}
{{- define "vllm.workload.writtenReplicas" -}}
  {{- include "vllm.text" .Values.replicaCount | regexFind "^(0|[2-9]|[1-9][0-9]+)$" }}
{{- end }}

{{/* Integer as string, or nothing: the replicas that are written where the chart's autoscaler counts them. */}}
{{- define "vllm.workload.keptReplicas" -}}
  {{- $kind := list . (include "vllm.workload.apiVersion" .) (include "vllm.workload.kind" .) }}
  {{- include "vllm.keptReplicas" (append $kind (include "vllm.workload.name" .)) }}
{{- end }}

{{/* Integer as string: the replicas to reckon with, where somebody else counts them what he begins with. */}}
{{- define "vllm.workload.leastReplicas" -}}
  {{- $least := 1 }}
  {{- range include "vllm.workload.autoscalers" . | fromJsonArray }}
    {{- $least = .spec.minReplicas | default .spec.minReplicaCount | default 1 | int }}
  {{- end }}
  {{- include "vllm.workload.replicas" . | default (toString $least) }}
{{- end }}

{{/* "true" if somebody in the release says how many replicas there are, or nothing. */}}
{{- define "vllm.workload.counted" -}}
  {{- if or (include "vllm.workload.replicas" .) (include "vllm.workload.autoscalers" . | fromJsonArray) }}true{{ end }}
{{- end }}

{{/* JSON list: what scales it, the chart's own autoscaler before those among the extraObjects. */}}
{{- define "vllm.workload.autoscalers" -}}
  {{- $autoscalers := list }}
  {{- with .Values.autoscaling }}
    {{- if .enabled }}
      {{- $autoscalers = list (dict "kind" .kind "spec" (pick . "minReplicas" "maxReplicas")) }}
    {{- end }}
  {{- end }}
  {{- range compact (.Values.extraObjects | default list) }}
    {{- if and (has .kind (list "HorizontalPodAutoscaler" "ScaledObject")) (kindIs "map" .spec) }}
      {{- if eq ((.spec).scaleTargetRef).name (include "vllm.workload.name" $) }}
        {{- $autoscalers = append $autoscalers . }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toJson $autoscalers }}
{{- end }}

{{/* Integer as string: its replicas, or what an autoscaler may make of them. */}}
{{- define "vllm.workload.mostReplicas" -}}
  {{- $most := include "vllm.workload.leastReplicas" . | int }}
  {{- range include "vllm.workload.autoscalers" . | fromJsonArray }}
    {{- /* KEDA's own default. */}}
    {{- $most = max $most (.spec.maxReplicas | default (.spec.maxReplicaCount | default 100)) }}
  {{- end }}
  {{- $most }}
{{- end }}

{{/* Pods: how many a rollout replaces at a time, at least 1. */}}
{{- define "vllm.rollout.step" -}}
  {{- $replicas := include "vllm.workload.leastReplicas" . | int }}
  {{- $strategy := .Values.strategy | default dict }}
  {{- if eq ($strategy.type | default "RollingUpdate") "Recreate" }}
    {{- max 1 $replicas }}
  {{- else }}
    {{- $rolling := $strategy.rollingUpdate | default dict }}
    {{- $unavailable := include "vllm.rollout.pods" (list $rolling.maxUnavailable $replicas false) | int }}
    {{- add (include "vllm.rollout.surge" .) $unavailable | max 1 }}
  {{- end }}
{{- end }}

{{/* Pods: how many a rollout starts beside the old ones. */}}
{{- define "vllm.rollout.surge" -}}
  {{- $replicas := include "vllm.workload.leastReplicas" . | int }}
  {{- $strategy := .Values.strategy | default dict }}
  {{- if eq ($strategy.type | default "RollingUpdate") "Recreate" }}0{{ else }}
    {{- include "vllm.rollout.pods" (list ($strategy.rollingUpdate | default dict).maxSurge $replicas true) }}
  {{- end }}
{{- end }}
