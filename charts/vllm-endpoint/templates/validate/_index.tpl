{{/* The rules across values: what "vllm-endpoint.refuse" collects. A topic is a file here. */}}
{{- define "vllm-endpoint.validate" -}}
  {{- $rules := list }}
  {{- range list "models" "clients" "limits" "network" "autoscaling" "monitoring" "rules" "objects" "text" "size" }}
    {{- $rules = append $rules (printf "vllm-endpoint.validate.%s" .) }}
  {{- end }}
  {{- include "vllm-endpoint.refuse" (list . $rules) }}
{{- end }}
