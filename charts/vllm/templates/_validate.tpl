{{/*
The rules across values, which a schema cannot say. Each define below returns one line per broken rule,

    key: what is wrong: what to write instead

and "vllm.validate" reports them all together. Whoever only has Helm gets every answer at once.
*/}}

{{- define "vllm.validate" -}}
{{- $lines := list }}
{{- range $room := list "model" "image" "gpu" "args" "resources" "storage" "lifecycle" "network" "env" "pod" }}
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
{{- if not $id }}
model.id: no model is named: write a Hub id (organisation/name) or the path of a directory in a mounted volume
{{- end }}
{{- if regexMatch "^(https?://|hf\\.co/|huggingface\\.co/)" $id }}
model.id: {{ $id }} is a URL: write organisation/name
{{- end }}
{{- if and (hasPrefix "/" $id) .Values.model.revision }}
model.revision: {{ $id }} is a directory, which has no revisions: leave it empty
{{- end }}
{{- if hasPrefix "hf_" (.Values.hub.tokenSecretRef.name | default "") }}
hub.tokenSecretRef.name: this looks like a token: put it in a Secret and write the Secret's name
{{- end }}
{{- range $key, $ref := dict "hub.tokenSecretRef" .Values.hub.tokenSecretRef "auth.apiKeySecretRef" .Values.auth.apiKeySecretRef }}
{{- if and $ref.name (not $ref.key) }}
{{ $key }}.key: empty: write which key of Secret {{ $ref.name }} holds the value
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.image" }}
{{- with .Values.image }}
{{- $repository := .repository | default "" }}
{{- if contains "@" $repository }}
image.repository: {{ $repository }} has a digest in it: write it in image.digest
{{- else if contains ":" (splitList "/" $repository | last) }}
image.repository: {{ $repository }} has a tag in it: write it in image.tag
{{- end }}
{{- if and (eq (.tag | default "") "latest") (not .digest) }}
image.tag: latest is another image tomorrow: write a version, or leave it empty for {{ $.Chart.AppVersion }}
{{- end }}
{{- if and (has $repository (list "" "vllm/vllm-openai" "vllm/vllm-openai-cpu")) (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+" (.tag | default "")) }}
image.tag: vLLM's tags begin with a v: write v{{ .tag }}
{{- end }}
{{- if and (eq $.Values.engine.device "cpu") (eq $repository "vllm/vllm-openai") }}
image.repository: vllm/vllm-openai is the CUDA build, which finds no device on a CPU: leave it empty, or write vllm/vllm-openai-cpu
{{- end }}
{{- if and (eq $.Values.engine.device "cuda") (hasPrefix "vllm/vllm-openai-cpu" $repository) }}
engine.device: {{ $repository }} is the CPU build: write engine.device: cpu
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.gpu" }}
{{- $count := include "vllm.gpuCount" . | int }}
{{- with .Values.parallelism }}
{{- $product := include "vllm.workers" $ | int }}
{{- if and (eq $.Values.engine.device "cuda") $count (ne $product $count) }}
parallelism: {{ include "vllm.tensorParallelSize" $ }} (tensor) x {{ .pipelineParallelSize }} (pipeline) x {{ .dataParallelSize }} (data) is {{ $product }} GPUs, but gpu.count is {{ $count }}: write sizes whose product is gpu.count, or gpu.count: {{ $product }}
{{- end }}
{{- end }}
{{- range $kind := list "limits" "requests" }}
{{- range $name, $_ := dig $kind dict ($.Values.resources | default dict) }}
{{- if or (eq $name $.Values.gpu.resourceName) (regexMatch "/(gpu|mig-|gaudi|tpu|npu|neuron|i915|xe|Ascend)" $name) }}
resources.{{ $kind }}.{{ $name }}: GPUs are not asked for here: write gpu.count{{ if ne $name $.Values.gpu.resourceName }} and gpu.resourceName: {{ $name }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.args" }}
{{- $owned := .Files.Get "files/owned-flags.yaml" | fromYaml }}
{{- range $argument := .Values.engine.extraArgs }}
{{- $flag := regexFind "^--[A-Za-z][A-Za-z0-9_-]*" $argument | trimPrefix "--" | replace "_" "-" }}
{{- with get $owned $flag }}
engine.extraArgs: --{{ $flag }} is the chart's own: {{ . }}
{{- end }}
{{- if and $flag (hasKey ($.Values.engine.args | default dict) $flag) }}
engine.extraArgs: --{{ $flag }} is in engine.args as well: write it once
{{- end }}
{{- if regexMatch "^--?[A-Za-z][A-Za-z0-9_-]* +\\S" $argument }}
engine.extraArgs: {{ toRawJson $argument }} is one word to the engine: write it with =, or as two items
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.resources" }}
{{- $limits := dig "limits" dict (.Values.resources | default dict) | default dict }}
{{- $requests := dig "requests" dict (.Values.resources | default dict) | default dict }}
{{- $sound := true }}
{{- range $kind, $quantities := dict "limits" $limits "requests" $requests }}
{{- range $name, $quantity := $quantities }}
{{- if and (not (kindIs "invalid" $quantity)) (not (regexMatch "^[0-9]+(\\.[0-9]+)?([eE][0-9]+|m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$" (include "vllm.text" $quantity))) }}
{{- $sound = false }}
resources.{{ $kind }}.{{ $name }}: {{ $quantity }} is not a Kubernetes quantity: write a number with a suffix such as m, G or Gi
{{- end }}
{{- end }}
{{- end }}
{{- if $sound }}
{{- range $name, $request := $requests }}
{{- $limit := get $limits $name }}
{{- if and $limit $request (gt (include "vllm.quantity" $request | float64) (include "vllm.quantity" $limit | float64)) }}
resources.requests.{{ $name }}: {{ $request }} is more than the limit of {{ $limit }}: write a smaller request or a larger limit
{{- end }}
{{- end }}
{{- if and $limits.memory (ge (include "vllm.shm.sizeLimit" . | include "vllm.quantity" | float64) (include "vllm.quantity" $limits.memory | float64)) }}
shm.sizeLimit: {{ include "vllm.shm.sizeLimit" . }} of /dev/shm does not fit in the memory limit of {{ $limits.memory }}, in which it counts: write a smaller shm.sizeLimit or a larger resources.limits.memory
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.storage" }}
{{- with .Values.persistence }}
{{- if and .existingClaim (not .enabled) }}
persistence.enabled: false, but persistence.existingClaim names {{ .existingClaim }}: write enabled: true, or leave out existingClaim
{{- end }}
{{- $modes := .accessModes | default (ternary list (list "ReadWriteOnce") (not (empty .existingClaim))) }}
{{- $shared := or (has "ReadWriteMany" $modes) (has "ReadOnlyMany" $modes) }}
{{- if and .enabled $modes (not $shared) }}
{{- if gt (int $.Values.replicaCount) 1 }}
persistence.accessModes: {{ $.Values.replicaCount }} replicas cannot share a {{ first $modes }} volume: write accessModes: [ReadWriteMany], or replicaCount: 1
{{- end }}
{{- $strategy := $.Values.strategy | default dict }}
{{- if and (ne ($strategy.type | default "RollingUpdate") "Recreate") (gt (include "vllm.rollout.pods" (list (dig "rollingUpdate" "maxSurge" nil $strategy) $.Values.replicaCount true) | int) 0) }}
strategy.rollingUpdate.maxSurge: a surge pod cannot mount the {{ first $modes }} volume that the old pod holds, and the rollout hangs: write maxSurge: 0 and maxUnavailable: 1, or accessModes: [ReadWriteMany]
{{- end }}
{{- end }}
{{- end }}
{{- $names := list "shm" "tmp" "cache" }}
{{- if .Values.caBundle.configMapName }}{{ $names = append $names "ca-bundle" }}{{ end }}
{{- $remedies := dict "shm" "write shm.sizeLimit instead" "cache" "write persistence instead" "tmp" "leave it out" "ca-bundle" "write caBundle instead" }}
{{- range $volume := compact (.Values.volumes | default list) }}
{{- if and (has $volume.name $names) (hasKey $remedies $volume.name) }}
volumes: {{ $volume.name }} is the chart's own: {{ get $remedies $volume.name }}, or use another name
{{- else if has $volume.name $names }}
volumes: {{ $volume.name }} is there twice: give each volume a name of its own
{{- end }}
{{- $names = append $names $volume.name }}
{{- end }}
{{- $paths := list "/dev/shm" "/tmp" (.Values.persistence.mountPath | trimSuffix "/") }}
{{- range $mount := compact (.Values.volumeMounts | default list) }}
{{- if not (has $mount.name $names) }}
volumeMounts: {{ $mount.name }} is not a volume of the pod: add it to volumes, or write one of {{ join ", " $names }}
{{- end }}
{{- $path := $mount.mountPath | trimSuffix "/" }}
{{- if has $path $paths }}
volumeMounts: {{ $path }} is mounted already{{ if eq $path "/dev/shm" }}: write shm.sizeLimit{{ else if eq $path "/tmp" }}: leave it out{{ else }}: write another mountPath, or persistence.mountPath{{ end }}
{{- end }}
{{- $paths = append $paths $path }}
{{- end }}
{{- end }}

{{- define "vllm.validate.lifecycle" }}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- $probe := get $.Values $name | default dict }}
{{- $handlers := list }}
{{- range $handler := list "httpGet" "tcpSocket" "exec" "grpc" }}
{{- if get $probe $handler }}{{ $handlers = append $handlers $handler }}{{ end }}
{{- end }}
{{- if gt (len $handlers) 1 }}
{{ $name }}: {{ join " and " $handlers }} are two ways to ask: keep one
{{- end }}
{{- if and (ne $name "readinessProbe") (gt (dig "successThreshold" 1 $probe | default 1 | int) 1) }}
{{ $name }}.successThreshold: Kubernetes allows only 1 here: leave it out
{{- end }}
{{- end }}
{{- if dig "terminationGracePeriodSeconds" 0 (.Values.readinessProbe | default dict) }}
readinessProbe.terminationGracePeriodSeconds: a readiness probe kills nothing: leave it out
{{- end }}
{{- with .Values.strategy }}
{{- $type := .type | default "RollingUpdate" }}
{{- if not (has $type (list "RollingUpdate" "Recreate")) }}
strategy.type: {{ $type }} is not one of a Deployment: write RollingUpdate or Recreate
{{- end }}
{{- with .rollingUpdate }}
{{- range $key, $value := pick . "maxSurge" "maxUnavailable" }}
{{- if and (kindIs "string" $value) (not (regexMatch "^[0-9]+%$" $value)) }}
strategy.rollingUpdate.{{ $key }}: {{ $value }} is neither a number nor a percentage: write 1 or 25%
{{- end }}
{{- end }}
{{- if and (eq $type "RollingUpdate") (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) }}
strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so that nothing could ever roll: write maxUnavailable: 1, or maxSurge: 1 with spare GPUs
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
{{- $min := include "vllm.text" .minAvailable }}
{{- $max := include "vllm.text" .maxUnavailable }}
{{- $usesMin := not (has $min (list "" "null")) }}
{{- if and .enabled (gt (int $.Values.replicaCount) 0) }}
{{- if and $usesMin (or (eq $min "100%") (and (regexMatch "^[0-9]+$" $min) (ge (int $min) (int $.Values.replicaCount)))) }}
podDisruptionBudget.minAvailable: {{ $min }} of {{ $.Values.replicaCount }} replicas blocks every node drain for ever: write less, or leave it empty and write maxUnavailable: 1
{{- else if and (not $usesMin) (has $max (list "0" "0%" "")) }}
podDisruptionBudget.maxUnavailable: {{ $max | default "empty" }} blocks every node drain for ever: write 1 or more
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.network" }}
{{- with .Values.service }}
{{- if and .nodePort (eq .type "ClusterIP") }}
service.nodePort: a ClusterIP Service has none: write service.type: NodePort, or leave it out
{{- end }}
{{- if and (eq (.clusterIP | default "") "None") (ne .type "ClusterIP") }}
service.clusterIP: a {{ .type }} Service cannot be headless: write service.type: ClusterIP, or leave clusterIP empty
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
{{- if and .externalTrafficPolicy (eq .type "ClusterIP") }}
service.externalTrafficPolicy: a ClusterIP Service has no external traffic: write another service.type, or leave it empty
{{- end }}
{{- end }}
{{- end }}
{{- range $key, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "service.labels" .Values.service.labels }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" }}
{{- if hasKey ($labels | default dict) $label }}
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
{{- if not (kindIs "invalid" $value) }}
{{- with get $owned $name }}
env.{{ $name }}: the chart's own: {{ . }}
{{- end }}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_.-]*$" $name) }}
env.{{ $name }}: not a name for a variable: write letters, digits and underscores
{{- end }}
{{- if kindIs "map" $value }}
{{- if and $value.valueFrom (hasKey $value "value") }}
env.{{ $name }}: has both value and valueFrom: keep one
{{- else if not (or $value.valueFrom (hasKey $value "value")) }}
env.{{ $name }}: has neither value nor valueFrom: write one, or plain text
{{- end }}
{{- else if regexMatch "(^|_)(SECRET_ACCESS_KEY|SESSION_TOKEN|PASSWORD|API_KEY|TOKEN)$" $name }}
{{- if not (hasKey $owned $name) }}
env.{{ $name }}: a secret written in values is no secret: write {valueFrom: {secretKeyRef: {name: …, key: …}}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $references := include "vllm.env.references" .Values.env | fromYamlArray }}
{{- range $name, $value := .Values.env }}
{{- if and (kindIs "map" $value) (has $name $references) }}
{{- range include "vllm.env.references" (dict $name $value) | fromYamlArray }}
{{- if and (has . $references) (ge . $name) }}
env.{{ $name }}: refers to {{ . }}, which comes after it in the alphabet and is not known yet: rename one of them
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.pod" }}
{{- $names := list "vllm" }}
{{- range $key := list "initContainers" "extraContainers" }}
{{- range $container := compact (get $.Values $key | default list) }}
{{- if has $container.name $names }}
{{ $key }}: the name {{ $container.name }} is taken: give each container a name of its own
{{- end }}
{{- $names = append $names $container.name }}
{{- end }}
{{- end }}
{{- $pod := .Values.podSecurityContext | default dict }}
{{- $container := .Values.securityContext | default dict }}
{{- $user := dig "runAsUser" (dig "runAsUser" nil $pod) $container }}
{{- if and (dig "runAsNonRoot" (dig "runAsNonRoot" false $pod) $container) (not (kindIs "invalid" $user)) (eq (int $user) 0) }}
podSecurityContext.runAsUser: 0 is root, which runAsNonRoot: true forbids: write another UID (the image's own is 2000), or runAsNonRoot: false
{{- end }}
{{- if and $container.privileged (eq (toString $container.allowPrivilegeEscalation) "false") }}
securityContext.allowPrivilegeEscalation: a privileged container cannot forbid it: write true, or leave out privileged
{{- end }}
{{- end }}
