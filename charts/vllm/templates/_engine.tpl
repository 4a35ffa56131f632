{{/* The engine: its split over GPUs, its arguments, its environment. */}}

{{/* Integer as string: GPUs per pod. */}}
{{- define "vllm.gpuCount" -}}
{{- $count := .Values.gpu.count }}
{{- if or (kindIs "invalid" $count) (eq (toString $count) "") }}
{{- $count = ternary 0 1 (eq .Values.engine.device "cpu") }}
{{- end }}
{{- int $count }}
{{- end }}

{{/* Integer as string: the tensor-parallel size, which follows from the GPUs unless it is given. */}}
{{- define "vllm.tensorParallelSize" -}}
{{- $others := mul .Values.parallelism.pipelineParallelSize .Values.parallelism.dataParallelSize }}
{{- $follows := ternary 1 (div (include "vllm.gpuCount" . | int) $others) (eq .Values.engine.device "cpu") }}
{{- .Values.parallelism.tensorParallelSize | default (max 1 $follows) | int }}
{{- end }}

{{/* Integer as string: worker processes in a pod. */}}
{{- define "vllm.workers" -}}
{{- mul (include "vllm.tensorParallelSize" . | int) .Values.parallelism.pipelineParallelSize .Values.parallelism.dataParallelSize }}
{{- end }}

{{/* Quantity: the size of /dev/shm. vLLM asks for 160Mi and 240Mi per worker; the rest is NCCL's. */}}
{{- define "vllm.shm.sizeLimit" -}}
{{- .Values.shm.sizeLimit | default (printf "%dGi" (add 1 (include "vllm.workers" . | int))) | include "vllm.text" }}
{{- end }}

{{/* String: http, or https if the engine itself is given a certificate. */}}
{{- define "vllm.scheme" -}}
{{- ternary "https" "http" (hasKey (.Values.engine.args | default dict) "ssl-certfile") }}
{{- end }}

{{/* String: the name that clients write in a request's `model`. */}}
{{- define "vllm.servedModelName" -}}
{{- first (.Values.model.servedModelName | default (list .Values.model.id)) }}
{{- end }}

{{/*
YAML list: the arguments of `vllm serve`, the model first. A single value is written --flag=value, so that one that
begins with a dash stays a value.
*/}}
{{- define "vllm.args" -}}
{{- $args := list .Values.model.id }}
{{- with .Values.model.revision }}{{ $args = append $args (printf "--revision=%s" .) }}{{ end }}
{{- with .Values.model.servedModelName }}{{ $args = concat $args (list "--served-model-name") . }}{{ end }}
{{- if .Values.model.trustRemoteCode }}{{ $args = append $args "--trust-remote-code" }}{{ end }}
{{- $args = append $args (printf "--port=%d" (int .Values.containerPort)) }}
{{- $sizes := dict
  "tensor" (include "vllm.tensorParallelSize" . | int)
  "pipeline" (int .Values.parallelism.pipelineParallelSize)
  "data" (int .Values.parallelism.dataParallelSize) }}
{{- range $kind := list "tensor" "pipeline" "data" }}
{{- if gt (get $sizes $kind) 1 }}{{ $args = append $args (printf "--%s-parallel-size=%d" $kind (get $sizes $kind)) }}{{ end }}
{{- end }}
{{- $args = append $args (printf "--shutdown-timeout=%d" (int .Values.shutdown.drainSeconds)) }}
{{- range $flag, $value := .Values.engine.args }}
{{- if kindIs "bool" $value }}
{{- if contains "." $flag }}
{{- $args = append $args (printf "--%s=%t" $flag $value) }}
{{- else }}
{{- $args = append $args (printf "--%s%s" (ternary "" "no-" $value) $flag) }}
{{- end }}
{{- else if kindIs "slice" $value }}
{{- if $value }}{{ $args = append $args (printf "--%s" $flag) }}{{ end }}
{{- range $value }}{{ $args = append $args (include "vllm.text" .) }}{{ end }}
{{- else if not (has (include "vllm.text" $value) (list "" "null" "{}")) }}
{{- $args = append $args (printf "--%s=%s" $flag (include "vllm.text" $value)) }}
{{- end }}
{{- end }}
{{- range concat $args (.Values.engine.extraArgs | default list) }}
- {{ toRawJson . }}
{{- end }}
{{- end }}

{{/* YAML map from name to text or to a variable's value: what the chart itself sets. */}}
{{- define "vllm.ownEnv" -}}
{{- $cache := .Values.persistence.mountPath }}
# Home and caches: somewhere to write under a read-only root and any UID.
HOME: /tmp/home
USER: vllm
LOGNAME: vllm
XDG_CONFIG_HOME: /tmp/home/.config
XDG_CACHE_HOME: {{ toRawJson $cache }}
HF_HOME: {{ printf "%s/huggingface" $cache | toRawJson }}
VLLM_CACHE_ROOT: {{ printf "%s/vllm" $cache | toRawJson }}
TRITON_CACHE_DIR: {{ printf "%s/triton" $cache | toRawJson }}
FLASHINFER_WORKSPACE_BASE: {{ toRawJson $cache }}
VLLM_NO_USAGE_STATS: "1"
# A constant above any startup budget: a value that followed the budget would change the compile cache's key.
VLLM_ENGINE_READY_TIMEOUT_S: "86400"
{{- with .Values.hub.endpoint }}
HF_ENDPOINT: {{ toRawJson . }}
{{- end }}
{{- if .Values.hub.offline }}
HF_HUB_OFFLINE: "1"
{{- end }}
{{- with .Values.hub.tokenSecretRef }}
{{- if .name }}
HF_TOKEN: {valueFrom: {secretKeyRef: {name: {{ toRawJson .name }}, key: {{ toRawJson .key }}}}}
{{- end }}
{{- end }}
{{- with .Values.auth.apiKeySecretRef }}
{{- if .name }}
VLLM_API_KEY: {valueFrom: {secretKeyRef: {name: {{ toRawJson .name }}, key: {{ toRawJson .key }}}}}
{{- end }}
{{- end }}
{{- range $name, $value := dict "http_proxy" .Values.proxy.httpProxy "https_proxy" .Values.proxy.httpsProxy "no_proxy" .Values.proxy.noProxy }}
{{- with $value }}
{{ $name }}: {{ toRawJson . }}
{{ upper $name }}: {{ toRawJson . }}
{{- end }}
{{- end }}
{{- if .Values.caBundle.configMapName }}
SSL_CERT_FILE: /etc/vllm/ca/ca-bundle.crt
REQUESTS_CA_BUNDLE: /etc/vllm/ca/ca-bundle.crt
CURL_CA_BUNDLE: /etc/vllm/ca/ca-bundle.crt
{{- end }}
{{- if eq .Values.engine.device "cpu" }}
{{- if not (hasKey (.Values.engine.args | default dict) "kv-cache-memory-bytes") }}
# GiB. Left to itself the CPU engine takes nearly all of the memory limit, and is killed.
VLLM_CPU_KVCACHE_SPACE: "4"
{{- end }}
{{- with dig "limits" "cpu" "" (.Values.resources | default dict) }}
# A thread per core of the limit: the engine would count the node's cores.
VLLM_CPU_OMP_THREADS_BIND: nobind
OMP_NUM_THREADS: {{ include "vllm.quantity" . | float64 | int | max 1 | toString | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/*
YAML list, or nothing: the engine's environment. A map underneath, so that no name comes twice. Plain text is literal:
its `$(` is escaped. Variables that others refer to come first, because Kubernetes expands only what it has seen.
*/}}
{{- define "vllm.env" -}}
{{- $env := include "vllm.ownEnv" . | fromYaml }}
{{- range $name, $value := .Values.env }}
{{- if kindIs "invalid" $value }}{{ $_ := unset $env $name }}{{ else }}{{ $_ := set $env $name $value }}{{ end }}
{{- end }}
{{- $references := include "vllm.env.references" .Values.env | fromYamlArray }}
{{- $names := keys $env | sortAlpha }}
{{- range $referredTo := list true false }}
{{- range $name := $names }}
{{- $value := get $env $name }}
{{- if eq $referredTo (has $name $references) }}
- name: {{ $name }}
{{- if not (kindIs "map" $value) }}
  value: {{ include "vllm.text" $value | replace "$(" "$$(" | toRawJson }}
{{- else if $value.valueFrom }}
  valueFrom: {{- toYaml $value.valueFrom | nindent 4 }}
{{- else }}
  value: {{ include "vllm.text" ($value.value | default "") | toRawJson }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML list: the names that `{value: "…$(NAME)…"}` entries of an env map refer to. */}}
{{- define "vllm.env.references" -}}
{{- $names := list }}
{{- range $value := . }}
{{- if kindIs "map" $value }}
{{- range regexFindAll "\\$\\([A-Za-z_][A-Za-z0-9_.-]*\\)" (include "vllm.text" ($value.value | default "")) -1 }}
{{- $names = append $names (trimPrefix "$(" . | trimSuffix ")") }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml (uniq $names) }}
{{- end }}
