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
      {{- $made := include "vllm.rules.fill" (list (omit $rule "windows") (dict "window" $window)) | fromYaml }}
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
    "restartWindow" (add 180 (include "vllm.startup.budgetSeconds" .) | printf "%ds") }}
  {{- $selector := printf "{namespace=%q,job=%q" $namespace (printf "%s/%s" $namespace (include "vllm.fullname" .)) }}
  {{- $rules := .Files.Get "files/rules.yaml" | fromYaml }}
  {{- include "vllm.rules.fill" (list $rules $same) | replace "{S" $selector }}
{{- end }}

{{/* YAML: a structure with texts in the place of their names, $threshold. Takes a list: structure, map of texts. */}}
{{- define "vllm.rules.fill" -}}
  {{- $text := toYaml (first .) }}
  {{- range $name, $value := last . }}
    {{- $text = regexReplaceAllLiteral (printf `\$%s\b` $name) $text $value }}
  {{- end }}
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
    {{- $settings := get $values.alerts $rule.alert }}
    {{- if and $settings (ne (toString $settings.enabled) "false") (not (has $rule.alert $out)) }}
      {{- $settings = merge (deepCopy $settings) (get $root.Facts.alerts.defaults $rule.alert) }}
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
  {{- $for := (last .).for | default (include "vllm.rules.startSeconds" $root | printf "%ss") }}
  {{- $texts := dict "for" $for }}
  {{- range $key, $value := omit (last .) "for" "severity" }}
    {{- $_ := set $texts $key (include "vllm.text" $value) }}
  {{- end }}
  {{- with $rule.slo }}
    {{- $objective := (get $root.Values.slo .name) }}
    {{- if kindIs "map" $objective }}{{ $objective = $objective.objective }}{{ end }}
    {{- $_ := set $texts "objective" (include "vllm.text" $objective) }}
    {{- $_ := set $texts "budget" (subf 1 (float64 $objective) | toJson) }}
    {{- $texts = merge $texts (omit . "name") }}
  {{- end }}
  {{- $rule = include "vllm.rules.fill" (list (omit $rule "slo") $texts) | fromYaml }}
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
  {{- /* With none by intention there is nothing to miss. */}}
  {{- if eq (include "vllm.workload.leastReplicas" .) "0" }}{{ $out = append $out "VLLMAbsent" }}{{ end }}
  {{- toJson $out }}
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
