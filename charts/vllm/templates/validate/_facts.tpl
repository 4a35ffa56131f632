{{- define "vllm.validate.text" }}
  {{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
  {{- $control := `[\x7f-\x{9f}\x{fffe}\x{ffff}]` }}
  {{- if regexMatch $control (toRawJson .Values) }}
    {{- range $key, $value := .Values }}
      {{- if regexMatch $control (toRawJson $value) }}
        - {{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
      {{- end }}
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
  {{- $devices := "/(gpu(\\.shared)?|mig-.+|gaudi|tpu|npu|neuron(core|device)?|i915|xe|[Aa]scend[^-]*)$" }}
  {{- if eq (last .) (first .).Values.gpu.resourceName }}true
  {{- else if and (contains "/" (last .)) (regexMatch $devices (last .)) }}true
  {{- end }}
{{- end }}

{{/* YAML list: the names of the ports of the pod's containers. */}}
{{- define "vllm.portNames" -}}
  {{- $names := list "http" }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range compact (.ports | default list) }}{{ with .name }}{{ $names = append $names . }}{{ end }}{{ end }}
  {{- end }}
  {{- toYaml $names }}
{{- end }}
