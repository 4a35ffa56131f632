{{/* The model as an OCI image, which the kubelet pulls and mounts. */}}

{{/* YAML map, or nothing: the image, as a volume's source. */}}
{{- define "vllm.modelImage.source" -}}
  {{- with .Values.model.image }}
    {{- if .reference }}
      {{- $source := dict "reference" .reference }}
      {{- with .pullPolicy }}{{ $_ := set $source "pullPolicy" . }}{{ end }}
      {{- toYaml $source }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* String: what vLLM loads: the id, or where the image is mounted. */}}
{{- define "vllm.model.source" -}}
  {{- include "vllm.load" . }}
  {{- ternary (get .Facts.volumes "model-image").path .Values.model.id (not (empty .Values.model.image.reference)) }}
{{- end }}

{{/* JSON list: the names that clients may write. A mounted image has the id for one, and not its path. */}}
{{- define "vllm.model.names" -}}
  {{- $own := ternary (list .Values.model.id) list (not (empty .Values.model.image.reference)) }}
  {{- .Values.model.servedModelName | default $own | toJson }}
{{- end }}

{{/* "true" if an engine has nothing to ask the Hub for, because all that it loads is mounted; or nothing. */}}
{{- define "vllm.modelImage.offline" -}}
  {{- if and .Values.model.image.reference (not (include "vllm.download.repositories" . | fromJsonArray)) }}
    {{- if not .Values.lora.reload }}true{{ end }}
  {{- end }}
{{- end }}

{{/* "true" for a version of Kubernetes that mounts images, or nothing. Takes a list: root context, minor version. */}}
{{- define "vllm.modelImage.since" -}}
  {{- if semverCompare (printf ">=1.%d-0" (last .)) (first .).Capabilities.KubeVersion.Version }}true{{ end }}
{{- end }}
