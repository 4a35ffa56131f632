{{/* What a client may ask in a minute: by each replica for itself, and by the rate-limit service over all of them. */}}

{{/* "true" where anything is limited, or nothing. */}}
{{- define "vllm-endpoint.limited" -}}
  {{- if or .Values.limits.rateLimitService.service (include "vllm-endpoint.limited.requests" .) }}true{{ end }}
{{- end }}

{{/* "true" where the requests of some client are limited, or nothing. */}}
{{- define "vllm-endpoint.limited.requests" -}}
  {{- $found := .Values.limits.default.requestsPerMinute }}
  {{- range .Values.limits.byClient }}{{ $found = or $found (. | default dict).requestsPerMinute }}{{ end }}
  {{- if $found }}true{{ end }}
{{- end }}

{{/*
YAML list, or nothing: the filters that count requests in this replica. All requests of a client count, those too that
no engine sees, and before their bodies are read.
*/}}
{{- define "vllm-endpoint.envoy.limits.requests" -}}
{{- if include "vllm-endpoint.limited" . }}
- name: retry-after
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        {{- .Files.Get "files/retry-after.lua" | nindent 8 }}
{{- end }}
{{- if include "vllm-endpoint.limited.requests" . }}
- name: requests
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
    stat_prefix: requests
    filter_enabled: {default_value: {numerator: 100}}
    filter_enforced: {default_value: {numerator: 100}}
    enable_x_ratelimit_headers: DRAFT_VERSION_03
    rate_limits:
      - actions: [{{ include "vllm-endpoint.envoy.limits.client" "client" }}]
    # Of whom nothing is said below.
    token_bucket: {{ include "vllm-endpoint.envoy.limits.bucket" "" }}
    always_consume_default_token_bucket: false
    # With fewer, clients that come later would be forgotten what they have used.
    max_dynamic_descriptors: 100000
    descriptors:
      {{- range $name := include "vllm-endpoint.keysSet" .Values.limits.byClient | fromJsonArray | sortAlpha }}
      - entries: [{key: client, value: {{ toJson $name }}}]
        {{- $requests := (get $.Values.limits.byClient $name).requestsPerMinute }}
        token_bucket: {{ include "vllm-endpoint.envoy.limits.bucket" $requests }}
      {{- end }}
      {{- with .Values.limits.default.requestsPerMinute }}
      - entries: [{key: client}]
        token_bucket: {{ include "vllm-endpoint.envoy.limits.bucket" . }}
      {{- end }}
{{- end }}
{{- end }}

{{/* YAML map in a line: the client's name as a part of what is counted. Takes the name of that part. */}}
{{- define "vllm-endpoint.envoy.limits.client" -}}
{metadata: {descriptor_key: {{ . }}, source: DYNAMIC, metadata_key: {key: llm, path: [{key: client}]}}}
{{- end }}

{{/* YAML map in a line: so many in a minute; as many as there can be for nothing. Takes a number, or nothing. */}}
{{- define "vllm-endpoint.envoy.limits.bucket" -}}
  {{- $amount := . | default 4294967295 | int64 -}}
  {max_tokens: {{ $amount }}, tokens_per_fill: {{ $amount }}, fill_interval: 60s}
{{- end }}

{{/*
YAML list, or nothing: the filter that asks the rate-limit service, once the model is known. The last two rules tell it
at the end of an answer what that has cost; the one before them costs nothing, and asks whether it was too much already.
*/}}
{{- define "vllm-endpoint.envoy.limits.service" -}}
{{- if .Values.limits.rateLimitService.service }}
- name: limits
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
    domain: {{ include "vllm-endpoint.limits.domain" . | toJson }}
    timeout: 0.5s
    # Without the service there are no limits but those of each replica.
    failure_mode_deny: false
    enable_x_ratelimit_headers: DRAFT_VERSION_03
    disable_x_envoy_ratelimited_header: true
    rate_limit_service:
      transport_api_version: V3
      grpc_service: {envoy_grpc: {cluster_name: rate-limit}}
    rate_limits:
      - actions: [{{ include "vllm-endpoint.envoy.limits.client" "requests" }}]
      - actions: [{{ include "vllm-endpoint.envoy.limits.client" "tokens" }}]
        hits_addend: {number: 0}
      {{- range $kind := list "input" "output" }}
      - actions: [{{ include "vllm-endpoint.envoy.limits.client" "tokens" }}]
        hits_addend: {format: "%DYNAMIC_METADATA(llm.usage:{{ $kind }})%"}
        apply_on_stream_done: true
      {{- end }}
{{- end }}
{{- end }}

{{/* YAML list, or nothing: where the rate-limit service is. */}}
{{- define "vllm-endpoint.envoy.limits.cluster" -}}
{{- with .Values.limits.rateLimitService }}
{{- if .service }}
{{- $namespace := .namespace | default (include "vllm-endpoint.namespace" $) }}
{{- $host := printf "%s.%s.svc.%s" .service $namespace $.Values.clusterDomain }}
- name: rate-limit
  connect_timeout: 1s
  type: STRICT_DNS
  dns_lookup_family: V4_PREFERRED
  load_assignment:
    {{- include "vllm-endpoint.envoy.endpoint" (list "rate-limit" $host .port) | nindent 4 }}
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: {http2_protocol_options: {}}
{{- end }}
{{- end }}
{{- end }}

{{/* String: whose limits they are, in a service that may keep those of others too. */}}
{{- define "vllm-endpoint.limits.domain" -}}
  {{- printf "%s.%s" (include "vllm-endpoint.namespace" .) (include "vllm-endpoint.fullname" .) }}
{{- end }}

{{/* YAML map: what the rate-limit service has to know, in its own words. */}}
{{- define "vllm-endpoint.limits.document" -}}
domain: {{ include "vllm-endpoint.limits.domain" . | toJson }}
descriptors:
  {{- range $kind := list "requests" "tokens" }}
  {{- range $name := include "vllm-endpoint.keysSet" $.Values.limits.byClient | fromJsonArray | sortAlpha }}
  - key: {{ $kind }}
    value: {{ toJson $name }}
    {{- $limit := get (get $.Values.limits.byClient $name) (printf "%sPerMinute" $kind) }}
    rate_limit: {{ include "vllm-endpoint.limits.rate" $limit }}
  {{- end }}
  # Any other client.
  - key: {{ $kind }}
    rate_limit: {{ get $.Values.limits.default (printf "%sPerMinute" $kind) | include "vllm-endpoint.limits.rate" }}
  {{- end }}
{{- end }}

{{/* YAML map in a line: a limit of the rate-limit service. Takes a number, or nothing. */}}
{{- define "vllm-endpoint.limits.rate" -}}
  {{- if . -}}
    {unit: minute, requests_per_unit: {{ int64 . }}}
  {{- else -}}
    {unlimited: true}
  {{- end }}
{{- end }}
