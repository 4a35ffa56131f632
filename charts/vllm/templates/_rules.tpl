{{/* What files/rules.yaml, where the expressions are, comes to for this release. */}}

{{/*
YAML list: the groups of rules. Shares over long windows move slowly and are dear to compute, so they are computed less
often; within 5 minutes, or there would be gaps between them.
*/}}
{{- define "vllm.rules.groups" -}}
  {{- $name := include "vllm.fullname" . }}
  {{- $interval := .Values.prometheusRule.interval | default "30s" }}
  {{- $rules := include "vllm.rules.read" . | fromYaml }}
  {{- $short := list }}
  {{- $long := list }}
  {{- range $rule := $rules.slo }}
    {{- range $window := $rule.windows }}
      {{- $text := omit $rule "windows" | toRawJson }}
      {{- $made := include "vllm.rules.fill" (list $text (dict "window" $window)) | fromJson }}
      {{- if has $window (list "6h" "1d" "3d") }}
        {{- $long = append $long $made }}
      {{- else }}
        {{- $short = append $short $made }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- $alerts := include "vllm.rules.alerts" (list . $rules.alerts) | fromJsonArray }}
  {{- list
    (dict "name" $name "interval" $interval "rules" $rules.recording)
    (dict "name" (printf "%s-slo" $name) "interval" $interval "rules" $short)
    (dict "name" (printf "%s-slo-long" $name) "interval" "2m" "rules" $long)
    (dict "name" (printf "%s-alerts" $name) "interval" $interval "rules" $alerts) | toYaml }}
{{- end }}

{{/* JSON map: what texts of the file are for this release. */}}
{{- define "vllm.rules.texts" -}}
  {{- $window := add 180 (include "vllm.startup.budgetSeconds" .) | printf "%ds" }}
  {{- dict "autoscaler" (include "vllm.rules.autoscaler" .) "restartWindow" $window
    "ttft" (include "vllm.float" .Values.slo.ttft.seconds)
    "itl" (include "vllm.float" .Values.slo.itl.seconds) | toJson }}
{{- end }}

{{/* JSON map: the settings of each alert where nothing is written. */}}
{{- define "vllm.rules.defaults" -}}
  {{- include "vllm.load" . }}
  {{- toJson .Facts.alerts.defaults }}
{{- end }}

{{/*
JSON map: what an alert's settings come to, with the budget that it is about. Takes a list: root context, what the file
says of it, its settings.
*/}}
{{- define "vllm.rules.settings" -}}
  {{- $root := first . }}
  {{- $rule := index . 1 }}
  {{- $texts := deepCopy (last .) }}
  {{- /* Where pods come from none, a start is no outage. */}}
  {{- if or (not $texts.for) (and (eq $rule.alert "VLLMDown") (include "vllm.rules.mayBeNone" $root)) }}
    {{- $_ := set $texts "for" (include "vllm.rules.startSeconds" $root | printf "%ss") }}
  {{- end }}
  {{- with $rule.slo }}
    {{- $objective := (get $root.Values.slo .name) }}
    {{- if kindIs "map" $objective }}{{ $objective = $objective.objective }}{{ end }}
    {{- $_ := set $texts "objective" (include "vllm.text" $objective) }}
    {{- $_ := set $texts "budget" (subf 1 (float64 $objective) | toJson) }}
    {{- $texts = merge $texts (omit . "name") }}
  {{- end }}
  {{- toJson $texts }}
{{- end }}

{{/* JSON list: alerts that would be wrong for this release. */}}
{{- define "vllm.rules.leftOut" -}}
  {{- $out := list }}
  {{- /* With no pods by intention there is nothing to miss. */}}
  {{- if or (eq (include "vllm.workload.replicas" .) "0") (include "vllm.rules.mayBeNone" .) }}
    {{- $out = append $out "VLLMAbsent" }}
  {{- end }}
  {{- if not (include "vllm.rules.autoscaler" .) }}
    {{- $out = concat $out (list "VLLMAutoscalerBlind" "VLLMAutoscalerAtMax") }}
  {{- end }}
  {{- toJson $out }}
{{- end }}

{{/*
String: the HorizontalPodAutoscaler that counts the replicas, or nothing. KEDA makes one for each ScaledObject, and
names it so (controllers/keda/hpa.go, getHPAName, of kedacore/keda 2.21).
*/}}
{{- define "vllm.rules.autoscaler" -}}
  {{- $found := include "vllm.workload.autoscalers" . | fromJsonArray }}
  {{- if $found }}
    {{- with first $found }}
      {{- $name := (.metadata | default dict).name | default (include "vllm.autoscaler.name" $) }}
      {{- $given := (((.spec).advanced).horizontalPodAutoscalerConfig).name }}
      {{- if hasPrefix "H" .kind }}{{ $name }}{{ else }}{{ $given | default (printf "keda-hpa-%s" $name) }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* "true" if an autoscaler may take all pods away, or nothing. */}}
{{- define "vllm.rules.mayBeNone" -}}
  {{- range include "vllm.workload.autoscalers" . | fromJsonArray }}
    {{- $least := ternary 0 1 (eq .kind "ScaledObject") }}
    {{- range list .spec.minReplicaCount .spec.minReplicas }}
      {{- if not (kindIs "invalid" .) }}{{ $least = int . }}{{ end }}
    {{- end }}
    {{- if eq (int $least) 0 }}true{{ end }}
  {{- end }}
{{- end }}

{{/* Integer as string: after how many seconds a start takes too long. */}}
{{- define "vllm.rules.startSeconds" -}}
  {{- include "vllm.load" . }}
  {{- add .Facts.alerts.startMarginSeconds (include "vllm.startup.budgetSeconds" .) }}
{{- end }}

{{/* String: a number as Prometheus writes it in `le`: 1.0, 2.5. */}}
{{- define "vllm.float" -}}
  {{- $text := float64 . | toJson }}
  {{- ternary $text (printf "%s.0" $text) (contains "." $text) }}
{{- end }}
