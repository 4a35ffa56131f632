{{/*
The dashboards that a chart has in files/dashboards, made a release's own. A chart says itself, in
"chart.dashboards.preset", what their variables are preset to: a JSON map, all of it text.
*/}}

{{/* YAML documents: a ConfigMap for each dashboard, for Grafana's sidecar. Takes a list: root context, dashboards. */}}
{{- define "chart.dashboards.configMaps" -}}
{{- $root := first . }}
{{- $values := $root.Values.dashboards }}
{{- $component := dict "app.kubernetes.io/component" "dashboard" }}
{{- $labels := include "chart.map" (list $values.labels (include "chart.labels" $root | fromYaml) $component) }}
{{- $annotations := include "chart.annotations" (list $root $values.annotations) }}
{{- range last . }}
{{- $dashboard := list $root . }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "chart.dashboard.name" $dashboard | quote }}
  namespace: {{ include "chart.dashboards.namespace" $root | quote }}
  labels: {{- $labels | nindent 4 }}
  {{- with $annotations }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
data:
  {{ include "chart.dashboard.file" $dashboard }}: {{ include "chart.dashboard.json" $dashboard | toRawJson }}
{{- end }}
{{- end }}

{{/*
String: the name of the object. In a namespace of others it says which release it is of, because the release's name is
one of many there. Takes a list: root context, the dashboard.
*/}}
{{- define "chart.dashboard.name" -}}
  {{- $root := first . }}
  {{- $suffix := printf "dashboard-%s" (last .) }}
  {{- if ne (include "chart.dashboards.namespace" $root) (include "chart.namespace" $root) }}
    {{- $suffix = printf "%s-%s" $suffix (include "chart.job" $root | sha256sum | trunc 8) }}
  {{- end }}
  {{- include "chart.suffixed" (list (include "chart.fullname" $root) $suffix) }}
{{- end }}

{{/* String: where the objects are. */}}
{{- define "chart.dashboards.namespace" -}}
  {{- .Values.dashboards.namespace | default (include "chart.namespace" .) }}
{{- end }}

{{/*
String: what Grafana knows the dashboard by, in 40 characters at most. Each release has its own: of two with the same,
Grafana would take neither. Takes a list: root context, the dashboard.
*/}}
{{- define "chart.dashboard.uid" -}}
  {{- printf "vllm-%s-%s" (last .) (include "chart.job" (first .) | sha256sum | trunc 16) }}
{{- end }}

{{/*
String: the name of its file. The sidecar writes the files of all ConfigMaps into one folder. No part of the job has a
dot, so that no two come to the same. Takes a list: root context, the dashboard.
*/}}
{{- define "chart.dashboard.file" -}}
  {{- printf "%s.vllm-%s.json" (include "chart.job" (first .) | replace "/" ".") (last .) }}
{{- end }}

{{/* JSON: a dashboard whose variables are preset to this release. Takes a list: root context, the dashboard. */}}
{{- define "chart.dashboard.json" -}}
  {{- $root := first . }}
  {{- $board := printf "files/dashboards/%s.json" (last .) | $root.Files.Get | fromJson }}
  {{- $_ := set $board "uid" (include "chart.dashboard.uid" .) }}
  {{- $_ := set $board "title" (printf "%s %s" $board.title (include "chart.job" $root)) }}
  {{- $preset := include "chart.dashboards.preset" $root | fromJson }}
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
