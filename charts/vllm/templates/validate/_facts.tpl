{{- define "vllm.validate.text" }}
  {{- range $key, $value := .Values }}
    {{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
    {{- if regexMatch `[\x7f-\x{9f}\x{fffe}\x{ffff}]` (toRawJson $value) }}
      {{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML list: the keys of a map that are set, not null. */}}
{{- define "vllm.validate.set" -}}
  {{- $set := list }}
  {{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $set = append $set $key }}{{ end }}{{ end }}
  {{- toYaml $set }}
{{- end }}

{{/* "true" if a resource is a GPU or the like, or nothing. Takes a list: root context, the resource's name. */}}
{{- define "vllm.isGpu" -}}
  {{- if or (eq (last .) (first .).Values.gpu.resourceName) (regexMatch "/(gpu(\\.shared)?|mig-.+|gaudi|tpu|npu|neuron(core|device)?|i915|xe|[Aa]scend[^-]*)$" (last .)) }}true{{ end }}
{{- end }}

{{/* Integer as string: replicaCount, or what an autoscaler among the extraObjects may make of it. */}}
{{- define "vllm.mostReplicas" -}}
  {{- $most := int .Values.replicaCount }}
  {{- range compact (.Values.extraObjects | default list) }}
    {{- if and (has .kind (list "HorizontalPodAutoscaler" "ScaledObject")) (kindIs "map" .spec) }}
      {{- if eq ((.spec).scaleTargetRef).name (include "vllm.deployment.name" $) }}
        {{- /* KEDA's own default. */}}
        {{- $most = max $most (.spec.maxReplicas | default (.spec.maxReplicaCount | default 100)) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- $most }}
{{- end }}

{{/*
YAML list: for each mount of the engine's that a path is in, "filled", or "empty" where it is an emptyDir. Takes a list: root
context, path.
*/}}
{{- define "vllm.volumesAt" -}}
  {{- $root := first . }}
  {{- $path := last . }}
  {{- $cache := ternary (list (dict "name" "cache" "mountPath" $root.Values.persistence.mountPath)) list $root.Values.persistence.enabled }}
  {{- $found := list }}
  {{- range $mount := concat $cache ($root.Values.volumeMounts | default list) | compact }}
    {{- if hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) (printf "%s/" $path) }}
      {{- range include "vllm.volumes" $root | fromYamlArray }}
        {{- if eq .name $mount.name }}{{ $found = append $found (ternary "empty" "filled" (empty (omit . "name" "emptyDir"))) }}{{ end }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toYaml $found }}
{{- end }}

{{/* YAML list: the names of the pod's volumes. */}}
{{- define "vllm.volumeNames" -}}
  {{- $names := list }}
  {{- range include "vllm.volumes" . | fromYamlArray }}{{ $names = append $names .name }}{{ end }}
  {{- toYaml $names }}
{{- end }}

{{/* YAML list: the names of the ports of the pod's containers. */}}
{{- define "vllm.portNames" -}}
  {{- $names := list "http" }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range compact (.ports | default list) }}{{ with .name }}{{ $names = append $names . }}{{ end }}{{ end }}
  {{- end }}
  {{- toYaml $names }}
{{- end }}
