{{/* What files/dashboards, which `generate` writes, come to for this release. */}}

{{/*
String: the name of the object. In a namespace of others it says which release it is of, because the release's name is
one of many there. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm.dashboard.name" -}}
  {{- $root := first . }}
  {{- $suffix := printf "dashboard-%s" (last .) }}
  {{- if ne (include "vllm.dashboards.namespace" $root) (include "vllm.namespace" $root) }}
    {{- $suffix = printf "%s-%s" $suffix (include "vllm.job" $root | sha256sum | trunc 8) }}
  {{- end }}
  {{- include "vllm.suffixed" (list (include "vllm.fullname" $root) $suffix) }}
{{- end }}
{{- define "vllm.dashboard.service.name" -}}{{ include "vllm.dashboard.name" (list . "service") }}{{- end }}
{{- define "vllm.dashboard.replica.name" -}}{{ include "vllm.dashboard.name" (list . "replica") }}{{- end }}

{{/* String: where the objects are. */}}
{{- define "vllm.dashboards.namespace" -}}
  {{- .Values.dashboards.namespace | default (include "vllm.namespace" .) }}
{{- end }}

{{/*
String: what Grafana knows the dashboard by, in 40 characters at most. Each release has its own: of two with the same,
Grafana would take neither. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm.dashboard.uid" -}}
  {{- printf "vllm-%s-%s" (last .) (include "vllm.job" (first .) | sha256sum | trunc 16) }}
{{- end }}

{{/*
String: the name of its file. The sidecar writes the files of all ConfigMaps into one folder. No part of the job has a
dot, so that no two come to the same. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm.dashboard.file" -}}
  {{- printf "%s.vllm-%s.json" (include "vllm.job" (first .) | replace "/" ".") (last .) }}
{{- end }}

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

{{/* JSON: a dashboard whose variables are preset to this release. Takes a list: root context, the dashboard. */}}
{{- define "vllm.dashboard.json" -}}
  {{- $root := first . }}
  {{- $board := printf "files/dashboards/%s.json" (last .) | $root.Files.Get | fromJson }}
  {{- $_ := set $board "uid" (include "vllm.dashboard.uid" .) }}
  {{- $_ := set $board "title" (printf "%s %s" $board.title (include "vllm.job" $root)) }}
  {{- $preset := include "vllm.dashboards.preset" $root | fromJson }}
  {{- range $variable := $board.templating.list }}
    {{- with get $preset $variable.name }}
      {{- $chosen := dict "text" . "value" . "selected" true }}
      {{- $_ := set $variable "current" $chosen }}
      {{- if eq $variable.type "textbox" }}
        {{- $_ := set (set $variable "query" .) "options" (list $chosen) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toRawJson $board }}
{{- end }}
