{{/* What the user's settings say: flags of vLLM, wherever they are written, and variables of its environment. */}}

{{/*
String: what engine.args says of a flag, or else engine.extraArgs (--flag=value, or --flag and value); nothing if
neither does. Takes a list: root context, flag.
*/}}
{{- define "vllm.flag" -}}
  {{- $values := (first .).Values }}
  {{- $given := get ($values.engine.args | default dict) (last .) | include "vllm.text" }}
  {{- if and (not $given) $values.engine.extraArgs }}
    {{- $names := list (printf "--%s" (last .)) (last . | replace "-" "_" | printf "--%s") }}
    {{- $next := false }}
    {{- range $word := $values.engine.extraArgs }}
      {{- $word = include "vllm.text" $word }}
      {{- $name := regexFind "^[^=]*" $word }}
      {{- if $next }}{{ $given = $word }}{{ $next = false }}
      {{- else if has $word $names }}{{ $next = true }}
      {{- else if has $name $names }}{{ $given = trimPrefix (printf "%s=" $name) $word }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- $given }}
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
