{{/* The volumes of the engine's pod. The chart's own are one table, from which the pod is rendered and rules read. */}}

{{/*
JSON list: the chart's own volumes. Of each its name, its path in the engine's container, its source as Kubernetes has
it (nothing: the volume is not rendered, and its name and path are still taken), what else its mount says, and what to
write where somebody wants to mount their own in its place. Paths and remedies are facts that Python has as well.
*/}}
{{- define "vllm.mounts" -}}{{ include "vllm.once" (list . "vllm.mounts.own") }}{{- end }}

{{- define "vllm.mounts.own" -}}
  {{- include "vllm.load" . }}
  {{- $cache := dict "emptyDir" dict }}
  {{- if and .Values.persistence.enabled .Values.persistence.ephemeral }}
    {{- $metadata := dict "labels" (include "vllm.podLabels" . | fromYaml) }}
    {{- with include "vllm.annotations" (list . .Values.persistence.annotations) }}
      {{- $_ := set $metadata "annotations" (fromYaml .) }}
    {{- end }}
    {{- $template := dict "metadata" $metadata "spec" (include "vllm.claim.spec" . | fromYaml) }}
    {{- $cache = dict "ephemeral" (dict "volumeClaimTemplate" $template) }}
  {{- else if .Values.persistence.enabled }}
    {{- $cache = dict "persistentVolumeClaim" (dict "claimName" (include "vllm.claim.name" .)) }}
  {{- end }}
  {{- $subPath := dict }}
  {{- with .Values.persistence.subPath }}{{ $subPath = dict "subPath" . }}{{ end }}
  {{- $bundle := dict }}
  {{- with .Values.caBundle }}
    {{- if .configMapName }}
      {{- $items := list (dict "key" .key "path" (include "vllm.path.caBundle" $ | base)) }}
      {{- $bundle = dict "configMap" (dict "name" .configMapName "items" $items) }}
    {{- end }}
  {{- end }}
  {{- $template := dict }}
  {{- with include "vllm.chatTemplate.source" . }}{{ $template = dict "configMap" (fromYaml .) }}{{ end }}
  {{- $credentials := dict }}
  {{- with include "vllm.objectStorage.source" . }}{{ $credentials = dict "secret" (fromYaml .) }}{{ end }}
  {{- $shm := dict "medium" "Memory" "sizeLimit" (include "vllm.shm.sizeLimit" .) }}
  {{- $programs := dict "configMap" (dict "name" (include "vllm.lifecycle.name" .)) }}
  {{- $list := dict }}
  {{- if .Values.lora.reload }}{{ $list = dict "configMap" (dict "name" (include "vllm.lora.list.name" .)) }}{{ end }}
  {{- $readOnly := dict "readOnly" true }}
  {{- $mounts := list }}
  {{- /* Others have had a volume at /model for long: it is the chart's where it is asked for. */}}
  {{- with include "vllm.modelImage.source" . }}
    {{- $mount := dict "readOnly" true }}
    {{- with $.Values.model.image.subPath }}{{ $_ := set $mount "subPath" . }}{{ end }}
    {{- $image := dict "name" "model-image" "source" (dict "image" (fromYaml .)) "mount" $mount }}
    {{- $mounts = append $mounts (merge $image (get $.Facts.volumes "model-image")) }}
  {{- end }}
  {{- with .Values.tls.secretName }}
    {{- $items := list (dict "key" "tls.crt" "path" "tls.crt") (dict "key" "tls.key" "path" "tls.key") }}
    {{- $certificate := dict "secret" (dict "secretName" . "items" $items) }}
    {{- $volume := dict "name" "certificate" "source" $certificate "mount" $readOnly }}
    {{- $mounts = append $mounts (merge $volume (get $.Facts.volumes "certificate")) }}
  {{- end }}
  {{- range $volume := list
    (dict "name" "shm" "source" (dict "emptyDir" $shm) "mount" dict)
    (dict "name" "tmp" "source" (dict "emptyDir" dict) "mount" dict)
    (dict "name" "lifecycle" "source" $programs "mount" $readOnly)
    (dict "name" "cache" "source" $cache "mount" $subPath "path" .Values.persistence.mountPath)
    (dict "name" "chat-template" "source" $template "mount" $readOnly)
    (dict "name" "object-storage" "source" $credentials "mount" $readOnly)
    (dict "name" "ca-bundle" "source" $bundle "mount" $readOnly)
    (dict "name" "adapter-list" "source" $list "mount" $readOnly) }}
    {{- $mounts = append $mounts (merge $volume (get $.Facts.volumes $volume.name)) }}
  {{- end }}
  {{- toJson $mounts }}
{{- end }}

{{/* YAML map: what a claim for weights and compile caches asks for. */}}
{{- define "vllm.claim.spec" -}}
  {{- with .Values.persistence }}
    {{- $spec := dict
      "accessModes" (.accessModes | default (list "ReadWriteOnce"))
      "resources" (dict "requests" (dict "storage" (include "vllm.text" .size))) }}
    {{- with .storageClassName }}{{ $_ := set $spec "storageClassName" (ternary "" . (eq . "-")) }}{{ end }}
    {{- toYaml $spec }}
  {{- end }}
{{- end }}

{{/* Strings: paths in the chart's own volumes that other templates refer to. */}}
{{- define "vllm.path.home" -}}
  {{- include "vllm.load" . }}{{ .Facts.volumes.tmp.path }}/home
{{- end }}
{{- define "vllm.path.programs" -}}
  {{- include "vllm.load" . }}{{ .Facts.volumes.lifecycle.path }}
{{- end }}
{{- define "vllm.path.chatTemplate" -}}
  {{- include "vllm.load" . }}{{ get .Facts.volumes "chat-template" | dig "path" "" }}/chat-template.jinja
{{- end }}
{{- define "vllm.path.credentials" -}}
  {{- include "vllm.load" . }}{{ get .Facts.volumes "object-storage" | dig "path" "" }}/credentials.json
{{- end }}
{{- define "vllm.path.caBundle" -}}
  {{- include "vllm.load" . }}{{ get .Facts.volumes "ca-bundle" | dig "path" "" }}/ca-bundle.crt
{{- end }}

{{/* YAML list: the pod's volumes, the chart's own and the user's. */}}
{{- define "vllm.volumes" -}}
  {{- $volumes := list }}
  {{- range include "vllm.mounts" . | fromJsonArray }}
    {{- if .source }}{{ $volumes = append $volumes (merge (dict "name" .name) .source) }}{{ end }}
  {{- end }}
  {{- include "vllm.list" (concat $volumes (.Values.volumes | default list)) }}
{{- end }}

{{/* YAML list: the mounts of the engine's container. */}}
{{- define "vllm.volumeMounts" -}}
  {{- $mounts := list }}
  {{- range include "vllm.mounts" . | fromJsonArray }}
    {{- if .source }}{{ $mounts = append $mounts (merge (dict "name" .name "mountPath" .path) .mount) }}{{ end }}
  {{- end }}
  {{- include "vllm.list" (concat $mounts (.Values.volumeMounts | default list)) }}
{{- end }}

{{/* JSON list: those of them that hold files, for a container of the chart beside the engine; not its private key. */}}
{{- define "vllm.volumeMounts.files" -}}
  {{- $mounts := list }}
  {{- range include "vllm.volumeMounts" . | fromYamlArray }}
    {{- if not (has .name (list "shm" "certificate")) }}{{ $mounts = append $mounts . }}{{ end }}
  {{- end }}
  {{- toJson $mounts }}
{{- end }}

{{/* JSON list: the names of the pod's volumes. */}}
{{- define "vllm.volumeNames" -}}
  {{- $names := list }}
  {{- range include "vllm.mounts" . | fromJsonArray }}
    {{- if .source }}{{ $names = append $names .name }}{{ end }}
  {{- end }}
  {{- range compact (.Values.volumes | default list) }}{{ $names = append $names .name }}{{ end }}
  {{- toJson $names }}
{{- end }}

{{/* "true" or nothing: whether another container of the pod mounts a volume. Takes a list: root context, its name. */}}
{{- define "vllm.mountedElsewhere" -}}
  {{- $values := (first .).Values }}
  {{- range concat ($values.initContainers | default list) ($values.extraContainers | default list) | compact }}
    {{- range compact (.volumeMounts | default list) }}{{ if eq .name (last $) }}true{{ end }}{{ end }}
  {{- end }}
{{- end }}

{{/*
JSON list: for each volume in which a path of the engine's container is, "filled", or "empty" where it is an emptyDir of
the user's. The chart's own emptyDirs are left out: nothing that a value names could be there. Takes a list: root
context, path.
*/}}
{{- define "vllm.volumesAt" -}}
  {{- $values := (first .).Values }}
  {{- $path := printf "%s/" (last .) }}
  {{- $contents := list }}
  {{- range include "vllm.mounts" (first .) | fromJsonArray }}
    {{- if and .source (not (hasKey .source "emptyDir")) (hasPrefix (printf "%s/" (trimSuffix "/" .path)) $path) }}
      {{- $contents = append $contents "filled" }}
    {{- end }}
  {{- end }}
  {{- range $mount := compact ($values.volumeMounts | default list) }}
    {{- if hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) $path }}
      {{- range $volume := compact ($values.volumes | default list) }}
        {{- $content := ternary "empty" "filled" (empty (omit $volume "name" "emptyDir")) }}
        {{- if eq $volume.name $mount.name }}{{ $contents = append $contents $content }}{{ end }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toJson $contents }}
{{- end }}
