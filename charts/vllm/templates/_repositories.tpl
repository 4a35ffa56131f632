{{/* Repositories and paths that settings name beside the model. The table is vllm_args/repositories.py. */}}

{{/*
JSON list of {where, use, text}: what is named in arguments and variables. `where` is the key in the values; `use` is
weights (a repository or a directory), read, or written.
*/}}
{{- define "vllm.repositories" -}}
  {{- $root := . }}
  {{- $flags := dict }}
  {{- range $flag, $value := .Values.engine.args }}{{ $_ := set $flags (splitList "." $flag | first) true }}{{ end }}
  {{- range .Values.engine.extraArgs }}
    {{- $flag := include "vllm.text" . | regexFind "^--[^=.]+" | trimPrefix "--" | replace "_" "-" }}
    {{- $_ := set $flags $flag true }}
  {{- end }}
  {{- $connectors := or (hasKey $flags "kv-transfer-config") (hasKey $flags "ec-transfer-config") }}
  {{- $found := list }}
  {{- include "vllm.load" . }}
  {{- $env := .Values.env | default dict }}
  {{- /* Of all places a user has few: a look at the names comes first. */}}
  {{- $places := list }}
  {{- range .Facts.repositories }}
    {{- $given := ternary (hasKey $env (.env | default "")) (hasKey $flags (.flag | default "")) (hasKey . "env") }}
    {{- if or $given (and $connectors (not .flag) (not .env)) }}{{ $places = append $places . }}{{ end }}
  {{- end }}
  {{- range $place := $places }}
    {{- $roots := list }}
    {{- if .env }}
      {{- $value := get $env .env }}
      {{- if kindIs "map" $value }}{{ $value = $value.value }}{{ end }}
      {{- $roots = list $value }}
    {{- else if .flag }}
      {{- if eq .flag "lora-modules" }}{{ $roots = list (include "vllm.adapters" $root | fromJsonArray) }}
      {{- else if .key }}{{ $roots = list (include "vllm.jsonFlag" (list $root .flag) | fromJson) }}
      {{- else }}{{ $roots = list (include "vllm.flag" (list $root .flag)) }}
      {{- end }}
    {{- else }}
      {{- range include "vllm.once" (list $root "vllm.connectors") | fromJsonArray }}
        {{- $roots = append $roots .extra }}
      {{- end }}
    {{- end }}
    {{- range $steps := .key | default "" | splitList "." }}
      {{- $next := list }}
      {{- range $value := $roots }}
        {{- if not $steps }}{{ $next = append $next $value }}
        {{- else if and (eq $steps "*") (kindIs "map" $value) }}{{ $next = concat $next (values $value) }}
        {{- else if and (eq $steps "*") (kindIs "slice" $value) }}{{ $next = concat $next $value }}
        {{- else if kindIs "map" $value }}{{ $next = append $next (get $value $steps) }}
        {{- end }}
      {{- end }}
      {{- $roots = $next }}
    {{- end }}
    {{- range $text := $roots }}
      {{- if and (kindIs "string" $text) $text (not (has $text ($place.words | default list))) }}
        {{- $found = append $found (dict "where" $place.where "use" $place.use "text" $text) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- range $index, $adapter := compact (.Values.lora.adapters | default list) }}
    {{- $where := printf "lora.adapters[%d].source" $index }}
    {{- /* What is on the Hub is fetched into the cache. */}}
    {{- if hasPrefix "/" ($adapter.source | default "") }}
      {{- $found = append $found (dict "where" $where "use" "weights" "text" $adapter.source) }}
    {{- end }}
  {{- end }}
  {{- toJson $found }}
{{- end }}

{{/* JSON list of {path}: the adapters of lora-modules, written as maps, as JSON, or as name=path. */}}
{{- define "vllm.adapters" -}}
  {{- $given := get (.Values.engine.args | default dict) "lora-modules" }}
  {{- $adapters := list }}
  {{- range $adapter := ternary $given (list $given) (kindIs "slice" $given) }}
    {{- $text := include "vllm.text" $adapter }}
    {{- if regexMatch "^\\s*\\{" $text }}{{ $adapters = append $adapters (include "vllm.json" $text | fromJson) }}
    {{- else if contains "=" $text }}
      {{- $adapters = append $adapters (dict "path" (regexReplaceAll "^[^=]*=" $text "")) }}
    {{- end }}
  {{- end }}
  {{- toJson $adapters }}
{{- end }}

{{/*
"true" if the Hub's cache may hold something when a pod starts, or nothing: a claim, or a volume of the user's at one of
the directories where huggingface_hub looks.
*/}}
{{- define "vllm.hubCacheFilled" -}}
  {{- $env := .Values.env | default dict }}
  {{- $paths := list }}
  {{- range $name, $suffix := dict "HF_HUB_CACHE" "" "HUGGINGFACE_HUB_CACHE" "" "HF_HOME" "/hub" }}
    {{- with include "vllm.envText" (list $ $name) }}{{ $paths = append $paths (printf "%s%s" . $suffix) }}{{ end }}
  {{- end }}
  {{- $filled := list }}
  {{- range $path := $paths }}
    {{- if include "vllm.volumesAt" (list $ $path) | fromJsonArray | has "filled" }}
      {{- $filled = append $filled $path }}
    {{- end }}
    {{- range compact ($.Values.volumeMounts | default list) }}
      {{- if hasPrefix (printf "%s/" $path) .mountPath }}{{ $filled = append $filled $path }}{{ end }}
    {{- end }}
  {{- end }}
  {{- $elsewhere := or .Values.initContainers .Values.extraContainers .Values.envFrom }}
  {{- $others := or (hasKey $env "VLLM_MODEL_REDIRECT_PATH") (hasKey $env "VLLM_USE_MODELSCOPE") }}
  {{- if or $filled $elsewhere $others }}true{{ end }}
{{- end }}
