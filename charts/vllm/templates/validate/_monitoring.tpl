{{/* Items for what is scraped twice, or not at all. */}}
{{- define "vllm.validate.monitoring" }}
  {{- $enabled := list }}
  {{- range $key := list "serviceMonitor" "podMonitor" "scrapeAnnotations" }}
    {{- if (get $.Values $key).enabled }}{{ $enabled = append $enabled $key }}{{ end }}
  {{- end }}
  {{- if gt (len $enabled) 1 }}
    - {{ first $enabled }}: every pod would be scraped by {{ join " and " (rest $enabled) }} too, and counted twice:
      keep one of them enabled
  {{- end }}
  {{- $annotated := dict "podAnnotations" .Values.podAnnotations "service.annotations" .Values.service.annotations }}
  {{- range $key, $annotations := $annotated }}
    {{- $scraped := eq (get ($annotations | default dict) "prometheus.io/scrape" | include "vllm.text") "true" }}
    {{- if and $scraped $enabled (not (and (eq $key "podAnnotations") (eq (first $enabled) "scrapeAnnotations"))) }}
      - {{ $key }}.prometheus.io/scrape: {{ first $enabled }} is enabled, so that a Prometheus that goes by annotations
        too would count twice: leave it out
    {{- end }}
  {{- end }}
  {{- range $key := without $enabled "scrapeAnnotations" }}
    {{- include "vllm.validate.monitor" (list $ $key (get $.Values $key)) }}
  {{- end }}
{{- end }}

{{/* Items for one monitor. Takes a list: root context, its key, its values. */}}
{{- define "vllm.validate.monitor" }}
  {{- $root := first . }}
  {{- $key := index . 1 }}
  {{- $monitor := last . }}
  {{- $kind := title $key }}
  {{- if include "vllm.clusterLacks" (list $root (printf "monitoring.coreos.com/v1/%s" $kind)) }}
    - {{ $key }}.enabled: the cluster has no {{ $kind }} (monitoring.coreos.com/v1): install prometheus-operator, or
      write scrapeAnnotations.enabled: true for a Prometheus without it
  {{- end }}
  {{- $interval := include "vllm.duration" $monitor.interval | int }}
  {{- if and $interval (gt (include "vllm.duration" $monitor.scrapeTimeout | int) $interval) }}
    - {{ $key }}.scrapeTimeout: {{ $monitor.scrapeTimeout }} is longer than the interval, {{ $monitor.interval }}, and
      prometheus-operator leaves such a monitor out: write at most as much
  {{- end }}
  {{- range compact ($monitor.relabelings | default list) }}
    {{- if has .targetLabel (list "job" "namespace" "pod") }}
      - {{ $key }}.relabelings: {{ .targetLabel }} is the chart's own, by which rules, dashboards and scalers find the
        pods: write another targetLabel
    {{- end }}
  {{- end }}
  {{- $scheme := include "vllm.monitor.scheme" (list $root $monitor) }}
  {{- if and (eq $scheme "https") (not (or $monitor.tlsConfig $monitor.scrapeClass)) }}
    - {{ $key }}.tlsConfig: Prometheus asks by https and would take no certificate for a pod's address: write
      ca: {secret: {name, key}} of what signed it, or insecureSkipVerify: true
  {{- else if and (eq $scheme "http") $monitor.tlsConfig }}
    - {{ $key }}.tlsConfig: Prometheus asks by http: write {{ $key }}.scheme: https, or leave it out
  {{- end }}
  {{- $ports := include "vllm.portNames" $root | fromJsonArray }}
  {{- if and $monitor.port (not (has $monitor.port $ports)) }}
    - {{ $key }}.port: no container has a port named {{ $monitor.port }}: write {{ join " or " $ports }}
  {{- end }}
  {{- $host := include "vllm.host" $root }}
  {{- if and (not $monitor.port) (regexMatch "^(127\\.|localhost$|::1$)" $host) }}
    - {{ $key }}.port: the engine listens on {{ $host }} alone (engine.args.host), where no Prometheus asks: write the
      port of a container that passes /metrics on
  {{- end }}
{{- end }}
