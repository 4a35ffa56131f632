{{- define "vllm.validate.args" }}
  {{- include "vllm.load" . }}
  {{- $owned := .Facts.ownedFlags }}
  {{- $kinds := .Flags }}
  {{- $args := deepCopy (.Values.engine.args | default dict) }}
  {{- include "vllm.deleteNulls" $args }}
  {{- $extra := join " " .Values.engine.extraArgs | replace "_" "-" }}
  {{- $version := include "vllm.knownVersion" . }}
  {{- range $flag, $needed := $kinds.needs }}
    {{- if and (get $args $flag) (not (get $args $needed)) (not (contains (printf "--%s" $needed) $extra)) }}
      - engine.args.{{ $flag }}: vLLM takes it only with {{ $needed }}:
        write engine.args.{{ $needed }} too, or leave it out
    {{- end }}
  {{- end }}
  {{- range $flag, $needed := $kinds.needsToStart }}
    {{- if and (get $args $flag) (not (hasKey $args $needed)) (not (contains (printf "--%s" $needed) $extra)) }}
      - engine.args.{{ $flag }}: vLLM loads the model and then ends without {{ $needed }}:
        write engine.args.{{ $needed }}: true too
    {{- end }}
  {{- end }}
  {{- range $flag := $kinds.onlyJson }}
    {{- $text := get $args $flag }}
    {{- $written := and $text (kindIs "string" $text) (not (contains "$(" $text)) }}
    {{- if and $written (not (regexMatch "^(?i)\\s*(none|null)?\\s*$" $text)) }}
      {{- if or (not (regexMatch "^\\s*[{\\[]" $text)) (hasKey (printf "{\"a\":%s}" $text | fromJson) "Error") }}
        - engine.args.{{ $flag }}: {{ toJson $text }} is not JSON, which vLLM reads here:
          write a map or a list instead of a text
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if eq (get $args "max-model-len" | include "vllm.text") "0" }}
    - engine.args.max-model-len: no token fits into 0: write a number of tokens, auto, or leave it out
  {{- end }}
  {{- $quantization := get $args "quantization" | include "vllm.text" }}
  {{- range ternary (get $kinds.quantizations $version | default list) list (ne $quantization "") }}
    {{- if and (ne . (lower $quantization)) (eq (replace "-" "_" .) (replace "-" "_" (lower $quantization))) }}
      - engine.args.quantization: vLLM spells it otherwise than {{ $quantization }}: write {{ . }}
    {{- end }}
  {{- end }}
  {{- range $flag, $most := $kinds.atMost }}
    {{- $value := get $args $flag | include "vllm.text" }}
    {{- $limit := get $args $most | include "vllm.text" }}
    {{- $numbers := and $value $limit }}
    {{- $numbers = and $numbers (regexMatch "^[1-9][0-9]*$" $value) (regexMatch "^[1-9][0-9]*$" $limit) }}
    {{- if and $numbers (gt (int64 $value) (int64 $limit)) }}
      - engine.args.{{ $flag }}: {{ $value }} is more than the {{ $limit }} of {{ $most }}:
        write {{ $limit }} or less, or a larger {{ $most }}
    {{- end }}
  {{- end }}
  {{- range $flag, $value := $args }}
    {{- if and (hasPrefix "no-" $flag) (kindIs "bool" $value) (not $value) }}
      - engine.args.{{ $flag }}: false says no twice: write {{ trimPrefix "no-" $flag }}: true
    {{- end }}
    {{- if and (hasPrefix "no-" $flag) (hasKey $args (trimPrefix "no-" $flag)) }}
      - engine.args.{{ $flag }}: {{ trimPrefix "no-" $flag }} is there as well: write one of them
    {{- end }}
    {{- $text := include "vllm.text" $value }}
    {{- if and (hasSuffix "-port" $flag) (eq $text (include "vllm.text" $.Values.containerPort)) }}
      - engine.args.{{ $flag }}: {{ $text }} is the HTTP port (containerPort): write another one
    {{- end }}
    {{- include "vllm.validate.expansion" (list $ (printf "engine.args.%s" $flag) $text) }}
    {{- if and (kindIs "slice" $value) (not (has $flag (concat $kinds.json $kinds.append))) }}
      {{- include "vllm.validate.items" (list (printf "engine.args.%s" $flag) $value) }}
    {{- end }}
  {{- end }}
  {{- /* Whose flags they are: another program or a fork may have others. */}}
  {{- $vllm := regexMatch "^(.*/)?(vllm-openai(-cpu)?)?$" (.Values.image.repository | default "") }}
  {{- $vllm = and $vllm (or (not .Values.command) (eq (last .Values.command) "serve")) }}
  {{- /* A script of the user's own may take anything. */}}
  {{- range $index, $argument := ternary .Values.engine.extraArgs list .Values.engine.passArguments }}
    {{- if and (eq $index 0) (not (hasPrefix "-" $argument)) }}
      - engine.extraArgs: {{ toJson $argument }} belongs to no flag:
        begin with one (--flag), and write another program in command
    {{- end }}
    {{- $flag := regexFind "^--?[A-Za-z][A-Za-z0-9_-]*" $argument | trimAll "-" | replace "_" "-" }}
    {{- with get $owned $flag }}
      - engine.extraArgs: --{{ $flag }} is the chart's own: {{ . }}
    {{- end }}
    {{- if has $flag (list "ssl-certfile" "kv-offloading-size" "kv-cache-memory-bytes") }}
      - engine.extraArgs: --{{ $flag }} changes what else the chart renders, which reads it in one place only:
        write engine.args.{{ $flag }}
    {{- end }}
    {{- range uniq (list $flag (trimPrefix "no-" $flag) (printf "no-%s" $flag)) }}
      {{- if and $flag (hasKey $args .) }}
        - engine.extraArgs: --{{ $flag }} is in engine.args as well ({{ . }}): write it once
      {{- end }}
    {{- end }}
    {{- $all := get $kinds.flags $version | default "" }}
    {{- $unknown := and $all (not (contains (printf " %s" (trimPrefix "no-" $flag)) $all)) }}
    {{- if and (regexMatch "^--[A-Za-z][A-Za-z0-9_-]*([.=]|$)" $argument) $vllm $unknown }}
      - engine.extraArgs: vLLM {{ $version }} has no --{{ $flag }}:
        {{ get $kinds.advice $flag | default "correct it, or leave it out" }}
    {{- else if and (regexMatch "^-[a-z][a-z0-9]*[-_]" $argument) }}
      - engine.extraArgs: {{ toJson $argument }} begins with one dash: write -{{ $argument }}
    {{- end }}
    {{- if regexMatch "^--?[A-Za-z][A-Za-z0-9_-]*\\s+\\S" $argument }}
      - engine.extraArgs: {{ toJson $argument }} is one word to the engine: write it with =, or as two items
    {{- end }}
    {{- include "vllm.validate.expansion" (list $ "engine.extraArgs" $argument) }}
  {{- end }}
{{- end }}

{{/*
Lines for items of a list that vLLM would take for flags: argparse does what begins with a dash, is no number and has no
blank in it. Takes a list: key, items.
*/}}
{{- define "vllm.validate.items" }}
  {{- range last . }}
    {{- $text := include "vllm.text" . }}
    {{- if and (regexMatch `^-\S+$` $text) (not (regexMatch `^-[0-9]*\.?[0-9]+$` $text)) }}
      - {{ first $ }}: {{ $text }} begins with a dash, so that vLLM takes it for a flag and not for a value:
        leave it out, or write a flag in engine.args
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Lines for what holds for vLLM's own image. One of somebody else's may bring files, and plugins that register other
names.
*/}}
{{- define "vllm.validate.stock" }}
  {{- if not .Values.image.repository }}
    {{- include "vllm.load" . }}
    {{- $kinds := .Flags }}
    {{- $args := .Values.engine.args | default dict }}
    {{- $extra := join " " .Values.engine.extraArgs | replace "_" "-" }}
    {{- $version := include "vllm.knownVersion" . }}
    {{- range $flag, $names := get $kinds.names $version | default dict }}
      {{- $name := get $args $flag | include "vllm.text" }}
      {{- $plugin := printf "%s-plugin" ($flag | replace "tool-call" "tool") }}
      {{- $expected := or (eq $name "") (has $name $names) (regexMatch "^(?i)none$|\\.|\\$\\(" $name) }}
      {{- if not (or $expected (get $args $plugin) (contains $plugin $extra)) }}
        - engine.args.{{ $flag }}: vLLM {{ $version }} does not know {{ $name }}: write one of {{ join ", " $names }}
      {{- end }}
    {{- end }}
    {{- range $flag := $kinds.maps }}
      {{- if kindIs "slice" (get $args $flag) }}
        - engine.args.{{ $flag }}: vLLM reads an object here:
          write a map, or use --set-json, because --set takes JSON apart at its commas and braces
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Lines for a shell's $NAME in an argument, which no shell sees: a variable of the user's, in a value without blanks or
templates, where a dollar could be part of the text. Takes a list: root context, key, text.
*/}}
{{- define "vllm.validate.expansion" }}
  {{- $root := first . }}
  {{- $text := last . }}
  {{- if not (regexMatch `\s|\\n|\{[{%]` $text) }}
    {{- range regexFindAll "\\$\\{?[A-Z_][A-Z0-9_]*" (replace "$$" "" $text) -1 | uniq }}
      {{- $name := trimPrefix "$" . | trimPrefix "{" }}
      {{- if hasKey ($root.Values.env | default dict) $name }}
        - {{ index $ 1 }}: no shell expands {{ . }}: write $({{ $name }})
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
