{{/*
The rules across values, which a schema cannot say: what "vllm.refuse" collects. A topic is a file here; what several
topics ask for is in _facts.tpl.
*/}}
{{- define "vllm.validate" -}}
  {{- $rules := list }}
  {{- range list "model" "objectStorage" "modelImage" "chatTemplate" "image" "gpu" "args" "command" "stock"
    "repositories" "peers" "resources" "hostMemory" "storage" "download" "lora" "lifecycle" "autoscaling" "network"
    "tls" "gateway" "monitoring" "rules" "host" "auth" "env" "tracing" "containers" "pod" "objects" "text" }}
    {{- $rules = append $rules (printf "vllm.validate.%s" .) }}
  {{- end }}
  {{- include "vllm.refuse" (list . $rules) }}
{{- end }}
