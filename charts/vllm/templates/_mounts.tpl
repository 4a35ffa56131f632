{{/* The volumes of the engine's pod. The chart's own are one table, from which the pod is rendered and rules read. */}}

{{/*
JSON list: the chart's own volumes. Of each its name, its path in the engine's container, its source as Kubernetes has
it (nothing: the volume is not rendered, and its name and path are still taken), what else its mount says, and what to
write where somebody wants to mount their own in its place.
*/}}
{{- define "vllm.mounts" -}}{{ include "vllm.once" (list . "vllm.mounts.own") }}{{- end }}

{{- define "vllm.mounts.own" -}}
  {{- $shm := dict "medium" "Memory" "sizeLimit" (include "vllm.shm.sizeLimit" .) }}
  {{- $cache := dict "emptyDir" dict }}
  {{- if .Values.persistence.enabled }}
    {{- $cache = dict "persistentVolumeClaim" (dict "claimName" (include "vllm.claim.name" .)) }}
  {{- end }}
  {{- $subPath := dict }}
  {{- with .Values.persistence.subPath }}{{ $subPath = dict "subPath" . }}{{ end }}
  {{- $bundle := dict }}
  {{- with .Values.caBundle }}
    {{- if .configMapName }}
      {{- $items := list (dict "key" .key "path" "ca-bundle.crt") }}
      {{- $bundle = dict "configMap" (dict "name" .configMapName "items" $items) }}
    {{- end }}
  {{- end }}
  {{- $programs := dict "configMap" (dict "name" (include "vllm.lifecycle.name" .)) }}
  {{- list
    (dict "name" "shm" "path" "/dev/shm"
      "source" (dict "emptyDir" $shm) "mount" dict
      "remedy" "write shm.sizeLimit instead")
    (dict "name" "tmp" "path" "/tmp"
      "source" (dict "emptyDir" dict) "mount" dict
      "remedy" "leave it out")
    (dict "name" "lifecycle" "path" (include "vllm.path.programs" .)
      "source" $programs "mount" (dict "readOnly" true)
      "remedy" "leave it out")
    (dict "name" "cache" "path" .Values.persistence.mountPath
      "source" $cache "mount" $subPath
      "remedy" "write persistence instead")
    (dict "name" "ca-bundle" "path" (include "vllm.path.caBundle" . | dir)
      "source" $bundle "mount" (dict "readOnly" true)
      "remedy" "write caBundle instead")
    | toJson }}
{{- end }}

{{/* Strings: paths in the table that other templates refer to. */}}
{{- define "vllm.path.home" -}}/tmp/home{{- end }}
{{- define "vllm.path.programs" -}}/etc/vllm/lifecycle{{- end }}
{{- define "vllm.path.caBundle" -}}/etc/vllm/ca/ca-bundle.crt{{- end }}

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

{{/* YAML list: the names of the pod's volumes. */}}
{{- define "vllm.volumeNames" -}}
  {{- $names := list }}
  {{- range include "vllm.mounts" . | fromJsonArray }}
    {{- if .source }}{{ $names = append $names .name }}{{ end }}
  {{- end }}
  {{- range compact (.Values.volumes | default list) }}{{ $names = append $names .name }}{{ end }}
  {{- toYaml $names }}
{{- end }}

{{/*
YAML list: for each volume in which a path of the engine's container is, "filled", or "empty" where it is an emptyDir of
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
  {{- toYaml $contents }}
{{- end }}
