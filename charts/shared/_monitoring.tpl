{{/*
What is measured: who scrapes it, and the names that a scrape's targets get. Defines about a monitor take a list: root
context, the monitor's key in the values. A chart says itself, in "chart.monitor.targets", what there is to ask.
*/}}

{{/* Strings: the name of each object. */}}
{{- define "chart.serviceMonitor.name" -}}{{ include "chart.fullname" . }}{{- end }}
{{- define "chart.podMonitor.name" -}}{{ include "chart.fullname" . }}{{- end }}

{{/* String: the `job` of every target of the release, whoever scrapes it: what rules, panels and scalers go by. */}}
{{- define "chart.job" -}}{{ include "chart.namespace" . }}/{{ include "chart.fullname" . }}{{- end }}

{{/* YAML map: the metadata of a monitor, or of the rules. Takes a list: root context, the key of its values. */}}
{{- define "chart.monitor.metadata" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
name: {{ include (printf "chart.%s.name" (last .)) $root | quote }}
namespace: {{ $monitor.namespace | default (include "chart.namespace" $root) | quote }}
labels: {{- include "chart.map" (list (include "chart.labels" $root | fromYaml) $monitor.labels) | nindent 2 }}
{{- with include "chart.annotations" (list $root $monitor.annotations) }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* YAML map: the spec of a monitor but for its endpoints. */}}
{{- define "chart.monitor.spec" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
  {{- $namespace := include "chart.namespace" $root }}
selector:
  matchLabels: {{- include "chart.selectorLabels" $root | nindent 4 }}
{{- if ne ($monitor.namespace | default $namespace) $namespace }}
namespaceSelector:
  matchNames:
    - {{ quote $namespace }}
{{- end }}
  {{- $limit := $monitor.sampleLimit }}
  {{- if eq (include "chart.text" $limit) "" }}{{ $limit = include "chart.monitor.sampleLimit" $root }}{{ end }}
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
YAML list: the endpoints of a monitor, one for each target of a pod. A target is a map of an endpoint's fields, with
relabelings that come first.
*/}}
{{- define "chart.monitor.endpoints" -}}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $monitor := get $root.Values $key }}
  {{- $same := dict "path" "/metrics" }}
  {{- range $field := list "interval" "scrapeTimeout" "authorization" }}
    {{- with get $monitor $field }}{{ $_ := set $same $field . }}{{ end }}
  {{- end }}
  {{- $created := dict "sourceLabels" (list "__name__") "regex" ".+_created" "action" "drop" }}
  {{- $samples := prepend (without ($monitor.metricRelabelings | default list) nil) $created }}
  {{- $_ := set $same "metricRelabelings" $samples }}
  {{- $endpoints := list }}
  {{- range $target := include "chart.monitor.targets" . | fromJsonArray }}
    {{- $relabelings := include "chart.monitor.relabelings" (list $root $key ($target.relabelings | default list)) }}
    {{- $own := dict "relabelings" (fromJsonArray $relabelings) }}
    {{- $endpoints = append $endpoints (merge $own $target $same) }}
  {{- end }}
  {{- include "chart.yaml" $endpoints }}
{{- end }}

{{/*
JSON list: which targets there are, and what they are called. Takes a list: root context, the monitor's key, the
target's own relabelings.
*/}}
{{- define "chart.monitor.relabelings" -}}
  {{- $root := first . }}
  {{- $key := index . 1 }}
  {{- $relabelings := list }}
  {{- if and (eq $key "serviceMonitor") (include "chart.asksForIPv6" $root) }}
    {{- /* A Service of two families has a slice of each, with every pod in both: the pod's first address counts. */}}
    {{- $address := dict "sourceLabels" (list "__address__") "regex" "\\[?([^]]+)]?:[0-9]+" }}
    {{- $relabelings = append $relabelings (merge (dict "targetLabel" "__tmp_address") $address) }}
    {{- $own := dict "sourceLabels" (list "__meta_kubernetes_pod_ip") "targetLabel" "__tmp_address" }}
    {{- $relabelings = append $relabelings (set $own "action" "keepequal") }}
  {{- end }}
  {{- $relabelings = concat $relabelings (last .) (without ((get $root.Values $key).relabelings | default list) nil) }}
  {{- append $relabelings (dict "targetLabel" "job" "replacement" (include "chart.job" $root)) | toJson }}
{{- end }}

{{/*
YAML map, or nothing: the annotations by which a Prometheus without the operator finds the pods. Takes a list: root
context, port, scheme.
*/}}
{{- define "chart.scrapeAnnotations" -}}
  {{- $root := first . }}
  {{- if $root.Values.scrapeAnnotations.enabled }}
    {{- dict "prometheus.io/scrape" "true"
      "prometheus.io/port" (index . 1 | int | toString)
      "prometheus.io/path" "/metrics"
      "prometheus.io/scheme" (last .)
      "prometheus.io/job" (include "chart.job" $root) | toYaml }}
  {{- end }}
{{- end }}

{{/* Integer as string: milliseconds of a time as Prometheus writes it, "1m30s"; 0 for none. */}}
{{- define "chart.duration" -}}
  {{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 "y" 31536000000 }}
  {{- $sum := 0 }}
  {{- range regexFindAll "[0-9]+(ms|[smhdwy])" (. | default "") -1 }}
    {{- $number := regexFind "^[0-9]+" . }}
    {{- $sum = add $sum (mul (int64 $number) (get $units (trimPrefix $number .))) }}
  {{- end }}
  {{- $sum }}
{{- end }}
