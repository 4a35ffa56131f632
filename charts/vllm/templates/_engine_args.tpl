{{/* The engine: its split over devices, its arguments. */}}

{{/* Integer as string: GPUs per pod. */}}
{{- define "vllm.gpuCount" -}}
  {{- $count := .Values.gpu.count }}
  {{- if or (kindIs "invalid" $count) (eq (toString $count) "") }}
    {{- $count = ternary 0 1 (eq .Values.engine.device "cpu") }}
  {{- end }}
  {{- int $count }}
{{- end }}

{{/*
Integer as string: the tensor-parallel size, which follows from the GPUs unless it is given. vLLM's world is tensor x
pipeline x prefill context (config/parallel.py:967 of 0.33), for each data-parallel rank.
*/}}
{{- define "vllm.tensorParallelSize" -}}
  {{- $given := .Values.parallelism.tensorParallelSize | default (ternary 1 0 (eq .Values.engine.device "cpu")) }}
  {{- $given | default (div (include "vllm.gpuCount" . | int) (include "vllm.otherParallelSizes" .) | max 1) | int }}
{{- end }}

{{/* Integer as string: worker processes in a pod. */}}
{{- define "vllm.workers" -}}
  {{- mul (include "vllm.tensorParallelSize" . | int) (include "vllm.otherParallelSizes" .) }}
{{- end }}

{{- define "vllm.otherParallelSizes" -}}
  {{- $context := include "vllm.prefillContextParallelSize" . | int }}
  {{- mul .Values.parallelism.pipelineParallelSize .Values.parallelism.dataParallelSize $context }}
{{- end }}

{{- define "vllm.prefillContextParallelSize" -}}
  {{- include "vllm.flag" (list . "prefill-context-parallel-size") | int | max 1 }}
{{- end }}

{{/*
Quantity: the size of /dev/shm. vLLM asks for 160Mi and 240Mi per worker, and keeps there what some settings offload or
cache; the rest is NCCL's.
*/}}
{{- define "vllm.shm.sizeLimit" -}}
  {{- $shared := divf (include "vllm.sharedBytes" . | float64) 1073741824 | ceil | int }}
  {{- $size := add 1 (include "vllm.workers" .) $shared }}
  {{- .Values.shm.sizeLimit | default (printf "%dGi" $size) | include "vllm.text" }}
{{- end }}

{{/*
Integer as string: the port at which clients reach the engine through its Service. A headless one maps no ports: its
name resolves to the pods themselves.
*/}}
{{- define "vllm.service.reachedPort" -}}
  {{- $headless := eq (.Values.service.clusterIP | default "") "None" }}
  {{- if $headless }}{{ include "vllm.service.podPort" . }}{{ else }}{{ int .Values.service.port }}{{ end }}
{{- end }}

{{/* String: where the engine is reached in the cluster, through its Service. */}}
{{- define "vllm.url" -}}
  {{- $host := printf "%s.%s.svc" (include "vllm.service.name" .) (include "vllm.namespace" .) }}
  {{- printf "%s://%s:%s" (include "vllm.scheme" .) $host (include "vllm.service.reachedPort" .) }}
{{- end }}

{{/* String: the name that clients write in a request's `model`. */}}
{{- define "vllm.servedModelName" -}}
  {{- first (.Values.model.servedModelName | default (list .Values.model.id)) }}
{{- end }}

{{/*
YAML list, or nothing: the arguments of `vllm serve`, the model first; or extraArgs alone, where a script of the user's
has its own. A single value is written --flag=value, so that one that begins with a dash stays a value.
*/}}
{{- define "vllm.args" -}}
  {{- $args := list }}
  {{- if .Values.engine.passArguments }}{{ $args = include "vllm.ownArgs" . | fromJsonArray }}{{ end }}
  {{- range .Values.engine.extraArgs }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
  {{- with $args }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* JSON list: the chart's own, and those of engine.args. */}}
{{- define "vllm.ownArgs" -}}
  {{- $model := include "vllm.argument" (list . (include "vllm.model.source" .)) }}
  {{- $args := list (ternary (printf "--model=%s" $model) $model (eq (include "vllm.modelIsFlag" .) "true")) }}
  {{- with .Values.model.revision }}
    {{- $args = append $args (printf "--revision=%s" (include "vllm.argument" (list $ .))) }}
  {{- end }}
  {{- $names := include "vllm.model.names" . | fromJsonArray }}
  {{- with $names }}{{ $args = append $args "--served-model-name" }}{{ end }}
  {{- range $names }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
  {{- if include "vllm.chatTemplate.source" . }}
    {{- $args = append $args (printf "--chat-template=%s" (include "vllm.path.chatTemplate" .)) }}
  {{- end }}
  {{- if .Values.model.trustRemoteCode }}{{ $args = append $args "--trust-remote-code" }}{{ end }}
  {{- $args = concat $args (include "vllm.lora.args" . | fromJsonArray) }}
  {{- if not (include "vllm.flag" (list . "host")) }}
    {{- with include "vllm.host" . }}{{ $args = append $args (printf "--host=%s" .) }}{{ end }}
  {{- end }}
  {{- $args = append $args (printf "--port=%d" (int .Values.containerPort)) }}
  {{- $args = concat $args (include "vllm.tls.args" . | fromJsonArray) }}
  {{- $sizes := dict
    "tensor" (include "vllm.tensorParallelSize" . | int)
    "pipeline" (int .Values.parallelism.pipelineParallelSize)
    "data" (int .Values.parallelism.dataParallelSize) }}
  {{- range $kind := list "tensor" "pipeline" "data" }}
    {{- $size := get $sizes $kind }}
    {{- if gt $size 1 }}{{ $args = append $args (printf "--%s-parallel-size=%d" $kind $size) }}{{ end }}
  {{- end }}
  {{- if and .Values.shutdown.drainSeconds (include "vllm.hasShutdownTimeout" .) }}
    {{- $args = append $args (printf "--shutdown-timeout=%d" (int .Values.shutdown.drainSeconds)) }}
  {{- end }}
  {{- range include "vllm.middlewares" . | fromJsonArray }}
    {{- $args = append $args (printf "--middleware=%s" .) }}
  {{- end }}
  {{- $args = concat $args (include "vllm.logArgs" . | fromJsonArray) }}
  {{- with int .Values.traffic.maxRequests }}{{ $args = append $args (printf "--max-num-queued-reqs=%d" .) }}{{ end }}
  {{- with int .Values.traffic.streamKeepAliveSeconds }}
    {{- $args = append $args (printf "--sse-keep-alive-interval=%d" .) }}
  {{- end }}
  {{- include "vllm.load" . }}
  {{- $kinds := .Flags }}
  {{- $given := .Values.engine.args | default dict }}
  {{- /* vLLM's would load into the live context what the chart's middleware tries first. */}}
  {{- if include "vllm.tls.renews" . }}{{ $given = omit $given "enable-ssl-refresh" }}{{ end }}
  {{- range $flag, $value := $given }}
    {{- $text := include "vllm.argument" (list $ $value) }}
    {{- $isJson := or (contains "." $flag) (has $flag $kinds.json) }}
    {{- if and (kindIs "bool" $value) (not $isJson) }}
      {{- if $value }}{{ $args = append $args (printf "--%s" $flag) }}
      {{- else if not (has $flag $kinds.storeTrue) }}{{ $args = append $args (printf "--no-%s" $flag) }}
      {{- end }}
    {{- else if and (kindIs "slice" $value) (has $flag $kinds.append) }}
      {{- range $value }}
        {{- $args = append $args (printf "--%s=%s" $flag (include "vllm.argument" (list $ .))) }}
      {{- end }}
    {{- else if and (kindIs "slice" $value) (not $isJson) }}
      {{- with $value }}{{ $args = append $args (printf "--%s" $flag) }}{{ end }}
      {{- range $value }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
    {{- else if not (has $text (list "" "{}" "[]")) }}
      {{- $args = append $args (printf "--%s=%s" $flag $text) }}
    {{- end }}
  {{- end }}
  {{- toJson $args }}
{{- end }}

{{/*
String: a value as an argument. `$(NAME)` is the variable if the user's environment may have it; all other text reaches
vLLM as it stands. Takes a list: root context, value.
*/}}
{{- define "vllm.argument" -}}
  {{- $values := (first .).Values }}
  {{- $text := include "vllm.literal" (last .) }}
  {{- range regexFindAll "\\$\\([^)]+\\)" $text -1 | uniq }}
    {{- if or $values.envFrom (hasKey ($values.env | default dict) (trimPrefix "$(" . | trimSuffix ")")) }}
      {{- $text = replace (printf "$%s" .) . $text }}
    {{- end }}
  {{- end }}
  {{- $text }}
{{- end }}

{{/*
String: the address that the engine is told to listen on, or nothing where vLLM's own will do: IPv4 alone
(entrypoints/launchers/launcher.py:340 of 0.33). A socket on :: takes IPv4 as well, as Linux has it (ipv6(7)).
*/}}
{{- define "vllm.host" -}}
  {{- include "vllm.flag" (list . "host") | default (ternary "::" "" (eq (include "vllm.asksForIPv6" .) "true")) }}
{{- end }}

{{/* "true", or nothing for an image whose vLLM cannot wait for its requests, or is of a release that nobody knows. */}}
{{- define "vllm.hasShutdownTimeout" -}}
  {{- include "vllm.knowsFlag" (list . "shutdown-timeout") }}
{{- end }}

{{/*
"true", or nothing for an image whose vLLM is too old for a flag, or of a release that nobody knows. Takes a list: root
context, flag.
*/}}
{{- define "vllm.knowsFlag" -}}
  {{- $unknown := and (include "vllm.countsItself" (first .)) (not (include "vllm.namedVersion" (first .))) }}
  {{- if not (or $unknown (include "vllm.lacks" .)) }}true{{ end }}
{{- end }}

{{/* String: the version of vLLM that the image's tag names, or nothing where the schema does not have its flags. */}}
{{- define "vllm.knownVersion" -}}{{ include "vllm.once" (list . "vllm.knownVersion.read") }}{{- end }}

{{- define "vllm.knownVersion.read" -}}
  {{- include "vllm.load" . }}
  {{- $tag := .Values.image.tag | default (ternary .Chart.AppVersion "" (empty .Values.image.digest)) }}
  {{- range .Flags.versions }}
    {{- if regexMatch (printf "^v?%s([-+._].*)?$" (regexQuoteMeta .)) $tag }}{{ . }}{{ end }}
  {{- end }}
{{- end }}
