{{- define "vllm-endpoint.validate.models" }}
  {{- $taken := dict }}
  {{- $models := include "vllm-endpoint.models" . | fromJsonArray }}
  {{- range $model := $models }}
    {{- if not (get $.Values.models $model.name).service }}
      - models.{{ $model.name }}.service: nothing serves this model: write the name of its release's Service
    {{- end }}
    {{- with (get $.Values.models $model.name).apiKeySecretRef }}
      {{- if and .key (not (hasKey . "name")) }}
        - models.{{ $model.name }}.apiKeySecretRef.name: no key would be sent to the engine: write the Secret
          that has it
      {{- end }}
    {{- end }}
    {{- with (get $.Values.models $model.name).tls }}
      {{- if and .caSecretName .caConfigMapName }}
        - models.{{ $model.name }}.tls.caConfigMapName: the authority is in caSecretName as well:
          leave one of the two out
      {{- else if and (or .serverName .caKey) (not $model.authority) }}
        - models.{{ $model.name }}.tls.caSecretName: the engine is asked without TLS, because nothing says what its
          certificate is checked by: write the Secret with its authority
      {{- end }}
    {{- end }}
    {{- range $place, $name := $model.names }}
      {{- if hasKey $taken $name }}
        {{- $aliases := (get $.Values.models $model.name).aliases | default list }}
        {{- $key := ternary "aliases" "adapters" (le $place (len $aliases)) }}
        - models.{{ $model.name }}{{ if $place }}.{{ $key }}{{ end }}: {{ $name }} is also a name of
          {{ get $taken $name }}, and a request names one model: keep it in one of the two
      {{- end }}
      {{- $_ := set $taken $name $model.name }}
    {{- end }}
  {{- end }}
  {{- if not $models }}
    - models: there is none: write one, {llama3: {service: llm-vllm-pods}}, with service.pods.enabled: true in the
      model's own release
  {{- end }}
  {{- if not .Values.paths }}
    - paths: no request would reach a model: leave it out for the usual ones, or write one
  {{- end }}
  {{- range $path := .Values.paths | default list }}
    {{- if include "vllm-endpoint.changesAnEngine" $path }}
      - paths: {{ $path }} is for those who run an engine, and would let every client change it: take it out
    {{- else if regexMatch "/audio/(transcriptions|translations)$" $path }}
      - paths: {{ $path }} takes a form, and the endpoint goes by the model in a JSON body: take it out
    {{- else if hasSuffix "/realtime" $path }}
      - paths: {{ $path }} is a websocket, which the endpoint does not pass on: take it out
    {{- else if hasSuffix "/" $path }}
      - paths: no route of vLLM ends in a slash, as {{ $path }} does: write {{ trimSuffix "/" $path }}
    {{- end }}
  {{- end }}
{{- end }}
