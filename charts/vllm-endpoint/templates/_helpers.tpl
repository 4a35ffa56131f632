{{/* Names of the objects, labels of the pods, the image, the pod's files. Each comment says what a define returns. */}}

{{/* Strings: the name of each object. */}}
{{- define "vllm-endpoint.service.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}
{{- define "vllm-endpoint.deployment.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}
{{- define "vllm-endpoint.podDisruptionBudget.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}
{{- define "vllm-endpoint.configMap.name" -}}
  {{- include "vllm-endpoint.suffixed" (list (include "vllm-endpoint.fullname" .) "envoy") }}
{{- end }}
{{- define "vllm-endpoint.limits.name" -}}
  {{- include "vllm-endpoint.suffixed" (list (include "vllm-endpoint.fullname" .) "limits") }}
{{- end }}
{{- define "vllm-endpoint.serviceAccount.name" -}}
  {{- $own := ternary (include "vllm-endpoint.fullname" .) "default" .Values.serviceAccount.create }}
  {{- .Values.serviceAccount.name | default $own }}
{{- end }}

{{/* YAML map: the labels of the pods. No version among them: what a new chart does not change restarts nothing. */}}
{{- define "vllm-endpoint.podLabels" -}}
  {{- $own := include "vllm-endpoint.selectorLabels" . | fromYaml }}
  {{- include "vllm-endpoint.map" (list .Values.commonLabels .Values.podLabels $own) }}
{{- end }}

{{/* String: Envoy's image. */}}
{{- define "vllm-endpoint.image" -}}
  {{- $repository := .Values.image.repository }}
  {{- with .Values.global.imageRegistry }}
    {{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}
  {{- end }}
  {{- if .Values.image.digest }}
    {{- printf "%s@%s" $repository .Values.image.digest }}
  {{- else }}
    {{- printf "%s:%s" $repository (.Values.image.tag | default (printf "v%s" .Chart.AppVersion)) }}
  {{- end }}
{{- end }}

{{/* Strings: where the pod finds its files. */}}
{{- define "vllm-endpoint.path.config" -}}/etc/vllm-endpoint/config{{- end }}
{{- define "vllm-endpoint.path.clients" -}}/etc/vllm-endpoint/clients{{- end }}
{{- define "vllm-endpoint.path.tls" -}}/etc/vllm-endpoint/tls{{- end }}
{{- define "vllm-endpoint.path.authorities" -}}/etc/vllm-endpoint/engine-authorities{{- end }}
{{- define "vllm-endpoint.path.engineKeys" -}}/etc/vllm-endpoint/engine-keys{{- end }}

{{/* String: what clients speak with the endpoint, and the name of its ports. */}}
{{- define "vllm-endpoint.scheme" -}}{{ ternary "https" "http" (ne .Values.tls.secretName "") }}{{- end }}

{{/* YAML map from file name to text: what the ConfigMap holds. */}}
{{- define "vllm-endpoint.files" -}}
envoy.yaml: |
  {{- include "vllm-endpoint.envoy" . | nindent 2 }}
{{- if .Values.tls.secretName }}
certificate.yaml: |
  {{- include "vllm-endpoint.envoy.tls.certificate" . | nindent 2 }}
{{- end }}
{{- with include "vllm-endpoint.envoy.authorities" . | trim }}
{{ . }}
{{- end }}
drain.sh: |
  {{- .Files.Get "files/drain.sh" | nindent 2 }}
{{- end }}

{{/* Integer as string, in seconds: the time of the preStop hook, and a margin for Envoy's own end. */}}
{{- define "vllm-endpoint.gracePeriodSeconds" -}}
  {{- add .Values.shutdown.propagationSeconds .Values.shutdown.drainSeconds 10 }}
{{- end }}

{{/*
YAML map: a probe, with a path on the metrics' port as its handler unless the user wrote another one. Takes a list:
probe, path.
*/}}
{{- define "vllm-endpoint.probe" -}}
  {{- $probe := deepCopy (first .) }}
  {{- if not (or $probe.httpGet $probe.tcpSocket $probe.exec $probe.grpc) }}
    {{- $_ := set $probe "httpGet" (dict "path" (last .) "port" "metrics") }}
  {{- end }}
  {{- include "vllm-endpoint.yaml" $probe }}
{{- end }}
