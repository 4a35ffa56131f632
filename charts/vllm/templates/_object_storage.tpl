{{/* Models in object storage, which vLLM streams by runai-model-streamer. The facts are vllm_args/streaming.py. */}}

{{/* "s3", "gs", "az", or nothing for a model that is elsewhere. */}}
{{- define "vllm.objectStorage.scheme" -}}
  {{- regexFind "^(?i)(s3|gs|az)://" (.Values.model.id | default "") | trimSuffix "://" | lower }}
{{- end }}

{{/* "true" if weights are streamed, or nothing. */}}
{{- define "vllm.streams" -}}
  {{- $format := include "vllm.flag" (list . "load-format") }}
  {{- if or (include "vllm.objectStorage.scheme" .) (hasPrefix "runai_streamer" $format) }}true{{ end }}
{{- end }}

{{/* JSON map from name to text or to a variable's value: what the streamer is told, and nothing without it. */}}
{{- define "vllm.objectStorage.env" -}}
  {{- $env := dict }}
  {{- $scheme := include "vllm.objectStorage.scheme" . }}
  {{- if $scheme }}
    {{- include "vllm.load" . }}
    {{- $facts := .Facts.streaming }}
    {{- /* Or its errors are "File access error", whatever the store answered. */}}
    {{- $_ := set $env "RUNAI_STREAMER_LOG_TO_STDERR" "1" }}
    {{- with .Values.objectStorage }}
      {{- $secret := .credentialsSecretRef.name }}
      {{- range $name := ternary (get $facts.required $scheme) list (not (empty $secret)) }}
        {{- $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" $name))) }}
      {{- end }}
      {{- range $name := ternary (get $facts.optional $scheme) list (not (empty $secret)) }}
        {{- $key := dict "name" $secret "key" $name "optional" true }}
        {{- $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" $key)) }}
      {{- end }}
      {{- if and $secret (eq $scheme "gs") }}
        {{- range $name := $facts.keyFile }}{{ $_ := set $env $name (include "vllm.path.credentials" $) }}{{ end }}
      {{- end }}
      {{- if eq $scheme "s3" }}
        {{- range $name := ternary $facts.endpoint list (not (empty .endpoint)) }}
          {{- $_ := set $env $name (trimSuffix "/" $.Values.objectStorage.endpoint) }}
        {{- end }}
        {{- if .endpoint }}
          {{- $_ := set $env "RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING" "0" }}
          {{- $_ := set $env "AWS_EC2_METADATA_DISABLED" "true" }}
        {{- end }}
        {{- $region := .region | default (ternary "us-east-1" "" (not (empty .endpoint))) }}
        {{- range ternary $facts.region list (not (empty $region)) }}{{ $_ := set $env . $region }}{{ end }}
        {{- if $.Values.caBundle.configMapName }}
          {{- $_ := set $env "AWS_CA_BUNDLE" (include "vllm.path.caBundle" $) }}
        {{- end }}
      {{- end }}
      {{- with .account }}{{ $_ := set $env "AZURE_STORAGE_ACCOUNT_NAME" . }}{{ end }}
    {{- end }}
  {{- end }}
  {{- toJson $env }}
{{- end }}

{{/*
Number of bytes as string, or nothing where the streamer's own buffer fits: half of what the memory limit leaves besides
/dev/shm and what settings keep in private memory, for each worker that streams. 0, the largest tensor, where that could
be less than it: the streamer refuses a smaller buffer.
*/}}
{{- define "vllm.objectStorage.buffer" -}}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.streaming }}
  {{- $scheme := include "vllm.objectStorage.scheme" . }}
  {{- $limit := include "vllm.text" ((.Values.resources | default dict).limits | default dict).memory }}
  {{- $given := include "vllm.objectStorage.givenBuffer" . | fromJson }}
  {{- if and $scheme $limit (not $given) }}
    {{- $left := subf (include "vllm.quantity" $limit) (include "vllm.shm.sizeLimit" . | include "vllm.quantity") }}
    {{- range include "vllm.once" (list . "vllm.hostMemory") | fromJsonArray }}
      {{- if ne .memory "shared" }}{{ $left = subf $left .bytes }}{{ end }}
    {{- end }}
    {{- $each := divf $left 2 (include "vllm.objectStorage.streams" .) | floor }}
    {{- if lt $each (float64 $facts.leastBufferBytes) }}0
    {{- else if lt $each (float64 $facts.bufferBytes) }}{{ printf "%.0f" $each }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* JSON map {where, text, bytes}, of what the user says of the buffer; an empty one if that is nothing. */}}
{{- define "vllm.objectStorage.givenBuffer" -}}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.streaming }}
  {{- $extra := include "vllm.jsonFlag" (list . "model-loader-extra-config") | fromJson }}
  {{- $given := dict }}
  {{- if hasKey $extra "memory_limit" }}
    {{- $text := include "vllm.text" $extra.memory_limit }}
    {{- $given = dict "where" "engine.args.model-loader-extra-config" "text" $text "bytes" ($text | float64) }}
  {{- else if hasKey (.Values.env | default dict) $facts.limit }}
    {{- $text := include "vllm.envText" (list . $facts.limit) }}
    {{- $given = dict "where" (printf "env.%s" $facts.limit) "text" $text "bytes" ($text | float64) }}
  {{- end }}
  {{- toJson $given }}
{{- end }}

{{/* Integer as string: how many processes of the pod have a buffer each; workers that share the work share one. */}}
{{- define "vllm.objectStorage.streams" -}}
  {{- $extra := include "vllm.jsonFlag" (list . "model-loader-extra-config") | fromJson }}
  {{- $shared := eq (include "vllm.text" $extra.distributed) "true" }}
  {{- include "vllm.hostMemory.times" (list . (ternary "pod" "worker" $shared)) }}
{{- end }}

{{/* YAML map, or nothing: where the pod has the file with its credentials from, as a Secret's volume. */}}
{{- define "vllm.objectStorage.source" -}}
  {{- $secret := .Values.objectStorage.credentialsSecretRef.name }}
  {{- if and $secret (eq (include "vllm.objectStorage.scheme" .) "gs") }}
    {{- $file := include "vllm.path.credentials" . | base }}
    {{- dict "secretName" $secret "items" (list (dict "key" $file "path" $file)) | toYaml }}
  {{- end }}
{{- end }}
