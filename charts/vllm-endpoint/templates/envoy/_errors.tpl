{{/* What the endpoint itself answers: errors as OpenAI's clients read them. */}}

{{/* YAML map: how an answer of Envoy's own is written. The first that fits is taken. */}}
{{- define "vllm-endpoint.envoy.errors" -}}
{{- $said := "%LOCAL_REPLY_BODY%" }}
{{- $again := list (dict "header" (dict "key" "retry-after" "value" "1")) }}
mappers:
  # No clients are known yet: their Secret could not be read.
  - filter: {response_flag_filter: {flags: [NFCF]}}
    status_code: 503
    headers_to_add: {{ toJson $again }}
    body_format_override:
      {{- $words := "The endpoint knows no clients: their Secret cannot be read" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "server_error" "no_clients") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 401) | nindent 2 }}
    body_format_override:
      {{- $words := "No API key or token of a client: write Authorization: Bearer KEY" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "authentication_error" "invalid_api_key") | nindent 6 }}
  # A token for another audience, where there are no keys beside tokens. Envoy refuses an upgrade by the same status.
  {{- $upgrade := dict "header_filter" (dict "header" (dict "name" "upgrade" "present_match" true)) }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 403 $upgrade) | nindent 2 }}
    body_format_override:
      {{- $words := "No connection is upgraded here, to a WebSocket or to anything else" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "invalid_request_error" "upgrade_refused") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 403) | nindent 2 }}
    status_code: 401
    body_format_override:
      {{- include "vllm-endpoint.envoy.error" (list $said "authentication_error" "invalid_api_key") | nindent 6 }}
  # Of 400s, the endpoint's own is that of a body without a model. Envoy's have no words, and no route that means them.
  {{- $nameless := include "vllm-endpoint.envoy.match.nameless" . | fromYaml }}
  {{- $nameless = dict "metadata_filter" (dict "matcher" $nameless "match_if_key_not_found" false) }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 400 $nameless) | nindent 2 }}
    body_format_override:
      {{- include "vllm-endpoint.envoy.error" (list $said "invalid_request_error" "%ROUTE_NAME%") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 400) | nindent 2 }}
    body_format_override:
      {{- $words := "The request is not written as HTTP is taken here: see its Host, path, headers and chunks" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "invalid_request_error" "bad_request") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 408) | nindent 2 }}
    body_format_override:
      {{- $words := "The request did not come whole in time" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "invalid_request_error" "request_timeout") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 413) | nindent 2 }}
    body_format_override:
      {{- $words := printf "The request is larger than %d bytes" (int .Values.maxBodyBytes) }}
      {{- include "vllm-endpoint.envoy.error" (list $words "invalid_request_error" "request_too_large") | nindent 6 }}
  {{- if include "vllm-endpoint.limited" . }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 429) | nindent 2 }}
    body_format_override:
      {{- $words := "This client has used up what it may ask in a minute: ask again after Retry-After seconds" }}
      {{- include "vllm-endpoint.envoy.error" (list $words "rate_limit_error" "rate_limit_exceeded") | nindent 6 }}
  {{- end }}
  {{- include "vllm-endpoint.envoy.mapper" (list "EQ" 503) | nindent 2 }}
    headers_to_add: {{ toJson $again }}
    body_format_override:
      {{- include "vllm-endpoint.envoy.error" (list $said "server_error" "unavailable") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "GE" 500) | nindent 2 }}
    body_format_override:
      {{- include "vllm-endpoint.envoy.error" (list $said "server_error" "%RESPONSE_CODE_DETAILS%") | nindent 6 }}
  {{- include "vllm-endpoint.envoy.mapper" (list "GE" 400) | nindent 2 }}
    body_format_override:
      {{- include "vllm-endpoint.envoy.error" (list $said "invalid_request_error" "%ROUTE_NAME%") | nindent 6 }}
{{- end }}

{{/* YAML list, to be gone on with: answers by their status. Takes a list: EQ or GE, status, perhaps a filter more. */}}
{{- define "vllm-endpoint.envoy.mapper" -}}
{{- $compared := dict "op" (first .) "value" (dict "default_value" (index . 1) "runtime_key" "unused") }}
{{- $filter := dict "status_code_filter" (dict "comparison" $compared) }}
{{- if eq (len .) 3 }}{{ $filter = dict "and_filter" (dict "filters" (list $filter (last .))) }}{{ end -}}
- filter: {{ toJson $filter }}
{{- end }}

{{/* YAML map: an error. Takes a list: message, type, code, in which Envoy puts its own words for %…%. */}}
{{- define "vllm-endpoint.envoy.error" -}}
json_format:
  error:
    message: {{ first . | toJson }}
    type: {{ index . 1 }}
    param: null
    code: {{ last . | toJson }}
{{- end }}
