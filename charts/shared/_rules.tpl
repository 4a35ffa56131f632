{{/*
What files/rules.yaml, where the expressions are, comes to for a release. A chart says itself, as JSON, which texts of
the file are the same for each rule ("chart.rules.texts"), what its alerts are set to where nothing is written
("chart.rules.defaults"), which of them would be wrong ("chart.rules.leftOut"), and what an alert's settings come to
("chart.rules.settings").
*/}}

{{/* String: the name of the object. */}}
{{- define "chart.prometheusRule.name" -}}{{ include "chart.fullname" . }}{{- end }}

{{/* YAML map: the file, with all in it that is the same for each of its rules. */}}
{{- define "chart.rules.read" -}}
  {{- $namespace := include "chart.namespace" . }}
  {{- $same := include "chart.rules.texts" . | fromJson }}
  {{- $_ := set (set $same "release" .Release.Name) "namespace" $namespace }}
  {{- $selector := printf "{namespace=%q,job=%q" $namespace (include "chart.job" .) }}
  {{- include "chart.rules.fill" (list (.Files.Get "files/rules.yaml") $same) | replace "{S" $selector }}
{{- end }}

{{/* String: a text with others in the place of their names, $threshold. Takes a list: text, map of texts. */}}
{{- define "chart.rules.fill" -}}
  {{- $text := first . }}
  {{- range $name, $value := last . }}{{ $text = replace (printf "$%s" $name) $value $text }}{{ end }}
  {{- $text }}
{{- end }}

{{/* JSON list: the alerts. Takes a list: root context, what the file says of them. */}}
{{- define "chart.rules.alerts" -}}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $out := include "chart.rules.leftOut" $root | fromJsonArray }}
  {{- $defaults := include "chart.rules.defaults" $root | fromJson }}
  {{- $alerts := list }}
  {{- range $rule := last . }}
    {{- /* Not there where somebody deleted it, by null. */}}
    {{- $given := get $values.alerts $rule.alert }}
    {{- if and (kindIs "map" $given) (ne (toString $given.enabled) "false") (not (has $rule.alert $out)) }}
      {{- $settings := dict }}
      {{- range $key, $default := get $defaults $rule.alert }}
        {{- $_ := set $settings $key (include "chart.text" (get $given $key) | default (include "chart.text" $default)) }}
      {{- end }}
      {{- $alerts = append $alerts (include "chart.rules.alert" (list $root $rule $settings) | fromJson) }}
    {{- end }}
  {{- end }}
  {{- toJson $alerts }}
{{- end }}

{{/* JSON map: an alert. Takes a list: root context, what the file says of it, its settings. */}}
{{- define "chart.rules.alert" -}}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $rule := index . 1 }}
  {{- $name := $rule.alert }}
  {{- $texts := include "chart.rules.settings" . | fromJson }}
  {{- $rule = include "chart.rules.fill" (list (omit $rule "slo" | toRawJson) (omit $texts "severity")) | fromJson }}
  {{- $command := printf "vllm-chart diagnose --release %s -n %s" $root.Release.Name (include "chart.namespace" $root) }}
  {{- $annotations := dict "summary" $rule.summary
    "description" (printf "%s Begin with: %s" (trim $rule.description) $command)
    "runbook_url" (printf "%s/%s.md" (trimSuffix "/" $values.runbookUrl) $name) }}
  {{- with $values.dashboardUrl }}{{ $_ := set $annotations "dashboard_url" . }}{{ end }}
  {{- $own := dict "severity" $texts.severity "release" $root.Release.Name }}
  {{- $labels := include "chart.map" (list $values.alertLabels $own) | fromYaml }}
  {{- dict "alert" $name "expr" $rule.expr "for" $texts.for "labels" $labels "annotations" $annotations | toJson }}
{{- end }}
