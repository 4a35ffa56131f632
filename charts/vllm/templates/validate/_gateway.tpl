{{/* Items for the way in from outside. */}}
{{- define "vllm.validate.gateway" }}
  {{- if .Values.ingress.enabled }}
    {{- if not (compact (.Values.ingress.hosts | default list)) }}
      - ingress.hosts: without a host every name that the controller has would lead to this model: write the names that
        clients ask for
    {{- end }}
    {{- include "vllm.validate.gateway.names" (list "ingress.hosts" .Values.ingress.hosts) }}
    {{- include "vllm.validate.gateway.paths" (list . "ingress") }}
  {{- end }}
  {{- if .Values.httpRoute.enabled }}
    {{- if not (without (.Values.httpRoute.parentRefs | default list) nil) }}
      - httpRoute.parentRefs: no Gateway takes a route that names none: write [{name, namespace}] of yours
    {{- end }}
    {{- include "vllm.validate.gateway.names" (list "httpRoute.hostnames" .Values.httpRoute.hostnames) }}
    {{- $named := .Values.model.servedModelName }}
    {{- if and .Values.httpRoute.modelHeader (not $named) (hasPrefix "/" (.Values.model.id | default "")) }}
      - model.servedModelName: a gateway would look for {{ .Values.model.id }}, a path, in
        {{ .Values.httpRoute.modelHeader }}: write the name that clients have in `model`, or an empty
        httpRoute.modelHeader
    {{- end }}
    {{- include "vllm.validate.gateway.paths" (list . "httpRoute") }}
  {{- end }}
  {{- if .Values.inferencePool.enabled }}
    {{- if not .Values.inferencePool.endpointPickerRef.name }}
      - inferencePool.endpointPickerRef.name: nobody would choose a pod: write the Service of the endpoint picker that
        you have installed
    {{- end }}
    {{- $ports := include "vllm.inferencePool.ports" . | fromJsonArray | len }}
    {{- if gt $ports 8 }}
      - inferencePool: a pool has 8 ports at most, and each pod of this release {{ $ports }}, one for each data-parallel
        rank: write a smaller parallelism.dataParallelSize and more replicas
    {{- end }}
  {{- end }}
{{- end }}

{{/* Items for names of hosts. Takes a list: its key, the names. */}}
{{- define "vllm.validate.gateway.names" }}
  {{- $key := first . }}
  {{- range $host := last . }}
    {{- if regexMatch "^[0-9]+([.][0-9]+){3}$" ($host | default "") }}
      - {{ $key }}: {{ $host }} is an address, which Kubernetes takes for no host: write a name, llm.example.com
    {{- end }}
  {{- end }}
{{- end }}

{{/* Items for a list of paths. Takes a list: root context, the key of its block. */}}
{{- define "vllm.validate.gateway.paths" }}
  {{- $key := last . }}
  {{- $paths := compact ((get (first .).Values $key).paths | default list) }}
  {{- if not $paths }}
    - {{ $key }}.paths: no request would reach the model: leave it out for the usual ones, or write one
  {{- end }}
  {{- range $path := $paths }}
    {{- if include "vllm.changesAnEngine" $path }}
      - {{ $key }}.paths: {{ $path }} is for those who run an engine, and would let every client change it: take it out
    {{- end }}
  {{- end }}
{{- end }}
