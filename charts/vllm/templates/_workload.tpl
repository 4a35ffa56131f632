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

{{/*
Integer as string, or nothing: the replicas that are written where the chart's autoscaler counts them. They are left
out, unless that would reset them to 1: what was in the last manifest and no longer is, Helm deletes, and the API server
puts its default there (helm/helm#12650). Then they are what the cluster has now.

With server-side apply (Helm 4) a field is deleted only while nobody else owns it, and whoever scales owns it. Helm 3
compares with its last manifest, whatever happened since: so a release that once had `replicas` keeps it, which the
annotation of those that never had says. `helm template` sees no cluster: docs/autoscaling.md has what GitOps needs.
*/}}
{{- define "vllm.workload.keptReplicas" -}}
  {{- $kind := list (include "vllm.workload.apiVersion" .) (include "vllm.workload.kind" .) }}
  {{- $live := lookup (first $kind) (last $kind) (include "vllm.namespace" .) (include "vllm.workload.name" .) }}
  {{- if $live }}
    {{- $applied := dict }}
    {{- $others := false }}
    {{- range $live.metadata.managedFields | default list }}
      {{- $fields := get (.fieldsV1 | default dict) "f:spec" | default dict }}
      {{- if and (eq .operation "Apply") (hasKey $fields "f:template") }}{{ $applied = $fields }}
      {{- else if hasKey $fields "f:replicas" }}{{ $others = true }}
      {{- end }}
    {{- end }}
    {{- $had := not (hasKey ($live.metadata.annotations | default dict) (include "vllm.workload.leftOut" .)) }}
    {{- if $applied }}{{ $had = and (hasKey $applied "f:replicas") (not $others) }}{{ end }}
    {{- if $had }}{{ int $live.spec.replicas }}{{ end }}
  {{- end }}
{{- end }}

{{/* String: the annotation that says that `replicas` was left out. */}}
{{- define "vllm.workload.leftOut" -}}vllm-chart/replicas-left-out{{- end }}

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

{{/* YAML map, or nothing: its strategy. */}}
{{- define "vllm.workload.strategy" -}}
  {{- with .Values.strategy }}
    {{- ternary (omit . "rollingUpdate") . (eq (.type | default "") "Recreate") | include "vllm.yaml" }}
  {{- end }}
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

{{/*
Pods: a count or a percentage of the replicas (Kubernetes' default is 25%), rounded up or down. Takes a list: value,
replicas, up.
*/}}
{{- define "vllm.rollout.pods" -}}
  {{- $value := index . 0 }}
  {{- if kindIs "invalid" $value }}{{ $value = "25%" }}{{ end }}
  {{- if kindIs "string" $value }}
    {{- $pods := divf (mulf (trimSuffix "%" $value | float64) (index . 1)) 100 }}
    {{- ternary (ceil $pods) (floor $pods) (index . 2) | int }}
  {{- else }}
    {{- int $value }}
  {{- end }}
{{- end }}
