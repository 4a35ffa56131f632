{{/* The engine's image: which vLLM is in it, and what it does with the container's arguments. */}}

{{/*
String: the release of vLLM that the tag names, v0.33.0, 0.11-gpu-py312 or rocm7.0.0_vllm_0.10.2_20251006, or nothing.
*/}}
{{- define "vllm.namedVersion" -}}
  {{- if .Values.image.tag }}{{ include "vllm.once" (list . "vllm.namedVersion.read") }}{{ end }}
{{- end }}

{{- define "vllm.namedVersion.read" -}}
  {{- $tag := .Values.image.tag | default "" }}
  {{- include "vllm.load" . }}
  {{- $named := regexFind "vllm[-_]?v?[0-9]+\\.[0-9]+\\.[0-9]+" $tag }}
  {{- if not (or $named (include "vllm.countsItself" .)) }}
    {{- $named = regexFind "^v?([0-9]+\\.[0-9]+\\.[0-9]+|0\\.[1-9][0-9]*)" $tag }}
  {{- end }}
  {{- regexFind "[0-9.]+$" $named | default (get .Facts.images.namedTags $tag) }}
{{- end }}

{{/* "true" for an image whose tags count other releases than vLLM's, or nothing. */}}
{{- define "vllm.countsItself" -}}
  {{- include "vllm.load" . }}
  {{- with .Values.image.repository }}{{ if regexMatch $.Facts.images.ownNumbers . }}true{{ end }}{{ end }}
{{- end }}

{{/* "true" if the tag names a release of vLLM before another one, or nothing. Takes a list: root context, release. */}}
{{- define "vllm.olderThan" -}}
  {{- $named := include "vllm.namedVersion" (first .) }}
  {{- if and $named (semverCompare (printf "<%s-0" (last .)) $named) }}true{{ end }}
{{- end }}

{{/* "true" for an image of vLLM's own, or a copy of it in another registry; or nothing. */}}
{{- define "vllm.isOwnImage" -}}
  {{- $repository := .Values.image.repository | default "vllm/vllm-openai" }}
  {{- if regexMatch "^(.*/)?vllm/vllm-openai(-cpu|-rocm|-xpu)?$" $repository }}true{{ end }}
{{- end }}

{{/*
"true" if the image's vLLM is known to lack what came with some release, by facts.json; or nothing. Takes a list: root
context, what.
*/}}
{{- define "vllm.lacks" -}}
  {{- include "vllm.load" (first .) }}
  {{- include "vllm.olderThan" (list (first .) (get (first .).Facts.images.since (last .))) }}
{{- end }}

{{/*
"true" where the program takes the model by --model alone, as python -m vllm.entrypoints.openai.api_server does; or
nothing. A script that writes --model itself gets the model as it stands.
*/}}
{{- define "vllm.modelIsFlag" -}}
  {{- include "vllm.load" . }}
  {{- if .Values.command }}
    {{- $line := join " " .Values.command }}
    {{- $script := (include "vllm.shellScript" . | fromJson).script | default "" }}
    {{- $server := regexMatch "(^|\\s)vllm\\.entrypoints\\.openai\\.api_server(\\s|$)" $line }}
    {{- if and $server (not (regexMatch "\\s--model[=\\s]" $script)) }}true{{ end }}
  {{- else if regexMatch .Facts.images.modelByFlag (.Values.image.repository | default "") }}true
  {{- else if include "vllm.isOwnImage" . }}
    {{- include "vllm.lacks" (list . "entrypoint") }}
  {{- end }}
{{- end }}

{{/*
JSON map: the script of a command that is a shell's -c, and the words that the script finds as $0, $1, … before the
chart's arguments; empty for any other command.
*/}}
{{- define "vllm.shellScript" -}}
  {{- $words := list }}
  {{- $script := "" }}
  {{- $option := false }}
  {{- if regexMatch "^(.*/)?(ba|da|z|a)?sh$" (first .Values.command) }}
    {{- range rest .Values.command }}
      {{- if $script }}{{ $words = append $words . }}
      {{- else if $option }}{{ $script = . }}
      {{- else }}{{ $option = regexMatch "^-[a-z]*c$" . }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- ternary (toJson (dict "script" $script "words" $words)) "{}" $option }}
{{- end }}
