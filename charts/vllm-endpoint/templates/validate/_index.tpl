{{/* The rules across values: what "vllm-endpoint.refuse" collects. A topic is a file here. */}}
{{- define "vllm-endpoint.validate" -}}
  {{- $rules := list }}
  {{- $topics := list "models" "clients" "limits" "network" "pod" "autoscaling" "monitoring" "rules" "objects" }}
  {{- range concat $topics (list "text" "size") }}
    {{- $rules = append $rules (printf "vllm-endpoint.validate.%s" .) }}
  {{- end }}
  {{- include "vllm-endpoint.refuse" (list . $rules) }}
{{- end }}
