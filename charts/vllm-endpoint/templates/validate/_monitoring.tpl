{{- define "vllm-endpoint.validate.monitoring" }}
  {{- include "vllm-endpoint.validate.monitors" . }}
  {{- $policy := .Values.networkPolicy }}
  {{- $from := $policy.ingress.metricsFrom }}
  {{- $some := or (kindIs "string" $from) (without ($from | default list) nil) }}
  {{- if not (or $some (without ($policy.ingress.extra | default list) nil) (not $policy.enabled)) }}
    {{- range $key := list "serviceMonitor" "podMonitor" "scrapeAnnotations" }}
      {{- if (get $.Values $key).enabled }}
        - networkPolicy.ingress.metricsFrom: an empty list is nobody, and {{ $key }} has Prometheus ask: write anyone,
          or where Prometheus is
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
