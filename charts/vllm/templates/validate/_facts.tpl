{{/* "true" if a resource is a GPU or the like, or nothing. Takes a list: root context, the resource's name. */}}
{{- define "vllm.isGpu" -}}
  {{- $devices := "/(gpu(\\.shared)?|mig-.+|gaudi|tpu|npu|neuron(core|device)?|i915|xe|[Aa]scend[^-]*)$" }}
  {{- if eq (last .) (first .).Values.gpu.resourceName }}true
  {{- else if and (contains "/" (last .)) (regexMatch $devices (last .)) }}true
  {{- end }}
{{- end }}

{{/* JSON list: the names of the ports of the pod's containers. */}}
{{- define "vllm.portNames" -}}
  {{- $names := list "http" }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range compact (.ports | default list) }}{{ with .name }}{{ $names = append $names . }}{{ end }}{{ end }}
  {{- end }}
  {{- toJson $names }}
{{- end }}
