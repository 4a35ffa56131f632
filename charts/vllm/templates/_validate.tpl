{{/*
The rules across values, which a schema cannot say. Each define below returns one line per broken rule,

    key: what is wrong: what to write instead

and "vllm.validate" reports them all together. Whoever only has Helm gets every answer at once. Those about the pod are in
_validate_pod.tpl.
*/}}

{{- define "vllm.validate" -}}
{{- $lines := list }}
{{- range $room := list "model" "image" "gpu" "args" "stock" "resources" "storage" "lifecycle" "network" "env" "containers" "pod" "objects" "text" }}
{{- range include (printf "vllm.validate.%s" $room) $ | splitList "\n" }}
{{- with trim . }}{{ $lines = append $lines (printf "  - %s" .) }}{{ end }}
{{- end }}
{{- end }}
{{- if $lines }}
{{- printf "\n\nThese values cannot work:\n\n%s\n" (join "\n" $lines) | fail }}
{{- end }}
{{- end }}

{{- define "vllm.validate.model" }}
{{- $id := .Values.model.id | default "" }}
{{- $stock := not (or .Values.image.repository .Values.command) }}
{{- if not $id }}
model.id: no model is named: write a Hub id (organisation/name) or the path of a directory in a mounted volume
{{- else if regexMatch "^(https?://|hf\\.co/|huggingface\\.co/)" $id }}
model.id: {{ $id }} is a URL: write organisation/name
{{- else if and (regexMatch "^[^/.~][^/:]*/([^/]+/|$)" $id) (not (hasSuffix ".gguf" $id)) }}
model.id: {{ $id }} is neither organisation/name nor a path from the root: write one of them
{{- else if hasPrefix "~/" $id }}
model.id: no shell expands {{ $id }}: write the whole path, from the root
{{- else if and $stock (regexMatch "^(hf|huggingface|file|pvc|oci|docker|ollama|modelscope)://" $id) }}
model.id: vLLM does not read {{ regexFind "^[a-z]+" $id }} addresses: write organisation/name, the path of a directory in a mounted volume, or an s3:// or gs:// address
{{- else if and $stock (regexMatch "^[^/@]+/[^/@]+@[^/@]+$" $id) }}
model.id: {{ $id }} names a revision, which is none of the name: write {{ regexReplaceAll "@.*" $id "" }}, and model.revision: {{ regexReplaceAll ".*@" $id "" }}
{{- end }}
{{- if and (regexMatch "^/|://" $id) .Values.model.revision }}
model.revision: {{ $id }} is a directory or a bucket, which has no revisions: leave it empty
{{- end }}
{{- /* Somebody else's image, command or init container may bring the files. */}}
{{- if and $stock (not .Values.initContainers) }}
{{- $volumes := include "vllm.volumesAt" (list . $id) | fromYamlArray }}
{{- $any := or .Values.persistence.enabled (compact (.Values.volumeMounts | default list)) }}
{{- if and (regexMatch "^\\.{0,2}/" $id) (not $volumes) }}
model.id: nothing is mounted at {{ $id }}: add the volume with the model to volumes and volumeMounts, or write a Hub id
{{- else if and $volumes (not .Values.extraContainers) (not (has "filled" $volumes)) }}
model.id: {{ $id }} is in an emptyDir, which is empty in every new pod: write a volume that holds the model, or an init container that fetches it
{{- else if and .Values.hub.offline (not $any) (not (contains "://" $id)) }}
hub.offline: {{ $id }} can be neither downloaded nor found in an empty cache: write the path of a mounted model in model.id, or persistence.enabled: true with a claim that holds it
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.image" }}
{{- with .Values.image }}
{{- $repository := .repository | default "" }}
{{- $tag := .tag | default "" }}
{{- if and (regexMatch "^latest(-|$)" $tag) (not .digest) }}
image.tag: {{ $tag }} is another image tomorrow: write a version, or leave it empty for {{ $.Chart.AppVersion }}
{{- else if and (has $repository (list "" "vllm/vllm-openai" "vllm/vllm-openai-cpu")) (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+" $tag) }}
image.tag: vLLM's tags begin with a v: write v{{ $tag }}
{{- else if and (regexMatch "^(.*/)?vllm/vllm-openai(-cpu)?$" ($repository | default "vllm/vllm-openai")) (regexMatch "^v0\\.[0-9]+\\.[0-9]+" $tag) (semverCompare "<0.18.0-0" (regexFind "^v0\\.[0-9]+\\.[0-9]+" $tag)) }}
image.tag: {{ $tag }} is too old to be stopped gracefully (--shutdown-timeout): write v0.22.0 or later, or leave it empty for {{ $.Chart.AppVersion }}
{{- end }}
{{- if and (eq $.Values.engine.device "cpu") (regexMatch "(^|/)vllm/vllm-openai$" $repository) }}
image.repository: {{ $repository }} is the CUDA build, which finds no device on a CPU: leave it empty, or write vllm/vllm-openai-cpu
{{- else if and (eq $.Values.engine.device "cuda") (regexMatch "(^|/)vllm/vllm-openai-cpu$" $repository) }}
engine.device: {{ $repository }} is the CPU build: write engine.device: cpu
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.gpu" }}
{{- $count := include "vllm.gpuCount" . | int }}
{{- $workers := include "vllm.workers" . | int }}
{{- with .Values.parallelism }}
{{- if and (eq $.Values.engine.device "cuda") $count (ne $workers $count) }}
parallelism: {{ include "vllm.tensorParallelSize" $ }} (tensor) x {{ .pipelineParallelSize }} (pipeline) x {{ .dataParallelSize }} (data) is {{ $workers }} GPUs, but gpu.count is {{ $count }}: write sizes whose product is gpu.count, or gpu.count: {{ $workers }}
{{- else if regexMatch "^([^/]*\\.)?kubernetes\\.io/" $.Values.gpu.resourceName }}
gpu.resourceName: {{ $.Values.gpu.resourceName }} is in Kubernetes' own domain, where there are no devices: write what the node advertises, such as nvidia.com/gpu
{{- else if and (hasSuffix ".shared" $.Values.gpu.resourceName) (gt $count 1) }}
gpu.count: two shares may be of the same GPU, and bring no more memory: write gpu.count: 1, or whole GPUs
{{- else if and (contains "/mig-" $.Values.gpu.resourceName) (gt $count 1) }}
gpu.count: a model cannot span slices of a GPU, which have no way to talk to each other: write gpu.count: 1 and a larger slice, or whole GPUs
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.args" }}
{{- $owned := .Files.Get "files/owned-flags.yaml" | fromYaml }}
{{- $kinds := .Files.Get "files/flags.json" | fromJson }}
{{- $args := deepCopy (.Values.engine.args | default dict) }}
{{- include "vllm.deleteNulls" $args }}
{{- $extra := join " " .Values.engine.extraArgs | replace "_" "-" }}
{{- $version := include "vllm.knownVersion" . }}
{{- range $flag, $needed := $kinds.needs }}
{{- if and (get $args $flag) (not (get $args $needed)) (not (contains (printf "--%s" $needed) $extra)) }}
engine.args.{{ $flag }}: vLLM takes it only with {{ $needed }}: write engine.args.{{ $needed }} too, or leave it out
{{- end }}
{{- end }}
{{- range $flag, $needed := $kinds.needsToStart }}
{{- if and (get $args $flag) (not (hasKey $args $needed)) (not (contains (printf "--%s" $needed) $extra)) }}
engine.args.{{ $flag }}: vLLM loads the model and then ends without {{ $needed }}: write engine.args.{{ $needed }}: true too
{{- end }}
{{- end }}
{{- range $flag := $kinds.onlyJson }}
{{- $text := get $args $flag | default "" }}
{{- if and (kindIs "string" $text) (not (regexMatch "^(?i)\\s*(none|null)?\\s*$" $text)) (not (contains "$(" $text)) }}
{{- if or (not (regexMatch "^\\s*[{\\[]" $text)) (hasKey (printf "{\"a\":%s}" $text | fromJson) "Error") }}
engine.args.{{ $flag }}: {{ toJson $text }} is not JSON, which vLLM reads here: write a map or a list instead of a text
{{- end }}
{{- end }}
{{- end }}
{{- if eq (get $args "max-model-len" | include "vllm.text") "0" }}
engine.args.max-model-len: no token fits into 0: write a number of tokens, auto, or leave it out
{{- end }}
{{- $quantization := get $args "quantization" | include "vllm.text" }}
{{- range get $kinds.quantizations $version | default list }}
{{- if and (ne . (lower $quantization)) (eq (replace "-" "_" .) (replace "-" "_" (lower $quantization))) }}
engine.args.quantization: vLLM spells it otherwise than {{ $quantization }}: write {{ . }}
{{- end }}
{{- end }}
{{- range $flag, $most := $kinds.atMost }}
{{- $value := get $args $flag | include "vllm.text" }}
{{- $limit := get $args $most | include "vllm.text" }}
{{- if and (regexMatch "^[1-9][0-9]*$" $value) (regexMatch "^[1-9][0-9]*$" $limit) (gt (int64 $value) (int64 $limit)) }}
engine.args.{{ $flag }}: {{ $value }} is more than the {{ $limit }} of {{ $most }}: write {{ $limit }} or less, or a larger {{ $most }}
{{- end }}
{{- end }}
{{- range $flag, $value := $args }}
{{- if and (hasPrefix "no-" $flag) (kindIs "bool" $value) (not $value) }}
engine.args.{{ $flag }}: false says no twice: write {{ trimPrefix "no-" $flag }}: true
{{- end }}
{{- if and (hasPrefix "no-" $flag) (hasKey $args (trimPrefix "no-" $flag)) }}
engine.args.{{ $flag }}: {{ trimPrefix "no-" $flag }} is there as well: write one of them
{{- end }}
{{- if and (hasSuffix "-port" $flag) (eq (include "vllm.text" $value) (include "vllm.text" $.Values.containerPort)) }}
engine.args.{{ $flag }}: {{ include "vllm.text" $value }} is the HTTP port (containerPort): write another one
{{- end }}
{{- include "vllm.validate.expansion" (list $ (printf "engine.args.%s" $flag) (include "vllm.text" $value)) }}
{{- end }}
{{- /* Whose flags they are: another program or a fork may have others. */}}
{{- $vllm := and (regexMatch "^(.*/)?(vllm-openai(-cpu)?)?$" (.Values.image.repository | default "")) (or (not .Values.command) (eq (last .Values.command) "serve")) }}
{{- range $index, $argument := .Values.engine.extraArgs }}
{{- if and (eq $index 0) (not (hasPrefix "-" $argument)) }}
engine.extraArgs: {{ toJson $argument }} belongs to no flag: begin with one (--flag), and write another program in command
{{- end }}
{{- $flag := regexFind "^--?[A-Za-z][A-Za-z0-9_-]*" $argument | trimAll "-" | replace "_" "-" }}
{{- with get $owned $flag }}
engine.extraArgs: --{{ $flag }} is the chart's own: {{ . }}
{{- end }}
{{- if has $flag (list "ssl-certfile" "kv-offloading-size" "kv-cache-memory-bytes") }}
engine.extraArgs: --{{ $flag }} changes what else the chart renders, which reads it in one place only: write engine.args.{{ $flag }}
{{- end }}
{{- range uniq (list $flag (trimPrefix "no-" $flag) (printf "no-%s" $flag)) }}
{{- if and $flag (hasKey $args .) }}
engine.extraArgs: --{{ $flag }} is in engine.args as well ({{ . }}): write it once
{{- end }}
{{- end }}
{{- $all := get $kinds.flags $version | default "" }}
{{- if and (regexMatch "^--[A-Za-z][A-Za-z0-9_-]*([.=]|$)" $argument) $all $vllm (not (contains (printf " %s" (trimPrefix "no-" $flag)) $all)) }}
engine.extraArgs: vLLM {{ $version }} has no --{{ $flag }}: {{ get $kinds.advice $flag | default "correct it, or leave it out" }}
{{- else if and (regexMatch "^-[a-z][a-z0-9]*[-_]" $argument) }}
engine.extraArgs: {{ toJson $argument }} begins with one dash: write -{{ $argument }}
{{- end }}
{{- if regexMatch "^--?[A-Za-z][A-Za-z0-9_-]*\\s+\\S" $argument }}
engine.extraArgs: {{ toJson $argument }} is one word to the engine: write it with =, or as two items
{{- end }}
{{- include "vllm.validate.expansion" (list $ "engine.extraArgs" $argument) }}
{{- end }}
{{- with .Values.command }}
{{- $line := join " " . }}
{{- if regexMatch "^(|.*\\s.*)$" (first .) }}
command: {{ first . | toJson }} is no program: write one word per item: [vllm, serve]
{{- else if regexMatch "^(.*/)?vllm( serve [^-].*|)$" $line }}
command: {{ $line }} is not what takes the chart's arguments, which begin with the model: leave command empty, or end it with vllm, serve
{{- else if regexMatch "(^| )vllm\\.entrypoints\\.(openai\\.)?api_server( |$)" $line }}
command: {{ $line }} is not vllm serve and takes no model by its place: leave command empty, or end it with vllm, serve
{{- else if and (regexMatch "^(.*/)?(ba|da|z|a)?sh$" (first .)) (regexMatch " -[a-z]*c( |$)" $line) (not (regexMatch "\\$\\{?[@*]" $line)) }}
command: a shell would not hand the chart's arguments on: leave command empty, or end the script with exec vllm serve "$0" "$@"
{{- end }}
{{- end }}
{{- end }}

{{/*
Lines for what holds for vLLM's own image. One of somebody else's may bring files, and plugins that register other names.
*/}}
{{- define "vllm.validate.stock" }}
{{- if not .Values.image.repository }}
{{- $kinds := .Files.Get "files/flags.json" | fromJson }}
{{- $args := .Values.engine.args | default dict }}
{{- $extra := join " " .Values.engine.extraArgs | replace "_" "-" }}
{{- $version := include "vllm.knownVersion" . }}
{{- range $flag, $names := get $kinds.names $version | default dict }}
{{- $name := get $args $flag | include "vllm.text" }}
{{- $plugin := printf "%s-plugin" ($flag | replace "tool-call" "tool") }}
{{- if and $name (not (has $name $names)) (ne (lower $name) "none") (not (or (contains "." $name) (contains "$(" $name))) (not (get $args $plugin)) (not (contains $plugin $extra)) }}
engine.args.{{ $flag }}: vLLM {{ $version }} does not know {{ $name }}: write one of {{ join ", " $names }}
{{- end }}
{{- end }}
{{- range $flag := $kinds.maps }}
{{- if kindIs "slice" (get $args $flag) }}
engine.args.{{ $flag }}: vLLM reads an object here: write a map, or use --set-json, because --set takes JSON apart at its commas and braces
{{- end }}
{{- end }}
{{- /* Directories that the image has, or that a secrets agent adds to the pod. */}}
{{- $image := "/vllm-workspace|/usr|/opt|/etc/ssl|/etc/pki|/etc/vllm|/home|/root|/tmp|/dev|/var|/run|/vault" }}
{{- $there := printf "^(%s|%s)/" $image (.Values.persistence.mountPath | trimSuffix "/" | regexQuoteMeta) }}
{{- $users := list (.Values.podSecurityContext | default dict).runAsUser (.Values.securityContext | default dict).runAsUser }}
{{- $paths := list }}
{{- range $flag := list "chat-template" "download-dir" "hf-config-path" "reasoning-parser-plugin" "ssl-ca-certs" "ssl-certfile" "ssl-keyfile" "tokenizer" "tool-parser-plugin" }}
{{- $paths = append $paths (list $flag (get $args $flag | include "vllm.text")) }}
{{- end }}
{{- $adapters := get $args "lora-modules" }}
{{- range $adapter := ternary $adapters (list $adapters) (kindIs "slice" $adapters) }}
{{- $path := include "vllm.text" $adapter | regexFind "=/.*" | trimPrefix "=" }}
{{- if kindIs "map" $adapter }}{{ $path = include "vllm.text" $adapter.path }}{{ end }}
{{- $paths = append $paths (list "lora-modules" $path) }}
{{- end }}
{{- range $paths }}
{{- $flag := first . }}
{{- $path := last . }}
{{- $mounted := or (regexMatch $there (printf "%s/" $path)) (include "vllm.volumesAt" (list $ $path) | fromYamlArray) }}
{{- /* Root may make a directory anywhere. */}}
{{- $made := and (eq $flag "download-dir") (has "0" (list (first $users | include "vllm.text") (last $users | include "vllm.text"))) }}
{{- if and (regexMatch `^/[^\s{$]+$` $path) (not (or $mounted $made $.Values.command)) }}
engine.args.{{ $flag }}: nothing is mounted at {{ $path }}: add its volume to volumes and volumeMounts{{ if eq $flag "download-dir" }}, or leave it out{{ end }}
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
{{ index $ 1 }}: no shell expands {{ . }}: write $({{ $name }})
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.lifecycle" }}
{{- include "vllm.validate.probes" (list "" .Values (list "http")) }}
{{- /* Another container, image or command may listen on other ports; so does vLLM, with this flag. */}}
{{- $others := concat (.Values.extraContainers | default list) (.Values.initContainers | default list) (.Values.command | default list) | compact }}
{{- $flags := join " " (concat (keys (.Values.engine.args | default dict)) (.Values.engine.extraArgs | default list)) }}
{{- if not (or $others .Values.image.repository (contains "data-parallel-multi-port-external-lb" $flags)) }}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- range pick (get $.Values $name | default dict) "httpGet" "tcpSocket" }}
{{- if and . (not (kindIs "string" .port)) (ne (int .port) (int $.Values.containerPort)) }}
{{ $name }}: nothing listens on {{ .port }}: write port: http, or the engine's port in containerPort
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.livenessProbe }}
{{- if not (or $.Values.startupProbe .initialDelaySeconds) }}
startupProbe: without one the liveness probe kills a model that loads for longer than {{ mul (.failureThreshold | default 3) (.periodSeconds | default 10) }} seconds: leave startupProbe out, or write livenessProbe.initialDelaySeconds
{{- end }}
{{- end }}
{{- $budget := include "vllm.startup.budgetSeconds" . | int }}
{{- if and (ne (int .Values.startup.budgetSeconds) 1800) (lt $budget (int .Values.startup.budgetSeconds)) }}
startupProbe.failureThreshold: with it the probe gives up after {{ $budget }} seconds, before the {{ int .Values.startup.budgetSeconds }} of startup.budgetSeconds: leave it out
{{- end }}
{{- with .Values.strategy }}
{{- $rolling := .rollingUpdate | default dict }}
{{- if and (ne (.type | default "") "Recreate") (regexMatch "^0+%?$" (include "vllm.text" $rolling.maxSurge)) (regexMatch "^0+%?$" (include "vllm.text" $rolling.maxUnavailable)) }}
strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so that nothing could ever roll: write maxUnavailable: 1, or maxSurge: 1 with spare GPUs
{{- end }}
{{- end }}
{{- $replicas := int .Values.replicaCount }}
{{- with .Values.podDisruptionBudget }}
{{- $min := include "vllm.text" .minAvailable }}
{{- if not (and .enabled $replicas) }}
{{- else if and $min (include "vllm.text" .maxUnavailable) }}
podDisruptionBudget: minAvailable and maxUnavailable are two ways to say it: keep one
{{- else if and $min (ge (include "vllm.rollout.pods" (list .minAvailable $replicas true) | int) $replicas) }}
podDisruptionBudget.minAvailable: {{ $min }} of {{ $replicas }} replicas blocks every node drain for ever: write less, or leave it empty and write maxUnavailable: 1
{{- else if and (not $min) (regexMatch "^0+%?$" (include "vllm.text" .maxUnavailable)) }}
podDisruptionBudget.maxUnavailable: {{ include "vllm.text" .maxUnavailable }} blocks every node drain for ever: write 1 or more
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.network" }}
{{- if regexMatch "^[0-9]" (include "vllm.service.name" .) }}
fullnameOverride: {{ include "vllm.service.name" . }} begins with a digit, which the name of a Service may not: write one that begins with a letter
{{- end }}
{{- with .Values.service }}
{{- if and .nodePort (eq .type "ClusterIP") }}
service.nodePort: a ClusterIP Service has none: write service.type: NodePort, or leave it out
{{- end }}
{{- if and (eq (.clusterIP | default "") "None") (ne .type "ClusterIP") }}
service.clusterIP: a {{ .type }} Service cannot be headless: write service.type: ClusterIP, or leave clusterIP empty
{{- end }}
{{- $ports := include "vllm.portNames" $ | fromYamlArray }}
{{- if and .targetPort (kindIs "string" .targetPort) (not (has .targetPort $ports)) }}
service.targetPort: no container has a port named {{ .targetPort }}: write {{ join " or " $ports }}, or a number
{{- else if and .targetPort (not (kindIs "string" .targetPort)) (ne (int .targetPort) (int $.Values.containerPort)) (not (or $.Values.extraContainers $.Values.initContainers)) }}
service.targetPort: nothing listens on {{ .targetPort }} but a container that you add to extraContainers: leave it empty, or write the engine's port in containerPort
{{- end }}
{{- $names := list "http" }}
{{- $numbers := list (printf "%v TCP" .port) }}
{{- $nodePorts := list (printf "%v TCP" .nodePort) }}
{{- range $port := compact (.extraPorts | default list) }}
{{- $number := printf "%v %s" .port (.protocol | default "TCP") }}
{{- if or (has .name $names) (has $number $numbers) }}
service.extraPorts: {{ .name }} ({{ .port }}) is there already: use another name and port
{{- end }}
{{- if and (kindIs "string" .targetPort) (not (has .targetPort $ports)) }}
service.extraPorts: no container has a port named {{ .targetPort }}: write {{ join " or " $ports }}, or a number
{{- end }}
{{- with .nodePort }}
{{- $nodePort := printf "%v %s" . ($port.protocol | default "TCP") }}
{{- if eq $.Values.service.type "ClusterIP" }}
service.extraPorts: {{ $port.name }} has a nodePort, which a ClusterIP Service has not: write service.type: NodePort, or leave it out
{{- else if has $nodePort $nodePorts }}
service.extraPorts: the nodePort {{ . }} of {{ $port.name }} is there already: use another one
{{- end }}
{{- $nodePorts = append $nodePorts $nodePort }}
{{- end }}
{{- $names = append $names .name }}
{{- $numbers = append $numbers $number }}
{{- end }}
{{- if and (eq (.ipFamilyPolicy | default "") "SingleStack") (gt (len (.ipFamilies | default list)) 1) }}
service.ipFamilies: two families are not a single stack: write one, or service.ipFamilyPolicy: PreferDualStack
{{- end }}
{{- $family := ternary "IPv6" "IPv4" (contains ":" (.clusterIP | default "")) }}
{{- if and (regexMatch "[.:]" (.clusterIP | default "")) .ipFamilies (ne (first .ipFamilies) $family) }}
service.clusterIP: {{ .clusterIP }} is {{ $family }}, but the main family is {{ first .ipFamilies }}: write {{ $family }} first in service.ipFamilies, or leave clusterIP empty
{{- end }}
{{- if and .sessionAffinityConfig (ne .sessionAffinity "ClientIP") }}
service.sessionAffinityConfig: only with ClientIP: write service.sessionAffinity: ClientIP
{{- end }}
{{- if ne .type "LoadBalancer" }}
{{- range $key, $value := pick . "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- if $value }}
service.{{ $key }}: only for a load balancer: write service.type: LoadBalancer
{{- end }}
{{- end }}
{{- end }}
{{- if and .externalTrafficPolicy (eq .type "ClusterIP") }}
service.externalTrafficPolicy: a ClusterIP Service has no external traffic: write another service.type, or leave it empty
{{- end }}
{{- end }}
{{- range $key, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "service.labels" .Values.service.labels }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" }}
{{- if get ($labels | default dict) $label }}
{{ $key }}.{{ $label }}: it selects the pods and is the chart's own: write nameOverride or another release name
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.env" }}
{{- $owned := dict
  "HF_TOKEN" "put the token in a Secret and write hub.tokenSecretRef"
  "HUGGING_FACE_HUB_TOKEN" "put the token in a Secret and write hub.tokenSecretRef"
  "HF_ENDPOINT" "write hub.endpoint"
  "HF_HUB_OFFLINE" "write hub.offline"
  "VLLM_API_KEY" "put the key in a Secret and write auth.apiKeySecretRef"
  "VLLM_PORT" "it is not the HTTP port but the base of internal ones: write containerPort"
  "VLLM_ENGINE_READY_TIMEOUT_S" "it is part of the compile cache's key and constant: write startup.budgetSeconds"
  "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH" "a dead engine must end its container: leave it out"
  "PROMETHEUS_MULTIPROC_DIR" "stale files would corrupt the metrics: leave it out" }}
{{- range $name, $value := .Values.env }}
{{- if kindIs "invalid" $value }}
{{- else if hasKey $owned $name }}
env.{{ $name }}: the chart's own: {{ get $owned $name }}
{{- else if regexMatch "^(HF|HUGGING_?FACE)(_?HUB)?_(API_)?(TOKEN|KEY)$" $name }}
env.{{ $name }}: nothing reads it: put the token in a Secret and write hub.tokenSecretRef
{{- else if and (regexMatch "^(CUDA|NVIDIA|HIP|ROCR)_VISIBLE_DEVICES$" $name) (include "vllm.validate.devices.chosen" (list $ $name (include "vllm.text" $value))) }}
env.{{ $name }}: the device plugin chooses the pod's GPU, which this one may not be: leave it out, and choose nodes with nodeSelector
{{- else if and (regexMatch "^VLLM_.*_PORT$" $name) (eq (include "vllm.text" $value) (include "vllm.text" $.Values.containerPort)) }}
env.{{ $name }}: {{ include "vllm.text" $value }} is the HTTP port (containerPort): write another one
{{- else if kindIs "map" $value }}
{{- if and $value.valueFrom (not (kindIs "invalid" $value.value)) }}
env.{{ $name }}: has both value and valueFrom: write null in the place of the one that should go
{{- else if and (not $value.valueFrom) (kindIs "invalid" $value.value) }}
env.{{ $name }}: has neither value nor valueFrom: write one, or plain text
{{- end }}
{{- with $value.valueFrom }}
{{- $sources := include "vllm.validate.set" . | fromYamlArray }}
{{- if ne (len $sources) 1 }}
env.{{ $name }}.valueFrom: has {{ join " and " $sources | default "no source" }}: write one, such as secretKeyRef: {name: …, key: …}
{{- end }}
{{- end }}
{{- with ($value.valueFrom | default dict).fieldRef }}
{{- if has .fieldPath (list "metadata.labels" "metadata.annotations") }}
env.{{ $name }}.valueFrom.fieldRef.fieldPath: all of {{ .fieldPath }} fit into a file only: write {{ .fieldPath }}['…'], or a downwardAPI volume
{{- end }}
{{- end }}
{{- if and (eq $name "PYTHONPATH") $value.valueFrom (include "vllm.middlewares" $ | fromYamlArray) }}
env.PYTHONPATH: nothing can be put before what is only known in the pod, and the engine's middleware has to be: write the path as text, or shutdown.closeConnections: false and hang.seconds: 0
{{- end }}
{{- range include "vllm.env.references" (dict $name $value) | fromYamlArray }}
{{- if eq . $name }}
env.{{ $name }}: refers to itself, and Kubernetes does not know the image's own value: write the whole value
{{- else if has $name (include "vllm.env.order" (list $.Values.env (list .)) | fromYamlArray) }}
env.{{ $name }}: refers to {{ . }}, which refers back to it: write one of them in full
{{- end }}
{{- end }}
{{- else if and (regexMatch "(^|_)(SECRET_ACCESS_KEY|PASSWORD|API_KEY|TOKEN)$" $name) (not (regexMatch "^(?i)(/.*|[0-9]*|true|false|-|empty|none|null|dummy|fake|placeholder|unused|not-?(needed|used)|no-?key(-required)?)$" (include "vllm.text" $value))) }}
env.{{ $name }}: a secret written in values is no secret: write {valueFrom: {secretKeyRef: {name: …, key: …}}}
{{- end }}
{{- end }}
{{- include "vllm.validate.envFrom" (list "envFrom" .Values.envFrom) }}
{{- end }}

{{/* Lines for sources of environments. Takes a list: their key, the sources. */}}
{{- define "vllm.validate.envFrom" }}
{{- range without (last . | default list) nil }}
{{- if ne (include "vllm.validate.set" (pick . "configMapRef" "secretRef") | fromYamlArray | len) 1 }}
{{ first $ }}: {{ toJson . }} has to name one source: write configMapRef or secretRef
{{- end }}
{{- end }}
{{- end }}

{{/*
"true", or nothing: whether a variable chooses among devices, where the plugin has chosen. Indices of those that the pod
has are no choice. Takes a list: root context, name, text.
*/}}
{{- define "vllm.validate.devices.chosen" -}}
{{- $count := include "vllm.gpuCount" (first .) | int }}
{{- $text := last . }}
{{- if not $count }}
{{- else if regexMatch "(^|,)(GPU|MIG)-" $text }}true
{{- else if and (eq (index . 1) "NVIDIA_VISIBLE_DEVICES") (regexMatch "^(all|[0-9,]+)$" $text) }}true
{{- else if regexMatch "^[0-9]+(,[0-9]+)*$" $text }}
{{- range splitList "," $text }}{{ if ge (int .) $count }}true{{ end }}{{ end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.text" }}
{{- range $key, $value := .Values }}
{{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
{{- if regexMatch `[\x7f-\x{9f}\x{fffe}\x{ffff}]` (toRawJson $value) }}
{{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
{{- end }}
{{- end }}
{{- end }}

{{/* YAML list: the keys of a map that are set, not null. */}}
{{- define "vllm.validate.set" -}}
{{- $set := list }}
{{- range $key, $value := . }}{{ if not (kindIs "invalid" $value) }}{{ $set = append $set $key }}{{ end }}{{ end }}
{{- toYaml $set }}
{{- end }}
