{{/*
What is measured: who scrapes it, and the names that a scrape's targets get. Defines about a monitor take a list: root
context, the monitor's key in the values.
*/}}

{{/* Strings: the name of each object. */}}
{{- define "vllm.serviceMonitor.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.podMonitor.name" -}}{{ include "vllm.fullname" . }}{{- end }}

{{/* String: the `job` of every target of the release, whoever scrapes it: what rules, panels and scalers go by. */}}
{{- define "vllm.job" -}}{{ include "vllm.namespace" . }}/{{ include "vllm.fullname" . }}{{- end }}

{{/*
JSON list of integers: the ports of a pod that answer /metrics, the one that it declares first. Data-parallel ranks that
are servers of their own listen side by side (entrypoints/launchers/dp_supervisor.py:121 of vLLM 0.33); else one page
tells of all ranks and API servers.
*/}}
{{- define "vllm.metrics.ports" -}}
  {{- $ports := list (int .Values.containerPort) }}
  {{- if eq (include "vllm.flag" (list . "data-parallel-multi-port-external-lb")) "true" }}
    {{- range $rank := include "vllm.flag" (list . "data-parallel-size-local") | int | until }}
      {{- if $rank }}{{ $ports = append $ports (add $.Values.containerPort $rank | int) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- toJson $ports }}
{{- end }}

{{/* YAML map: the metadata of a monitor, or of the rules. Takes a list: root context, the key of its values. */}}
{{- define "vllm.monitor.metadata" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
name: {{ include (printf "vllm.%s.name" (last .)) $root | quote }}
namespace: {{ $monitor.namespace | default (include "vllm.namespace" $root) | quote }}
labels: {{- include "vllm.map" (list (include "vllm.labels" $root | fromYaml) $monitor.labels) | nindent 2 }}
{{- with include "vllm.annotations" (list $root $monitor.annotations) }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* YAML map: the spec of a monitor but for its endpoints. */}}
{{- define "vllm.monitor.spec" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
  {{- $namespace := include "vllm.namespace" $root }}
selector:
  matchLabels: {{- include "vllm.selectorLabels" $root | nindent 4 }}
{{- if ne ($monitor.namespace | default $namespace) $namespace }}
namespaceSelector:
  matchNames:
    - {{ quote $namespace }}
{{- end }}
  {{- $ranks := include "vllm.metrics.ranks" $root | int }}
  {{- $limit := ternary (mul 5000 $ranks) $monitor.sampleLimit (eq (include "vllm.text" $monitor.sampleLimit) "") }}
{{- with int $limit }}
sampleLimit: {{ . }}
{{- end }}
{{- with $monitor.scrapeClass }}
scrapeClass: {{ quote . }}
{{- end }}
{{- if kindIs "bool" $monitor.convertClassicHistogramsToNHCB }}
convertClassicHistogramsToNHCB: {{ $monitor.convertClassicHistogramsToNHCB }}
{{- end }}
{{- end }}

{{/* Integer as string: the data-parallel ranks that one page tells of. */}}
{{- define "vllm.metrics.ranks" -}}
  {{- $several := gt (include "vllm.metrics.ports" . | fromJsonArray | len) 1 }}
  {{- ternary 1 (int .Values.parallelism.dataParallelSize) $several }}
{{- end }}

{{/* YAML list: the endpoints of a monitor, one for each port that answers. */}}
{{- define "vllm.monitor.endpoints" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
  {{- $endpoint := dict (include "vllm.monitor.portField" .) ($monitor.port | default "http")
    "path" "/metrics"
    "scheme" (include "vllm.monitor.scheme" .) }}
  {{- range $key := list "interval" "scrapeTimeout" "authorization" }}
    {{- with get $monitor $key }}{{ $_ := set $endpoint $key . }}{{ end }}
  {{- end }}
  {{- with include "vllm.monitor.tlsConfig" . }}{{ $_ := set $endpoint "tlsConfig" (fromYaml .) }}{{ end }}
  {{- $created := dict "sourceLabels" (list "__name__") "regex" ".+_created" "action" "drop" }}
  {{- $samples := prepend (without ($monitor.metricRelabelings | default list) nil) $created }}
  {{- $_ := set $endpoint "metricRelabelings" $samples }}
  {{- $ports := include "vllm.metrics.ports" $root | fromJsonArray }}
  {{- $endpoints := list }}
  {{- range $port := ternary (list 0) $ports (not (empty $monitor.port)) }}
    {{- $relabelings := include "vllm.monitor.relabelings" (append $ $port) | fromJsonArray }}
    {{- $endpoints = append $endpoints (merge (dict "relabelings" $relabelings) $endpoint) }}
  {{- end }}
  {{- include "vllm.yaml" $endpoints }}
{{- end }}

{{/*
String: the field that names a port of the pod. A ServiceMonitor's `port` is one of the Service's, which may lead to
another container; its `targetPort` is one of the pod's own.
*/}}
{{- define "vllm.monitor.portField" -}}
  {{- $root := first . }}
  {{- $engine := list "" "http" (toString $root.Values.containerPort) }}
  {{- $byService := has (toString $root.Values.service.targetPort) $engine }}
  {{- $same := and $byService (empty (get $root.Values (last .)).port) }}
  {{- ternary "port" "targetPort" (or $same (eq (last .) "podMonitor")) }}
{{- end }}

{{/*
JSON list: which targets there are, and what they are called. Takes a list: root context, the monitor's key, the port of
the pod, or 0 for the one that the monitor names.
*/}}
{{- define "vllm.monitor.relabelings" -}}
  {{- $root := first . }}
  {{- $key := index . 1 }}
  {{- $port := last . | int }}
  {{- $relabelings := list }}
  {{- if and (eq $key "serviceMonitor") (include "vllm.asksForIPv6" $root) }}
    {{- /* A Service of two families has a slice of each, with every pod in both: the pod's first address counts. */}}
    {{- $address := dict "sourceLabels" (list "__address__") "regex" "\\[?([^]]+)]?:[0-9]+" }}
    {{- $relabelings = append $relabelings (merge (dict "targetLabel" "__tmp_address") $address) }}
    {{- $own := dict "sourceLabels" (list "__meta_kubernetes_pod_ip") "targetLabel" "__tmp_address" }}
    {{- $relabelings = append $relabelings (set $own "action" "keepequal") }}
  {{- end }}
  {{- if not (has $port (list 0 (int $root.Values.containerPort))) }}
    {{- /* The pod declares the first rank's port alone: another's is found from it. */}}
    {{- $address := dict "sourceLabels" (list "__address__") "regex" "(.+):[0-9]+" "targetLabel" "__address__" }}
    {{- $relabelings = append $relabelings (set $address "replacement" (printf "${1}:%d" $port)) }}
  {{- end }}
  {{- $relabelings = concat $relabelings (without ((get $root.Values $key).relabelings | default list) nil) }}
  {{- append $relabelings (dict "targetLabel" "job" "replacement" (include "vllm.job" $root)) | toJson }}
{{- end }}

{{/* String: http or https. */}}
{{- define "vllm.monitor.scheme" -}}
  {{- $monitor := get (first .).Values (last .) }}
  {{- $own := ternary (include "vllm.scheme" (first .)) "http" (empty $monitor.port) }}
  {{- $monitor.scheme | default $own }}
{{- end }}

{{/*
YAML map, or nothing: how the certificate is checked. Prometheus asks by the pod's address, which is no name of a
certificate; the Service's is, because clients ask by that.
*/}}
{{- define "vllm.monitor.tlsConfig" -}}
  {{- $root := first . }}
  {{- $tls := deepCopy ((get $root.Values (last .)).tlsConfig | default dict) }}
  {{- if and $tls (not $tls.insecureSkipVerify) (not $tls.serverName) }}
    {{- $name := printf "%s.%s.svc" (include "vllm.service.name" $root) (include "vllm.namespace" $root) }}
    {{- $_ := set $tls "serverName" $name }}
  {{- end }}
  {{- with $tls }}{{ include "vllm.yaml" . }}{{ end }}
{{- end }}

{{/* YAML map, or nothing: the annotations by which a Prometheus without the operator finds the pods. */}}
{{- define "vllm.scrapeAnnotations" -}}
  {{- if .Values.scrapeAnnotations.enabled }}
    {{- dict "prometheus.io/scrape" "true"
      "prometheus.io/port" (int .Values.containerPort | toString)
      "prometheus.io/path" "/metrics"
      "prometheus.io/scheme" (include "vllm.scheme" .)
      "prometheus.io/job" (include "vllm.job" .) | toYaml }}
  {{- end }}
{{- end }}

{{/* Integer as string: milliseconds of a time as Prometheus writes it, "1m30s"; 0 for none. */}}
{{- define "vllm.duration" -}}
  {{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 "y" 31536000000 }}
  {{- $sum := 0 }}
  {{- range regexFindAll "[0-9]+(ms|[smhdwy])" (. | default "") -1 }}
    {{- $number := regexFind "^[0-9]+" . }}
    {{- $sum = add $sum (mul (int64 $number) (get $units (trimPrefix $number .))) }}
  {{- end }}
  {{- $sum }}
{{- end }}
