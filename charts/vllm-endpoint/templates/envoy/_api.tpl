{{/* The listener that clients ask. */}}

{{/* YAML list: the listener. */}}
{{- define "vllm-endpoint.envoy.api" -}}
- name: api
  address: {{- include "vllm-endpoint.envoy.listen" (list . .Values.containerPort) | nindent 4 }}
  # A body is read to its end for the model that it names: a longer one is answered 413.
  per_connection_buffer_limit_bytes: {{ int .Values.maxBodyBytes }}
  filter_chains:
    - {{- with include "vllm-endpoint.envoy.tls" . | trim }}
      transport_socket: {{- . | nindent 8 }}
      {{- end }}
      filters:
        - name: envoy.filters.network.http_connection_manager
          typed_config: {{- include "vllm-endpoint.envoy.api.manager" . | nindent 12 }}
{{- end }}

{{/* YAML map: how HTTP is taken. */}}
{{- define "vllm-endpoint.envoy.api.manager" -}}
"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
stat_prefix: api
server_name: vllm-endpoint
use_remote_address: true
# No address is trusted more than another.
internal_address_config: {cidr_ranges: []}
preserve_external_request_id: true
always_set_request_id_in_response: true
# A path is matched as it was sent, and so in no other way of writing it: neither decoded nor normalized.
normalize_path: false
merge_slashes: false
path_with_escaped_slashes_action: REJECT_REQUEST
request_headers_timeout: 30s
request_timeout: {{ int .Values.timeouts.requestSeconds }}s
stream_idle_timeout: {{ int .Values.timeouts.silentSeconds }}s
# From its last byte on, a client that reads slowly, or an Envoy without a processor, is not cut within a second. A
# stream that its engine cut is open for so long too.
delayed_close_timeout: 10s
common_http_protocol_options:
  idle_timeout: 3600s
  headers_with_underscores_action: DROP_HEADER
http2_protocol_options:
  max_concurrent_streams: 1000
access_log: {{- include "vllm-endpoint.envoy.logs" . | nindent 2 }}
# What this configuration says by headers, and what would change how Envoy treats a request, comes from no client.
early_header_mutation_extensions:
  - name: from-no-client
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
      mutations:
        - remove_on_match: {key_matcher: {prefix: x-llm-}}
        - remove_on_match: {key_matcher: {prefix: x-envoy-}}
local_reply_config: {{- include "vllm-endpoint.envoy.errors" . | nindent 2 }}
http_filters: {{- include "vllm-endpoint.envoy.api.filters" . | nindent 2 }}
route_config: {{- include "vllm-endpoint.envoy.routes" . | nindent 2 }}
{{- end }}

{{/* YAML list: what is done with a request, in this order, and with its answer, in the other. */}}
{{- define "vllm-endpoint.envoy.api.filters" -}}
{{ include "vllm-endpoint.envoy.clients" . }}
# The client's name goes on as metadata; the engine sees neither the key nor the name.
- name: client
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
    request_rules:
      - header: x-llm-client
        on_header_present: {metadata_namespace: llm, key: client, type: STRING}
        remove: true
{{- with include "vllm-endpoint.envoy.limits.requests" . }}
{{ . }}
{{- end }}
# What a stream has cost, by its last part.
- name: stream-usage
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.sse_to_metadata.v3.SseToMetadata
    response_rules:
      max_event_size: 1048576
      content_parser:
        name: json
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.content_parsers.json.v3.JsonContentParser
          rules:
            {{- range $rule := include "vllm-endpoint.envoy.usage" . | fromYamlArray }}
            - rule: {{ toJson $rule }}
            {{- end }}
# The model that the body names, and what another answer has cost.
- name: model-and-usage
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata
    request_rules:
      allow_content_types_regex: {regex: "(?i)application/json *(;.*)?"}
      rules:
        - selectors: [{key: model}]
          on_present: {metadata_namespace: llm, key: model, type: STRING}
          on_missing: {metadata_namespace: llm, key: model, value: ""}
          on_error: {metadata_namespace: llm, key: model, value: ""}
    response_rules:
      allow_content_types_regex: {regex: "(?i)application/json *(;.*)?"}
      rules: {{- include "vllm-endpoint.envoy.usage" . | nindent 8 }}
- name: prefix
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        {{- $bytes := .Values.prefixAffinity.bytes | int | toString }}
        {{- .Files.Get "files/prefix.lua" | replace "BYTES" $bytes | nindent 8 }}
{{- with include "vllm-endpoint.envoy.limits.service" . }}
{{ . }}
{{- end }}
{{- if .Values.prefixAffinity.spreadBursts }}
# After the limits: what is answered 429 takes no turn.
- name: turn
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        {{- .Files.Get "files/turn.lua" | nindent 8 }}
# As long as the filter before it says, so that the bound on a replica's load holds for a burst too.
- name: burst
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
    delay: {header_delay: {}, percentage: {numerator: 100}}
{{- end }}
- name: router
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
    suppress_envoy_headers: true
{{- end }}

{{/* YAML list: where an answer tells its tokens. */}}
{{- define "vllm-endpoint.envoy.usage" -}}
{{- /* OpenAI's chat and completions, then its responses and Anthropic's messages. */}}
- selectors: [{key: usage}, {key: prompt_tokens}]
  on_present: {metadata_namespace: llm.usage, key: input, type: NUMBER}
- selectors: [{key: usage}, {key: completion_tokens}]
  on_present: {metadata_namespace: llm.usage, key: output, type: NUMBER}
- selectors: [{key: usage}, {key: input_tokens}]
  on_present: {metadata_namespace: llm.usage, key: input, type: NUMBER}
- selectors: [{key: usage}, {key: output_tokens}]
  on_present: {metadata_namespace: llm.usage, key: output, type: NUMBER}
{{- end }}
