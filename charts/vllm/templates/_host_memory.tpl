{{/* Host memory that the engine's settings take. The tables are python/vllm_chart/vllm_args/host_memory.py. */}}

{{/*
Number of bytes as string: what settings keep in /dev/shm. Most users have none of them, and this is asked for often: a
look at the names comes first.
*/}}
{{- define "vllm.sharedBytes" -}}{{ include "vllm.once" (list . "vllm.sharedBytes.counted") }}{{- end }}

{{- define "vllm.sharedBytes.counted" -}}
  {{- $names := concat (keys (.Values.engine.args | default dict)) (keys (.Values.env | default dict)) }}
  {{- $words := concat $names (.Values.engine.extraArgs | default list) | join " " }}
  {{- $bytes := 0.0 }}
  {{- if regexMatch "(kv|ec)[-_]transfer|kv[-_]offload|mm[-_]processor|tensor[-_]arena|CHUNK_BYTES" $words }}
    {{- range include "vllm.once" (list . "vllm.hostMemory") | fromJsonArray }}
      {{- if eq .memory "shared" }}{{ $bytes = addf $bytes .bytes }}{{ end }}
    {{- end }}
  {{- end }}
  {{- printf "%.0f" $bytes }}
{{- end }}

{{/*
JSON list of {where, memory, bytes}: what settings keep in the host's memory from the start on, for the whole pod;
`where` is the key in the values, `memory` is shared (files of /dev/shm), pinned or anonymous. With `ceiling`, it may be
less.
*/}}
{{- define "vllm.hostMemory" -}}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.hostMemory }}
  {{- $items := list }}
  {{- $names := concat (keys (.Values.engine.args | default dict)) (keys (.Values.env | default dict)) }}
  {{- $words := concat $names (.Values.engine.extraArgs | default list) | join " " }}
  {{- $flags := "(kv|ec)[-_]transfer|offload|mm[-_]processor|tensor[-_]arena|CHUNK_BYTES|memory[-_]bytes" }}
  {{- if or (eq .Values.engine.device "cpu") (regexMatch $flags $words) }}
    {{- range include "vllm.once" (list . "vllm.connectors") | fromJsonArray }}
      {{- with include "vllm.hostMemory.connector" (list $ $facts .) }}
        {{- $items = append $items (fromYaml .) }}
      {{- end }}
    {{- end }}
    {{- range $facts.flags }}
      {{- with include "vllm.hostMemory.flag" (list $ .) }}{{ $items = append $items (fromYaml .) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- if include "vllm.streams" . }}
    {{- $given := include "vllm.objectStorage.givenBuffer" . | fromJson }}
    {{- if gt ($given.bytes | float64) 0.0 }}
      {{- $bytes := mulf $given.bytes (include "vllm.objectStorage.streams" . | float64) }}
      {{- $items = append $items (dict "where" $given.where "bytes" $bytes "memory" "anonymous") }}
    {{- end }}
  {{- end }}
  {{- toJson $items }}
{{- end }}

{{/* Integer as string: how many of them are in the pod. Takes a list: root context, "pod", "engine" or "worker". */}}
{{- define "vllm.hostMemory.times" -}}
  {{- $root := first . }}
  {{- if eq (last .) "worker" }}{{ include "vllm.workers" $root }}
  {{- else if eq (last .) "engine" }}{{ int $root.Values.parallelism.dataParallelSize }}
  {{- else }}1{{ end }}
{{- end }}

{{/*
YAML map, or nothing: what a connector takes. Takes a list: root context, facts, the connector as "vllm.connectors" has
it.
*/}}
{{- define "vllm.hostMemory.connector" -}}
  {{- $root := first . }}
  {{- $given := last . }}
  {{- $connector := get (get (index . 1).connectors $given.kind) $given.name }}
  {{- $extra := $given.extra | default dict }}
  {{- $counts := not (empty $connector) }}
  {{- range $key, $values := ($connector | default dict).only }}
    {{- if not (has (get $extra $key | include "vllm.text") $values) }}{{ $counts = false }}{{ end }}
  {{- end }}
  {{- range $key, $values := ($connector | default dict).unless }}
    {{- $any := or (not $values) (has (get $extra $key | include "vllm.text") $values) }}
    {{- if and (hasKey $extra $key) $any }}{{ $counts = false }}{{ end }}
  {{- end }}
  {{- if $counts }}
    {{- $engines := include "vllm.hostMemory.times" (list $root "engine") | int }}
    {{- $workers := include "vllm.tensorParallelSize" $root | int }}
    {{- $tensor := and (gt $workers 1) (eq (include "vllm.otherParallelSizes" $root | int) $engines) }}
    {{- $tiering := eq (get $extra "spec_name" | include "vllm.text") "TieringOffloadingSpec" }}
    {{- $condition := $connector.shared_if | default "" }}
    {{- $each := and (eq $condition "tensor") (not $tensor) }}
    {{- $private := or $each (and (eq $condition "not-rocm") (include "vllm.isRocm" $root) (not $tiering)) }}
    {{- $file := and $connector.unless_env (hasKey ($root.Values.env | default dict) $connector.unless_env) }}
    {{- $size := "" }}
    {{- $reading := dict }}
    {{- range reverse $connector.readings }}
      {{- $value := get $extra .key | include "vllm.text" }}
      {{- if and .env (not $value) }}{{ $value = include "vllm.envText" (list $root .env) }}{{ end }}
      {{- $value = include "vllm.number" $value }}
      {{- if or $value (and .default (not $reading) (not $file)) }}
        {{- $size = $value | default (include "vllm.text" .default) }}
        {{- $reading = . }}
      {{- end }}
    {{- end }}
    {{- if $size }}
      {{- $times := include "vllm.hostMemory.times" (list $root (ternary "worker" $reading.per $each)) | float64 }}
      {{- $bytes := mulf (float64 $size) $reading.unit $times }}
      {{- $memory := ternary "pinned" $connector.memory (not (empty $private)) }}
      {{- dict "where" $given.where "bytes" $bytes "memory" $memory | toYaml }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: what a flag or a variable takes. Takes a list: root context, the flag's facts. */}}
{{- define "vllm.hostMemory.flag" -}}
  {{- $root := first . }}
  {{- $flag := last . }}
  {{- $text := "" }}
  {{- if $flag.env }}
    {{- $text = include "vllm.envText" (list $root $flag.env) }}
  {{- else }}
    {{- $text = include "vllm.flag" (list $root $flag.flag) }}
  {{- end }}
  {{- $counts := or $text $flag.default }}
  {{- if and $flag.device (ne $flag.device $root.Values.engine.device) }}{{ $counts = false }}{{ end }}
  {{- $single := eq (include "vllm.workers" $root) (include "vllm.hostMemory.times" (list $root "engine")) }}
  {{- if and $flag.several (eq $root.Values.engine.device "cuda") $single }}{{ $counts = false }}{{ end }}
  {{- if $counts }}
    {{- range $other, $value := $flag.when }}
      {{- if ne (include "vllm.flag" (list $root $other)) $value }}{{ $counts = false }}{{ end }}
    {{- end }}
    {{- range $flag.unless }}
      {{- $other := splitList "=" . }}
      {{- $value := include "vllm.flag" (list $root (first $other)) }}
      {{- if regexMatch "^[A-Z]" . }}{{ $value = include "vllm.envText" (list $root .) }}{{ end }}
      {{- $said := or (eq (len $other) 1) (eq $value (last $other)) }}
      {{- if and $value (ne $value "0") $said }}{{ $counts = false }}{{ end }}
    {{- end }}
  {{- end }}
  {{- $size := include "vllm.number" $text | default (include "vllm.text" ($flag.default | default 0)) | float64 }}
  {{- $bytes := mulf (subf $size ($flag.less | default 0) | max 0.0) ($flag.unit | default 1) }}
  {{- if $flag.amount }}{{ $bytes = ternary (float64 $flag.amount) 0.0 (eq $text "true") }}{{ end }}
  {{- if and $counts (gt $bytes 0.0) }}
    {{- $where := printf "engine.args.%s" $flag.flag }}
    {{- if $flag.env }}{{ $where = printf "env.%s" $flag.env }}{{ end }}
    {{- $bytes = mulf $bytes (include "vllm.hostMemory.times" (list $root $flag.per) | float64) }}
    {{- dict "where" $where "bytes" $bytes "memory" $flag.memory "ceiling" $flag.ceiling | toYaml }}
  {{- end }}
{{- end }}

{{/* "true" if the GPUs are AMD's, or nothing. */}}
{{- define "vllm.isRocm" -}}
  {{- $image := contains "rocm" (.Values.image.repository | default "") }}
  {{- if or $image (hasPrefix "amd.com/" .Values.gpu.resourceName) }}true{{ end }}
{{- end }}
