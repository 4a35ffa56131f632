{{/* The way in from outside: what a gateway or an ingress controller is told. */}}

{{/* Strings: the name of each object. */}}
{{- define "vllm.ingress.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.httpRoute.name" -}}{{ include "vllm.fullname" . }}{{- end }}

{{/*
String: the pool's name, of what it selects and not of fullnameOverride. A release whose pods its selector would match
as well has a pool of the same name, which Helm refuses to take over.
*/}}
{{- define "vllm.inferencePool.name" -}}
  {{- printf "%s-%s" .Release.Name (include "vllm.name" .) | include "vllm.cut" }}
{{- end }}

{{/* YAML map: the metadata of an object but for its name. Takes a list: root context, its block of the values. */}}
{{- define "vllm.gateway.metadata" -}}
  {{- $root := first . }}
  {{- $selector := include "vllm.selectorLabels" $root | fromYaml }}
namespace: {{ include "vllm.namespace" $root | quote }}
labels: {{- include "vllm.map" (list (include "vllm.labels" $root | fromYaml) (last .).labels $selector) | nindent 2 }}
{{- with include "vllm.annotations" (list $root (last .).annotations) }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* JSON list: the names that the engine answers to, those of `lora.adapters` included. */}}
{{- define "vllm.servedNames" -}}
  {{- $names := without (.Values.model.servedModelName | default (list .Values.model.id)) nil }}
  {{- concat $names (include "vllm.lora.names" . | fromJsonArray) | uniq | toJson }}
{{- end }}

{{/*
JSON list of lists of rules, each list an HTTPRoute's: every path with every name. A rule has 64 matches at most, and a
route 128 in all its rules (HTTPRouteSpec of gateway-api 1.6.3).
*/}}
{{- define "vllm.httpRoute.rules" -}}
  {{- $header := .Values.httpRoute.modelHeader }}
  {{- $paths := compact (.Values.httpRoute.paths | default list) }}
  {{- $matches := list }}
  {{- range $name := ternary (include "vllm.servedNames" . | fromJsonArray) (list "") (not (empty $header)) }}
    {{- range $path := $paths }}
      {{- $match := dict "path" (dict "type" "Exact" "value" $path) }}
      {{- if $header }}
        {{- $_ := set $match "headers" (list (dict "type" "Exact" "name" $header "value" $name)) }}
      {{- end }}
      {{- $matches = append $matches $match }}
    {{- end }}
  {{- end }}
  {{- $backend := include "vllm.httpRoute.backend" . | fromJson }}
  {{- $rules := list }}
  {{- range chunk 64 $matches }}
    {{- /* No limit: a stream takes as long as it takes. Some gateways' own is a minute. */}}
    {{- $rule := dict "matches" . "timeouts" (dict "request" "0s") "backendRefs" (list $backend) }}
    {{- $rules = append $rules $rule }}
  {{- end }}
  {{- chunk 2 $rules | toJson }}
{{- end }}

{{/* JSON map: where a route leads: the pool where there is one, else the Service. */}}
{{- define "vllm.httpRoute.backend" -}}
  {{- if .Values.inferencePool.enabled }}
    {{- $pool := dict "group" "inference.networking.k8s.io" "kind" "InferencePool" }}
    {{- set $pool "name" (include "vllm.inferencePool.name" .) | toJson }}
  {{- else }}
    {{- dict "name" (include "vllm.service.name" .) "port" (int .Values.service.port) | toJson }}
  {{- end }}
{{- end }}

{{/*
JSON list of {number}: the ports of a pod that a picker chooses among: the engine's, one for each data-parallel rank
that is a server; or that of the container that the Service leads to.
*/}}
{{- define "vllm.inferencePool.ports" -}}
  {{- $port := include "vllm.service.podPort" . | int }}
  {{- $ports := list $port }}
  {{- if eq $port (int .Values.containerPort) }}{{ $ports = include "vllm.metrics.ports" . | fromJsonArray }}{{ end }}
  {{- $targets := list }}
  {{- range $ports }}{{ $targets = append $targets (dict "number" (int .)) }}{{ end }}
  {{- toJson $targets }}
{{- end }}
