{{/* The models as the templates go over them. */}}

{{/*
JSON list of maps, sorted by name: each model that is not null with its name (`name`), all its names (`names`), the name
of its cluster (`cluster`), its `namespace`, its host (`host`) and what its certificate is checked by (`authority`).
Clusters are numbered, because any text may name a model.
*/}}
{{- define "vllm-endpoint.models" -}}{{ include "vllm-endpoint.once" (list . "vllm-endpoint.models.listed") }}{{- end }}

{{- define "vllm-endpoint.models.listed" -}}
  {{- $models := list }}
  {{- range $name := include "vllm-endpoint.keysSet" .Values.models | fromJsonArray | sortAlpha }}
    {{- $model := get $.Values.models $name }}
    {{- $names := concat (list $name) ($model.aliases | default list) ($model.adapters | default list) }}
    {{- $namespace := $model.namespace | default (include "vllm-endpoint.namespace" $) }}
    {{- $key := $model.apiKeySecretRef | default dict }}
    {{- $models = append $models (dict
      "name" $name
      "names" $names
      "cluster" (printf "model-%d" (len $models))
      "namespace" $namespace
      "host" (printf "%s.%s.svc.%s" $model.service $namespace $.Values.clusterDomain)
      "port" (int ($model.port | default 8000))
      "secret" ($key.name | default "")
      "secretKey" ($key.key | default "api-key")
      "authority" (include "vllm-endpoint.authority" $model.tls)) }}
  {{- end }}
  {{- toJson $models }}
{{- end }}

{{/*
String: what a model's certificate is checked by, as JSON of {kind, name, key}, or nothing for an engine without TLS.
Takes the model's `tls`.
*/}}
{{- define "vllm-endpoint.authority" -}}
  {{- $tls := . | default dict }}
  {{- $kind := ternary "secret" "configMap" (empty $tls.caConfigMapName) }}
  {{- with $tls.caSecretName | default $tls.caConfigMapName }}
    {{- dict "kind" $kind "name" . "key" ($tls.caKey | default "ca.crt") | toJson }}
  {{- end }}
{{- end }}

{{/* JSON list: the names of which a model's certificate has one. Takes a list: root context, model. */}}
{{- define "vllm-endpoint.serverNames" -}}
  {{- $model := last . }}
  {{- $names := list $model.host (trimSuffix (printf ".%s" (first .).Values.clusterDomain) $model.host) }}
  {{- with (get (first .).Values.models $model.name).tls.serverName }}{{ $names = list . }}{{ end }}
  {{- toJson $names }}
{{- end }}

{{/* JSON list of {kind, name, key, volume}: what engines' certificates are checked by, each once. */}}
{{- define "vllm-endpoint.authorities" -}}
  {{- include "vllm-endpoint.once" (list . "vllm-endpoint.authorities.listed") }}
{{- end }}

{{- define "vllm-endpoint.authorities.listed" -}}
  {{- $found := list }}
  {{- range include "vllm-endpoint.models" . | fromJsonArray }}
    {{- if .authority }}{{ $found = append $found .authority | uniq }}{{ end }}
  {{- end }}
  {{- $authorities := list }}
  {{- range $index, $authority := $found }}
    {{- $authorities = append $authorities (set (fromJson $authority) "volume" (printf "ca-%d" $index)) }}
  {{- end }}
  {{- toJson $authorities }}
{{- end }}

{{/* JSON list of strings: the clients that may not use every model, sorted. */}}
{{- define "vllm-endpoint.restricted" -}}
  {{- include "vllm-endpoint.keysSet" .Values.clients.allow | fromJsonArray | sortAlpha | toJson }}
{{- end }}

{{/*
JSON list of maps: those clients by what they may use. Each has the `clients` of one list of models, these `models`, and
a `name` for them in the configuration. What a list costs there, it costs once.
*/}}
{{- define "vllm-endpoint.groups" -}}
  {{- $lists := dict }}
  {{- range $client := include "vllm-endpoint.restricted" . | fromJsonArray }}
    {{- $may := get $.Values.clients.allow $client | sortAlpha | uniq | toJson }}
    {{- $_ := append (get $lists $may | default list) $client | set $lists $may }}
  {{- end }}
  {{- $groups := list }}
  {{- range $may, $clients := $lists }}
    {{- $models := list }}
    {{- range include "vllm-endpoint.models" $ | fromJsonArray }}
      {{- if has .name (fromJsonArray $may) }}{{ $models = append $models . }}{{ end }}
    {{- end }}
    {{- $name := printf "clients-%d" (len $groups) }}
    {{- $groups = append $groups (dict "name" $name "clients" $clients "models" $models) }}
  {{- end }}
  {{- toJson $groups }}
{{- end }}

{{/*
JSON map from path to text: what `GET /v1/models` answers, and the path of each name that can stand in one as it is, as
OpenAI's clients read it. Takes a list of models.
*/}}
{{- define "vllm-endpoint.modelAnswers" -}}
  {{- $answers := dict }}
  {{- $all := list }}
  {{- range $model := . }}
    {{- range $name := $model.names }}
      {{- $one := dict "id" $name "object" "model" "created" 0 "owned_by" "vllm" }}
      {{- $all = append $all $one }}
      {{- if regexMatch "^[-A-Za-z0-9._:/]+$" $name }}
        {{- $_ := set $answers (printf "/v1/models/%s" $name) (toRawJson $one) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- dict "object" "list" "data" $all | toRawJson | set $answers "/v1/models" | toJson }}
{{- end }}
