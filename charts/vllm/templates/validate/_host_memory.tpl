{{- define "vllm.validate.hostMemory" }}
  {{- $limit := ((.Values.resources | default dict).limits | default dict).memory | include "vllm.text" }}
  {{- $limited := include "vllm.quantity" ($limit | default "0") | float64 }}
  {{- $most := dict "bytes" 0.0 }}
  {{- $total := 0.0 }}
  {{- $places := list }}
  {{- $shared := list }}
  {{- range include "vllm.once" (list . "vllm.hostMemory") | fromJsonArray }}
    {{- /* Of what may be less, the package knows how much it is, which reads the model's config. */}}
    {{- if not .ceiling }}
      {{- $total = addf $total .bytes }}
      {{- $places = append $places .where }}
      {{- if eq .memory "shared" }}{{ $shared = append $shared .where }}{{ end }}
      {{- if gt (float64 .bytes) (float64 $most.bytes) }}{{ $most = . }}{{ end }}
    {{- end }}
  {{- end }}
  {{- $over := and $limit $places (ge $total $limited) }}
  {{- if $over }}
    {{- $others := without (uniq $places) $most.where | join ", " }}
    - {{ $most.where }}: {{ include "vllm.gib" $total }}{{ with $others }} with {{ . }}{{ end }}, which stay in host
      memory, do not fit in the memory limit of {{ $limit }}: write fewer GiB, or a larger resources.limits.memory
  {{- end }}
  {{- $shm := include "vllm.shm.sizeLimit" . }}
  {{- $size := include "vllm.quantity" $shm | float64 }}
  {{- $kept := include "vllm.sharedBytes" . | float64 }}
  {{- if lt $size 1e6 }}
    - shm.sizeLimit: {{ $shm }} is {{ $size }} bytes: write a suffix, such as 10Gi
  {{- else if and $limit (ge $size $limited) (not $over) }}
    - shm.sizeLimit: {{ $shm }} of /dev/shm does not fit in the memory limit of {{ $limit }}, in which it counts:
      write a smaller shm.sizeLimit or a larger resources.limits.memory
  {{- end }}
  {{- if lt $size $kept }}
    - shm.sizeLimit: {{ $shm }} does not hold the {{ include "vllm.gib" $kept }} that {{ uniq $shared | join " and " }}
      keeps there: leave it empty, or write more
  {{- end }}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.hostMemory }}
  {{- range include "vllm.once" (list . "vllm.connectors") | fromJsonArray }}
    {{- $connector := get (get $facts.connectors .kind) .name | default dict }}
    {{- include "vllm.validate.hostMemory.sizes" (list . $connector) }}
  {{- end }}
{{- end }}

{{/* Lines for the sizes of a connector. Takes a list: the connector as "vllm.connectors" has it, its facts. */}}
{{- define "vllm.validate.hostMemory.sizes" }}
  {{- $given := first . }}
  {{- $connector := last . }}
  {{- $extra := $given.extra | default dict }}
  {{- $known := true }}
  {{- range $key, $values := $connector.only }}
    {{- if not (has (get $extra $key | include "vllm.text") $values) }}{{ $known = false }}{{ end }}
  {{- end }}
  {{- range $known | ternary $connector.readings list }}
    {{- $text := get $extra .key | include "vllm.text" }}
    {{- $whole := ternary "^-?[0-9]+$" "^[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?$" (not (empty $connector.integer)) }}
    {{- if and $connector.required (or (not $text) (eq $text "0")) }}
      - {{ $given.where }}: {{ $given.name }} does not start without {{ .key }}: write it in its extra config
    {{- else if or (not $text) (contains "$(" $text) }}
    {{- else if and (kindIs "string" (get $extra .key)) (not (regexMatch $whole $text)) }}
      - {{ $given.where }}: {{ .key }} of {{ toJson $text }} is no number, which vLLM reads here:
        write a number{{ if eq (int .unit) 1 }} of bytes, such as 68719476736{{ end }}
    {{- else if and (eq (int .unit) 1) (lt (float64 $text) 1e6) }}
      - {{ $given.where }}: {{ .key }} of {{ $text }} bytes holds nothing: write a number of bytes, such as 68719476736
    {{- end }}
  {{- end }}
{{- end }}

{{/* String: bytes as GiB, to a tenth. */}}
{{- define "vllm.gib" -}}
  {{- round (divf . 1073741824) 1 }} GiB
{{- end }}
