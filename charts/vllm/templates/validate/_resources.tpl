{{/* The rules across values that are about the pod: its resources, volumes, containers. See _index.tpl. */}}

{{- define "vllm.validate.resources" }}
  {{- $resources := .Values.resources | default dict }}
  {{- range $key, $given := dict "resources" $resources "test.resources" (.Values.test.resources | default dict) }}
    {{- include "vllm.validate.quantities" (list $ $key $given) }}
    {{- include "vllm.validate.devices" (list $ $key $given) }}
  {{- end }}
  {{- range $key := list "download" "lora" }}
    {{- $given := (get $.Values $key | default dict).resources | default dict }}
    {{- include "vllm.validate.quantities" (list $ (printf "%s.resources" $key) $given) }}
  {{- end }}
  {{- $claims := list }}
  {{- range compact (.Values.resourceClaims | default list) }}
    {{- if has .name $claims }}
      - resourceClaims: {{ .name }} is there twice: give each claim a name of its own
    {{- end }}
    {{- $claims = append $claims .name }}
    {{- if eq (empty .resourceClaimName) (empty .resourceClaimTemplateName) }}
      - resourceClaims: {{ .name }} needs either a claim or a template:
        write one of resourceClaimName and resourceClaimTemplateName
    {{- end }}
  {{- end }}
  {{- $given := dict "resources" $resources }}
  {{- range $key := list "initContainers" "extraContainers" }}
    {{- range $index, $container := get $.Values $key | default list }}
      {{- with $container }}{{ $_ := set $given (printf "%s[%d].resources" $key $index) .resources }}{{ end }}
    {{- end }}
  {{- end }}
  {{- range $key, $resources := $given }}
    {{- range compact (($resources | default dict).claims | default list) }}
      {{- if not (has .name $claims) }}
        - {{ $key }}.claims: {{ .name }} is not a claim of the pod: add it to resourceClaims
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Takes a list: root context, key, resources of a container. */}}
{{- define "vllm.validate.quantities" }}
  {{- $resources := index . 2 }}
  {{- $engine := has (index . 1) (list "resources" "test.resources") }}
  {{- $native := list "cpu" "memory" "ephemeral-storage" }}
  {{- $device := "^(hugepages-[0-9]+[KMG]i|[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$" }}
  {{- $names := list }}
  {{- range $kind, $quantities := pick $resources "limits" "requests" }}
    {{- range $name, $quantity := $quantities }}
      {{- $key := printf "%s.%s.%s" (index $ 1) $kind $name }}
      {{- $text := include "vllm.text" $quantity }}
      {{- $number := include "vllm.quantity" $text | float64 }}
      {{- $limit := get ($resources.limits | default dict) $name | include "vllm.text" }}
      {{- if $text }}{{ $names = append $names $name }}{{ end }}
      {{- if not $text }}
      {{- else if not (or (has $name $native) (regexMatch $device $name)) }}
        - {{ $key }}: there is no such resource:
          write cpu, memory, ephemeral-storage, hugepages-2Mi or vendor.example/device
      {{- else if and (contains "/" $name) (ne $number (floor $number)) }}
        - {{ $key }}: {{ $text }} is not a whole number of devices: write one, such as 1
      {{- else if and $engine (include "vllm.isGpu" (list (first $) $name)) }}
        {{- /* "vllm.validate.devices" says what to write. */}}
      {{- else if and (eq $kind "requests") (regexMatch "^hugepages-|/" $name) (ne $text $limit) }}
        - {{ $key }}: has to be limited to the same, because it cannot be shared:
          write {{ index $ 1 }}.limits.{{ $name }}: {{ $text }}
      {{- else if and (eq $kind "requests") $limit (gt $number (include "vllm.quantity" $limit | float64)) }}
        - {{ $key }}: {{ $text }} is more than the limit of {{ $limit }}: write a smaller request or a larger limit
      {{- else if and (eq $name "memory") (lt $number 1e6) }}
        - {{ $key }}: {{ $text }} is {{ $number }} bytes: write a suffix, such as 16Gi
      {{- else if and (eq $name "cpu") (or (gt $number 1e5) (and (eq $kind "limits") (eq $number 0.0))) }}
        - {{ $key }}: {{ $text }} is {{ include "vllm.text" $number }} cores:
          write a number of cores, such as 4 or 500m
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if and (regexMatch "hugepages-" (join " " $names)) (not (or (has "cpu" $names) (has "memory" $names))) }}
    - {{ index . 1 }}: Kubernetes gives huge pages only beside cpu or memory: write requests.memory as well
  {{- end }}
{{- end }}
