{{/* What is measured: who scrapes it, and the names that a scrape's targets get. */}}

{{/* Strings: the name of each object. */}}
{{- define "vllm.serviceMonitor.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.podMonitor.name" -}}{{ include "vllm.fullname" . }}{{- end }}

{{/* String: the `job` of every target of the release, whoever scrapes it: what rules, panels and scalers go by. */}}
{{- define "vllm.job" -}}{{ include "vllm.namespace" . }}/{{ include "vllm.fullname" . }}{{- end }}

{{/*
JSON list of integers: the ports of a pod that answer /metrics, the engine's own first. Ranks that are servers of their
own listen side by side (entrypoints/launchers/dp_supervisor.py:121 of vLLM 0.33); else one page tells of all ranks and
API servers.
*/}}
{{- define "vllm.metrics.ports" -}}
  {{- $first := int .Values.containerPort }}
  {{- $ports := list $first }}
  {{- $flag := include "vllm.flag" (list . "data-parallel-multi-port-external-lb") }}
  {{- if eq $flag "true" }}
    {{- $ranks := include "vllm.flag" (list . "data-parallel-size-local") | int | max 1 }}
    {{- range $rank := untilStep 1 (int $ranks) 1 }}{{ $ports = append $ports (add $first $rank) }}{{ end }}
  {{- end }}
  {{- toJson $ports }}
{{- end }}

{{/* YAML map: the metadata of a monitor. Takes a list: root context, its name, its values. */}}
{{- define "vllm.monitor.metadata" -}}
  {{- $root := first . }}
  {{- $monitor := last . }}
name: {{ index . 1 | quote }}
namespace: {{ $monitor.namespace | default (include "vllm.namespace" $root) | quote }}
labels: {{- include "vllm.map" (list (include "vllm.labels" $root | fromYaml) $monitor.labels) | nindent 2 }}
{{- with include "vllm.annotations" (list $root $monitor.annotations) }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* YAML map: what both kinds have in their spec. Takes a list: root context, the monitor's values. */}}
{{- define "vllm.monitor.spec" -}}
  {{- $root := first . }}
  {{- $monitor := last . }}
selector:
  matchLabels: {{- include "vllm.selectorLabels" $root | nindent 4 }}
{{- if ne ($monitor.namespace | default (include "vllm.namespace" $root)) (include "vllm.namespace" $root) }}
namespaceSelector:
  matchNames:
    - {{ include "vllm.namespace" $root | quote }}
{{- end }}
  {{- $limit := $monitor.sampleLimit }}
  {{- if eq (include "vllm.text" $limit) "" }}{{ $limit = mul 5000 $root.Values.parallelism.dataParallelSize }}{{ end }}
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

{{/*
String: how a ServiceMonitor names a port of the pod. `port` is one of the Service's, which may lead to another
container; `targetPort` is one of the pod's own.
*/}}
{{- define "vllm.serviceMonitor.portField" -}}
  {{- $engine := list "" "http" (toString .Values.containerPort) }}
  {{- $byService := has (toString .Values.service.targetPort) $engine }}
  {{- ternary "port" "targetPort" (and $byService (empty .Values.serviceMonitor.port)) }}
{{- end }}

{{/*
YAML list: the endpoints of a monitor, one for each port that answers. Takes a list: root context, the monitor's values,
the field that names a port of the pod in its kind.
*/}}
{{- define "vllm.monitor.endpoints" -}}
  {{- $root := first . }}
  {{- $monitor := index . 1 }}
  {{- $ports := ternary list (include "vllm.metrics.ports" $root | fromJsonArray) (not (empty $monitor.port)) }}
  {{- $endpoint := dict (last .) ($monitor.port | default "http")
    "path" "/metrics"
    "scheme" (include "vllm.monitor.scheme" (list $root $monitor)) }}
  {{- range $key := list "interval" "scrapeTimeout" "authorization" }}
    {{- with get $monitor $key }}{{ $_ := set $endpoint $key . }}{{ end }}
  {{- end }}
  {{- with include "vllm.monitor.tlsConfig" (list $root $monitor) }}
    {{- $_ := set $endpoint "tlsConfig" (fromYaml .) }}
  {{- end }}
  {{- $job := dict "targetLabel" "job" "replacement" (include "vllm.job" $root) }}
  {{- $relabelings := append (without ($monitor.relabelings | default list) nil) $job }}
  {{- $created := dict "sourceLabels" (list "__name__") "regex" ".+_created" "action" "drop" }}
  {{- $samples := prepend (without ($monitor.metricRelabelings | default list) nil) $created }}
  {{- $endpoints := list (merge (dict "relabelings" $relabelings "metricRelabelings" $samples) $endpoint) }}
  {{- range $number := $ports }}
    {{- if ne (int $number) (int $root.Values.containerPort) }}
      {{- /* The pod declares the engine's first port alone; a rank's own is found from it. */}}
      {{- $moved := dict "sourceLabels" (list "__address__") "regex" "(.+):[0-9]+" "targetLabel" "__address__" }}
      {{- $own := prepend $relabelings (set $moved "replacement" (printf "${1}:%d" (int $number))) }}
      {{- $endpoints = append $endpoints (merge (dict "relabelings" $own "metricRelabelings" $samples) $endpoint) }}
    {{- end }}
  {{- end }}
  {{- include "vllm.yaml" $endpoints }}
{{- end }}

{{/* String: http or https. Takes a list: root context, the monitor's values. */}}
{{- define "vllm.monitor.scheme" -}}
  {{- $own := ternary (include "vllm.scheme" (first .)) "http" (empty (last .).port) }}
  {{- (last .).scheme | default $own }}
{{- end }}

{{/*
YAML map, or nothing: how the certificate is checked. Prometheus asks by the pod's address, which is no name of a
certificate; the Service's is, because clients ask by that. Takes a list: root context, the monitor's values.
*/}}
{{- define "vllm.monitor.tlsConfig" -}}
  {{- $root := first . }}
  {{- $tls := deepCopy ((last .).tlsConfig | default dict) }}
  {{- $checked := and $tls (not (or $tls.insecureSkipVerify $tls.serverName)) }}
  {{- if and $checked (eq (include "vllm.monitor.scheme" .) "https") }}
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
