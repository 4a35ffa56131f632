{{- define "vllm.validate.chatTemplate" }}
  {{- $text := .Values.model.chatTemplate }}
  {{- $ref := .Values.model.chatTemplateRef.name }}
  {{- $key := ternary "model.chatTemplate" "model.chatTemplateRef" (not (empty $text)) }}
  {{- $flag := include "vllm.flag" (list . "chat-template") }}
  {{- if and $text $ref }}
    - model.chatTemplateRef: model.chatTemplate is the template already: keep one of them
  {{- end }}
  {{- if and (or $text $ref) $flag }}
    - engine.args.chat-template: {{ $key }} is the template already: keep one of them
  {{- else if and (or $text $ref) (not .Values.engine.passArguments) }}
    - {{ $key }}: nothing tells the engine of it (engine.passArguments is false): leave it out, and name the file
      in command
  {{- end }}
  {{- if and $text (not (contains "{" $text)) }}
    {{- $shown := trunc 80 $text | trim | toJson }}
    - model.chatTemplate: {{ $shown }} is no Jinja, and would answer all conversations alike: write the template itself,
      by --set-file model.chatTemplate=FILE, or a path in a volume in engine.args.chat-template
  {{- else if gt (len ($text | default "")) 1048576 }}
    {{- /* pkg/apis/core/validation/validation.go of Kubernetes 1.37, ValidateConfigMap. */}}
    - model.chatTemplate: {{ len $text }} bytes are more than the 1 MiB that a ConfigMap holds: write a path in a volume
      in engine.args.chat-template
  {{- end }}
{{- end }}
