{{/* What of KEDA is the same for every chart that asks Prometheus by it: one number, or no scaling. */}}

{{/* String: the name of the object. */}}
{{- define "chart.triggerAuthentication.name" -}}
  {{- include "chart.suffixed" (list (include "chart.fullname" .) "prometheus") }}
{{- end }}

{{/* "true" if the chart renders such an autoscaler, or nothing. Takes a list: root context, KEDA or HPA. */}}
{{- define "chart.autoscales" -}}
  {{- with (first .).Values.autoscaling }}{{ if and .enabled (eq .kind (last $)) }}true{{ end }}{{ end }}
{{- end }}

{{/* String: what selects the series of this release's pods, and of no other's. */}}
{{- define "chart.autoscaling.series" -}}
  {{- printf "namespace=%q,job=%q" (include "chart.namespace" .) (include "chart.job" .) }}
{{- end }}

{{/*
YAML map: KEDA's trigger for a query. An answer without a number is an error: KEDA would take it for 0, and scale to the
minimum when Prometheus is lost (kedacore/keda#3065). Takes a list: root context, name, query, threshold.
*/}}
{{- define "chart.autoscaling.trigger" -}}
  {{- $root := first . }}
  {{- with $root.Values.autoscaling.prometheus }}
    {{- $metadata := dict "serverAddress" .address "query" (index $ 2) "threshold" (index $ 3) }}
    {{- $_ := set $metadata "ignoreNullValues" "false" }}
    {{- with .auth.modes }}{{ $_ := set $metadata "authModes" (join "," .) }}{{ end }}
    {{- $metadata = include "chart.map" (list $metadata .parameters) | fromYaml }}
    {{- $trigger := dict "type" "prometheus" "name" (index $ 1) "metricType" "AverageValue" "metadata" $metadata }}
    {{- with include "chart.autoscaling.authentication" $root }}
      {{- $_ := set $trigger "authenticationRef" (fromYaml .) }}
    {{- end }}
    {{- toYaml $trigger }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: the TriggerAuthentication of the Prometheus triggers. */}}
{{- define "chart.autoscaling.authentication" -}}
  {{- with .Values.autoscaling.prometheus.auth }}
    {{- if .triggerAuthenticationRef.name }}
      {{- pick .triggerAuthenticationRef "name" "kind" | toYaml }}
    {{- else if .secretTargetRef }}
      {{- dict "name" (include "chart.triggerAuthentication.name" $) | toYaml }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML, or nothing: what KEDA shows Prometheus, out of Secrets that are there. */}}
{{- define "chart.triggerAuthentication" -}}
{{- $references := include "chart.list" .Values.autoscaling.prometheus.auth.secretTargetRef }}
{{- if and $references (include "chart.autoscales" (list . "KEDA")) }}
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  name: {{ include "chart.triggerAuthentication.name" . | quote }}
  namespace: {{ include "chart.namespace" . | quote }}
  labels: {{- include "chart.labels" . | nindent 4 }}
  {{- with include "chart.annotations" (list .) }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  secretTargetRef: {{- $references | nindent 4 }}
{{- end }}
{{- end }}

{{/* Items for KEDA, if it is there: who is asked, and by which password. */}}
{{- define "chart.validate.autoscaling.prometheus" }}
  {{- with .Values.autoscaling.prometheus }}
    {{- $keda := eq $.Values.autoscaling.kind "KEDA" }}
    {{- $references := list }}
    {{- range compact (.auth.secretTargetRef | default list) }}
      {{- $references = append $references .parameter }}
    {{- end }}
    {{- $modes := .auth.modes | default list }}
    {{- if and $keda (include "chart.clusterLacks" (list $ "keda.sh/v1alpha1/ScaledObject")) }}
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
      {{- if include "chart.text" (get ($.Values.autoscaling.prometheus.parameters | default dict) $name) }}
        - autoscaling.prometheus.parameters.{{ $name }}: the chart writes it: leave it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
