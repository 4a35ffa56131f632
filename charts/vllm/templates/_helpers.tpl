{{/* Names of the objects, labels of the pods, the image. Each comment says what a define returns. */}}

{{/* Strings: the name of each object. */}}
{{- define "vllm.service.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.service.pods.name" -}}{{ include "vllm.suffixed" (list (include "vllm.fullname" .) "pods") }}{{- end }}
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

{{/*
YAML map: what tells the Service of the pods from the ordinary one, which a ServiceMonitor selects by its name: it would
scrape every pod twice.
*/}}
{{- define "vllm.service.pods.labels" -}}
  {{- $name := include "vllm.name" . | trunc 58 | printf "%s.pods" }}
  {{- dict "app.kubernetes.io/name" $name "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* Integer as string: the port of a pod that its Service leads to, whether that goes by a number or a name. */}}
{{- define "vllm.service.podPort" -}}
  {{- $target := .Values.service.targetPort | default "http" | toString }}
  {{- $ports := dict "http" .Values.containerPort }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range $port := compact (.ports | default list) }}
      {{- with .name }}{{ $_ := set $ports . $port.containerPort }}{{ end }}
    {{- end }}
  {{- end }}
  {{- get $ports $target | default $target | int }}
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
