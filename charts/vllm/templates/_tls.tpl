{{/* TLS of the engine: its certificate, and what everything goes by that asks it. */}}

{{/* String: http, or https if the engine itself is given a certificate. */}}
{{- define "vllm.scheme" -}}
  {{- $given := .Values.tls.secretName | default (get (.Values.engine.args | default dict) "ssl-certfile") }}
  {{- ternary "https" "http" (not (empty $given)) }}
{{- end }}

{{/* JSON list: the engine's arguments for the certificate of tls.secretName. */}}
{{- define "vllm.tls.args" -}}
  {{- $args := list }}
  {{- if .Values.tls.secretName }}
    {{- $folder := get .Facts.volumes "certificate" | dig "path" "" }}
    {{- $args = list (printf "--ssl-certfile=%s/tls.crt" $folder) (printf "--ssl-keyfile=%s/tls.key" $folder) }}
  {{- end }}
  {{- toJson $args }}
{{- end }}

{{/*
"true" if the engine takes the certificate of tls.secretName anew as that changes, or nothing. By the chart's
middleware: vLLM's own --enable-ssl-refresh watches the files to which the kubelet's links lead, which are gone after
the first change (entrypoints/launchers/utils/ssl.py:61 of 0.33).
*/}}
{{- define "vllm.tls.renews" -}}
  {{- if and .Values.tls.secretName .Values.engine.passArguments }}true{{ end }}
{{- end }}

{{/*
YAML map, or nothing: what a port of the Service says of its protocol, for gateways and meshes that go by it. Only where
it leads to an engine that speaks TLS by tls.secretName: a Service of who has engine.args.ssl-certfile stays as it was.
*/}}
{{- define "vllm.tls.appProtocol" -}}
  {{- $engine := eq (include "vllm.service.podPort" . | int) (int .Values.containerPort) }}
  {{- if and $engine .Values.tls.secretName }}appProtocol: https{{ end }}
{{- end }}
