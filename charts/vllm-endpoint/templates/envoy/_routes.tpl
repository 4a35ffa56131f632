{{/*
Which request goes where. The first route that fits is taken. Only those of a model lead to an engine, and each of them
asks for the method, the path and the model; what none of them takes is answered here. A route that answers is named by
the error's code.
*/}}

{{/* YAML map: all routes. */}}
{{- define "vllm-endpoint.envoy.routes" -}}
{{- $models := include "vllm-endpoint.models" . | fromJsonArray }}
name: api
# Neither the client's key nor what Envoy tells itself is for the engine.
request_headers_to_remove: [authorization, x-envoy-internal, x-envoy-fault-delay-request]
max_direct_response_body_size_bytes: 16777216
virtual_hosts:
  - name: all
    domains: ["*"]
    retry_policy: {{- include "vllm-endpoint.envoy.retries" . | nindent 6 }}
    routes:
      # A document of clients that names no client lets nobody in.
      - name: invalid_api_key
        match:
          prefix: /
          dynamic_metadata:
            - {filter: llm, path: [{key: client}], value: {present_match: true}, invert: true}
        direct_response: {status: 401}
      {{- include "vllm-endpoint.envoy.routes.restricted" . | nindent 6 }}
      {{- include "vllm-endpoint.envoy.routes.list" (list $ $models) | nindent 6 }}
      {{- range $model := $models }}
      - name: model
        match:
          {{- include "vllm-endpoint.envoy.match.paths" $ | nindent 10 }}
          dynamic_metadata:
            - {{ include "vllm-endpoint.envoy.match.model" (list (list $model) false) }}
        metadata: {filter_metadata: {llm: {model: {{ toJson $model.name }}}}}
        route:
          cluster: {{ $model.cluster }}
          timeout: 0s
          hash_policy: {{ include "vllm-endpoint.envoy.shared" (list $ "hash") | nindent 12 | trim }}
      {{- end }}
      - name: model_missing
        match:
          {{- include "vllm-endpoint.envoy.match.paths" $ | nindent 10 }}
          dynamic_metadata:
            - {{ include "vllm-endpoint.envoy.match.nameless" . }}
        direct_response:
          {{- $words := "The body has to be JSON (Content-Type: application/json) with a field model" }}
          {{- include "vllm-endpoint.envoy.answer" (list 400 $words) | nindent 10 }}
      - name: model_not_found
        match: {{- include "vllm-endpoint.envoy.match.paths" $ | nindent 10 }}
        direct_response: {{- include "vllm-endpoint.envoy.unknown" . | nindent 10 }}
      - name: method_not_allowed
        match:
          safe_regex: {{ include "vllm-endpoint.envoy.shared" (list $ "paths") | nindent 12 | trim }}
        direct_response: {{- include "vllm-endpoint.envoy.answer" (list 405 "This path takes POST") | nindent 10 }}
        response_headers_to_add: [{header: {key: allow, value: POST}}]
      - name: path_not_found
        match: {prefix: /}
        direct_response:
          {{- include "vllm-endpoint.envoy.answer" (list 404 "This path is not served here") | nindent 10 }}
{{- end }}

{{/* YAML map: what is answered about a model that is not there for a client. */}}
{{- define "vllm-endpoint.envoy.unknown" -}}
{{- $words := "The model does not exist, or this client may not use it: see GET /v1/models" -}}
{{ include "vllm-endpoint.envoy.answer" (list 404 $words) }}
{{- end }}

{{/* YAML list, or nothing: the routes of clients that may not use every model. */}}
{{- define "vllm-endpoint.envoy.routes.restricted" -}}
{{- range $group := include "vllm-endpoint.groups" . | fromJsonArray }}
{{- include "vllm-endpoint.envoy.routes.list" (list $ $group.models $group) }}
- name: model_not_found
  match:
    {{- include "vllm-endpoint.envoy.match.paths" $ | nindent 4 }}
    dynamic_metadata:
      - {{ include "vllm-endpoint.envoy.match.clients" (list $ $group) }}
      {{- if $group.models }}
      - {{ include "vllm-endpoint.envoy.match.model" (list $group.models true) }}
      {{- end }}
  direct_response: {{- include "vllm-endpoint.envoy.unknown" . | nindent 4 }}
{{- end }}
{{- end }}

{{/*
YAML list: the routes of `GET /v1/models`, of each model whose name can stand in a path as it is, and of any other.
Takes a list: root context, models, and the group of clients that they are for, where they are not for all.
*/}}
{{- define "vllm-endpoint.envoy.routes.list" -}}
{{- $root := first . }}
{{- $group := slice . 2 }}
{{- range $path, $answer := include "vllm-endpoint.modelAnswers" (index . 1) | fromJson }}
- name: models
  match:
    path: {{ toJson $path }}
    headers: {{ include "vllm-endpoint.envoy.shared" (list $root "get") | nindent 6 | trim }}
    {{- range $group }}
    dynamic_metadata:
      - {{ include "vllm-endpoint.envoy.match.clients" (list $root .) }}
    {{- end }}
  direct_response: {{- include "vllm-endpoint.envoy.answer" (list 200 $answer) | nindent 4 }}
  response_headers_to_add: {{ include "vllm-endpoint.envoy.shared" (list $root "json") | nindent 4 | trim }}
{{- end }}
- name: model_not_found
  match:
    prefix: /v1/models/
    headers: {{ include "vllm-endpoint.envoy.shared" (list $root "get") | nindent 6 | trim }}
    {{- range $group }}
    dynamic_metadata:
      - {{ include "vllm-endpoint.envoy.match.clients" (list $root .) }}
    {{- end }}
  direct_response: {{- include "vllm-endpoint.envoy.unknown" . | nindent 4 }}
{{- end }}

{{/* YAML map: an answer without an engine. Takes a list: status, text. */}}
{{- define "vllm-endpoint.envoy.answer" -}}
status: {{ first . }}
body: {inline_string: {{ last . | toJson }}}
{{- end }}

{{/* String: a regular expression of the paths that reach an engine, whole. */}}
{{- define "vllm-endpoint.envoy.paths" -}}
  {{- $paths := list }}
  {{- range .Values.paths }}{{ $paths = append $paths (regexQuoteMeta .) }}{{ end }}
  {{- join "|" $paths }}
{{- end }}

{{/* YAML map: a request that may reach an engine, by its path and method. */}}
{{- define "vllm-endpoint.envoy.match.paths" -}}
safe_regex: {{ include "vllm-endpoint.envoy.shared" (list . "paths") | nindent 2 | trim }}
headers: {{ include "vllm-endpoint.envoy.shared" (list . "post") | nindent 2 | trim }}
{{- end }}

{{/* YAML map: the paths that reach an engine. */}}
{{- define "vllm-endpoint.envoy.shared.paths" -}}
regex: {{ include "vllm-endpoint.envoy.paths" . | toJson }}
{{- end }}

{{/* YAML lists: the methods that are taken. */}}
{{- define "vllm-endpoint.envoy.shared.post" -}}[{name: ":method", string_match: {exact: POST}}]{{- end }}
{{- define "vllm-endpoint.envoy.shared.get" -}}[{name: ":method", string_match: {exact: GET}}]{{- end }}

{{/* YAML list: what a replica is chosen by. */}}
{{- define "vllm-endpoint.envoy.shared.hash" -}}[{header: {header_name: x-llm-prefix}}]{{- end }}

{{/* YAML list: the headers of an answer that is JSON. */}}
{{- define "vllm-endpoint.envoy.shared.json" -}}
- {header: {key: content-type, value: application/json}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
{{- end }}

{{/* YAML map in a line: a request of one of the clients of a group. Takes a list: root context, group. */}}
{{- define "vllm-endpoint.envoy.match.clients" -}}
  {{- $group := last . }}
  {{- $args := list (first .) $group.name "vllm-endpoint.envoy.match.anyOf" (list "client" $group.clients false) }}
  {{- include "vllm-endpoint.envoy.anchored" $args | replace "\n" " " }}
{{- end }}

{{/* YAML map in a line: a request that names no model. */}}
{{- define "vllm-endpoint.envoy.match.nameless" -}}
  {filter: llm, path: [{key: model}], value: {string_match: {exact: ""}}}
{{- end }}

{{/* YAML map in a line: a request that names one of the models. Takes a list: models, whether it is any other. */}}
{{- define "vllm-endpoint.envoy.match.model" -}}
  {{- $names := list }}
  {{- range $model := first . }}{{ $names = concat $names $model.names }}{{ end }}
  {{- include "vllm-endpoint.envoy.match.anyOf" (list "model" $names (last .)) }}
{{- end }}

{{/* YAML map in a line: one of several texts. Takes a list: the key, the texts, whether it is any other. */}}
{{- define "vllm-endpoint.envoy.match.anyOf" -}}
  {{- $values := list }}
  {{- range $text := index . 1 }}{{ $values = append $values (dict "string_match" (dict "exact" $text)) }}{{ end }}
  {{- /* Envoy takes no less than two. */}}
  {{- $matchers := append $values (first $values) | dict "value_matchers" | toJson -}}
  {filter: llm, path: [{key: {{ first . }}}], invert: {{ last . }}, value: {or_match: {{ $matchers }}}}
{{- end }}

{{/*
YAML map: what is asked again, of another replica: what reached none, and what one refused (503, which vLLM answers
before it begins). Never what an engine had begun: it would be generated twice. In the time between attempts Envoy's
threads hear that a replica is out.
*/}}
{{- define "vllm-endpoint.envoy.retries" -}}
retry_on: connect-failure,refused-stream,reset-before-request,retriable-status-codes
retriable_status_codes: [503]
num_retries: 2
retry_back_off: {base_interval: 0.015s, max_interval: 0.045s}
host_selection_retry_max_attempts: 5
retry_host_predicate:
  - name: envoy.retry_host_predicates.previous_hosts
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
{{- end }}
