{{/* Generated from charts/shared by `nox -s generate`: edit it there. */}}
{{/* Items for settings of alerts that there are not. Takes a list: root context, the name of an alert. */}}
{{- define "vllm-endpoint.validate.alerts" }}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $defaults := include "vllm-endpoint.rules.defaults" $root | fromJson }}
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
  {{- if and $values.enabled (include "vllm-endpoint.clusterLacks" (list $root "monitoring.coreos.com/v1/PrometheusRule")) }}
    - prometheusRule.enabled: the cluster has no PrometheusRule (monitoring.coreos.com/v1): install
      prometheus-operator, or print the rules with `vllm-chart rules` for a Prometheus without it
  {{- end }}
{{- end }}

{{/*
An item for a threshold that nothing is more than, since what is compared with it is a share: per cent, most likely.
Takes a list: root context, the name of the alert.
*/}}
{{- define "vllm-endpoint.validate.share" }}
  {{- $settings := get (first .).Values.prometheusRule.alerts (last .) | default dict }}
  {{- if and (ne (toString $settings.enabled) "false") (ge (float64 $settings.threshold) 1.0) }}
    - prometheusRule.alerts.{{ last . }}.threshold: no share is more than {{ $settings.threshold }}, so that it could
      never fire: write one below 1, 0.95 for 95 %, or enabled: false
  {{- end }}
{{- end }}

{{/* What the cluster has. */}}

{{/*
"true" if the cluster is known to have no such kind, "monitoring.coreos.com/v1/ServiceMonitor", or nothing. Helm lists
the kinds of a cluster that it talks to, as does whoever hands all of them to `helm template` (Argo CD); by itself that
has groups and versions alone, says nothing of kinds, and renders what was asked for. Takes a list: root context, kind.
*/}}
{{- define "vllm-endpoint.clusterLacks" -}}
  {{- $apis := (first .).Capabilities.APIVersions }}
  {{- if and ($apis.Has "v1/Pod") (not ($apis.Has (last .))) }}true{{ end }}
{{- end }}

{{/* "true" if the Service may have an IPv6 address, or nothing. */}}
{{- define "vllm-endpoint.asksForIPv6" -}}
  {{- with .Values.service }}
    {{- $dual := has .ipFamilyPolicy (list "PreferDualStack" "RequireDualStack") }}
    {{- if or $dual (has "IPv6" (.ipFamilies | default list)) (contains ":" (.clusterIP | default "")) }}true{{ end }}
  {{- end }}
{{- end }}

{{/*
The dashboards that a chart has in files/dashboards, made a release's own. A chart says itself, in
"vllm-endpoint.dashboards.preset", what their variables are preset to: a JSON map, all of it text.
*/}}

{{/* YAML documents: a ConfigMap for each dashboard, for Grafana's sidecar. Takes a list: root context, dashboards. */}}
{{- define "vllm-endpoint.dashboards.configMaps" -}}
{{- $root := first . }}
{{- $values := $root.Values.dashboards }}
{{- $component := dict "app.kubernetes.io/component" "dashboard" }}
{{- $labels := include "vllm-endpoint.map" (list $values.labels (include "vllm-endpoint.labels" $root | fromYaml) $component) }}
{{- $annotations := include "vllm-endpoint.annotations" (list $root $values.annotations) }}
{{- range last . }}
{{- $dashboard := list $root . }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "vllm-endpoint.dashboard.name" $dashboard | quote }}
  namespace: {{ include "vllm-endpoint.dashboards.namespace" $root | quote }}
  labels: {{- $labels | nindent 4 }}
  {{- with $annotations }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
data:
  {{ include "vllm-endpoint.dashboard.file" $dashboard }}: {{ include "vllm-endpoint.dashboard.json" $dashboard | toRawJson }}
{{- end }}
{{- end }}

{{/*
String: the name of the object. In a namespace of others it says which release it is of, because the release's name is
one of many there. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm-endpoint.dashboard.name" -}}
  {{- $root := first . }}
  {{- $suffix := printf "dashboard-%s" (last .) }}
  {{- if ne (include "vllm-endpoint.dashboards.namespace" $root) (include "vllm-endpoint.namespace" $root) }}
    {{- $suffix = printf "%s-%s" $suffix (include "vllm-endpoint.job" $root | sha256sum | trunc 8) }}
  {{- end }}
  {{- include "vllm-endpoint.suffixed" (list (include "vllm-endpoint.fullname" $root) $suffix) }}
{{- end }}

{{/* String: where the objects are. */}}
{{- define "vllm-endpoint.dashboards.namespace" -}}
  {{- .Values.dashboards.namespace | default (include "vllm-endpoint.namespace" .) }}
{{- end }}

{{/*
String: what Grafana knows the dashboard by, in 40 characters at most. Each release has its own: of two with the same,
Grafana would take neither. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm-endpoint.dashboard.uid" -}}
  {{- printf "vllm-%s-%s" (last .) (include "vllm-endpoint.job" (first .) | sha256sum | trunc 16) }}
{{- end }}

{{/*
String: the name of its file. The sidecar writes the files of all ConfigMaps into one folder. No part of the job has a
dot, so that no two come to the same. Takes a list: root context, the dashboard.
*/}}
{{- define "vllm-endpoint.dashboard.file" -}}
  {{- printf "%s.vllm-%s.json" (include "vllm-endpoint.job" (first .) | replace "/" ".") (last .) }}
{{- end }}

{{/* JSON: a dashboard whose variables are preset to this release. Takes a list: root context, the dashboard. */}}
{{- define "vllm-endpoint.dashboard.json" -}}
  {{- $root := first . }}
  {{- $board := printf "files/dashboards/%s.json" (last .) | $root.Files.Get | fromJson }}
  {{- $_ := set $board "uid" (include "vllm-endpoint.dashboard.uid" .) }}
  {{- $_ := set $board "title" (printf "%s %s" $board.title (include "vllm-endpoint.job" $root)) }}
  {{- $preset := include "vllm-endpoint.dashboards.preset" $root | fromJson }}
  {{- range $variable := $board.templating.list }}
    {{- with get $preset $variable.name }}
      {{- $chosen := dict "text" . "value" . "selected" true }}
      {{- $_ := set $variable "current" $chosen }}
      {{- if eq $variable.type "textbox" }}
        {{- $_ := set (set $variable "query" .) "options" (list $chosen) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toRawJson $board }}
{{- end }}

{{/* What of KEDA is the same for every chart that asks Prometheus by it: one number, or no scaling. */}}

{{/* String: the name of the object. */}}
{{- define "vllm-endpoint.triggerAuthentication.name" -}}
  {{- include "vllm-endpoint.suffixed" (list (include "vllm-endpoint.fullname" .) "prometheus") }}
{{- end }}

{{/* "true" if the chart renders such an autoscaler, or nothing. Takes a list: root context, KEDA or HPA. */}}
{{- define "vllm-endpoint.autoscales" -}}
  {{- with (first .).Values.autoscaling }}{{ if and .enabled (eq .kind (last $)) }}true{{ end }}{{ end }}
{{- end }}

{{/* String: what selects the series of this release's pods, and of no other's. */}}
{{- define "vllm-endpoint.autoscaling.series" -}}
  {{- printf "namespace=%q,job=%q" (include "vllm-endpoint.namespace" .) (include "vllm-endpoint.job" .) }}
{{- end }}

{{/*
YAML map: KEDA's trigger for a query. An answer without a number is an error: KEDA would take it for 0, and scale to the
minimum when Prometheus is lost (kedacore/keda#3065). Takes a list: root context, name, query, threshold.
*/}}
{{- define "vllm-endpoint.autoscaling.trigger" -}}
  {{- $root := first . }}
  {{- with $root.Values.autoscaling.prometheus }}
    {{- $metadata := dict "serverAddress" .address "query" (index $ 2) "threshold" (index $ 3) }}
    {{- $_ := set $metadata "ignoreNullValues" "false" }}
    {{- with .auth.modes }}{{ $_ := set $metadata "authModes" (join "," .) }}{{ end }}
    {{- $metadata = include "vllm-endpoint.map" (list $metadata .parameters) | fromYaml }}
    {{- $trigger := dict "type" "prometheus" "name" (index $ 1) "metricType" "AverageValue" "metadata" $metadata }}
    {{- with include "vllm-endpoint.autoscaling.authentication" $root }}
      {{- $_ := set $trigger "authenticationRef" (fromYaml .) }}
    {{- end }}
    {{- toYaml $trigger }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: the TriggerAuthentication of the Prometheus triggers. */}}
{{- define "vllm-endpoint.autoscaling.authentication" -}}
  {{- with .Values.autoscaling.prometheus.auth }}
    {{- if .triggerAuthenticationRef.name }}
      {{- pick .triggerAuthenticationRef "name" "kind" | toYaml }}
    {{- else if .secretTargetRef }}
      {{- dict "name" (include "vllm-endpoint.triggerAuthentication.name" $) | toYaml }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML, or nothing: what KEDA shows Prometheus, out of Secrets that are there. */}}
{{- define "vllm-endpoint.triggerAuthentication" -}}
{{- $references := include "vllm-endpoint.list" .Values.autoscaling.prometheus.auth.secretTargetRef }}
{{- if and $references (include "vllm-endpoint.autoscales" (list . "KEDA")) }}
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: {{ include "vllm-endpoint.triggerAuthentication.name" . | quote }}
  namespace: {{ include "vllm-endpoint.namespace" . | quote }}
  labels: {{- include "vllm-endpoint.labels" . | nindent 4 }}
  {{- with include "vllm-endpoint.annotations" (list .) }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  secretTargetRef: {{- $references | nindent 4 }}
{{- end }}
{{- end }}

{{/* Items for KEDA, if it is there: who is asked, and by which password. */}}
{{- define "vllm-endpoint.validate.autoscaling.prometheus" }}
  {{- with .Values.autoscaling.prometheus }}
    {{- $keda := eq $.Values.autoscaling.kind "KEDA" }}
    {{- $references := list }}
    {{- range compact (.auth.secretTargetRef | default list) }}
      {{- $references = append $references .parameter }}
    {{- end }}
    {{- $modes := .auth.modes | default list }}
    {{- if and $keda (include "vllm-endpoint.clusterLacks" (list $ "keda.sh/v1alpha1/ScaledObject")) }}
      - autoscaling.kind: the cluster has no ScaledObject (keda.sh/v1alpha1): install KEDA, or write kind: HPA
    {{- end }}
    {{- if and $keda (not .address) }}
      - autoscaling.prometheus.address: KEDA has to ask somebody: write the URL of the Prometheus that scrapes the pods,
        http://prometheus-operated.monitoring:9090 for example
    {{- else if and (not $keda) (or .address $modes $references .auth.triggerAuthenticationRef.name .parameters) }}
      - autoscaling.prometheus: an HPA asks no Prometheus: leave it out, or write autoscaling.kind: KEDA
    {{- end }}
    {{- if and $references .auth.triggerAuthenticationRef.name }}
      - autoscaling.prometheus.auth: secretTargetRef and triggerAuthenticationRef are two ways to say it: keep one
    {{- else if and $references (not $modes) }}
      - autoscaling.prometheus.auth.modes: without one KEDA uses none of the parameters, not even ca: write [basic],
        [bearer] or [tls]; a CA alone is for KEDA itself to know (--ca-dir of its operator)
    {{- else if and $modes (not $references) (not .auth.triggerAuthenticationRef.name) }}
      - autoscaling.prometheus.auth: modes says how, and nothing says with what: write secretTargetRef, or
        triggerAuthenticationRef
    {{- else if $references }}
      {{- $needed := dict "basic" (list "username") "bearer" (list "bearerToken") "tls" (list "cert" "key")
        "custom" (list "customAuthHeader" "customAuthValue") "oauth" (list "oauthTokenURI" "clientID") }}
      {{- range $mode := $modes }}
        {{- range get $needed $mode }}
          {{- if not (or (has . $references) (and (eq . "bearerToken") (has "token" $references))) }}
            - autoscaling.prometheus.auth.secretTargetRef: {{ $mode }} needs the parameter {{ . }}, which no entry has:
              add {parameter: {{ . }}, name, key}
          {{- end }}
        {{- end }}
      {{- end }}
    {{- end }}
    {{- range $name := list "serverAddress" "query" "threshold" "ignoreNullValues" "authModes" }}
      {{- if include "vllm-endpoint.text" (get ($.Values.autoscaling.prometheus.parameters | default dict) $name) }}
        - autoscaling.prometheus.parameters.{{ $name }}: the chart writes it: leave it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Structures that users wrote, without the nulls in them. */}}

{{/*
YAML map, or nothing: maps that users key themselves, merged, the last one wins. Nulls are skipped, because that is
how a later file deletes a key; values become text, because labels, annotations and selectors are.
*/}}
{{- define "vllm-endpoint.map" -}}
  {{- $merged := dict }}
  {{- range $map := . }}
    {{- range $key, $value := $map }}
      {{- if kindIs "invalid" $value }}
        {{- $_ := unset $merged $key }}
      {{- else }}
        {{- $_ := set $merged $key (include "vllm-endpoint.text" $value) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with $merged }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* YAML list, or nothing: a pass-through list. */}}
{{- define "vllm-endpoint.list" -}}
  {{- with without (. | default list) nil }}{{ include "vllm-endpoint.yaml" . }}{{ end }}
{{- end }}

{{/*
YAML: a user's structure without the nulls in it. A null is how a later file deletes, and Kubernetes would read zero in
the place of some: a limit of null is a limit of 0.
*/}}
{{- define "vllm-endpoint.yaml" -}}
  {{- if contains "null" (toRawJson .) }}
    {{- $copy := deepCopy . }}
    {{- include "vllm-endpoint.deleteNulls" $copy }}
    {{- toYaml $copy }}
  {{- else }}
    {{- /* As nearly always; a copy costs more than the rest. */}}
    {{- toYaml . }}
  {{- end }}
{{- end }}

{{/* Nothing: changes the structure in place, at every depth. */}}
{{- define "vllm-endpoint.deleteNulls" -}}
  {{- if kindIs "map" . }}
    {{- range $key, $value := . }}
      {{- if kindIs "invalid" $value }}{{ $_ := unset $ $key }}{{ end }}
      {{- if kindIs "slice" $value }}{{ $_ := set $ $key (without $value nil) }}{{ end }}
      {{- include "vllm-endpoint.deleteNulls" $value }}
    {{- end }}
  {{- else if kindIs "slice" . }}
    {{- range . }}{{ include "vllm-endpoint.deleteNulls" . }}{{ end }}
  {{- end }}
{{- end }}

{{/* JSON list: the keys of a map that are set, not null. */}}
{{- define "vllm-endpoint.keysSet" -}}
  {{- $set := list }}
  {{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $set = append $set $key }}{{ end }}{{ end }}
  {{- toJson $set }}
{{- end }}

{{/*
What is measured: who scrapes it, and the names that a scrape's targets get. Defines about a monitor take a list: root
context, the monitor's key in the values. A chart says itself, in "vllm-endpoint.monitor.targets", what there is to ask.
*/}}

{{/* Strings: the name of each object. */}}
{{- define "vllm-endpoint.serviceMonitor.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}
{{- define "vllm-endpoint.podMonitor.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* String: the `job` of every target of the release, whoever scrapes it: what rules, panels and scalers go by. */}}
{{- define "vllm-endpoint.job" -}}{{ include "vllm-endpoint.namespace" . }}/{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* YAML map: the metadata of a monitor, or of the rules. Takes a list: root context, the key of its values. */}}
{{- define "vllm-endpoint.monitor.metadata" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
name: {{ include (printf "vllm-endpoint.%s.name" (last .)) $root | quote }}
namespace: {{ $monitor.namespace | default (include "vllm-endpoint.namespace" $root) | quote }}
labels: {{- include "vllm-endpoint.map" (list (include "vllm-endpoint.labels" $root | fromYaml) $monitor.labels) | nindent 2 }}
{{- with include "vllm-endpoint.annotations" (list $root $monitor.annotations) }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* YAML map: the spec of a monitor but for its endpoints. */}}
{{- define "vllm-endpoint.monitor.spec" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
  {{- $namespace := include "vllm-endpoint.namespace" $root }}
selector:
  matchLabels: {{- include "vllm-endpoint.selectorLabels" $root | nindent 4 }}
{{- if ne ($monitor.namespace | default $namespace) $namespace }}
namespaceSelector:
  matchNames:
    - {{ quote $namespace }}
{{- end }}
  {{- $limit := $monitor.sampleLimit }}
  {{- if eq (include "vllm-endpoint.text" $limit) "" }}{{ $limit = include "vllm-endpoint.monitor.sampleLimit" $root }}{{ end }}
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
{{- define "vllm-endpoint.monitor.endpoints" -}}
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
  {{- range $target := include "vllm-endpoint.monitor.targets" . | fromJsonArray }}
    {{- $relabelings := include "vllm-endpoint.monitor.relabelings" (list $root $key ($target.relabelings | default list)) }}
    {{- $own := dict "relabelings" (fromJsonArray $relabelings) }}
    {{- $endpoints = append $endpoints (merge $own $target $same) }}
  {{- end }}
  {{- include "vllm-endpoint.yaml" $endpoints }}
{{- end }}

{{/*
JSON list: which targets there are, and what they are called. Takes a list: root context, the monitor's key, the
target's own relabelings.
*/}}
{{- define "vllm-endpoint.monitor.relabelings" -}}
  {{- $root := first . }}
  {{- $key := index . 1 }}
  {{- $relabelings := list }}
  {{- if and (eq $key "serviceMonitor") (include "vllm-endpoint.asksForIPv6" $root) }}
    {{- /* A Service of two families has a slice of each, with every pod in both: the pod's first address counts. */}}
    {{- $address := dict "sourceLabels" (list "__address__") "regex" "\\[?([^]]+)]?:[0-9]+" }}
    {{- $relabelings = append $relabelings (merge (dict "targetLabel" "__tmp_address") $address) }}
    {{- $own := dict "sourceLabels" (list "__meta_kubernetes_pod_ip") "targetLabel" "__tmp_address" }}
    {{- $relabelings = append $relabelings (set $own "action" "keepequal") }}
  {{- end }}
  {{- $relabelings = concat $relabelings (last .) (without ((get $root.Values $key).relabelings | default list) nil) }}
  {{- append $relabelings (dict "targetLabel" "job" "replacement" (include "vllm-endpoint.job" $root)) | toJson }}
{{- end }}

{{/*
YAML map, or nothing: the annotations by which a Prometheus without the operator finds the pods. Takes a list: root
context, port, scheme.
*/}}
{{- define "vllm-endpoint.scrapeAnnotations" -}}
  {{- $root := first . }}
  {{- if $root.Values.scrapeAnnotations.enabled }}
    {{- dict "prometheus.io/scrape" "true"
      "prometheus.io/port" (index . 1 | int | toString)
      "prometheus.io/path" "/metrics"
      "prometheus.io/scheme" (last .)
      "prometheus.io/job" (include "vllm-endpoint.job" $root) | toYaml }}
  {{- end }}
{{- end }}

{{/* Integer as string: milliseconds of a time as Prometheus writes it, "1m30s"; 0 for none. */}}
{{- define "vllm-endpoint.duration" -}}
  {{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 "y" 31536000000 }}
  {{- $sum := 0 }}
  {{- range regexFindAll "[0-9]+(ms|[smhdwy])" (. | default "") -1 }}
    {{- $number := regexFind "^[0-9]+" . }}
    {{- $sum = add $sum (mul (int64 $number) (get $units (trimPrefix $number .))) }}
  {{- end }}
  {{- $sum }}
{{- end }}

{{/* Items for what is scraped twice, or not at all. */}}
{{- define "vllm-endpoint.validate.monitors" }}
  {{- $enabled := include "vllm-endpoint.monitoring.enabled" . | fromJsonArray }}
  {{- if gt (len $enabled) 1 }}
    - {{ first $enabled }}: every pod would be scraped by {{ join " and " (rest $enabled) }} too, and counted twice:
      keep one of them enabled
  {{- end }}
  {{- range $key := $enabled | first | list | compact }}
    {{- $values := $.Values }}
    {{- $annotated := dict "podAnnotations" $values.podAnnotations "service.annotations" $values.service.annotations }}
    {{- range $where, $annotations := $annotated }}
      {{- $scraped := eq (get ($annotations | default dict) "prometheus.io/scrape" | include "vllm-endpoint.text") "true" }}
      {{- if and $scraped (ne (printf "%s %s" $where $key) "podAnnotations scrapeAnnotations") }}
        - {{ $where }}: {{ $key }} is enabled, so that who goes by prometheus.io/scrape too counts twice: leave the
          annotation out
      {{- end }}
    {{- end }}
  {{- end }}
  {{- range $key := without $enabled "scrapeAnnotations" }}{{ include "vllm-endpoint.validate.monitor" (list $ $key) }}{{ end }}
{{- end }}

{{/* JSON list: the keys that have the pods scraped and are enabled. */}}
{{- define "vllm-endpoint.monitoring.enabled" -}}
  {{- $enabled := list }}
  {{- range $key := list "serviceMonitor" "podMonitor" "scrapeAnnotations" }}
    {{- if (get $.Values $key).enabled }}{{ $enabled = append $enabled $key }}{{ end }}
  {{- end }}
  {{- toJson $enabled }}
{{- end }}

{{/* Items for one monitor. Takes a list: root context, its key. */}}
{{- define "vllm-endpoint.validate.monitor" }}
  {{- $root := first . }}
  {{- $key := last . }}
  {{- $monitor := get $root.Values $key }}
  {{- $kind := title $key }}
  {{- if include "vllm-endpoint.clusterLacks" (list $root (printf "monitoring.coreos.com/v1/%s" $kind)) }}
    - {{ $key }}.enabled: the cluster has no {{ $kind }} (monitoring.coreos.com/v1): install prometheus-operator, or
      write scrapeAnnotations.enabled: true for a Prometheus without it
  {{- end }}
  {{- $interval := include "vllm-endpoint.duration" $monitor.interval | int }}
  {{- if and $interval (gt (include "vllm-endpoint.duration" $monitor.scrapeTimeout | int) $interval) }}
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

{{/* Names, labels and annotations of the objects of a release. */}}

{{/*
String: the chart's name, or its alias in an umbrella chart. Names may have capitals, dots and underscores there, which
objects' names may not.
*/}}
{{- define "vllm-endpoint.name" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.name.cut") }}{{- end }}

{{- define "vllm-endpoint.name.cut" -}}
  {{- default .Chart.Name .Values.nameOverride | include "vllm-endpoint.cut" }}
{{- end }}

{{/* String: release and chart name, the stem of all names; at most 63 characters. */}}
{{- define "vllm-endpoint.fullname" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.fullname.cut") }}{{- end }}

{{- define "vllm-endpoint.fullname.cut" -}}
  {{- if .Values.fullnameOverride }}
    {{- .Values.fullnameOverride }}
  {{- else if contains (include "vllm-endpoint.name" .) .Release.Name }}
    {{- include "vllm-endpoint.cut" .Release.Name }}
  {{- else }}
    {{- printf "%s-%s" .Release.Name (include "vllm-endpoint.name" .) | include "vllm-endpoint.cut" }}
  {{- end }}
{{- end }}

{{/* String: a name as Kubernetes takes it, at most 63 characters. */}}
{{- define "vllm-endpoint.cut" -}}
  {{- regexReplaceAll "[._]" (lower .) "-" | trunc 63 | trimAll "-" }}
{{- end }}

{{/* String: a stem with a suffix that survives the cut at 63. Takes a list: stem, suffix. */}}
{{- define "vllm-endpoint.suffixed" -}}
  {{- $suffix := printf "-%s" (last .) }}
  {{- printf "%s%s" (first . | trunc (sub 63 (len $suffix) | int) | trimAll "-") $suffix }}
{{- end }}

{{/* String: the namespace of every object. */}}
{{- define "vllm-endpoint.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end }}

{{/* YAML map: what selects the pods of this release, and never changes. */}}
{{- define "vllm-endpoint.selectorLabels" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.selectorLabels.own") }}{{- end }}

{{- define "vllm-endpoint.selectorLabels.own" -}}
  {{- dict "app.kubernetes.io/name" (include "vllm-endpoint.name" .) "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* YAML map: the labels of every object. */}}
{{- define "vllm-endpoint.labels" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.labels.own") }}{{- end }}

{{- define "vllm-endpoint.labels.own" -}}
  {{- $own := dict
    "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_.")
    "app.kubernetes.io/version" .Chart.AppVersion
    "app.kubernetes.io/managed-by" .Release.Service }}
  {{- include "vllm-endpoint.map" (list $own .Values.commonLabels (include "vllm-endpoint.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/* YAML map, or nothing: annotations. Takes a list: the root context, then maps of annotations. */}}
{{- define "vllm-endpoint.annotations" -}}
  {{- include "vllm-endpoint.map" (prepend (rest .) (first .).Values.commonAnnotations) }}
{{- end }}

{{/* Lines for labels in the place of the chart's own, with other values. */}}
{{- define "vllm-endpoint.validate.ownLabels" }}
  {{- $labelled := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels }}
  {{- range $key, $labels := set $labelled "service.labels" .Values.service.labels }}
    {{- range $label, $own := include "vllm-endpoint.selectorLabels" $ | fromYaml }}
      {{- if ne (get ($labels | default dict) $label | default $own) $own }}
        - {{ $key }}.{{ $label }}: it selects the pods and is the chart's own:
          write nameOverride or another release name
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* The NetworkPolicy of a release. Which ports there are, and whom the pods ask, each chart knows by itself. */}}

{{/* String: its name. */}}
{{- define "vllm-endpoint.networkPolicy.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* YAML: the object. Takes a list: root context, JSON list of ingress rules, JSON list of egress rules. */}}
{{- define "vllm-endpoint.networkPolicy" -}}
{{- $root := first . }}
{{- $policy := $root.Values.networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "vllm-endpoint.networkPolicy.name" $root | quote }}
  namespace: {{ include "vllm-endpoint.namespace" $root | quote }}
  labels: {{- include "vllm-endpoint.labels" $root | nindent 4 }}
  {{- with include "vllm-endpoint.annotations" (list $root) }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{- include "vllm-endpoint.selectorLabels" $root | nindent 6 }}
  policyTypes: [Ingress{{ if $policy.egress.enabled }}, Egress{{ end }}]
  {{- $in := concat (index . 1 | fromJsonArray) ($policy.ingress.extra | default list) }}
  ingress: {{- include "vllm-endpoint.list" $in | nindent 4 }}
  {{- if $policy.egress.enabled }}
  {{- $out := concat (last . | fromJsonArray) ($policy.egress.extra | default list) }}
  egress: {{- include "vllm-endpoint.list" $out | nindent 4 }}
  {{- end }}
{{- end }}

{{/* JSON list: what every release lets out: questions for names, and networkPolicy.egress.to. */}}
{{- define "vllm-endpoint.networkPolicy.egress" -}}
  {{- /* To anywhere: a cache on the node has the node's address. What CoreDNS listens on counts, not its Service. */}}
  {{- $dns := list (dict "port" 53 "protocol" "UDP") (dict "port" 53 "protocol" "TCP") }}
  {{- $openShift := list (dict "port" 5353 "protocol" "UDP") (dict "port" 5353 "protocol" "TCP") }}
  {{- $to := include "vllm-endpoint.networkPolicy.namespace" "openshift-dns" | fromJson | list }}
  {{- $rules := list (dict "ports" $dns) (dict "to" $to "ports" $openShift) }}
  {{- with without (.Values.networkPolicy.egress.to | default list) nil }}
    {{- $rules = append $rules (dict "to" .) }}
  {{- end }}
  {{- toJson $rules }}
{{- end }}

{{/*
JSON map, a rule: public addresses, at the port that it takes. No private ones (RFC 1918, 6598, 4193), which are other
people's services, and none that clouds serve a pod's credentials from: 169.254.0.0/16 with Azure's own 168.63.129.16,
what NAT64 makes of it (RFC 6052), Alibaba's 100.100.100.200 and Amazon's and Google's in fc00::/7 among the private.
*/}}
{{- define "vllm-endpoint.networkPolicy.world" -}}
  {{- $four := list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "100.64.0.0/10" "169.254.0.0/16" "168.63.129.16/32" }}
  {{- $six := list "fc00::/7" "fe80::/10" "64:ff9b::a9fe:0/112" }}
  {{- $to := list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $four)) }}
  {{- $to = append $to (dict "ipBlock" (dict "cidr" "::/0" "except" $six)) }}
  {{- dict "to" $to "ports" (list (dict "port" (int .) "protocol" "TCP")) | toJson }}
{{- end }}

{{/* JSON map: the pods of a namespace as a peer. Takes its name. */}}
{{- define "vllm-endpoint.networkPolicy.namespace" -}}
  {{- dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .)) | toJson }}
{{- end }}

{{/* JSON list of peers: the pods of `vllm-chart load` and `bench`, in the release's namespace. */}}
{{- define "vllm-endpoint.networkPolicy.tools" -}}
  {{- $names := list "vllm-chart-load" "vllm-chart-bench" }}
  {{- $name := dict "key" "app.kubernetes.io/name" "operator" "In" "values" $names }}
  {{- list (dict "podSelector" (dict "matchExpressions" (list $name))) | toJson }}
{{- end }}

{{/* Items for a policy that lets nobody in. */}}
{{- define "vllm-endpoint.validate.networkPolicy" }}
  {{- $policy := .Values.networkPolicy }}
  {{- $in := $policy.ingress }}
  {{- $none := not (or (kindIs "string" $in.from) (without ($in.from | default list) nil)) }}
  {{- if and $policy.enabled $none (not (without ($in.extra | default list) nil)) }}
    - networkPolicy.ingress.from: an empty list is nobody, and nobody could ask: write anyone, or who may
  {{- end }}
{{- end }}

{{/* The user's own objects, beside those of the release. */}}

{{/*
Lines for extraObjects. A chart says itself, in "vllm-endpoint.objects", what it renders: a JSON list of lists: group and kind,
the define of its name, whether it is rendered, and its namespace where that may be another than the release's.
*/}}
{{- define "vllm-endpoint.validate.extraObjects" }}
  {{- if .Values.extraObjects }}
    {{- $taken := include "vllm-endpoint.objects.taken" . | fromJsonArray }}
    {{- range compact .Values.extraObjects }}
      {{- $namespace := .metadata.namespace | default $.Release.Namespace }}
      {{- $name := include "vllm-endpoint.text" .metadata.name }}
      {{- $object := printf "%s %s %s in %s" (splitList "/" .apiVersion | initial | join "") .kind $name $namespace }}
      {{- if not (or .metadata.name (hasSuffix "List" .kind)) }}
        - extraObjects: a {{ .kind }} has no name: write metadata.name
      {{- else if has $object $taken }}
        - extraObjects: {{ .kind }} {{ .metadata.name }} is in the release already: use another name
      {{- else if not (or (contains "." .apiVersion) (regexMatch "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$" $name)) }}
        - extraObjects: {{ .metadata.name }} is no name of a {{ .kind }}:
          write lower-case letters, digits, dashes and dots
      {{- end }}
      {{- $taken = append $taken $object }}
      {{- include "vllm-endpoint.validate.extraObject" . }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* JSON list of "GROUP KIND NAME in NAMESPACE": the objects of the release. */}}
{{- define "vllm-endpoint.objects.taken" -}}
  {{- $all := list
    (list "networking.k8s.io NetworkPolicy" "vllm-endpoint.networkPolicy.name" .Values.networkPolicy.enabled)
    (list " Service" "vllm-endpoint.service.name" true)
    (list " ServiceAccount" "vllm-endpoint.serviceAccount.name" .Values.serviceAccount.create)
    (list "policy PodDisruptionBudget" "vllm-endpoint.podDisruptionBudget.name" .Values.podDisruptionBudget.enabled)
    (list "autoscaling HorizontalPodAutoscaler" "vllm-endpoint.autoscaler.name" (include "vllm-endpoint.autoscales" (list . "HPA")))
    (list "keda.sh ScaledObject" "vllm-endpoint.autoscaler.name" (include "vllm-endpoint.autoscales" (list . "KEDA")))
    (list "keda.sh TriggerAuthentication" "vllm-endpoint.triggerAuthentication.name" (include "vllm-endpoint.triggerAuthentication" .)) }}
  {{- range $key := list "serviceMonitor" "podMonitor" "prometheusRule" }}
    {{- $block := get $.Values $key }}
    {{- $kind := printf "monitoring.coreos.com %s" (title $key) }}
    {{- $all = append $all (list $kind (printf "vllm-endpoint.%s.name" $key) $block.enabled $block.namespace) }}
  {{- end }}
  {{- $taken := list }}
  {{- range concat $all (include "vllm-endpoint.objects" . | fromJsonArray) }}
    {{- if index . 2 }}
      {{- $namespace := index (append . "") 3 | default (include "vllm-endpoint.namespace" $) }}
      {{- $taken = append $taken (printf "%s %s in %s" (first .) (include (index . 1) $) $namespace) }}
    {{- end }}
  {{- end }}
  {{- toJson $taken }}
{{- end }}

{{/* Lines for what has to be text in one of the user's objects. */}}
{{- define "vllm-endpoint.validate.extraObject" }}
  {{- $object := . }}
  {{- $texts := pick .metadata "annotations" "labels" }}
  {{- if has .kind (list "ConfigMap" "Secret") }}{{ $texts = merge $texts (pick . "data" "stringData") }}{{ end }}
  {{- range $field, $map := $texts }}
    {{- if not (or (kindIs "map" $map) (kindIs "invalid" $map)) }}
      - extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}: {{ toJson $map }}:
        write a map, {name: text}
    {{- end }}
    {{- range $name, $value := ternary $map dict (kindIs "map" $map) }}
      {{- if not (or (kindIs "string" $value) (kindIs "invalid" $value)) }}
        - extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}.{{ $name }}:
          {{ toJson $value }}, which has to be text: write it in quotes
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
What costs as much as the rest of a render is done once, whoever asks for it: the root context, which all files of a
chart share, keeps it. Only for what follows from the root context alone.
*/}}

{{/* What a define returns for the root context. Takes a list: root context, the define's name. */}}
{{- define "vllm-endpoint.once" -}}
  {{- $root := first . }}
  {{- $kept := get $root "once" | default dict }}
  {{- if not (hasKey $kept (last .)) }}
    {{- $_ := set $root "once" (set $kept (last .) (include (last .) $root)) }}
  {{- end }}
  {{- get $kept (last .) }}
{{- end }}

{{/* Routes of an engine that are nobody's but its operator's. */}}

{{/*
"true" for a path of vLLM that is no question to a model, or nothing: what loads, pauses, ends or tells of the engine
itself (entrypoints/serve of vLLM 0.33), and /invocations, which stands for any other path.
*/}}
{{- define "vllm-endpoint.changesAnEngine" -}}
  {{- $words := "pause|resume|sleep|wake_up|shutdown|abort|collective_rpc|weight|fault_tolerance|kv_event|static" }}
  {{- $beginnings := "(reset|load|unload|update|start|stop|finish|init|release|scale|is|get)_" }}
  {{- $others := "invocations|metrics|server_info|docs/" }}
  {{- $whole := "(ping|health|version|load|readyz?|redoc|docs|openapi[.]json)$" }}
  {{- if regexMatch (printf "/(%s|%s|%s|%s)" $words $beginnings $others $whole) . }}true{{ end }}
{{- end }}

{{/*
Refuses values. Rules are defines that return an item for every one that is broken,

    - key: what is wrong: what to write instead

which may go on in the lines after it; lines are trimmed, so rules are indented as code is. All are reported together,
so that whoever only has Helm gets every answer at once. Takes a list: root context, names of defines.
*/}}
{{- define "vllm-endpoint.refuse" -}}
  {{- $root := first . }}
  {{- $messages := list }}
  {{- range $rules := last . }}
    {{- range include $rules $root | trim | splitList "\n" }}
      {{- $line := trim . }}
      {{- if hasPrefix "- " $line }}
        {{- $messages = append $messages (printf "  %s" $line) }}
      {{- else if $line }}
        {{- $messages = append (initial $messages) (printf "%s %s" (last $messages) $line) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if $messages }}
    {{- printf "\n\nThese values cannot work:\n\n%s\n" (join "\n" $messages) | fail }}
  {{- end }}
{{- end }}

{{/* Lines for text that YAML cannot hold. */}}
{{- define "vllm-endpoint.validate.text" }}
  {{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
  {{- $control := `[\x7f-\x{9f}\x{fffe}\x{ffff}]` }}
  {{- if regexMatch $control (toRawJson .Values) }}
    {{- range $key, $value := .Values }}
      {{- if regexMatch $control (toRawJson $value) }}
        - {{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* How many pods there are, where an autoscaler counts them, and how many of them may go at a time. */}}

{{/*
Integer as string, or nothing: the replicas that are written where the chart's autoscaler counts them. They are left
out, unless that would reset them to 1: what was in the last manifest and no longer is, Helm deletes, and the API server
puts its default there (helm/helm#12650). Then they are what the cluster has now.

With server-side apply (Helm 4) a field is deleted only while nobody else owns it, and whoever scales owns it. Helm 3
compares with its last manifest, whatever happened since: so a release that once had `replicas` keeps it, which the
annotation of those that never had says. `helm template` sees no cluster: docs/autoscaling.md has what GitOps needs.
Takes a list: root context, API version, kind, name of the workload.
*/}}
{{- define "vllm-endpoint.keptReplicas" -}}
  {{- $live := lookup (index . 1) (index . 2) (include "vllm-endpoint.namespace" (first .)) (last .) }}
  {{- if $live }}
    {{- $applied := dict }}
    {{- $others := false }}
    {{- range $live.metadata.managedFields | default list }}
      {{- $fields := get (.fieldsV1 | default dict) "f:spec" | default dict }}
      {{- if and (eq .operation "Apply") (hasKey $fields "f:template") }}{{ $applied = $fields }}
      {{- else if hasKey $fields "f:replicas" }}{{ $others = true }}
      {{- end }}
    {{- end }}
    {{- $had := not (hasKey ($live.metadata.annotations | default dict) (include "vllm-endpoint.replicasLeftOut" .)) }}
    {{- if $applied }}{{ $had = and (hasKey $applied "f:replicas") (not $others) }}{{ end }}
    {{- if $had }}{{ int $live.spec.replicas }}{{ end }}
  {{- end }}
{{- end }}

{{/* String: the annotation that says that `replicas` was left out. */}}
{{- define "vllm-endpoint.replicasLeftOut" -}}vllm-chart/replicas-left-out{{- end }}

{{/*
Pods: a count or a percentage of the replicas (Kubernetes' default is 25%), rounded up or down. Takes a list: value,
replicas, up.
*/}}
{{- define "vllm-endpoint.rollout.pods" -}}
  {{- $value := index . 0 }}
  {{- if kindIs "invalid" $value }}{{ $value = "25%" }}{{ end }}
  {{- if kindIs "string" $value }}
    {{- $pods := divf (mulf (trimSuffix "%" $value | float64) (index . 1)) 100 }}
    {{- ternary (ceil $pods) (floor $pods) (index . 2) | int }}
  {{- else }}
    {{- int $value }}
  {{- end }}
{{- end }}

{{/* Lines for a budget that lets no pod go. Takes a list: root context, the fewest replicas, 0 where nobody says. */}}
{{- define "vllm-endpoint.validate.podDisruptionBudget" }}
  {{- $replicas := last . }}
  {{- with (first .).Values.podDisruptionBudget }}
    {{- $min := include "vllm-endpoint.text" .minAvailable }}
    {{- if not .enabled }}
    {{- else if and $min (include "vllm-endpoint.text" .maxUnavailable) }}
      - podDisruptionBudget: minAvailable and maxUnavailable are two ways to say it: keep one
    {{- else if not $replicas }}
    {{- else if and $min (ge (include "vllm-endpoint.rollout.pods" (list .minAvailable $replicas true) | int) $replicas) }}
      - podDisruptionBudget.minAvailable: {{ $min }} of {{ $replicas }} replicas blocks every node drain for ever:
        write less, or leave it empty and write maxUnavailable: 1
    {{- else if and (not $min) (regexMatch "^0+%?$" (include "vllm-endpoint.text" .maxUnavailable)) }}
      - podDisruptionBudget.maxUnavailable: {{ include "vllm-endpoint.text" .maxUnavailable }} blocks every node drain for
        ever: write 1 or more
    {{- end }}
  {{- end }}
{{- end }}

{{/*
What files/rules.yaml, where the expressions are, comes to for a release. A chart says itself, as JSON, which texts of
the file are the same for each rule ("vllm-endpoint.rules.texts"), what its alerts are set to where nothing is written
("vllm-endpoint.rules.defaults"), which of them would be wrong ("vllm-endpoint.rules.leftOut"), and what an alert's settings come to
("vllm-endpoint.rules.settings").
*/}}

{{/* String: the name of the object. */}}
{{- define "vllm-endpoint.prometheusRule.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* YAML map: the file, with all in it that is the same for each of its rules. */}}
{{- define "vllm-endpoint.rules.read" -}}
  {{- $namespace := include "vllm-endpoint.namespace" . }}
  {{- $same := include "vllm-endpoint.rules.texts" . | fromJson }}
  {{- $_ := set (set $same "release" .Release.Name) "namespace" $namespace }}
  {{- $selector := printf "{namespace=%q,job=%q" $namespace (include "vllm-endpoint.job" .) }}
  {{- include "vllm-endpoint.rules.fill" (list (.Files.Get "files/rules.yaml") $same) | replace "{S" $selector }}
{{- end }}

{{/* String: a text with others in the place of their names, $threshold. Takes a list: text, map of texts. */}}
{{- define "vllm-endpoint.rules.fill" -}}
  {{- $text := first . }}
  {{- range $name, $value := last . }}{{ $text = replace (printf "$%s" $name) $value $text }}{{ end }}
  {{- $text }}
{{- end }}

{{/* JSON list: the alerts. Takes a list: root context, what the file says of them. */}}
{{- define "vllm-endpoint.rules.alerts" -}}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $out := include "vllm-endpoint.rules.leftOut" $root | fromJsonArray }}
  {{- $defaults := include "vllm-endpoint.rules.defaults" $root | fromJson }}
  {{- $alerts := list }}
  {{- range $rule := last . }}
    {{- /* Not there where somebody deleted it, by null. */}}
    {{- $given := get $values.alerts $rule.alert }}
    {{- if and (kindIs "map" $given) (ne (toString $given.enabled) "false") (not (has $rule.alert $out)) }}
      {{- $settings := dict }}
      {{- range $key, $default := get $defaults $rule.alert }}
        {{- $_ := set $settings $key (include "vllm-endpoint.text" (get $given $key) | default (include "vllm-endpoint.text" $default)) }}
      {{- end }}
      {{- $alerts = append $alerts (include "vllm-endpoint.rules.alert" (list $root $rule $settings) | fromJson) }}
    {{- end }}
  {{- end }}
  {{- toJson $alerts }}
{{- end }}

{{/* JSON map: an alert. Takes a list: root context, what the file says of it, its settings. */}}
{{- define "vllm-endpoint.rules.alert" -}}
  {{- $root := first . }}
  {{- $values := $root.Values.prometheusRule }}
  {{- $rule := index . 1 }}
  {{- $name := $rule.alert }}
  {{- $texts := include "vllm-endpoint.rules.settings" . | fromJson }}
  {{- $rule = include "vllm-endpoint.rules.fill" (list (omit $rule "slo" | toRawJson) (omit $texts "severity")) | fromJson }}
  {{- $command := printf "vllm-chart diagnose --release %s -n %s" $root.Release.Name (include "vllm-endpoint.namespace" $root) }}
  {{- $annotations := dict "summary" $rule.summary
    "description" (printf "%s Begin with: %s" (trim $rule.description) $command)
    "runbook_url" (printf "%s/%s.md" (trimSuffix "/" $values.runbookUrl) $name) }}
  {{- with $values.dashboardUrl }}{{ $_ := set $annotations "dashboard_url" . }}{{ end }}
  {{- $own := dict "severity" $texts.severity "release" $root.Release.Name }}
  {{- $labels := include "vllm-endpoint.map" (list $values.alertLabels $own) | fromYaml }}
  {{- dict "alert" $name "expr" $rule.expr "for" $texts.for "labels" $labels "annotations" $annotations | toJson }}
{{- end }}

{{/* What Kubernetes would not take of a release's Service, and of how its pods roll. */}}

{{/* Lines for the Service that clients ask. */}}
{{- define "vllm-endpoint.validate.service" }}
  {{- if regexMatch "^[0-9]" (include "vllm-endpoint.service.name" .) }}
    - fullnameOverride: {{ include "vllm-endpoint.service.name" . }} begins with a digit, which the name of a Service may not
      before Kubernetes 1.37: write one that begins with a letter
  {{- end }}
  {{- with .Values.service }}
    {{- if and .nodePort (eq .type "ClusterIP") }}
      - service.nodePort: a ClusterIP Service has none: write service.type: NodePort, or leave it out
    {{- end }}
    {{- if and (eq (.ipFamilyPolicy | default "") "SingleStack") (gt (len (.ipFamilies | default list)) 1) }}
      - service.ipFamilies: two families are not a single stack: write one, or service.ipFamilyPolicy: PreferDualStack
    {{- end }}
    {{- if ne .type "LoadBalancer" }}
      {{- range $key, $value := pick . "loadBalancerClass" "loadBalancerSourceRanges" }}
        {{- if $value }}
          - service.{{ $key }}: only for a load balancer: write service.type: LoadBalancer
        {{- end }}
      {{- end }}
    {{- end }}
    {{- if and .externalTrafficPolicy (eq .type "ClusterIP") }}
      - service.externalTrafficPolicy: a ClusterIP Service has no external traffic:
        write another service.type, or leave it empty
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: the Deployment's strategy, without what stands beside a Recreate as a default. */}}
{{- define "vllm-endpoint.strategy" -}}
  {{- with .Values.strategy }}
    {{- ternary (omit . "rollingUpdate") . (eq (.type | default "") "Recreate") | include "vllm-endpoint.yaml" }}
  {{- end }}
{{- end }}

{{/* Lines for a rollout that could not begin. */}}
{{- define "vllm-endpoint.validate.strategy" }}
  {{- with .Values.strategy }}
    {{- $rolling := .rollingUpdate | default dict }}
    {{- $noSurge := include "vllm-endpoint.text" $rolling.maxSurge | regexMatch "^0+%?$" }}
    {{- $noneAway := include "vllm-endpoint.text" $rolling.maxUnavailable | regexMatch "^0+%?$" }}
    {{- if and (ne (.type | default "") "Recreate") $noSurge $noneAway }}
      - strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so that nothing could ever roll:
        write maxUnavailable: 1, or maxSurge: 1 where there is room for one pod more
    {{- end }}
  {{- end }}
{{- end }}

{{/* Values as text and as numbers. */}}

{{/* String: a value as text, nothing for null. JSON prints 10000000 in full where `quote` makes 1e+07 of it. */}}
{{- define "vllm-endpoint.text" -}}
  {{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toRawJson . }}{{ end }}
{{- end }}

{{/* String: text that Kubernetes leaves alone. It would expand `$(NAME)` and halve `$$` in a variable's value. */}}
{{- define "vllm-endpoint.literal" -}}
  {{- $text := include "vllm-endpoint.text" . }}
  {{- ternary (replace "$" "$$" $text) $text (regexMatch "\\$[$(]" $text) }}
{{- end }}

{{/* String: a Kubernetes quantity as a decimal number (bytes, cores), for comparisons: "1.5Gi" is 1610612736. */}}
{{- define "vllm-endpoint.quantity" -}}
  {{- $text := include "vllm-endpoint.text" . }}
  {{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text }}
  {{- $factors := dict "" 1 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
    "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
  {{- printf "%f" (mulf (float64 $number) (get $factors (trimPrefix $number $text))) }}
{{- end }}
