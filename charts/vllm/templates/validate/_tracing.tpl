{{- define "vllm.validate.tracing" }}
  {{- $flag := "otlp-traces-endpoint" }}
  {{- $endpoint := .Values.tracing.endpoint }}
  {{- if and $endpoint .Values.engine.passArguments }}
    {{- if include "vllm.saysFlag" (list . $flag) }}
      - tracing.endpoint: --{{ $flag }} is in engine.args or engine.extraArgs as well: write one of them
    {{- end }}
    {{- include "vllm.validate.tracing.address" . }}
    {{- $owned := dict "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" "protocol" "OTEL_TRACES_SAMPLER_ARG" "sampleRatio" }}
    {{- range $name, $key := $owned }}
      {{- if ne (get ($.Values.env | default dict) $name | default "" | toString) "" }}
        - env.{{ $name }}: tracing.{{ $key }} says it: write it there, and leave the variable out
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if and .Values.requestIds (include "vllm.saysFlag" (list . "enable-request-id-headers")) }}
    - requestIds: --enable-request-id-headers is in engine.args or engine.extraArgs as well: write one of them
  {{- end }}
  {{- /* AsyncLLM's output handler ends on `assert iteration_stats is not None` (v1/engine/output_processor.py:948 of
         0.33). An image of somebody else's may have a plugin for statistics, which vLLM keeps then. */}}
  {{- $silent := include "vllm.flag" (list . "disable-log-stats") | eq "true" }}
  {{- $silent = or $silent (regexMatch "--disable[-_]log[-_]stats( |$)" (join " " .Values.engine.extraArgs)) }}
  {{- $traced := or $endpoint (include "vllm.flag" (list . $flag)) }}
  {{- if and $traced $silent (not .Values.image.repository) }}
    - engine.args.disable-log-stats: traces are made of these statistics, and without them the engine dies of its first
      answer: leave it out, or write no endpoint for traces
  {{- end }}
  {{- range $name := list "OTEL_EXPORTER_OTLP_HEADERS" "OTEL_EXPORTER_OTLP_TRACES_HEADERS" }}
    {{- $value := get ($.Values.env | default dict) $name }}
    {{- if kindIs "map" $value }}{{ $value = $value.value }}{{ end }}
    {{- $secret := "(?i)(^|,)\\s*[a-z0-9_-]*(authorization|token|key|secret)\\s*=[^$]" }}
    {{- if regexMatch $secret (include "vllm.text" $value) }}
      - env.{{ $name }}: a secret written in values is no secret: write tracing.headersSecretRef: {name: …, key: …}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines for an address that no trace would reach. */}}
{{- define "vllm.validate.tracing.address" }}
  {{- $endpoint := .Values.tracing.endpoint }}
  {{- $http := eq .Values.tracing.protocol "http/protobuf" }}
  {{- if regexMatch "^[A-Za-z]+://[^/]*@" $endpoint }}
    - tracing.endpoint: what is secret would be in the engine's arguments and its log:
      write the address alone, and tracing.headersSecretRef: {name: …, key: …}
  {{- else if and $http (not (regexMatch "^(?i)https?://" $endpoint)) }}
    - tracing.endpoint: http/protobuf is sent to a URL: write http://{{ regexReplaceAll "^[a-z]+://" $endpoint "" }}
  {{- else if and (not $http) (regexMatch "^[A-Za-z]+://[^/]+/." $endpoint) }}
    - tracing.endpoint: gRPC knows no path, and the collector would be asked in a language that it does not speak there:
      write tracing.protocol: http/protobuf, or http://collector.monitoring:4317
  {{- end }}
{{- end }}
