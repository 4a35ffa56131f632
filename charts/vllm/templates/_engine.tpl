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

{{/*
Quantity: the size of /dev/shm. vLLM asks for 160Mi and 240Mi per worker, and keeps there what kv-offloading-size (GiB)
offloads; the rest is NCCL's.
*/}}
{{- define "vllm.shm.sizeLimit" -}}
{{- $offloaded := get (.Values.engine.args | default dict) "kv-offloading-size" | default 0 | float64 | ceil | int }}
{{- .Values.shm.sizeLimit | default (printf "%dGi" (add 1 (include "vllm.workers" .) $offloaded)) | include "vllm.text" }}
{{- end }}

{{/* String: http, or https if the engine itself is given a certificate. */}}
{{- define "vllm.scheme" -}}
{{- ternary "https" "http" (not (empty (get (.Values.engine.args | default dict) "ssl-certfile"))) }}
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
{{- $args := list (include "vllm.argument" (list . .Values.model.id)) }}
{{- with .Values.model.revision }}{{ $args = append $args (printf "--revision=%s" (include "vllm.argument" (list $ .))) }}{{ end }}
{{- with .Values.model.servedModelName }}{{ $args = append $args "--served-model-name" }}{{ end }}
{{- range .Values.model.servedModelName }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
{{- if .Values.model.trustRemoteCode }}{{ $args = append $args "--trust-remote-code" }}{{ end }}
{{- $args = append $args (printf "--port=%d" (int .Values.containerPort)) }}
{{- $sizes := dict
  "tensor" (include "vllm.tensorParallelSize" . | int)
  "pipeline" (int .Values.parallelism.pipelineParallelSize)
  "data" (int .Values.parallelism.dataParallelSize) }}
{{- range $kind := list "tensor" "pipeline" "data" }}
{{- if gt (get $sizes $kind) 1 }}{{ $args = append $args (printf "--%s-parallel-size=%d" $kind (get $sizes $kind)) }}{{ end }}
{{- end }}
{{- if and .Values.shutdown.drainSeconds (include "vllm.hasShutdownTimeout" .) }}
{{- $args = append $args (printf "--shutdown-timeout=%d" (int .Values.shutdown.drainSeconds)) }}
{{- end }}
{{- range include "vllm.middlewares" . | fromYamlArray }}{{ $args = append $args (printf "--middleware=%s" .) }}{{ end }}
{{- with int .Values.traffic.maxRequests }}{{ $args = append $args (printf "--max-num-queued-reqs=%d" .) }}{{ end }}
{{- with int .Values.traffic.streamKeepAliveSeconds }}{{ $args = append $args (printf "--sse-keep-alive-interval=%d" .) }}{{ end }}
{{- $kinds := .Files.Get "files/flags.json" | fromJson }}
{{- range $flag, $value := .Values.engine.args }}
{{- $text := include "vllm.argument" (list $ $value) }}
{{- $isJson := or (contains "." $flag) (has $flag $kinds.json) }}
{{- if and (kindIs "bool" $value) (not $isJson) }}
{{- if or $value (not (has $flag $kinds.storeTrue)) }}{{ $args = append $args (printf "--%s%s" (ternary "" "no-" $value) $flag) }}{{ end }}
{{- else if and (kindIs "slice" $value) (has $flag $kinds.append) }}
{{- range $value }}{{ $args = append $args (printf "--%s=%s" $flag (include "vllm.argument" (list $ .))) }}{{ end }}
{{- else if and (kindIs "slice" $value) (not $isJson) }}
{{- with $value }}{{ $args = append $args (printf "--%s" $flag) }}{{ end }}
{{- range $value }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
{{- else if not (has $text (list "" "{}" "[]")) }}
{{- $args = append $args (printf "--%s=%s" $flag $text) }}
{{- end }}
{{- end }}
{{- range .Values.engine.extraArgs }}{{ $args = append $args (include "vllm.argument" (list $ .)) }}{{ end }}
{{- toYaml $args }}
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

{{/* "true", or nothing for an image whose tag names a vLLM that cannot wait for its requests. */}}
{{- define "vllm.hasShutdownTimeout" -}}
{{- if not (regexMatch "^v?0\\.([0-9]|1[0-7])\\.[0-9]" (.Values.image.tag | default "")) }}true{{ end }}
{{- end }}

{{/* String: the version of vLLM that the image's tag names, or nothing where its flags are not known to the schema. */}}
{{- define "vllm.knownVersion" -}}
{{- $tag := .Values.image.tag | default (ternary .Chart.AppVersion "" (empty .Values.image.digest)) }}
{{- range (.Files.Get "files/flags.json" | fromJson).versions }}
{{- if regexMatch (printf "^v?%s([-+._].*)?$" (regexQuoteMeta .)) $tag }}{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* YAML map from name to text or to a variable's value: what the chart itself sets. */}}
{{- define "vllm.ownEnv" -}}
{{- $cache := .Values.persistence.mountPath | trimSuffix "/" }}
{{- /* Home and caches are somewhere to write under a read-only root and any UID. The timeout is a constant no shorter
       than any startup budget: one that followed the budget would change the compile cache's key. */}}
{{- $env := dict
  "HOME" "/tmp/home"
  "USER" "vllm"
  "LOGNAME" "vllm"
  "XDG_CONFIG_HOME" "/tmp/home/.config"
  "XDG_CACHE_HOME" $cache
  "HF_HOME" (printf "%s/huggingface" $cache)
  "VLLM_CACHE_ROOT" (printf "%s/vllm" $cache)
  "TRITON_CACHE_DIR" (printf "%s/triton" $cache)
  "FLASHINFER_WORKSPACE_BASE" $cache
  "VLLM_HTTP_TIMEOUT_KEEP_ALIVE" (int .Values.traffic.keepAliveSeconds | toString)
  "VLLM_NO_USAGE_STATS" "1"
  "VLLM_ENGINE_READY_TIMEOUT_S" "86400" }}
{{- if include "vllm.middlewares" . | fromYamlArray }}{{ $_ := set $env "PYTHONPATH" "/etc/vllm/lifecycle" }}{{ end }}
{{- with .Values.hang.seconds }}{{ $_ := set $env "HANG_SECONDS" (int . | toString) }}{{ end }}
{{- with .Values.hub.endpoint }}{{ $_ := set $env "HF_ENDPOINT" . }}{{ end }}
{{- if .Values.hub.offline }}{{ $_ := set $env "HF_HUB_OFFLINE" "1" }}{{ end }}
{{- range $name, $ref := dict "HF_TOKEN" .Values.hub.tokenSecretRef "VLLM_API_KEY" .Values.auth.apiKeySecretRef }}
{{- if $ref.name }}{{ $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" $ref)) }}{{ end }}
{{- end }}
{{- range $name, $value := dict "http_proxy" .Values.proxy.httpProxy "https_proxy" .Values.proxy.httpsProxy "no_proxy" .Values.proxy.noProxy }}
{{- if $value }}{{ $_ := merge $env (dict $name $value (upper $name) $value) }}{{ end }}
{{- end }}
{{- if .Values.caBundle.configMapName }}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "CURL_CA_BUNDLE" }}{{ $_ := set $env . "/etc/vllm/ca/ca-bundle.crt" }}{{ end }}
{{- end }}
{{- if eq .Values.engine.device "cpu" }}
{{- if not (get (.Values.engine.args | default dict) "kv-cache-memory-bytes") }}
{{- /* GiB. Left to itself the CPU engine takes nearly all of the memory limit, and is killed. */}}
{{- $_ := set $env "VLLM_CPU_KVCACHE_SPACE" "4" }}
{{- end }}
{{- with get ((.Values.resources | default dict).limits | default dict) "cpu" }}
{{- /* A thread per core of the limit: the engine would count the node's cores. */}}
{{- $_ := set $env "VLLM_CPU_OMP_THREADS_BIND" "nobind" }}
{{- $_ := set $env "OMP_NUM_THREADS" (include "vllm.quantity" . | float64 | int | max 1 | toString) }}
{{- end }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{/*
YAML list: the engine's environment. A map underneath, so that no name comes twice. Plain text is literal. Variables
that others refer to come first, because Kubernetes expands only what it has seen.
*/}}
{{- define "vllm.env" -}}
{{- $env := include "vllm.ownEnv" . | fromYaml }}
{{- range $name, $value := .Values.env }}
{{- if and (eq $name "PYTHONPATH") (hasKey $env $name) }}
{{- /* The engine's middleware is on it: the user's comes after. */}}
{{- $given := $value }}
{{- if kindIs "map" $value }}{{ $given = $value.value }}{{ end }}
{{- $path := printf "%s:%s" (get $env $name) (include "vllm.text" $given) | trimSuffix ":" }}
{{- $_ := set $env $name (ternary (dict "value" $path) $path (kindIs "map" $value)) }}
{{- else if kindIs "invalid" $value }}{{ $_ := unset $env $name }}
{{- else }}{{ $_ := set $env $name $value }}
{{- end }}
{{- end }}
{{- $entries := list }}
{{- range $name := include "vllm.env.order" (list $env (concat (include "vllm.env.references" $env | fromYamlArray) (keys $env | sortAlpha))) | fromYamlArray }}
{{- $value := get $env $name }}
{{- $entry := dict "name" $name }}
{{- if not (kindIs "map" $value) }}
{{- $_ := set $entry "value" (include "vllm.literal" $value) }}
{{- else if $value.valueFrom }}
{{- $_ := set $entry "valueFrom" $value.valueFrom }}
{{- else }}
{{- $_ := set $entry "value" (include "vllm.text" $value.value) }}
{{- end }}
{{- $entries = append $entries $entry }}
{{- end }}
{{- include "vllm.yaml" $entries }}
{{- end }}

{{/*
YAML list: names of an environment, each after those that its value refers to, and otherwise as given. Takes a list: the
environment, names. A circle comes out in some order: "vllm.validate.env" refuses it.
*/}}
{{- define "vllm.env.order" -}}
{{- $state := dict "order" list "seen" dict }}
{{- include "vllm.env.visit" (append . $state) }}
{{- toYaml $state.order }}
{{- end }}

{{- define "vllm.env.visit" -}}
{{- $env := index . 0 }}
{{- $state := index . 2 }}
{{- range $name := index . 1 }}
{{- if and (hasKey $env $name) (not (hasKey $state.seen $name)) }}
{{- $_ := set $state.seen $name true }}
{{- include "vllm.env.visit" (list $env (include "vllm.env.references" (pick $env $name) | fromYamlArray) $state) }}
{{- $_ := set $state "order" (append $state.order $name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML list: the names that `{value: "…$(NAME)…"}` entries of an env map refer to, sorted. */}}
{{- define "vllm.env.references" -}}
{{- $names := list }}
{{- range $value := . }}
{{- if kindIs "map" $value }}
{{- range regexFindAll "\\$\\([^)]+\\)" (include "vllm.text" $value.value | replace "$$" "") -1 }}
{{- $names = append $names (trimPrefix "$(" . | trimSuffix ")") }}
{{- end }}
{{- end }}
{{- end }}
{{- uniq $names | sortAlpha | toYaml }}
{{- end }}
