{{/* Items for what is scraped twice, or not at all. */}}
{{- define "chart.validate.monitors" }}
  {{- $enabled := include "chart.monitoring.enabled" . | fromJsonArray }}
  {{- if gt (len $enabled) 1 }}
    - {{ first $enabled }}: every pod would be scraped by {{ join " and " (rest $enabled) }} too, and counted twice:
      keep one of them enabled
  {{- end }}
  {{- range $key := $enabled | first | list | compact }}
    {{- $values := $.Values }}
    {{- $annotated := dict "podAnnotations" $values.podAnnotations "service.annotations" $values.service.annotations }}
    {{- range $where, $annotations := $annotated }}
      {{- $scraped := eq (get ($annotations | default dict) "prometheus.io/scrape" | include "chart.text") "true" }}
      {{- if and $scraped (ne (printf "%s %s" $where $key) "podAnnotations scrapeAnnotations") }}
        - {{ $where }}: {{ $key }} is enabled, so that who goes by prometheus.io/scrape too counts twice: leave the
          annotation out
      {{- end }}
    {{- end }}
  {{- end }}
  {{- range $key := without $enabled "scrapeAnnotations" }}{{ include "chart.validate.monitor" (list $ $key) }}{{ end }}
{{- end }}

{{/* JSON list: the keys that have the pods scraped and are enabled. */}}
{{- define "chart.monitoring.enabled" -}}
  {{- $enabled := list }}
  {{- range $key := list "serviceMonitor" "podMonitor" "scrapeAnnotations" }}
    {{- if (get $.Values $key).enabled }}{{ $enabled = append $enabled $key }}{{ end }}
  {{- end }}
  {{- toJson $enabled }}
{{- end }}

{{/* Items for one monitor. Takes a list: root context, its key. */}}
{{- define "chart.validate.monitor" }}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $monitor := get $root.Values $key }}
  {{- $kind := title $key }}
  {{- if include "chart.clusterLacks" (list $root (printf "monitoring.coreos.com/v1/%s" $kind)) }}
    - {{ $key }}.enabled: the cluster has no {{ $kind }} (monitoring.coreos.com/v1): install prometheus-operator, or
      write scrapeAnnotations.enabled: true for a Prometheus without it
  {{- end }}
  {{- $interval := include "chart.duration" $monitor.interval | int }}
  {{- if and $interval (gt (include "chart.duration" $monitor.scrapeTimeout | int) $interval) }}
    - {{ $key }}.scrapeTimeout: {{ $monitor.scrapeTimeout }} is longer than the interval, {{ $monitor.interval }}, and
      prometheus-operator leaves such a monitor out: write at most as much
  {{- end }}
  {{- range compact ($monitor.relabelings | default list) }}
    {{- if has .targetLabel (list "job" "namespace" "pod") }}
      - {{ $key }}.relabelings: {{ .targetLabel }} is the chart's own, by which rules, dashboards and scalers find the
        pods: write another targetLabel
    {{- end }}
  {{- end }}
{{- end }}
