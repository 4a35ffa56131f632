{{- define "vllm-endpoint.validate.clients" }}
  {{- if not .Values.clients.secretName }}
    - clients.secretName: no client could be told from another: write the name of the Secret with the clients' keys
  {{- end }}
  {{- range $client := include "vllm-endpoint.restricted" . | fromJsonArray }}
    {{- range $name := get $.Values.clients.allow $client }}
      {{- if not (get $.Values.models $name) }}
        - clients.allow.{{ $client }}: {{ $name }} is no key of models: write one of
          {{ include "vllm-endpoint.keysSet" $.Values.models | fromJsonArray | sortAlpha | join ", " }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
