{{/*
YAML list: the listener for Prometheus and the kubelet. It has no way to a model, and of the admin interface only that
to the metrics.
*/}}
{{- define "vllm-endpoint.envoy.operations" -}}
- name: operations
  address: {{- include "vllm-endpoint.envoy.listen" (list . .Values.metricsPort) | nindent 4 }}
  filter_chains:
    - filters:
        - name: envoy.filters.network.http_connection_manager
          typed_config: {{- include "vllm-endpoint.envoy.operations.manager" . | nindent 12 }}
{{- end }}

{{/* YAML map: how HTTP is taken there. */}}
{{- define "vllm-endpoint.envoy.operations.manager" -}}
"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
stat_prefix: operations
# A question without a key is refused as soon as keys are known: that is what /ready asks.
local_reply_config:
  mappers:
    {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 401) | nindent 4 }}
      status_code: 200
      body: {inline_string: "ready\n"}
http_filters:
  {{- with include "vllm-endpoint.envoy.tls.ready" . }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- if .Values.clients.secretName }}
  - name: api-keys
    config_discovery: {{- include "vllm-endpoint.envoy.keys" . | nindent 6 }}
  {{- end }}
  - name: router
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
route_config:
  name: operations
  virtual_hosts:
    - name: all
      domains: ["*"]
      routes:
        - match: {path: /metrics, headers: [{name: ":method", string_match: {exact: GET}}]}
          route: {cluster: admin, prefix_rewrite: /stats/prometheus}
          {{- include "vllm-endpoint.envoy.withoutKeys" . | trim | nindent 10 }}
        - match: {path: /live}
          direct_response: {status: 200, body: {inline_string: "live\n"}}
          {{- include "vllm-endpoint.envoy.withoutKeys" . | trim | nindent 10 }}
        - match: {safe_regex: {regex: /ready|/clients}}
          direct_response: {status: 200, body: {inline_string: "ready\n"}}
        - match: {prefix: /}
          direct_response: {status: 404}
          {{- include "vllm-endpoint.envoy.withoutKeys" . | trim | nindent 10 }}
{{- end }}

{{/* YAML map, or nothing: what a route has that asks for no key. */}}
{{- define "vllm-endpoint.envoy.withoutKeys" -}}
{{- if .Values.clients.secretName }}
typed_per_filter_config: {api-keys: {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}}
{{- end }}
{{- end }}
