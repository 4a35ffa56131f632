{{- define "vllm.validate.gpu" }}
  {{- $count := include "vllm.gpuCount" . | int }}
  {{- $workers := include "vllm.workers" . | int }}
  {{- with .Values.parallelism }}
    {{- $sizes := include "vllm.parallelSizes" $ }}
    {{- $device := include "vllm.device" (list $ $.Values.gpu.resourceName) | fromJson }}
    {{- $cuda := and (eq $.Values.engine.device "cuda") $count }}
    {{- if and $cuda $device.worker (ne $workers $count) }}
      - parallelism: {{ $sizes }} is {{ $workers }} GPUs, but gpu.count is {{ $count }}:
        write sizes whose product is gpu.count, or gpu.count: {{ $workers }}
    {{- else if and $cuda (mod (max $workers $count) (min $workers $count)) }}
      {{- /* A device may be several workers, and several devices one. */}}
      - parallelism: {{ $sizes }} is {{ $workers }} workers, which {{ $count }} {{ $device.many }} (gpu.count) cannot
        share evenly: write sizes whose product is a multiple of gpu.count
    {{- else if regexMatch "^([^/]*\\.)?kubernetes\\.io/" $.Values.gpu.resourceName }}
      - gpu.resourceName: {{ $.Values.gpu.resourceName }} is in Kubernetes' own domain, where there are no devices:
        write what the node advertises, such as nvidia.com/gpu
    {{- else if and (hasSuffix ".shared" $.Values.gpu.resourceName) (gt $count 1) }}
      - gpu.count: two shares may be of the same GPU, and bring no more memory: write gpu.count: 1, or whole GPUs
    {{- else if and (contains "/mig-" $.Values.gpu.resourceName) (gt $count 1) }}
      - gpu.count: a model cannot span slices of a GPU, which have no way to talk to each other:
        write gpu.count: 1 and a larger slice, or whole GPUs
    {{- end }}
  {{- end }}
{{- end }}

{{/* String: the split as it was written, or follows. */}}
{{- define "vllm.parallelSizes" -}}
  {{- $sizes := printf "%s (tensor) x %v (pipeline) x %v (data)" (include "vllm.tensorParallelSize" .)
    .Values.parallelism.pipelineParallelSize .Values.parallelism.dataParallelSize }}
  {{- $context := include "vllm.prefillContextParallelSize" . | int }}
  {{- $sizes }}{{ if gt $context 1 }} x {{ $context }} (prefill context){{ end }}
{{- end }}

{{/* JSON map: what a resource is called, and whether each is a worker. Takes a list: root context, resource. */}}
{{- define "vllm.device" -}}
  {{- include "vllm.load" (first .) }}
  {{- $devices := (first .).Facts.devices }}
  {{- range reverse $devices }}{{ if regexMatch .pattern (last $) }}{{ $devices = list . }}{{ end }}{{ end }}
  {{- first $devices | toJson }}
{{- end }}

{{/* Lines for GPUs among resources. Takes a list: root context, key, resources of a container. */}}
{{- define "vllm.validate.devices" }}
  {{- $gpu := (first .).Values.gpu.resourceName }}
  {{- range $kind, $quantities := pick (index . 2) "limits" "requests" }}
    {{- range $name, $quantity := $quantities }}
      {{- if and (not (kindIs "invalid" $quantity)) (include "vllm.isGpu" (list (first $) $name)) }}
        {{- $device := include "vllm.device" (list (first $) $name) | fromJson }}
        - {{ index $ 1 }}.{{ $kind }}.{{ $name }}: {{ $device.many }} are not asked for here:
          write gpu.count{{ if ne $name $gpu }} and gpu.resourceName: {{ $name }}{{ end }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
"true", or nothing: whether a variable chooses among devices, where the plugin has chosen. Indices of those that the pod
has are no choice. Takes a list: root context, name, text.
*/}}
{{- define "vllm.validate.devices.chosen" -}}
  {{- $count := include "vllm.gpuCount" (first .) | int }}
  {{- $text := last . }}
  {{- if not (and $count (regexMatch "^(CUDA|NVIDIA|HIP|ROCR)_VISIBLE_DEVICES$" (index . 1))) }}
  {{- else if regexMatch "(^|,)(GPU|MIG)-" $text }}true
  {{- else if and (eq (index . 1) "NVIDIA_VISIBLE_DEVICES") (regexMatch "^(all|[0-9,]+)$" $text) }}true
  {{- else if regexMatch "^[0-9]+(,[0-9]+)*$" $text }}
    {{- range splitList "," $text }}{{ if ge (int .) $count }}true{{ end }}{{ end }}
  {{- end }}
{{- end }}
