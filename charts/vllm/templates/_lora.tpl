{{/* LoRA adapters: how the engine is told of them, and what fetches, checks and reloads them beside it. */}}

{{/* "true" if the release serves the adapters of `lora`, or nothing. */}}
{{- define "vllm.lora" -}}
  {{- if or (compact (.Values.lora.adapters | default list)) .Values.lora.reload }}true{{ end }}
{{- end }}

{{/*
"true" if the engine may be told to load adapters while it runs, or nothing. What a variable has from elsewhere is not
known here.
*/}}
{{- define "vllm.lora.atRunTime" -}}
  {{- $name := "VLLM_ALLOW_RUNTIME_LORA_UPDATING" }}
  {{- $given := get (.Values.env | default dict) $name }}
  {{- $off := regexMatch "^\\s*(?i)(|0|false)\\s*$" (include "vllm.envText" (list . $name)) }}
  {{- $elsewhere := and (kindIs "map" $given) (hasKey ($given | default dict) "valueFrom") }}
  {{- if or .Values.lora.reload $elsewhere (not $off) }}true{{ end }}
{{- end }}

{{/* String: the name of the list that a sidecar reads. */}}
{{- define "vllm.lora.list.name" -}}
  {{- include "vllm.suffixed" (list (include "vllm.fullname" .) "adapters") }}
{{- end }}

{{/*
JSON list of {name, path, source, revision}, in the user's order. What is on the Hub goes into the cache volume, each
revision into a directory of its own: vLLM keeps what it computed with an adapter by its name and path
(v1/core/kv_cache_utils.py:590 of 0.33).
*/}}
{{- define "vllm.lora.list" -}}
  {{- $adapters := list }}
  {{- range compact (.Values.lora.adapters | default list) }}
    {{- $source := .source | default "" }}
    {{- $path := trimSuffix "/" $source }}
    {{- if not (hasPrefix "/" $source) }}
      {{- $revision := .revision | default "main" | replace "/" "--" }}
      {{- $cache := $.Values.persistence.mountPath | trimSuffix "/" }}
      {{- $path = printf "%s/adapters/%s/%s" $cache (replace "/" "--" $source) $revision }}
    {{- end }}
    {{- $revision := .revision | default "" }}
    {{- $adapter := dict "name" (.name | default "") "path" $path "source" $source "revision" $revision }}
    {{- $adapters = append $adapters $adapter }}
  {{- end }}
  {{- toJson $adapters }}
{{- end }}

{{/* JSON list: their names. */}}
{{- define "vllm.lora.names" -}}
  {{- $names := list }}
  {{- range compact (.Values.lora.adapters | default list) }}{{ $names = append $names .name }}{{ end }}
  {{- toJson $names }}
{{- end }}

{{/* YAML map, or nothing: the Service's annotation with their names, a JSON list, for whoever routes by `model`. */}}
{{- define "vllm.lora.annotation" -}}
  {{- $names := include "vllm.lora.names" . }}
  {{- if ne $names "[]" }}{{ dict "vllm-chart/adapters" $names | toYaml }}{{ end }}
{{- end }}

{{/* Integer as string: how many adapters a batch may have. */}}
{{- define "vllm.lora.maxLoras" -}}
  {{- include "vllm.load" . }}
  {{- $listed := compact (.Values.lora.adapters | default list) | len }}
  {{- .Values.lora.maxLoras | default (min $listed .Facts.lora.mostAtOnce | max 1) | int }}
{{- end }}

{{/* JSON list: the engine's arguments for them. With a sidecar, nothing that follows from the list. */}}
{{- define "vllm.lora.args" -}}
  {{- $args := list }}
  {{- if include "vllm.lora" . }}
    {{- $most := include "vllm.lora.maxLoras" . | int }}
    {{- $args = list "--enable-lora" (printf "--max-loras=%d" $most) }}
    {{- with .Values.lora.maxRank }}{{ $args = append $args (printf "--max-lora-rank=%d" (int .)) }}{{ end }}
    {{- $adapters := ternary list (include "vllm.lora.list" . | fromJsonArray) .Values.lora.reload }}
    {{- if and (gt (len $adapters) $most) (not (include "vllm.saysFlag" (list . "max-cpu-loras"))) }}
      {{- /* Those that wait for their turn would be read from the volume again. */}}
      {{- $args = append $args (printf "--max-cpu-loras=%d" (len $adapters)) }}
    {{- end }}
    {{- with $adapters }}{{ $args = append $args "--lora-modules" }}{{ end }}
    {{- range $adapters }}
      {{- $module := dict "name" .name "path" .path "base_model_name" (include "vllm.servedModelName" $) }}
      {{- $args = append $args (toRawJson $module | list $ | include "vllm.argument") }}
    {{- end }}
  {{- end }}
  {{- toJson $args }}
{{- end }}

{{/* JSON list: the container that looks after them, an init container or a sidecar. */}}
{{- define "vllm.lora.containers" -}}
  {{- $containers := list }}
  {{- if include "vllm.lora" . }}
    {{- include "vllm.load" . }}
    {{- $program := ternary "sync_adapters" "adapters" .Values.lora.reload }}
    {{- $command := list "python3" "-B" (printf "%s/%s.py" (include "vllm.path.programs" .) $program)
      (printf "--max-rank=%d" (.Values.lora.maxRank | default .Facts.lora.maxRank | int))
      (printf "--model=%s" (include "vllm.argument" (list . .Values.model.id))) }}
    {{- range .Values.model.servedModelName }}
      {{- $command = append $command (printf "--served=%s" (include "vllm.argument" (list $ .))) }}
    {{- end }}
    {{- if .Values.model.image.reference }}
      {{- $command = append $command (printf "--folder=%s" (include "vllm.model.source" .)) }}
    {{- end }}
    {{- $container := dict
      "name" "adapters"
      "image" (include "vllm.image" .)
      "imagePullPolicy" .Values.image.pullPolicy
      "env" (include "vllm.lora.env" . | fromJsonArray)
      "volumeMounts" (include "vllm.volumeMounts.files" . | fromJsonArray)
      "securityContext" (merge (dict "readOnlyRootFilesystem" true) (.Values.securityContext | default dict))
      "terminationMessagePolicy" "FallbackToLogsOnError" }}
    {{- with include "vllm.list" .Values.envFrom }}{{ $_ := set $container "envFrom" (fromYamlArray .) }}{{ end }}
    {{- $resources := include "vllm.yaml" (.Values.lora.resources | default dict) | fromYaml }}
    {{- if .Values.lora.reload }}
      {{- $command = append $command (printf "--list=%s/adapters.json" (get .Facts.volumes "adapter-list").path) }}
      {{- $command = append $command (printf "--port=%d" (int .Values.containerPort)) }}
      {{- $command = append $command (printf "--scheme=%s" (include "vllm.scheme" .)) }}
      {{- $probe := dict "exec" (dict "command" (list "cat" .Facts.lora.readyFile)) "periodSeconds" 2 }}
      {{- $_ := merge $container (dict "restartPolicy" "Always" "readinessProbe" $probe) }}
    {{- else }}
      {{- $command = append $command (printf "--adapters=%s" (include "vllm.lora.list" . | include "vllm.literal")) }}
      {{- if not $resources }}{{ $resources = include "vllm.resources.before" . | fromYaml }}{{ end }}
    {{- end }}
    {{- with $resources }}{{ $_ := set $container "resources" . }}{{ end }}
    {{- $containers = list (set $container "command" $command) }}
  {{- end }}
  {{- toJson $containers }}
{{- end }}

{{/*
JSON list: of the engine's variables those with which the Hub is reached, and the engine asked. Without word from the
user the Hub's own protocol is off, as in the download Job: its memory is not for a container beside an engine.
*/}}
{{- define "vllm.lora.env" -}}
  {{- $own := "HOME$|USER$|XDG_|VLLM_API_KEY$|ADAPTER_" }}
  {{- $needed := printf "^(%s|HF_|HUGGING|SSL_|REQUESTS_|CURL_|(?i)(https?|all|no)_proxy$)" $own }}
  {{- $env := list (dict "name" "NVIDIA_VISIBLE_DEVICES" "value" "void") }}
  {{- range include "vllm.env" . | fromYamlArray }}
    {{- /* Offline because of the download, the engine is; a sidecar fetches what is added to the list. */}}
    {{- $because := and $.Values.lora.reload $.Values.download.enabled (eq .name "HF_HUB_OFFLINE") }}
    {{- if and (regexMatch $needed .name) (not $because) }}{{ $env = append $env . }}{{ end }}
  {{- end }}
  {{- if not (or .Values.download.xet (hasKey (.Values.env | default dict) "HF_HUB_DISABLE_XET")) }}
    {{- $env = append $env (dict "name" "HF_HUB_DISABLE_XET" "value" "1") }}
  {{- end }}
  {{- toJson $env }}
{{- end }}
