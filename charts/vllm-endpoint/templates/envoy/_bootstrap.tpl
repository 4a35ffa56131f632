{{/*
Envoy's configuration, whole: one file, so that `envoy --mode validate` reads all of it. Text of the values stands in it
as JSON, in which any text means itself.
*/}}
{{- define "vllm-endpoint.envoy" -}}
# The admin interface can end the proxy and tell its configuration: no pod but this one reaches it.
admin:
  address: {{- include "vllm-endpoint.envoy.address" (list "127.0.0.1" .Values.adminPort) | nindent 4 }}
node:
  id: {{ include "vllm-endpoint.fullname" . }}
  cluster: {{ include "vllm-endpoint.fullname" . }}
# Every route of a model has all paths in one expression.
layered_runtime:
  layers:
    - {name: static, static_layer: {re2.max_program_size.error_level: 100000}}
static_resources:
  listeners:
    {{- include "vllm-endpoint.envoy.api" . | nindent 4 }}
    {{- include "vllm-endpoint.envoy.operations" . | nindent 4 }}
  clusters:
    - name: admin
      type: STATIC
      load_assignment:
        {{- include "vllm-endpoint.envoy.endpoint" (list "admin" "127.0.0.1" .Values.adminPort) | nindent 8 }}
    {{- with include "vllm-endpoint.envoy.tokens.cluster" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with include "vllm-endpoint.envoy.tls.checks" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- range include "vllm-endpoint.models" . | fromJsonArray }}
    {{- include "vllm-endpoint.envoy.cluster" (list $ .) | nindent 4 }}
    {{- end }}
    {{- with include "vllm-endpoint.envoy.limits.cluster" . }}
    {{- . | nindent 4 }}
    {{- end }}
  {{- with include "vllm-endpoint.envoy.secrets" . }}
  secrets: {{- . | nindent 4 }}
  {{- end }}
# Names of models may have dots, at which Envoy divides the names of what it counts: they stand in <>.
stats_config:
  stats_tags:
    - {tag_name: model, regex: '^cluster\.model-[0-9]+\.(<(.*)>\.)[a-z]'}
overload_manager:
  resource_monitors:
    - name: envoy.resource_monitors.global_downstream_max_connections
      typed_config:
        {{- $package := "envoy.extensions.resource_monitors.downstream_connections.v3" }}
        "@type": type.googleapis.com/{{ $package }}.DownstreamConnectionsConfig
        max_active_downstream_connections: 50000
{{- end }}

{{/* YAML map: a socket's address. Takes a list: host or address, port. */}}
{{- define "vllm-endpoint.envoy.address" -}}
socket_address:
  address: {{ first . | toJson }}
  port_value: {{ last . | int }}
{{- end }}

{{/* YAML map: the address that a listener has for other pods. Takes a list: root context, port. */}}
{{- define "vllm-endpoint.envoy.listen" -}}
{{- if include "vllm-endpoint.asksForIPv6" (first .) }}
socket_address:
  address: "::"
  ipv4_compat: true
  port_value: {{ last . | int }}
{{- else }}
{{- include "vllm-endpoint.envoy.address" (list "0.0.0.0" (last .)) }}
{{- end }}
{{- end }}

{{/* YAML map: where a cluster leads. Takes a list: its name, host, port. */}}
{{- define "vllm-endpoint.envoy.endpoint" -}}
cluster_name: {{ first . }}
endpoints:
  - lb_endpoints:
      - endpoint:
          address: {{- include "vllm-endpoint.envoy.address" (rest .) | nindent 12 }}
{{- end }}

{{/* YAML list, or nothing: the engines' own keys, out of the files of their Secrets. */}}
{{- define "vllm-endpoint.envoy.secrets" -}}
{{- range include "vllm-endpoint.models" . | fromJsonArray }}
{{- if .secret }}
- name: {{ .cluster }}
  generic_secret:
    secret:
      filename: {{ include "vllm-endpoint.path.engineKeys" $ }}/{{ .cluster }}/key
{{- end }}
{{- end }}
{{- end }}
