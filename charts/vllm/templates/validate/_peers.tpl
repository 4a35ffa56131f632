{{- define "vllm.validate.peers" }}
{{- end }}
