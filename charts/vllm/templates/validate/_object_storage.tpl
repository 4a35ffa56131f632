{{/* Items for models in object storage. Another image or command may do with the address as it likes. */}}
{{- define "vllm.validate.objectStorage" }}
  {{- $scheme := include "vllm.objectStorage.scheme" . }}
  {{- $id := .Values.model.id | default "" }}
  {{- $own := include "vllm.isOwnImage" . }}
  {{- $stock := and $own (not .Values.command) .Values.engine.passArguments }}
  {{- include "vllm.validate.objectStorage.buffer" . }}
  {{- if $scheme }}
    {{- if regexMatch "^[^/]+://(/|$)" $id }}
      - model.id: {{ $id }} names no bucket: write {{ $scheme }}://bucket/folder
    {{- end }}
    {{- if not .Values.model.servedModelName }}
      - model.servedModelName: clients would have to write {{ $id }} as the model: write a name, such as
        [{{ trimSuffix "/" $id | base }}]
    {{- end }}
    {{- if and (eq $scheme "az") $stock (not .Values.objectStorage.account) (not (include "vllm.azureKnown" .)) }}
      - objectStorage.account: nothing says in which storage account {{ $id }} is: write its name
    {{- end }}
    {{- $format := include "vllm.flag" (list . "load-format") }}
    {{- if and $stock $format (not (regexMatch "^(auto|modelexpress|runai_streamer.*)$" $format)) }}
      {{- /* config/vllm.py:2784 of 0.33. */}}
      - engine.args.load-format: vLLM does not read {{ $scheme }}:// by {{ $format }}: leave it out, and it streams
    {{- end }}
    {{- /* docker/Dockerfile installs runai-model-streamer, docker/Dockerfile.cpu and requirements/cpu.txt do not. */}}
    {{- $cpu := regexMatch "^(.*/)?vllm/vllm-openai-cpu:v?[0-9.]+(-x86_64|-arm64)?(@|$)" (include "vllm.image" .) }}
    {{- if and $cpu (not .Values.command) }}
      - image.repository: vLLM's CPU image has no runai-model-streamer, by which {{ $id }} is read: write an image with
        it, or a tag of your own
    {{- end }}
    {{- include "vllm.validate.objectStorage.keys" (list . $scheme) }}
    {{- include "vllm.validate.objectStorage.twice" . }}
  {{- else }}
    {{- range $key, $value := .Values.objectStorage }}
      {{- if or (and (kindIs "map" $value) $value.name) (and (kindIs "string" $value) $value) }}
        - objectStorage.{{ $key }}: {{ $id }} is in no object storage: write s3://bucket/folder, gs://… or az://… in
          model.id, or leave it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines for a buffer that is no number: the streamer and vLLM read an integer, and end without one. */}}
{{- define "vllm.validate.objectStorage.buffer" }}
  {{- $given := include "vllm.objectStorage.givenBuffer" . | fromJson }}
  {{- $text := $given.text | default "0" }}
  {{- $known := or (regexMatch "^-?[0-9]+$" $text) (contains "$(" $text) }}
  {{- if and (include "vllm.streams" .) (not $known) }}
    - {{ $given.where }}: {{ $text }} is no number of bytes: write an integer, such as 8589934592
  {{- end }}
{{- end }}

{{/* Lines for keys that another kind of storage has. Takes a list: root context, scheme. */}}
{{- define "vllm.validate.objectStorage.keys" }}
  {{- $scheme := last . }}
  {{- with (first .).Values.objectStorage }}
    {{- if and .endpoint (ne $scheme "s3") }}
      - objectStorage.endpoint: only s3:// has one here: leave it out, or write s3://… in model.id
    {{- end }}
    {{- if and .region (ne $scheme "s3") }}
      - objectStorage.region: only s3:// has one: leave it out
    {{- end }}
    {{- if and .account (ne $scheme "az") }}
      - objectStorage.account: only az:// has one: leave it out
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines for variables of the user's that a value has as well: of two that differ one would be lost. */}}
{{- define "vllm.validate.objectStorage.twice" }}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.streaming }}
  {{- with .Values.objectStorage }}
    {{- $given := dict }}
    {{- if .endpoint }}{{ range $facts.endpoint }}{{ $_ := set $given . "endpoint" }}{{ end }}{{ end }}
    {{- if .region }}{{ range $facts.region }}{{ $_ := set $given . "region" }}{{ end }}{{ end }}
    {{- if .account }}{{ $_ := set $given "AZURE_STORAGE_ACCOUNT_NAME" "account" }}{{ end }}
    {{- if .credentialsSecretRef.name }}
      {{- range $names := concat (values $facts.required) (values $facts.optional) (list $facts.keyFile) }}
        {{- range $names }}{{ $_ := set $given . "credentialsSecretRef" }}{{ end }}
      {{- end }}
    {{- end }}
    {{- range $name, $key := $given }}
      {{- if hasKey ($.Values.env | default dict) $name }}
        - env.{{ $name }}: objectStorage.{{ $key }} says it already: keep one of them
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
"true" if a variable may say which storage account it is, or nothing. A connection string does not: by it files are
listed, and no weights read.
*/}}
{{- define "vllm.azureKnown" -}}
  {{- if or .Values.envFrom (hasKey (.Values.env | default dict) "AZURE_STORAGE_ACCOUNT_NAME") }}true{{ end }}
{{- end }}
