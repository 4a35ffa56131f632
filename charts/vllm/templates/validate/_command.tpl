{{- define "vllm.validate.command" }}
  {{- if .Values.engine.passArguments }}
    {{- if .Values.command }}
      {{- include "vllm.validate.program" . }}
    {{- else }}
      {{- include "vllm.validate.entrypoint" . }}
    {{- end }}
  {{- else }}
    {{- include "vllm.validate.noArguments" . }}
  {{- end }}
{{- end }}

{{/* Lines for a command that does not take the chart's arguments as they are meant. */}}
{{- define "vllm.validate.program" }}
  {{- $line := join " " .Values.command }}
  {{- $first := first .Values.command }}
  {{- $shell := include "vllm.shellScript" . | fromJson }}
  {{- if regexMatch "^(|.*\\s.*)$" $first }}
    - command: {{ toJson $first }} is no program: write one word per item: [vllm, serve]
  {{- else if regexMatch "^(.*/)?vllm( serve [^-].*|)$" $line }}
    - command: {{ $line }} is not what takes the chart's arguments, which begin with the model:
      leave command empty, or end it with vllm, serve
  {{- else if regexMatch "(^|\\s)vllm\\.entrypoints\\.api_server(\\s|$)" $line }}
    - command: {{ $line }} is vLLM's demo, which has no /v1: leave command empty, or end it with vllm, serve
  {{- else if $shell }}
    {{- include "vllm.validate.script" (list $shell.script $shell.words) }}
  {{- end }}
{{- end }}

{{/* Lines for a shell's script that loses the chart's arguments. Takes a list: the script, the words after it. */}}
{{- define "vllm.validate.script" }}
  {{- $script := first . }}
  {{- $words := last . }}
  {{- $without := "or write engine.passArguments: false, if it has its own" }}
  {{- $zero := regexMatch "\\$(0|\\{0[^-9]?)" $script }}
  {{- /* A model in the script's own words: the chart's is $0 then, which nobody reads. */}}
  {{- $named := "[\\s\\\\]*[\"']?([^-\\s\"'$\\\\]|\\$\\{?[A-Za-z_])" }}
  {{- $own := regexMatch (printf "(serve[\\s\\\\]|--model[=\\s\\\\])%s" $named) $script }}
  {{- if regexMatch "\"\\$\\{?\\*\\}?\"" $script }}
    - command: "$*" makes one word of all arguments: write "$@"
  {{- else if not (regexMatch "\\$\\{?[@*]" $script) }}
    - command: a shell would not hand the chart's arguments on:
      leave command empty, end the script with exec vllm serve "$0" "$@", {{ $without }}
  {{- else if and $own $words (not (regexMatch "\\$\\{@:" $script)) }}
    - command: the script names a model, and "$@" begins with another:
      write "$0" in the place of its own, and no word after the script
  {{- else if not (or $zero $words $own) }}
    - command: the model is $0 to this script, and "$@" is what comes after it:
      end it with exec vllm serve "$0" "$@", or write one more word after the script, such as --
  {{- else if and $words (regexMatch "(serve|--model[= ])\\s*\"?\\$\\{?0" $script) }}
    - command: $0 is {{ first $words | toJson }} to this script, and not the model:
      write "$@" alone in it, or nothing after it
  {{- end }}
{{- end }}

{{/* Lines for an image whose entrypoint takes the arguments otherwise than `vllm serve`. */}}
{{- define "vllm.validate.entrypoint" }}
  {{- $repository := .Values.image.repository | default "" }}
  {{- include "vllm.load" . }}
  {{- $runs := list }}
  {{- range ternary .Facts.images.withoutAnEngine list (ne $repository "") }}
    {{- if regexMatch .pattern $repository }}{{ $runs = append $runs . }}{{ end }}
  {{- end }}
  {{- with first $runs }}
    - command: the entrypoint of {{ $repository }} is {{ .entrypoint }}, and {{ .outcome }}: {{ .remedy }}
  {{- end }}
{{- end }}

{{/* Lines for what only the chart's arguments would tell the engine. */}}
{{- define "vllm.validate.noArguments" }}
  {{- $args := deepCopy (.Values.engine.args | default dict) }}
  {{- include "vllm.deleteNulls" $args }}
  {{- $silent := dict
    "engine.args" $args
    "model.revision" .Values.model.revision
    "model.trustRemoteCode" .Values.model.trustRemoteCode
    "parallelism.tensorParallelSize" .Values.parallelism.tensorParallelSize
    "parallelism.pipelineParallelSize" (gt (int .Values.parallelism.pipelineParallelSize) 1)
    "parallelism.dataParallelSize" (gt (int .Values.parallelism.dataParallelSize) 1)
    "traffic.maxRequests" .Values.traffic.maxRequests
    "traffic.streamKeepAliveSeconds" .Values.traffic.streamKeepAliveSeconds
    "requestIds" .Values.requestIds
    "tracing.endpoint" .Values.tracing.endpoint }}
  {{- range $key, $value := $silent }}
    {{- if $value }}
      - {{ $key }}: nothing tells it to the engine, which gets no arguments (engine.passArguments):
        leave it out, and say it in your own script or in engine.extraArgs
    {{- end }}
  {{- end }}
  {{- if and (include "vllm.isOwnImage" .) (not .Values.command) (not .Values.engine.extraArgs) }}
    - engine.passArguments: false leaves vLLM's own image without a model:
      write true, or the script that starts the engine in command
  {{- end }}
{{- end }}
