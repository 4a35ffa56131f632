{{/* Host memory that the engine's settings take. The tables are python/vllm_chart/vllm_args/host_memory.py. */}}

{{/*
Number of bytes as string: what settings keep in /dev/shm. Most users have none of them, and this is asked for often: a
look at the names comes first.
*/}}
{{- define "vllm.sharedBytes" -}}
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
`where` is the key in the values, `memory` is shared (files of /dev/shm), pinned or anonymous.
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
{{- with include "vllm.hostMemory.connector" (list $ $facts .) }}{{ $items = append $items (fromYaml .) }}{{ end }}
{{- end }}
{{- range $facts.flags }}
{{- with include "vllm.hostMemory.flag" (list $ .) }}{{ $items = append $items (fromYaml .) }}{{ end }}
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
{{- if and $value (ne $value "0") (or (eq (len $other) 1) (eq $value (last $other))) }}{{ $counts = false }}{{ end }}
{{- end }}
{{- end }}
{{- $size := include "vllm.number" $text | default (include "vllm.text" ($flag.default | default 0)) | float64 }}
{{- $bytes := mulf (subf $size ($flag.less | default 0) | max 0.0) ($flag.unit | default 1) }}
{{- if $flag.amount }}{{ $bytes = ternary (float64 $flag.amount) 0.0 (eq $text "true") }}{{ end }}
{{- if and $counts (gt $bytes 0.0) }}
{{- $where := printf "engine.args.%s" $flag.flag }}
{{- if $flag.env }}{{ $where = printf "env.%s" $flag.env }}{{ end }}
{{- $bytes = mulf $bytes (include "vllm.hostMemory.times" (list $root $flag.per) | float64) }}
{{- dict "where" $where "bytes" $bytes "memory" $flag.memory | toYaml }}
{{- end }}
{{- end }}

{{/*
JSON list of {kind, name, role, module, extra, config, where}: the KV ("kv") and encoder-cache ("ec") connectors that
the engine loads, those inside a MultiConnector too; kv-offloading-size puts its own in kv-transfer-config's place.
`config` is the flag's object without the extra config.
*/}}
{{- define "vllm.connectors" -}}
{{- $connectors := list }}
{{- $config := include "vllm.jsonFlag" (list . "kv-transfer-config") | fromJson }}
{{- $size := include "vllm.flag" (list . "kv-offloading-size") | include "vllm.number" }}
{{- if $size }}
{{- $simple := not (has (include "vllm.envText" (list . "VLLM_USE_SIMPLE_KV_OFFLOAD")) (list "" "0")) }}
{{- $extra := dict "cpu_bytes_to_use" (mulf (float64 $size) 1073741824) }}
{{- $extra = merge $extra ($config.kv_connector_extra_config | default dict) }}
{{- $name := ternary "SimpleCPUOffloadConnector" "OffloadingConnector" $simple }}
{{- if eq (include "vllm.flag" (list . "kv-offloading-backend")) "lmcache" }}{{ $name = "LMCacheMPConnector" }}{{ end }}
{{- $connector := dict "kind" "kv" "name" $name "role" "kv_both" "extra" $extra "config" dict }}
{{- $connectors = list (set $connector "where" "engine.args.kv-offloading-size") }}
{{- else }}
{{- range include "vllm.connectors.flat" (list $config $config.kv_role) | fromJsonArray }}
{{- $connectors = append $connectors (merge (dict "kind" "kv" "where" "engine.args.kv-transfer-config") .) }}
{{- end }}
{{- end }}
{{- $config = include "vllm.jsonFlag" (list . "ec-transfer-config") | fromJson }}
{{- if $config.ec_connector }}
{{- $connector := dict "kind" "ec" "name" $config.ec_connector "extra" $config.ec_connector_extra_config }}
{{- $connector = merge $connector (dict "role" $config.ec_role "module" $config.ec_connector_module_path) }}
{{- $_ := set $connector "config" (omit $config "ec_connector_extra_config") }}
{{- $connectors = append $connectors (set $connector "where" "engine.args.ec-transfer-config") }}
{{- end }}
{{- toJson $connectors }}
{{- end }}

{{/* JSON list: a KV connector, or those inside it. Takes a list: its object, the role of the one around it. */}}
{{- define "vllm.connectors.flat" -}}
{{- $config := first . }}
{{- $role := $config.kv_role | default (last .) }}
{{- $name := $config.kv_connector | include "vllm.text" }}
{{- $extra := $config.kv_connector_extra_config | default dict }}
{{- $found := list }}
{{- if eq $name "MultiConnector" }}
{{- range compact ($extra.connectors | default list) }}
{{- $found = concat $found (include "vllm.connectors.flat" (list . $role) | fromJsonArray) }}
{{- end }}
{{- else if $name }}
{{- $config = omit $config "kv_connector_extra_config" }}
{{- $found = list (dict "name" $name "role" $role "extra" $extra "config" $config) }}
{{- $_ := set (first $found) "module" $config.kv_connector_module_path }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/*
JSON map: what a flag of JSON says, as a map or as text in engine.args or engine.extraArgs. Where some of it is written
as `flag.key`, vLLM makes an object of those, which goes in the place of the rest (FlexibleArgumentParser.parse_args).
Takes a list: root context, flag.
*/}}
{{- define "vllm.jsonFlag" -}}
{{- $root := first . }}
{{- $flag := last . }}
{{- $args := $root.Values.engine.args | default dict }}
{{- $map := dict }}
{{- if kindIs "map" (get $args $flag) }}
{{- $map = deepCopy (get $args $flag) }}
{{- else }}
{{- $map = include "vllm.flag" . | include "vllm.json" | fromJson }}
{{- end }}
{{- $dotted := dict }}
{{- range $key, $value := $args }}
{{- if hasPrefix (printf "%s." $flag) $key }}{{ $_ := set $dotted $key $value }}{{ end }}
{{- end }}
{{- range $word := $root.Values.engine.extraArgs }}
{{- $key := regexFind "^--[^=]*" (include "vllm.text" $word) | trimPrefix "--" | replace "-" "_" }}
{{- $prefix := $flag | replace "-" "_" | printf "%s." }}
{{- if hasPrefix $prefix $key }}
{{- $path := trimPrefix $prefix $key }}
{{- $key = printf "%s.%s" $flag $path }}
{{- $_ := set $dotted $key (include "vllm.flag" (list $root $key)) }}
{{- end }}
{{- end }}
{{- if $dotted }}{{ $map = dict }}{{ end }}
{{- range $key, $value := $dotted }}
{{- $read := printf "{\"value\": %s}" (include "vllm.text" $value) | fromJson }}
{{- if and (kindIs "string" $value) (hasKey $read "value") }}{{ $value = $read.value }}{{ end }}
{{- $steps := trimPrefix (printf "%s." $flag) $key | splitList "." }}
{{- range $step := reverse $steps }}{{ $value = dict $step $value }}{{ end }}
{{- $map = mergeOverwrite $map $value }}
{{- end }}
{{- toJson $map }}
{{- end }}

{{/* JSON map: JSON text as a map, an empty one if it is something else. */}}
{{- define "vllm.json" -}}
{{- $map := dict }}
{{- if regexMatch "^\\s*\\{" . }}
{{- $read := fromJson . }}
{{- if not (hasKey $read "Error") }}{{ $map = $read }}{{ end }}
{{- end }}
{{- toJson $map }}
{{- end }}

{{/* String: a number as vLLM reads it ("8G" of a human), or nothing for what is none. */}}
{{- define "vllm.number" -}}
{{- $text := include "vllm.text" . | trim }}
{{- if regexMatch "^[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?[kKmMgGtT]?$" $text }}
{{- $unit := regexFind "[kKmMgGtT]$" $text }}
{{- $factors := dict "" 1 "k" 1e3 "m" 1e6 "g" 1e9 "t" 1e12 "K" 1024 "M" 1048576 "G" 1073741824 "T" 1099511627776 }}
{{- printf "%f" (mulf (trimSuffix $unit $text | float64) (get $factors $unit)) }}
{{- end }}
{{- end }}

{{/*
String: the text of a variable of the engine's, or nothing; of the chart's own only those that settings here depend on.
Takes a list: root context, name.
*/}}
{{- define "vllm.envText" -}}
{{- $values := (first .).Values }}
{{- $value := get ($values.env | default dict) (last .) }}
{{- if kindIs "map" $value }}{{ $value = $value.value }}{{ end }}
{{- $own := has (last .) (list "HF_HOME" "VLLM_CPU_KVCACHE_SPACE") }}
{{- if and $own (not (hasKey ($values.env | default dict) (last .))) }}
{{- $value = get (include "vllm.once" (list (first .) "vllm.ownEnv") | fromJson) (last .) }}
{{- end }}
{{- include "vllm.text" $value }}
{{- end }}

{{/* "true" if the GPUs are AMD's, or nothing. */}}
{{- define "vllm.isRocm" -}}
{{- $image := contains "rocm" (.Values.image.repository | default "") }}
{{- if or $image (hasPrefix "amd.com/" .Values.gpu.resourceName) }}true{{ end }}
{{- end }}
