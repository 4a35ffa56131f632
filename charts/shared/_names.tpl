{{/* Names, labels and annotations of the objects of a release. */}}

{{/*
String: the chart's name, or its alias in an umbrella chart. Names may have capitals, dots and underscores there, which
objects' names may not.
*/}}
{{- define "chart.name" -}}{{ include "chart.once" (list . "chart.name.cut") }}{{- end }}

{{- define "chart.name.cut" -}}
  {{- default .Chart.Name .Values.nameOverride | include "chart.cut" }}
{{- end }}

{{/* String: release and chart name, the stem of all names; at most 63 characters. */}}
{{- define "chart.fullname" -}}{{ include "chart.once" (list . "chart.fullname.cut") }}{{- end }}

{{- define "chart.fullname.cut" -}}
  {{- if .Values.fullnameOverride }}
    {{- .Values.fullnameOverride }}
  {{- else if contains (include "chart.name" .) .Release.Name }}
    {{- include "chart.cut" .Release.Name }}
  {{- else }}
    {{- printf "%s-%s" .Release.Name (include "chart.name" .) | include "chart.cut" }}
  {{- end }}
{{- end }}

{{/* String: a name as Kubernetes takes it, at most 63 characters. */}}
{{- define "chart.cut" -}}
  {{- regexReplaceAll "[._]" (lower .) "-" | trunc 63 | trimAll "-" }}
{{- end }}

{{/* String: a stem with a suffix that survives the cut at 63. Takes a list: stem, suffix. */}}
{{- define "chart.suffixed" -}}
  {{- $suffix := printf "-%s" (last .) }}
  {{- printf "%s%s" (first . | trunc (sub 63 (len $suffix) | int) | trimAll "-") $suffix }}
{{- end }}

{{/* String: the namespace of every object. */}}
{{- define "chart.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end }}

{{/* YAML map: what selects the pods of this release, and never changes. */}}
{{- define "chart.selectorLabels" -}}{{ include "chart.once" (list . "chart.selectorLabels.own") }}{{- end }}

{{- define "chart.selectorLabels.own" -}}
  {{- dict "app.kubernetes.io/name" (include "chart.name" .) "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* YAML map: the labels of every object. */}}
{{- define "chart.labels" -}}{{ include "chart.once" (list . "chart.labels.own") }}{{- end }}

{{- define "chart.labels.own" -}}
  {{- $own := dict
    "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_.")
    "app.kubernetes.io/version" .Chart.AppVersion
    "app.kubernetes.io/managed-by" .Release.Service }}
  {{- include "chart.map" (list $own .Values.commonLabels (include "chart.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/* YAML map, or nothing: annotations. Takes a list: the root context, then maps of annotations. */}}
{{- define "chart.annotations" -}}
  {{- include "chart.map" (prepend (rest .) (first .).Values.commonAnnotations) }}
{{- end }}

{{/* Lines for labels in the place of the chart's own, with other values. */}}
{{- define "chart.validate.ownLabels" }}
  {{- $labelled := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels }}
  {{- range $key, $labels := set $labelled "service.labels" .Values.service.labels }}
    {{- range $label, $own := include "chart.selectorLabels" $ | fromYaml }}
      {{- if ne (get ($labels | default dict) $label | default $own) $own }}
        - {{ $key }}.{{ $label }}: it selects the pods and is the chart's own:
          write nameOverride or another release name
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
