{{/* Who may reach which of the endpoint's ports, and whom it asks. */}}

{{/* JSON list: the ingress rules. Kubernetes' probes come from the node, which no policy keeps out. */}}
{{- define "vllm-endpoint.networkPolicy.in" -}}
  {{- $given := .Values.networkPolicy.ingress }}
  {{- $api := list (dict "port" (int .Values.containerPort) "protocol" "TCP") }}
  {{- $metrics := list (dict "port" (int .Values.metricsPort) "protocol" "TCP") }}
  {{- $rules := list }}
  {{- if kindIs "string" $given.from }}
    {{- /* Istio's ambient mode brings all traffic on 15008; without it nothing listens there. */}}
    {{- $rules = append $rules (dict "ports" (append $api (dict "port" 15008 "protocol" "TCP"))) }}
  {{- else }}
    {{- $tools := include "vllm-endpoint.networkPolicy.tools" . | fromJsonArray }}
    {{- $from := concat (without ($given.from | default list) nil) $tools }}
    {{- $rules = append $rules (dict "from" $from "ports" $api) }}
  {{- end }}
  {{- if kindIs "string" $given.metricsFrom }}
    {{- $rules = append $rules (dict "ports" $metrics) }}
  {{- else }}
    {{- with without ($given.metricsFrom | default list) nil }}
      {{- $rules = append $rules (dict "from" . "ports" $metrics) }}
    {{- end }}
  {{- end }}
  {{- toJson $rules }}
{{- end }}

{{/*
JSON list: the egress rules, for each namespace the ports of what is asked there, models and limits. A policy knows no
Services, and the endpoint no labels of the engines' pods.
*/}}
{{- define "vllm-endpoint.networkPolicy.out" -}}
  {{- $namespaces := dict }}
  {{- range include "vllm-endpoint.models" . | fromJsonArray }}
    {{- $port := dict "port" .port "protocol" "TCP" }}
    {{- $ports := append (get $namespaces .namespace | default list) $port | uniq }}
    {{- $_ := set $namespaces .namespace $ports }}
  {{- end }}
  {{- with .Values.limits.rateLimitService }}
    {{- $namespace := .namespace | default (include "vllm-endpoint.namespace" $) }}
    {{- $port := dict "port" (float64 .port) "protocol" "TCP" }}
    {{- $ports := append (get $namespaces $namespace | default list) $port | uniq }}
    {{- if .service }}{{ $_ := set $namespaces $namespace $ports }}{{ end }}
  {{- end }}
  {{- $rules := include "vllm-endpoint.networkPolicy.egress" . | fromJsonArray }}
  {{- range $namespace, $ports := $namespaces }}
    {{- $to := include "vllm-endpoint.networkPolicy.namespace" $namespace | fromJson }}
    {{- $rules = append $rules (dict "to" (list $to) "ports" $ports) }}
  {{- end }}
  {{- with .Values.clients.jwt.jwksUri }}
    {{- $port := regexFind "^https://[^/]*" . | regexFind ":[0-9]+$" | trimPrefix ":" | default 443 }}
    {{- $rules = append $rules (include "vllm-endpoint.networkPolicy.world" $port | fromJson) }}
  {{- end }}
  {{- toJson $rules }}
{{- end }}
