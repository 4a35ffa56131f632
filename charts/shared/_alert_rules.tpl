{{/* Items for settings of alerts that there are not. Takes a list: root context, the name of an alert. */}}
{{- define "chart.validate.alerts" }}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $defaults := include "chart.rules.defaults" $root | fromJson }}
  {{- range $name, $settings := $values.alerts }}
    {{- $known := get $defaults $name }}
    {{- range $key, $value := omit ($settings | default dict) "enabled" }}
      {{- if not (or (hasKey $known $key) (kindIs "invalid" $value)) }}
        - prometheusRule.alerts.{{ $name }}.{{ $key }}: this alert has none:
          write {{ keys $known | sortAlpha | join ", " }} or enabled
      {{- end }}
    {{- end }}
  {{- end }}
  {{- range $key := list "severity" "release" }}
    {{- if hasKey ($values.alertLabels | default dict) $key }}
      {{- $severity := printf "prometheusRule.alerts.%s.severity, and so for each" (last $) }}
      - prometheusRule.alertLabels.{{ $key }}: every alert has its own: write
        {{ ternary $severity "another name" (eq $key "severity") }}
    {{- end }}
  {{- end }}
  {{- if and $values.enabled (include "chart.clusterLacks" (list $root "monitoring.coreos.com/v1/PrometheusRule")) }}
    - prometheusRule.enabled: the cluster has no PrometheusRule (monitoring.coreos.com/v1): install
      prometheus-operator, or print the rules with `vllm-chart rules` for a Prometheus without it
  {{- end }}
{{- end }}

{{/*
An item for a threshold that nothing is more than, since what is compared with it is a share: per cent, most likely.
Takes a list: root context, the name of the alert.
*/}}
{{- define "chart.validate.share" }}
  {{- $settings := get (first .).Values.prometheusRule.alerts (last .) | default dict }}
  {{- if and (ne (toString $settings.enabled) "false") (ge (float64 $settings.threshold) 1.0) }}
    - prometheusRule.alerts.{{ last . }}.threshold: no share is more than {{ $settings.threshold }}, so that it could
      never fire: write one below 1, 0.95 for 95 %, or enabled: false
  {{- end }}
{{- end }}
