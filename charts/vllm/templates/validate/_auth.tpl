{{- define "vllm.validate.auth" }}
  {{- $keys := include "vllm.apiKeys" . | fromJsonArray }}
  {{- $seen := list }}
  {{- range $keys }}
    {{- $key := printf "key %s of Secret %s" .key .name }}
    {{- if has $key $seen }}
      - auth.apiKeySecretRefs: {{ $key }} is there twice: keep one
    {{- end }}
    {{- $seen = append $seen $key }}
  {{- end }}
  {{- if gt (len $keys) 1 }}
    {{- if not .Values.engine.passArguments }}
      - auth.apiKeySecretRefs: what lets in more than one key is loaded by the chart's arguments: write one key, or
        engine.passArguments: true
    {{- else if eq (get (.Values.env | default dict) "VLLM_USE_RUST_FRONTEND" | include "vllm.text") "1" }}
      - auth.apiKeySecretRefs: the Rust frontend does not load what lets in more than one key: write one key, or leave
        out env.VLLM_USE_RUST_FRONTEND
    {{- end }}
  {{- end }}
{{- end }}
