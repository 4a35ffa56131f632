{{- define "vllm-endpoint.validate.limits" }}
  {{- $limits := .Values.limits }}
  {{- if not $limits.rateLimitService.service }}
    {{- $remedy := "write limits.rateLimitService: {service: …}, or requestsPerMinute" }}
    {{- if $limits.default.tokensPerMinute }}
      - limits.default.tokensPerMinute: Envoy alone counts requests, and no tokens: {{ $remedy }}
    {{- end }}
    {{- range $name, $limit := $limits.byClient }}
      {{- if ($limit | default dict).tokensPerMinute }}
        - limits.byClient.{{ $name }}.tokensPerMinute: Envoy alone counts requests, and no tokens: {{ $remedy }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- range $name := include "vllm-endpoint.keysSet" $limits.byClient | fromJsonArray }}
    {{- if and (hasSuffix "*" $name) $limits.rateLimitService.service }}
      - limits.byClient.{{ $name }}: the rate-limit service would take it for all clients that begin so: give the
        client a name that does not end in an asterisk
    {{- else if and (hasSuffix "*" $name) $.Values.clients.jwt.issuer }}
      - limits.byClient.{{ $name }}: an asterisk means itself here, other than in clients.jwt.subjects: write a name for
        each client
    {{- end }}
  {{- end }}
{{- end }}
