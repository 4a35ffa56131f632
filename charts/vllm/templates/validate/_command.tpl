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
  {{- $without := "or write engine.passArguments: false, if it has its own" }}
  {{- $shell := regexMatch "^(.*/)?(ba|da|z|a)?sh$" $first }}
  {{- if regexMatch "^(|.*\\s.*)$" $first }}
    - command: {{ toJson $first }} is no program: write one word per item: [vllm, serve]
  {{- else if regexMatch "^(.*/)?vllm( serve [^-].*|)$" $line }}
    - command: {{ $line }} is not what takes the chart's arguments, which begin with the model:
      leave command empty, or end it with vllm, serve
  {{- else if regexMatch "(^| )vllm\\.entrypoints\\.(openai\\.)?api_server( |$)" $line }}
    - command: {{ $line }} is not vllm serve and takes no model by its place:
      leave command empty, or end it with vllm, serve
  {{- else if and $shell (regexMatch " -[a-z]*c( |$)" $line) }}
    {{- /* A shell's script, and the words that it finds as $0, $1, … before the chart's arguments. */}}
    {{- $words := list }}
    {{- $script := "" }}
    {{- $option := false }}
    {{- range rest .Values.command }}
      {{- if $script }}{{ $words = append $words . }}
      {{- else if $option }}{{ $script = . }}
      {{- else }}{{ $option = regexMatch "^-[a-z]*c$" . }}
      {{- end }}
    {{- end }}
    {{- $zero := regexMatch "\\$(0|\\{0[^-9]?)" $script }}
    {{- if regexMatch "\"\\$\\{?\\*\\}?\"" $script }}
      - command: "$*" makes one word of all arguments: write "$@"
    {{- else if not (regexMatch "\\$\\{?[@*]" $script) }}
      - command: a shell would not hand the chart's arguments on:
        leave command empty, end the script with exec vllm serve "$0" "$@", {{ $without }}
    {{- else if not (or $zero $words) }}
      - command: the model is $0 to this script, and "$@" is what comes after it:
        end it with exec vllm serve "$0" "$@", or write one more word after the script, such as --
    {{- else if and $words (regexMatch "serve +\"?\\$\\{?0" $script) }}
      - command: $0 is {{ first $words | toJson }} to this script, and not the model:
        write "$@" alone in it, or nothing after it
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines for an image that would run the first argument, which is the model, as a program. */}}
{{- define "vllm.validate.entrypoint" }}
  {{- $repository := .Values.image.repository | default "" }}
  {{- include "vllm.load" . }}
  {{- $runs := list }}
  {{- range .Facts.images.withoutAnEngine }}
    {{- if regexMatch .pattern $repository }}{{ $runs = append $runs .entrypoint }}{{ end }}
  {{- end }}
  {{- with $runs }}
    - command: the entrypoint of {{ $repository }} is {{ first . }}, and the model's id would be run as a program:
      write command: [vllm, serve]
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
    "traffic.streamKeepAliveSeconds" .Values.traffic.streamKeepAliveSeconds }}
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
