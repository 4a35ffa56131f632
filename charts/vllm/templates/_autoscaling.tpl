{{/* Who changes the number of replicas, by what measure, and how fast: docs/autoscaling.md has the reasons. */}}

{{/* Strings: the names of its objects. */}}
{{- define "vllm.autoscaler.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.interceptorRoute.name" -}}{{ include "vllm.fullname" . }}{{- end }}

{{/*
PromQL: requests that run or wait in all pods. Both gauges have the same labels, with several API servers
(multiprocess_mode "mostrecent" takes the process off) and for each data-parallel rank (vllm/v1/metrics/loggers.py:527
of 0.33), so that the sum finds a pair for each.
*/}}
{{- define "vllm.autoscaling.requests" -}}
  {{- $series := include "vllm.autoscaling.series" . }}
  {{- printf "sum(vllm:num_requests_running{%s} + vllm:num_requests_waiting{%s})" $series $series }}
{{- end }}

{{/* PromQL: KV caches in use, in whole ones: of a pod's several ranks the fullest, where requests wait first. */}}
{{- define "vllm.autoscaling.kvCaches" -}}
  {{- printf "sum(max by (pod) (vllm:kv_cache_usage_perc{%s}))" (include "vllm.autoscaling.series" .) }}
{{- end }}

{{/* Integer as string: requests, running and waiting, that a replica is to have. */}}
{{- define "vllm.autoscaling.requestsPerReplica" -}}
  {{- with include "vllm.text" .Values.autoscaling.requestsPerReplica }}
    {{- int . }}
  {{- else }}
    {{- include "vllm.load" . }}
    {{- $facts := .Facts.autoscaling }}
    {{- $each := int $facts.requestsPerReplica }}
    {{- with include "vllm.autoscaling.slots" . }}
      {{- $each = mulf $facts.share (float64 .) | floor | int | max 1 }}
    {{- end }}
    {{- int .Values.parallelism.dataParallelSize | max 1 | mul $each }}
  {{- end }}
{{- end }}

{{/* Integer as string, or nothing: requests that a data-parallel rank runs at a time, where the values say so. */}}
{{- define "vllm.autoscaling.slots" -}}
  {{- include "vllm.flag" (list . "max-num-seqs") | regexFind "^[1-9][0-9]*$" }}
{{- end }}

{{/*
Seconds as string: how long nothing is asked before KEDA takes the last replica. Less than a start may take would end
pods that are still loading, for ever (superlinked/sie#293).
*/}}
{{- define "vllm.autoscaling.cooldownSeconds" -}}
  {{- include "vllm.text" .Values.autoscaling.cooldownSeconds | default (include "vllm.startup.budgetSeconds" .) }}
{{- end }}

{{/*
YAML map: how fast an HPA acts. Up at once, but at most double in the time of a start: replicas that are still loading
lower no demand, and would be asked for again and again. Down a replica at a time, each as long as a pod takes to end.
*/}}
{{- define "vllm.autoscaling.behavior" -}}
  {{- include "vllm.load" . }}
  {{- $start := min .Values.startup.typicalSeconds (include "vllm.startup.budgetSeconds" .) }}
  {{- $stop := add .Values.shutdown.propagationSeconds .Values.shutdown.drainSeconds }}
  {{- $up := dict "stabilizationWindowSeconds" 0 "selectPolicy" "Max" "policies" (list
    (dict "type" "Percent" "value" 100 "periodSeconds" $start)
    (dict "type" "Pods" "value" 1 "periodSeconds" $start)) }}
  {{- $facts := .Facts.autoscaling }}
  {{- $stop = max $facts.shortestPeriodSeconds $stop | min (int $facts.longestPeriodSeconds) }}
  {{- $down := dict "stabilizationWindowSeconds" (int $facts.downWindowSeconds) "selectPolicy" "Max" "policies" (list
    (dict "type" "Pods" "value" 1 "periodSeconds" $stop)) }}
  {{- $up = include "vllm.over" (list $up .Values.autoscaling.scaleUp) | fromYaml }}
  {{- $down = include "vllm.over" (list $down .Values.autoscaling.scaleDown) | fromYaml }}
  {{- range list $up $down }}
    {{- /* A quantity, which may be a fraction as text alone. */}}
    {{- if hasKey . "tolerance" }}{{ $_ := set . "tolerance" (include "vllm.text" .tolerance) }}{{ end }}
  {{- end }}
  {{- toYaml (dict "scaleUp" $up "scaleDown" $down) }}
{{- end }}

{{/*
YAML map: the user's keys over the chart's, whatever their values: Sprig's mergeOverwrite takes a 0 for nothing. Takes a
list: the chart's map, the user's.
*/}}
{{- define "vllm.over" -}}
  {{- $map := deepCopy (first .) }}
  {{- range $key, $value := last . | default dict }}
    {{- if not (kindIs "invalid" $value) }}{{ $_ := set $map $key $value }}{{ end }}
  {{- end }}
  {{- include "vllm.yaml" $map }}
{{- end }}

{{/* YAML map: the workload, as autoscalers name it. */}}
{{- define "vllm.autoscaling.target" -}}
apiVersion: {{ include "vllm.workload.apiVersion" . }}
kind: {{ include "vllm.workload.kind" . }}
name: {{ include "vllm.workload.name" . | quote }}
{{- end }}

{{/* YAML list: KEDA's triggers. */}}
{{- define "vllm.autoscaling.triggers" -}}
  {{- with .Values.autoscaling }}
    {{- $requests := include "vllm.autoscaling.requestsPerReplica" $ }}
    {{- $triggers := list (list $ "requests" (include "vllm.autoscaling.requests" $) $requests) }}
    {{- if gt (float64 .kvCacheUsage) 0.0 }}
      {{- $share := include "vllm.text" .kvCacheUsage }}
      {{- $triggers = append $triggers (list $ "kv-caches" (include "vllm.autoscaling.kvCaches" $) $share) }}
    {{- end }}
    {{- $written := list }}
    {{- range $triggers }}
      {{- $written = include "vllm.autoscaling.trigger" . | fromYaml | append $written }}
    {{- end }}
    {{- with .wakeUp.httpAddon }}
      {{- if .enabled }}
        {{- $route := include "vllm.interceptorRoute.name" $ }}
        {{- $metadata := dict "scalerAddress" .scalerAddress "interceptorRoute" $route }}
        {{- $written = append $written (dict "type" "external-push" "name" "http-add-on" "metadata" $metadata) }}
      {{- end }}
    {{- end }}
    {{- range compact (.wakeUp.triggers | default list) }}
      {{- /* Whose values are text, all of them. */}}
      {{- $metadata := include "vllm.map" (list .metadata) | fromYaml }}
      {{- $written = set (deepCopy .) "metadata" $metadata | append $written }}
    {{- end }}
    {{- include "vllm.yaml" $written }}
  {{- end }}
{{- end }}

{{/*
YAML list: an HPA's metrics. A selector's value may have no slash, which `job` has (apimachinery v0.37.2,
LabelSelectorAsSelector): the label is the name alone, which the adapter's rule puts behind the namespace.
*/}}
{{- define "vllm.autoscaling.metrics" -}}
  {{- with .Values.autoscaling }}
    {{- $selector := dict "matchLabels" (dict "release" (include "vllm.fullname" $)) }}
    {{- $targets := list (list "vllm_requests" (include "vllm.autoscaling.requestsPerReplica" $)) }}
    {{- if gt (float64 .kvCacheUsage) 0.0 }}
      {{- $share := round (mulf (float64 .kvCacheUsage) 1000) 0 | int | printf "%dm" }}
      {{- $targets = append $targets (list "vllm_kv_caches" $share) }}
    {{- end }}
    {{- $metrics := list }}
    {{- range $targets }}
      {{- $target := dict "type" "AverageValue" "averageValue" (last .) }}
      {{- $metric := dict "metric" (dict "name" (first .) "selector" $selector) "target" $target }}
      {{- $metrics = append $metrics (dict "type" "External" "external" $metric) }}
    {{- end }}
    {{- concat $metrics (without (.wakeUp.metrics | default list) nil) | include "vllm.yaml" }}
  {{- end }}
{{- end }}
