{{- define "vllm-endpoint.validate.pod" }}
  {{- include "vllm-endpoint.validate.strategy" . }}
  {{- /* None where nobody in the release says how many. */}}
  {{- $fewest := include "vllm-endpoint.replicas" . | int }}
  {{- if .Values.autoscaling.enabled }}{{ $fewest = int .Values.autoscaling.minReplicas }}{{ end }}
  {{- include "vllm-endpoint.validate.podDisruptionBudget" (list . $fewest) }}
  {{- include "vllm-endpoint.validate.ownLabels" . }}
  {{- range $key := list "repository" "tag" }}
    {{- if regexMatch "distroless[^/]*$" (get $.Values.image $key | default "") }}
      - image.{{ $key }}: the distroless variant has no bash for the preStop hook, and each rollout would cut streams:
        write Envoy's own, envoyproxy/envoy:v{{ $.Chart.AppVersion }}
    {{- end }}
  {{- end }}
  {{- with ((.Values.resources | default dict).limits | default dict).memory }}
    {{- if lt (include "vllm-endpoint.quantity" . | float64) 67108864.0 }}
      - resources.limits.memory: an idle Envoy has 67 MiB, and would be killed with {{ . }}: write 1Gi
    {{- end }}
  {{- end }}
{{- end }}
