{{/* What is told of a request: neither what was asked nor what was answered, and no key. */}}

{{/* YAML list: a line of JSON for each request, and the counters by client and model. */}}
{{- define "vllm-endpoint.envoy.logs" -}}
{{- $client := dict "name" "client" "value_format" "%DYNAMIC_METADATA(llm:client)%" }}
{{- $model := dict "name" "model" "value_format" "%METADATA(ROUTE:llm:model)%" }}
{{- $code := dict "name" "code" "value_format" "%RESPONSE_CODE%" -}}
- name: line
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
    log_format:
      json_format:
        time: "%START_TIME%"
        client: "%DYNAMIC_METADATA(llm:client)%"
        # The name in the request, which may be none of a model's.
        requested: "%DYNAMIC_METADATA(llm:model):256%"
        model: "%METADATA(ROUTE:llm:model)%"
        method: "%REQ(:METHOD):32%"
        path: "%PATH(NQ):256%"
        code: "%RESPONSE_CODE%"
        details: "%RESPONSE_CODE_DETAILS%"
        flags: "%RESPONSE_FLAGS%"
        input_tokens: "%DYNAMIC_METADATA(llm.usage:input)%"
        output_tokens: "%DYNAMIC_METADATA(llm.usage:output)%"
        duration_ms: "%DURATION%"
        first_byte_ms: "%RESPONSE_DURATION%"
        request_bytes: "%BYTES_RECEIVED%"
        response_bytes: "%BYTES_SENT%"
        attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        replica: "%UPSTREAM_HOST%"
        address: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
        request_id: "%REQ(X-REQUEST-ID):128%"
{{ include "vllm-endpoint.envoy.counter" (dict "name" "requests" "tags" (list $client $model $code) "fixed" 1) }}
{{- range $kind := list "input" "output" }}
{{- $value := printf "%%DYNAMIC_METADATA(llm.usage:%s)%%" $kind }}
{{- $counter := dict "name" (printf "%s_tokens" $kind) "tags" (list $client $model) "value" $value "of" $kind }}
{{ include "vllm-endpoint.envoy.counter" $counter }}
{{- end }}
{{- end }}

{{/*
YAML list: a counter, envoy_llm_NAME in Prometheus' words. Takes a dict: name, tags, and `fixed`, or `value` with the
part of the usage (`of`) without which nothing is counted.
*/}}
{{- define "vllm-endpoint.envoy.counter" -}}
- name: {{ .name }}
  {{- with .of }}
  filter:
    metadata_filter:
      matcher: {filter: llm.usage, path: [{key: {{ . }}}], value: {present_match: true}}
      match_if_key_not_found: false
  {{- end }}
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config
    stats_scope: {prefix: llm}
    counters:
      - stat: {name: {{ .name }}, tags: {{ toJson .tags }}}
        {{- with .fixed }}
        value_fixed: {{ . }}
        {{- end }}
        {{- with .value }}
        value_format: {{ toJson . }}
        {{- end }}
{{- end }}
