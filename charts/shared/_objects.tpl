{{/* The user's own objects, beside those of the release. */}}

{{/*
Lines for extraObjects. A chart says itself, in "chart.objects", what it renders: a JSON list of lists: group and kind,
the define of its name, whether it is rendered, and its namespace where that may be another than the release's.
*/}}
{{- define "chart.validate.extraObjects" }}
  {{- if .Values.extraObjects }}
    {{- $taken := include "chart.objects.taken" . | fromJsonArray }}
    {{- range compact .Values.extraObjects }}
      {{- $namespace := .metadata.namespace | default $.Release.Namespace }}
      {{- $name := include "chart.text" .metadata.name }}
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
      {{- include "chart.validate.extraObject" . }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* JSON list of "GROUP KIND NAME in NAMESPACE": the objects of the release. */}}
{{- define "chart.objects.taken" -}}
  {{- $all := list
    (list "networking.k8s.io NetworkPolicy" "chart.networkPolicy.name" .Values.networkPolicy.enabled)
    (list " Service" "chart.service.name" true)
    (list " ServiceAccount" "chart.serviceAccount.name" .Values.serviceAccount.create)
    (list "policy PodDisruptionBudget" "chart.podDisruptionBudget.name" .Values.podDisruptionBudget.enabled)
    (list "autoscaling HorizontalPodAutoscaler" "chart.autoscaler.name" (include "chart.autoscales" (list . "HPA")))
    (list "keda.sh ScaledObject" "chart.autoscaler.name" (include "chart.autoscales" (list . "KEDA")))
    (list "keda.sh TriggerAuthentication" "chart.triggerAuthentication.name" (include "chart.triggerAuthentication" .)) }}
  {{- range $key := list "serviceMonitor" "podMonitor" "prometheusRule" }}
    {{- $block := get $.Values $key }}
    {{- $kind := printf "monitoring.coreos.com %s" (title $key) }}
    {{- $all = append $all (list $kind (printf "chart.%s.name" $key) $block.enabled $block.namespace) }}
  {{- end }}
  {{- $taken := list }}
  {{- range concat $all (include "chart.objects" . | fromJsonArray) }}
    {{- if index . 2 }}
      {{- $namespace := index (append . "") 3 | default (include "chart.namespace" $) }}
      {{- $taken = append $taken (printf "%s %s in %s" (first .) (include (index . 1) $) $namespace) }}
    {{- end }}
  {{- end }}
  {{- toJson $taken }}
{{- end }}

{{/* Lines for what has to be text in one of the user's objects. */}}
{{- define "chart.validate.extraObject" }}
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
