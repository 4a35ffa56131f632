{{/* The chat template, of the values or of a ConfigMap of the user's. */}}

{{/* YAML map, or nothing: where the pod has it from, as a ConfigMap's volume. */}}
{{- define "vllm.chatTemplate.source" -}}
  {{- $file := include "vllm.path.chatTemplate" . | base }}
  {{- $given := .Values.model.chatTemplateRef }}
  {{- if .Values.model.chatTemplate }}
    {{- dict "name" (include "vllm.chatTemplate.name" .) | toYaml }}
  {{- else if $given.name }}
    {{- dict "name" $given.name "items" (list (dict "key" $given.key "path" $file)) | toYaml }}
  {{- end }}
{{- end }}
