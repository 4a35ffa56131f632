{{/* Items for what is scraped twice, or not at all. */}}
{{- define "vllm.validate.monitoring" }}
  {{- include "vllm.validate.monitors" . }}
  {{- $enabled := include "vllm.monitoring.enabled" . | fromJsonArray }}
  {{- if $enabled }}{{ include "vllm.validate.scraped" (list . (first $enabled)) }}{{ end }}
  {{- range $key := without $enabled "scrapeAnnotations" }}
    {{- include "vllm.validate.monitor.port" (list $ $key) }}
    {{- include "vllm.validate.monitor.tls" (list $ $key) }}
  {{- end }}
{{- end }}

{{/* Items for whoever scrapes. Takes a list: root context, the key that is enabled. */}}
{{- define "vllm.validate.scraped" }}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $ports := include "vllm.metrics.ports" $root | fromJsonArray }}
  {{- if and (eq $key "scrapeAnnotations") (gt (len $ports) 1) }}
    - scrapeAnnotations: they name one port, and each data-parallel rank has its own: write serviceMonitor.enabled: true
  {{- end }}
  {{- if eq (include "vllm.flag" (list $root "disable-log-stats")) "true" }}
    - engine.args.disable-log-stats: vLLM counts nothing with it that {{ $key }} could collect: leave it out
  {{- end }}
{{- end }}

{{/* Items for the port that one monitor asks. Takes a list: root context, its key. */}}
{{- define "vllm.validate.monitor.port" }}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $monitor := get $root.Values $key }}
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

{{/* Items for the certificates of one monitor. Takes a list: root context, its key. */}}
{{- define "vllm.validate.monitor.tls" }}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $monitor := get $root.Values $key }}
  {{- $tls := $monitor.tlsConfig | default dict }}
  {{- $https := eq (include "vllm.monitor.scheme" .) "https" }}
  {{- $asked := and $https (not $monitor.port) (eq (include "vllm.flag" (list $root "ssl-cert-reqs")) "2") }}
  {{- if and $tls (not $https) }}
    - {{ $key }}.tlsConfig: Prometheus asks by http: write {{ $key }}.scheme: https, or leave it out
  {{- else if $monitor.scrapeClass }}
    {{- /* Which may have all of it. */}}
  {{- else if and $https (not $tls) }}
    - {{ $key }}.tlsConfig: Prometheus asks by https and would take no certificate for a pod's address: write
      ca: {secret: {name, key}} of what signed it, or insecureSkipVerify: true
  {{- else if and $asked (not (or $tls.cert $tls.certFile)) }}
    - {{ $key }}.tlsConfig: the engine asks Prometheus for a certificate (engine.args.ssl-cert-reqs): write
      cert: {secret: {name, key}} and keySecret: {name, key}
  {{- end }}
{{- end }}
