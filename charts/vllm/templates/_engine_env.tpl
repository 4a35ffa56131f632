{{/* The engine's environment. */}}

{{/* JSON map from name to text or to a variable's value: what the chart itself sets. */}}
{{- define "vllm.ownEnv" -}}
  {{- include "vllm.load" . }}
  {{- $cache := .Values.persistence.mountPath | trimSuffix "/" }}
  {{- $home := include "vllm.path.home" . }}
  {{- /* Home and caches are somewhere to write under a read-only root and any UID. The timeout is a constant no shorter
         than any startup budget: one that followed the budget would change the compile cache's key. */}}
  {{- $env := dict
    "HOME" $home
    "USER" "vllm"
    "LOGNAME" "vllm"
    "XDG_CONFIG_HOME" (printf "%s/.config" $home)
    "XDG_CACHE_HOME" $cache
    "HF_HOME" (printf "%s/huggingface" $cache)
    "VLLM_CACHE_ROOT" (printf "%s/vllm" $cache)
    "TRITON_CACHE_DIR" (printf "%s/triton" $cache)
    "FLASHINFER_WORKSPACE_BASE" $cache
    "VLLM_HTTP_TIMEOUT_KEEP_ALIVE" (int .Values.traffic.keepAliveSeconds | toString)
    "VLLM_NO_USAGE_STATS" "1"
    "VLLM_ENGINE_READY_TIMEOUT_S" (int .Facts.engineReadyTimeoutSeconds | toString) }}
  {{- if include "vllm.middlewares" . | fromJsonArray }}
    {{- $_ := set $env "PYTHONPATH" (include "vllm.path.programs" .) }}
  {{- end }}
  {{- if .Values.lora.reload }}
    {{- $_ := set $env "VLLM_ALLOW_RUNTIME_LORA_UPDATING" "1" }}
    {{- $_ := set $env "ADAPTER_TOKEN_FILE" .Facts.lora.tokenFile }}
  {{- end }}
  {{- if include "vllm.usesNixl" . }}
    {{- /* What it listens on and tells others to dial: localhost, if not said. No part of the compile cache's key. */}}
    {{- $address := dict "fieldRef" (dict "fieldPath" "status.podIP") }}
    {{- $_ := set $env "VLLM_NIXL_SIDE_CHANNEL_HOST" (dict "valueFrom" $address) }}
  {{- end }}
  {{- if and .Values.hang.seconds .Values.engine.passArguments }}
    {{- $_ := set $env "HANG_SECONDS" (int .Values.hang.seconds | toString) }}
  {{- end }}
  {{- with .Values.hub.endpoint }}{{ $_ := set $env "HF_ENDPOINT" . }}{{ end }}
  {{- if or .Values.hub.offline .Values.download.enabled (include "vllm.modelImage.offline" .) }}
    {{- $_ := set $env "HF_HUB_OFFLINE" "1" }}
  {{- end }}
  {{- with .Values.hub.tokenSecretRef }}
    {{- if .name }}{{ $_ := set $env "HF_TOKEN" (dict "valueFrom" (dict "secretKeyRef" .)) }}{{ end }}
  {{- end }}
  {{- range $index, $ref := include "vllm.apiKeys" . | fromJsonArray }}
    {{- $name := ternary (printf "%s%d" $.Facts.otherApiKey (add1 $index)) "VLLM_API_KEY" (gt $index 0) }}
    {{- $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" $ref)) }}
  {{- end }}
  {{- with .Values.proxy }}
    {{- range $name, $value := dict "http_proxy" .httpProxy "https_proxy" .httpsProxy "no_proxy" .noProxy }}
      {{- if $value }}{{ $_ := merge $env (dict $name $value (upper $name) $value) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- if .Values.caBundle.configMapName }}
    {{- range $name := list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "CURL_CA_BUNDLE" }}
      {{- $_ := set $env $name (include "vllm.path.caBundle" $) }}
    {{- end }}
  {{- end }}
  {{- $env = merge $env (include "vllm.tracing.env" . | fromJson) (include "vllm.objectStorage.env" . | fromJson) }}
  {{- if eq .Values.engine.device "cpu" }}
    {{- if not (get (.Values.engine.args | default dict) "kv-cache-memory-bytes") }}
      {{- /* GiB. Left to itself the CPU engine takes nearly all of the memory limit, and is killed. */}}
      {{- $_ := set $env "VLLM_CPU_KVCACHE_SPACE" (int .Facts.cpuCacheGiB | toString) }}
    {{- end }}
    {{- with get ((.Values.resources | default dict).limits | default dict) "cpu" }}
      {{- /* A thread per core of the limit: the engine would count the node's cores. */}}
      {{- $_ := set $env "VLLM_CPU_OMP_THREADS_BIND" "nobind" }}
      {{- $_ := set $env "OMP_NUM_THREADS" (include "vllm.quantity" . | float64 | int | max 1 | toString) }}
    {{- end }}
  {{- end }}
  {{- toJson $env }}
{{- end }}

{{/* JSON list: Secrets' keys that hold API keys, the first one for tests and checks. */}}
{{- define "vllm.apiKeys" -}}
  {{- $keys := ternary (list .Values.auth.apiKeySecretRef) list (not (empty .Values.auth.apiKeySecretRef.name)) }}
  {{- concat $keys (.Values.auth.apiKeySecretRefs | default list) | toJson }}
{{- end }}

{{/*
YAML list: the engine's environment. A map underneath, so that no name comes twice. Plain text is literal. Variables
that others refer to come first, because Kubernetes expands only what it has seen.
*/}}
{{- define "vllm.env" -}}
  {{- $env := include "vllm.once" (list . "vllm.ownEnv") | fromJson }}
  {{- with include "vllm.objectStorage.buffer" . }}{{ $_ := set $env $.Facts.streaming.limit . }}{{ end }}
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
  {{- $names := concat (include "vllm.env.references" $env | fromJsonArray) (keys $env | sortAlpha) }}
  {{- range $name := include "vllm.env.order" (list $env $names) | fromJsonArray }}
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
JSON list: names of an environment, each after those that its value refers to, and otherwise as given. Takes a list: the
environment, names. A circle comes out in some order: "vllm.validate.env" refuses it.
*/}}
{{- define "vllm.env.order" -}}
  {{- $state := dict "order" list "seen" dict }}
  {{- include "vllm.env.visit" (append . $state) }}
  {{- toJson $state.order }}
{{- end }}

{{- define "vllm.env.visit" -}}
  {{- $env := index . 0 }}
  {{- $state := index . 2 }}
  {{- range $name := index . 1 }}
    {{- if and (hasKey $env $name) (not (hasKey $state.seen $name)) }}
      {{- $_ := set $state.seen $name true }}
      {{- if kindIs "map" (get $env $name) }}
        {{- $references := include "vllm.env.references" (pick $env $name) | fromJsonArray }}
        {{- include "vllm.env.visit" (list $env $references $state) }}
      {{- end }}
      {{- $_ := set $state "order" (append $state.order $name) }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* JSON list: the names that `{value: "…$(NAME)…"}` entries of an env map refer to, sorted. */}}
{{- define "vllm.env.references" -}}
  {{- $names := list }}
  {{- range $value := . }}
    {{- if kindIs "map" $value }}
      {{- range regexFindAll "\\$\\([^)]+\\)" (include "vllm.text" $value.value | replace "$$" "") -1 }}
        {{- $names = append $names (trimPrefix "$(" . | trimSuffix ")") }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- uniq $names | sortAlpha | toJson }}
{{- end }}
