{{/* Lines where what is rendered is more than a ConfigMap holds. They name the key that most of it is for. */}}
{{- define "vllm-endpoint.validate.size" }}
  {{- $bytes := include "vllm-endpoint.once" (list . "vllm-endpoint.files") | len }}
  {{- if gt $bytes 1040000 }}
    {{- $what := printf "most of a configuration of %d bytes, and a ConfigMap holds 1 MiB" $bytes }}
    {{- $allow := include "vllm-endpoint.envoy.routes.restricted" . | len }}
    {{- $limits := include "vllm-endpoint.envoy.limits.requests" . | len }}
    {{- $others := sub $bytes (add $allow $limits) }}
    {{- if gt $allow (max $limits $others) }}
      {{- $groups := include "vllm-endpoint.groups" . | fromJsonArray }}
      - clients.allow: {{ len $groups }} different lists of models are {{ $what }}:
        give more clients the same list, or write them into two releases of this chart
    {{- else if gt $limits $others }}
      - limits.byClient: {{ len .Values.limits.byClient }} clients are {{ $what }}:
        write what most of them have into limits.default, or write them into two releases of this chart
    {{- else }}
      {{- $names := 0 }}
      {{- range include "vllm-endpoint.models" . | fromJsonArray }}{{ $names = add $names (len .names) }}{{ end }}
      - models: {{ len .Values.models }} of them with {{ $names }} names are {{ $what }}:
        write them into two releases of this chart
    {{- end }}
  {{- end }}
  {{- if .Values.limits.rateLimitService.service }}
    {{- $bytes := include "vllm-endpoint.once" (list . "vllm-endpoint.limits.document") | len }}
    {{- if gt $bytes 1040000 }}
      - limits.byClient: they are {{ $bytes }} bytes for the rate-limit service, and a ConfigMap holds 1 MiB:
        write what most clients have into limits.default
    {{- end }}
  {{- end }}
{{- end }}
