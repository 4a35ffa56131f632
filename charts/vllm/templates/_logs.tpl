{{/* Logs and traces of the engine: its arguments and variables for them. */}}

{{/*
JSON list: the arguments for them. A flag of the user's own wins, and the one that the chart adds unasked is left to
engines that surely have it: a program of another name may refuse it.
*/}}
{{- define "vllm.logArgs" -}}
  {{- $args := list }}
  {{- $flag := "disable-access-log-for-endpoints" }}
  {{- $program := or (not .Values.command) (contains "vllm" (join " " .Values.command)) }}
  {{- $said := include "vllm.saysFlag" (list . $flag) }}
  {{- with .Values.accessLog.excludePaths }}
    {{- if and $program (not $said) (include "vllm.knowsFlag" (list $ $flag)) }}
      {{- $args = append $args (printf "--%s=%s" $flag (join "," . | list $ | include "vllm.argument")) }}
    {{- end }}
  {{- end }}
  {{- if .Values.requestIds }}{{ $args = append $args "--enable-request-id-headers" }}{{ end }}
  {{- with include "vllm.tracing.endpoint" . }}
    {{- $args = append $args (printf "--otlp-traces-endpoint=%s" .) }}
  {{- end }}
  {{- toJson $args }}
{{- end }}

{{/* "true" if the user has written a flag, whatever its value, or nothing. Takes a list: root context, flag. */}}
{{- define "vllm.saysFlag" -}}
  {{- $values := (first .).Values }}
  {{- $value := get ($values.engine.args | default dict) (last .) }}
  {{- $given := and (hasKey ($values.engine.args | default dict) (last .)) (not (kindIs "invalid" $value)) }}
  {{- $words := join " " $values.engine.extraArgs | replace "_" "-" }}
  {{- if or $given (contains (printf "--%s" (last .)) $words) }}true{{ end }}
{{- end }}

{{/*
String: where traces are sent, or nothing. vLLM hands the exporter an endpoint, which takes it as it is
(opentelemetry/exporter/otlp/proto/http/trace_exporter/__init__.py:114 of 1.45.2), where a base URL in a variable would
get the path.
*/}}
{{- define "vllm.tracing.endpoint" -}}
  {{- with .Values.tracing.endpoint }}
    {{- $endpoint := include "vllm.argument" (list $ .) }}
    {{- if and (eq $.Values.tracing.protocol "http/protobuf") (regexMatch "^[A-Za-z]+://[^/]+$" $endpoint) }}
      {{- $endpoint = printf "%s/v1/traces" $endpoint }}
    {{- end }}
    {{- $endpoint }}
  {{- end }}
{{- end }}

{{/*
JSON map from name to text or to a variable's value: the variables for traces. Name and namespace are those of the label
`job` of the metrics, as OpenTelemetry has it ("service.namespace/service.name").
*/}}
{{- define "vllm.tracing.env" -}}
  {{- $env := dict }}
  {{- if and .Values.tracing.endpoint .Values.engine.passArguments }}
    {{- $prefix := "OTEL_RESOURCE_ATTRIBUTES" }}
    {{- $fields := dict "POD_NAME" "metadata.name" "POD_UID" "metadata.uid" "NODE_NAME" "spec.nodeName" }}
    {{- range $name, $path := $fields }}
      {{- $value := dict "valueFrom" (dict "fieldRef" (dict "fieldPath" $path)) }}
      {{- $_ := set $env (printf "%s_%s" $prefix $name) $value }}
    {{- end }}
    {{- $attributes := dict
      "service.namespace" (include "vllm.namespace" .)
      "service.instance.id" (printf "$(%s_POD_NAME)" $prefix)
      "k8s.namespace.name" (include "vllm.namespace" .)
      "k8s.pod.name" (printf "$(%s_POD_NAME)" $prefix)
      "k8s.pod.uid" (printf "$(%s_POD_UID)" $prefix)
      "k8s.node.name" (printf "$(%s_NODE_NAME)" $prefix)
      "k8s.container.name" "vllm" }}
    {{- range $key, $value := .Values.tracing.resourceAttributes }}
      {{- if not (kindIs "invalid" $value) }}
        {{- /* Percent-encoded: commas and equals signs divide the attributes. */}}
        {{- $_ := set $attributes $key (include "vllm.text" $value | urlquery | replace "+" "%20") }}
      {{- end }}
    {{- end }}
    {{- $pairs := list }}
    {{- range $key, $value := $attributes }}{{ $pairs = append $pairs (printf "%s=%s" $key $value) }}{{ end }}
    {{- $_ := set $env $prefix (dict "value" (join "," $pairs)) }}
    {{- $_ := set $env "OTEL_SERVICE_NAME" (include "vllm.fullname" .) }}
    {{- with .Values.tracing }}
      {{- $_ := set $env "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" .protocol }}
      {{- $_ := set $env "OTEL_TRACES_SAMPLER" "parentbased_traceidratio" }}
      {{- $_ := set $env "OTEL_TRACES_SAMPLER_ARG" (include "vllm.text" .sampleRatio) }}
      {{- if .headersSecretRef.name }}
        {{- $headers := dict "valueFrom" (dict "secretKeyRef" .headersSecretRef) }}
        {{- $_ := set $env "OTEL_EXPORTER_OTLP_TRACES_HEADERS" $headers }}
      {{- end }}
      {{- if and $.Values.caBundle.configMapName (hasPrefix "https:" (lower .endpoint)) }}
        {{- /* Not the one for traces alone: vLLM says insecure=True to the gRPC exporter, which then reads this one
               only, though https means TLS to it (opentelemetry/exporter/otlp/proto/grpc/exporter.py:290 of 1.45). */}}
        {{- $_ := set $env "OTEL_EXPORTER_OTLP_CERTIFICATE" (include "vllm.path.caBundle" $) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toJson $env }}
{{- end }}
