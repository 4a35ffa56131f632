{{/* Names of the objects, labels of the pods, the image. Each comment says what a define returns. */}}

{{/* Strings: the name of each object. */}}
{{- define "vllm.service.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.podDisruptionBudget.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.test.name" -}}{{ include "vllm.suffixed" (list (include "vllm.fullname" .) "test") }}{{- end }}
{{- define "vllm.lifecycle.name" -}}
  {{- include "vllm.suffixed" (list (include "vllm.fullname" .) "lifecycle") }}
{{- end }}
{{- define "vllm.chatTemplate.name" -}}
  {{- include "vllm.suffixed" (list (include "vllm.fullname" .) "chat-template") }}
{{- end }}
{{- define "vllm.claim.name" -}}
  {{- $own := include "vllm.suffixed" (list (include "vllm.fullname" .) "cache") }}
  {{- .Values.persistence.existingClaim | default $own }}
{{- end }}
{{- define "vllm.serviceAccount.name" -}}
  {{- $own := ternary (include "vllm.fullname" .) "default" .Values.serviceAccount.create }}
  {{- .Values.serviceAccount.name | default $own }}
{{- end }}

{{/*
YAML map: the labels of the engine's pods. No chart or engine version among them: what a new chart does not change must
not restart a model.
*/}}
{{- define "vllm.podLabels" -}}
  {{- include "vllm.map" (list .Values.commonLabels .Values.podLabels (include "vllm.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/*
YAML map: what tells the pod of `helm test` from others. Another name than the engine's pods, or the Service would send
it requests and the budget count it. The dot makes it another whatever nameOverride is: that has none.
*/}}
{{- define "vllm.test.labels" -}}
  {{- $name := include "vllm.name" . | trunc 58 | printf "%s.test" }}
  {{- dict "app.kubernetes.io/name" $name "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* String: the engine's image. Also used by the test, so that its node has it already. */}}
{{- define "vllm.image" -}}
  {{- $cpu := eq .Values.engine.device "cpu" }}
  {{- $repository := .Values.image.repository | default (ternary "vllm/vllm-openai-cpu" "vllm/vllm-openai" $cpu) }}
  {{- $tag := .Values.image.tag | default (printf "v%s%s" .Chart.AppVersion (ternary "-x86_64" "" $cpu)) }}
  {{- with .Values.global.imageRegistry }}
    {{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}
  {{- end }}
  {{- if .Values.image.digest }}
    {{- printf "%s@%s" $repository .Values.image.digest }}
  {{- else }}
    {{- printf "%s:%s" $repository $tag }}
  {{- end }}
{{- end }}
