{{/* What files/rules.yaml, where the expressions are, comes to for this release. */}}

{{/* String: the name of the object. */}}
{{- define "vllm.prometheusRule.name" -}}{{ include "vllm.fullname" . }}{{- end }}

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

{{/* YAML map: the file, with all in it that is the same for each of its rules. */}}
{{- define "vllm.rules.read" -}}
  {{- $namespace := include "vllm.namespace" . }}
  {{- $same := dict "release" .Release.Name "namespace" $namespace
    "ttft" (include "vllm.float" .Values.slo.ttft.seconds) "itl" (include "vllm.float" .Values.slo.itl.seconds)
    "autoscaler" (include "vllm.rules.autoscaler" .)
    "restartWindow" (add 180 (include "vllm.startup.budgetSeconds" .) | printf "%ds") }}
  {{- $selector := printf "{namespace=%q,job=%q" $namespace (include "vllm.job" .) }}
  {{- include "vllm.rules.fill" (list (.Files.Get "files/rules.yaml") $same) | replace "{S" $selector }}
{{- end }}

{{/* String: a text with others in the place of their names, $threshold. Takes a list: text, map of texts. */}}
{{- define "vllm.rules.fill" -}}
  {{- $text := first . }}
  {{- range $name, $value := last . }}{{ $text = replace (printf "$%s" $name) $value $text }}{{ end }}
  {{- $text }}
{{- end }}

{{/* JSON list: the alerts. Takes a list: root context, what the file says of them. */}}
{{- define "vllm.rules.alerts" -}}
  {{- $root := first . }}
  {{- include "vllm.load" $root }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $out := include "vllm.rules.leftOut" $root | fromJsonArray }}
  {{- $alerts := list }}
  {{- range $rule := last . }}
    {{- /* Not there where somebody deleted it, by null. */}}
    {{- $given := get $values.alerts $rule.alert }}
    {{- if and (kindIs "map" $given) (ne (toString $given.enabled) "false") (not (has $rule.alert $out)) }}
      {{- $settings := dict }}
      {{- range $key, $default := get $root.Facts.alerts.defaults $rule.alert }}
        {{- $_ := set $settings $key (include "vllm.text" (get $given $key) | default (include "vllm.text" $default)) }}
      {{- end }}
      {{- $alerts = append $alerts (include "vllm.rules.alert" (list $root $rule $settings) | fromJson) }}
    {{- end }}
  {{- end }}
  {{- toJson $alerts }}
{{- end }}

{{/* JSON map: an alert. Takes a list: root context, what the file says of it, its settings. */}}
{{- define "vllm.rules.alert" -}}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $rule := index . 1 }}
  {{- $name := $rule.alert }}
  {{- $for := (last .).for }}
  {{- /* Where pods come from none, a start is no outage. */}}
  {{- if or (not $for) (and (eq $name "VLLMDown") (include "vllm.rules.mayBeNone" $root)) }}
    {{- $for = include "vllm.rules.startSeconds" $root | printf "%ss" }}
  {{- end }}
  {{- $texts := dict "for" $for }}
  {{- range $key, $value := omit (last .) "for" "severity" }}
    {{- $_ := set $texts $key $value }}
  {{- end }}
  {{- with $rule.slo }}
    {{- $objective := (get $root.Values.slo .name) }}
    {{- if kindIs "map" $objective }}{{ $objective = $objective.objective }}{{ end }}
    {{- $_ := set $texts "objective" (include "vllm.text" $objective) }}
    {{- $_ := set $texts "budget" (subf 1 (float64 $objective) | toJson) }}
    {{- $texts = merge $texts (omit . "name") }}
  {{- end }}
  {{- $rule = include "vllm.rules.fill" (list (omit $rule "slo" | toRawJson) $texts) | fromJson }}
  {{- $command := printf "vllm-chart diagnose --release %s -n %s" $root.Release.Name (include "vllm.namespace" $root) }}
  {{- $annotations := dict "summary" $rule.summary
    "description" (printf "%s Begin with: %s" (trim $rule.description) $command)
    "runbook_url" (printf "%s/%s.md" (trimSuffix "/" $values.runbookUrl) $name) }}
  {{- with $values.dashboardUrl }}{{ $_ := set $annotations "dashboard_url" . }}{{ end }}
  {{- $own := dict "severity" (last .).severity "release" $root.Release.Name }}
  {{- $labels := include "vllm.map" (list $values.alertLabels $own) | fromYaml }}
  {{- dict "alert" $name "expr" $rule.expr "for" $for "labels" $labels "annotations" $annotations | toJson }}
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
