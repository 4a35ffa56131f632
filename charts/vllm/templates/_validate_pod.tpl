{{/* The rules across values that are about the pod: its resources, volumes, containers. See _validate.tpl. */}}

{{- define "vllm.validate.resources" }}
{{- $resources := .Values.resources | default dict }}
{{- $limits := $resources.limits | default dict }}
{{- range $key, $given := dict "resources" $resources "test.resources" (.Values.test.resources | default dict) }}
{{- include "vllm.validate.quantities" (list $ $key $given) }}
{{- include "vllm.validate.devices" (list $ $key $given) }}
{{- end }}
{{- $shm := include "vllm.shm.sizeLimit" . }}
{{- if lt (include "vllm.quantity" $shm | float64) 1e6 }}
shm.sizeLimit: {{ $shm }} is {{ include "vllm.quantity" $shm | float64 }} bytes: write a suffix, such as 10Gi
{{- else if and $limits.memory (ge (include "vllm.quantity" $shm | float64) (include "vllm.quantity" $limits.memory | float64)) }}
shm.sizeLimit: {{ $shm }} of /dev/shm does not fit in the memory limit of {{ $limits.memory }}, in which it counts: write a smaller shm.sizeLimit or a larger resources.limits.memory
{{- end }}
{{- $offloaded := get (.Values.engine.args | default dict) "kv-offloading-size" | default 0 | float64 }}
{{- if lt (include "vllm.quantity" $shm | float64) (mulf $offloaded 1073741824) }}
shm.sizeLimit: {{ $shm }} does not hold the {{ $offloaded }} GiB that engine.args.kv-offloading-size keeps there: leave it empty, or write more
{{- end }}
{{- if and (eq .Values.engine.device "cpu") $limits.memory (not (get (.Values.engine.args | default dict) "kv-cache-memory-bytes")) }}
{{- $given := get (.Values.env | default dict) "VLLM_CPU_KVCACHE_SPACE" | default 4 | include "vllm.text" }}
{{- if and (regexMatch "^[0-9]+$" $given) (ge (mulf $given 1073741824) (include "vllm.quantity" $limits.memory | float64)) }}
env.VLLM_CPU_KVCACHE_SPACE: {{ $given }} GiB of KV cache do not fit in the memory limit of {{ $limits.memory }}: write fewer GiB, or a larger resources.limits.memory
{{- end }}
{{- end }}
{{- $claims := list }}
{{- range compact (.Values.resourceClaims | default list) }}
{{- if has .name $claims }}
resourceClaims: {{ .name }} is there twice: give each claim a name of its own
{{- end }}
{{- $claims = append $claims .name }}
{{- if eq (empty .resourceClaimName) (empty .resourceClaimTemplateName) }}
resourceClaims: {{ .name }} needs either a claim or a template: write one of resourceClaimName and resourceClaimTemplateName
{{- end }}
{{- end }}
{{- $given := dict "resources" $resources }}
{{- range $key := list "initContainers" "extraContainers" }}
{{- range $index, $container := get $.Values $key | default list }}
{{- if $container }}{{ $_ := set $given (printf "%s[%d].resources" $key $index) ($container.resources | default dict) }}{{ end }}
{{- end }}
{{- end }}
{{- range $key, $resources := $given }}
{{- range compact ($resources.claims | default list) }}
{{- if not (has .name $claims) }}
{{ $key }}.claims: {{ .name }} is not a claim of the pod: add it to resourceClaims
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes a list: root context, key, resources of a container. */}}
{{- define "vllm.validate.quantities" }}
{{- $resources := index . 2 }}
{{- $names := list }}
{{- range $kind, $quantities := pick $resources "limits" "requests" }}
{{- range $name, $quantity := $quantities }}
{{- $key := printf "%s.%s.%s" (index $ 1) $kind $name }}
{{- $text := include "vllm.text" $quantity }}
{{- $number := include "vllm.quantity" $text | float64 }}
{{- $limit := get ($resources.limits | default dict) $name | include "vllm.text" }}
{{- if $text }}{{ $names = append $names $name }}{{ end }}
{{- if not $text }}
{{- else if not (regexMatch "^(cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMG]i|[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$" $name) }}
{{ $key }}: there is no such resource: write cpu, memory, ephemeral-storage, hugepages-2Mi or vendor.example/device
{{- else if and (contains "/" $name) (ne $number (floor $number)) }}
{{ $key }}: {{ $text }} is not a whole number of devices: write one, such as 1
{{- else if and (has (index $ 1) (list "resources" "test.resources")) (include "vllm.isGpu" (list (first $) $name)) }}
{{- /* "vllm.validate.devices" says what to write. */}}
{{- else if and (eq $kind "requests") (regexMatch "^hugepages-|/" $name) (ne $text $limit) }}
{{ $key }}: has to be limited to the same, because it cannot be shared: write {{ index $ 1 }}.limits.{{ $name }}: {{ $text }}
{{- else if and (eq $kind "requests") $limit (gt $number (include "vllm.quantity" $limit | float64)) }}
{{ $key }}: {{ $text }} is more than the limit of {{ $limit }}: write a smaller request or a larger limit
{{- else if and (eq $name "memory") (lt $number 1e6) }}
{{ $key }}: {{ $text }} is {{ $number }} bytes: write a suffix, such as 16Gi
{{- else if and (eq $name "cpu") (or (gt $number 1e5) (and (eq $kind "limits") (eq $number 0.0))) }}
{{ $key }}: {{ $text }} is {{ include "vllm.text" $number }} cores: write a number of cores, such as 4 or 500m
{{- end }}
{{- end }}
{{- end }}
{{- if and (regexMatch "hugepages-" (join " " $names)) (not (or (has "cpu" $names) (has "memory" $names))) }}
{{ index . 1 }}: Kubernetes gives huge pages only beside cpu or memory: write requests.memory as well
{{- end }}
{{- end }}

{{/* "true" if a resource is a GPU or the like, or nothing. Takes a list: root context, the resource's name. */}}
{{- define "vllm.isGpu" -}}
{{- if or (eq (last .) (first .).Values.gpu.resourceName) (regexMatch "/(gpu(\\.shared)?|mig-.+|gaudi|tpu|npu|neuron(core|device)?|i915|xe|[Aa]scend[^-]*)$" (last .)) }}true{{ end }}
{{- end }}

{{/* Lines for GPUs among resources. Takes a list: root context, key, resources of a container. */}}
{{- define "vllm.validate.devices" }}
{{- $gpu := (first .).Values.gpu.resourceName }}
{{- range $kind, $quantities := pick (index . 2) "limits" "requests" }}
{{- range $name, $quantity := $quantities }}
{{- if and (not (kindIs "invalid" $quantity)) (include "vllm.isGpu" (list (first $) $name)) }}
{{ index $ 1 }}.{{ $kind }}.{{ $name }}: GPUs are not asked for here: write gpu.count{{ if ne $name $gpu }} and gpu.resourceName: {{ $name }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.storage" }}
{{- with .Values.persistence }}
{{- if and .existingClaim (not .enabled) }}
persistence.enabled: false, but persistence.existingClaim names {{ .existingClaim }}: write enabled: true, or leave out existingClaim
{{- end }}
{{- if and .enabled (not .existingClaim) }}
{{- if lt (include "vllm.text" .size | default "0" | include "vllm.quantity" | float64) 1e6 }}
persistence.size: {{ include "vllm.text" .size | default "nothing" }} holds no model: write a size with its suffix, such as 100Gi
{{- end }}
{{- if eq (.accessModes | default list | uniq | join "") "ReadOnlyMany" }}
persistence.accessModes: nothing could ever be written to a new volume that is ReadOnlyMany: write ReadWriteMany, or existingClaim
{{- end }}
{{- end }}
{{- if and (has "ReadWriteOncePod" (.accessModes | default list)) (gt (len (uniq .accessModes)) 1) }}
persistence.accessModes: ReadWriteOncePod cannot be together with another mode: keep one
{{- end }}
{{- $modes := .accessModes | default (ternary list (list "ReadWriteOnce") (not (empty .existingClaim))) }}
{{- $shared := or (has "ReadWriteMany" $modes) (has "ReadOnlyMany" $modes) }}
{{- if and .enabled $modes (not $shared) }}
{{- $replicas := include "vllm.mostReplicas" $ | int }}
{{- if gt $replicas 1 }}
persistence.accessModes: {{ $replicas }} replicas cannot share a {{ first $modes }} volume: write accessModes: [ReadWriteMany], or replicaCount: 1
{{- end }}
{{- if gt (include "vllm.rollout.surge" $ | int) 0 }}
strategy.rollingUpdate.maxSurge: a surge pod cannot mount the {{ first $modes }} volume that the old pod holds, and the rollout hangs: write maxSurge: 0 and maxUnavailable: 1, or accessModes: [ReadWriteMany]
{{- end }}
{{- end }}
{{- end }}
{{- $names := list "shm" "tmp" "lifecycle" "cache" "ca-bundle" }}
{{- $remedies := dict "shm" "write shm.sizeLimit instead" "cache" "write persistence instead" "tmp" "leave it out" "lifecycle" "leave it out" "ca-bundle" "write caBundle instead" }}
{{- range $volume := compact (.Values.volumes | default list) }}
{{- if hasKey $remedies $volume.name }}
volumes: {{ $volume.name }} is the chart's own: {{ get $remedies $volume.name }}, or use another name
{{- else if has $volume.name $names }}
volumes: {{ $volume.name }} is there twice: give each volume a name of its own
{{- end }}
{{- $names = append $names $volume.name }}
{{- $sources := include "vllm.validate.set" (omit $volume "name") | fromYamlArray }}
{{- if gt (len $sources) 1 }}
volumes: {{ $volume.name }} has {{ join " and " $sources }}: keep one
{{- end }}
{{- end }}
{{- $names = include "vllm.volumeNames" . | fromYamlArray }}
{{- $paths := list "/dev/shm" "/tmp" "/etc/vllm/ca" "/etc/vllm/lifecycle" }}
{{- $cache := .Values.persistence.mountPath | trimSuffix "/" }}
{{- if has $cache $paths }}
persistence.mountPath: {{ $cache }} is mounted already: write another path, such as /cache
{{- end }}
{{- $paths = append $paths $cache }}
{{- range $mount := compact (.Values.volumeMounts | default list) }}
{{- if not (has $mount.name $names) }}
volumeMounts: {{ $mount.name }} is not a volume of the pod: add it to volumes, or write one of {{ join ", " $names }}
{{- end }}
{{- if and $mount.subPath $mount.subPathExpr }}
volumeMounts: {{ $mount.name }} has subPath and subPathExpr: keep one
{{- end }}
{{- $path := $mount.mountPath | trimSuffix "/" }}
{{- if has $path $paths }}
volumeMounts: {{ $path }} is mounted already: {{ get (dict "/dev/shm" "write shm.sizeLimit" "/tmp" "leave it out" "/etc/vllm/lifecycle" "leave it out" "/etc/vllm/ca" "write caBundle") $path | default "write another mountPath, or persistence.mountPath" }}
{{- end }}
{{- $paths = append $paths $path }}
{{- end }}
{{- end }}

{{/* Integer as string: replicaCount, or what an autoscaler among the extraObjects may make of it. */}}
{{- define "vllm.mostReplicas" -}}
{{- $most := int .Values.replicaCount }}
{{- range compact (.Values.extraObjects | default list) }}
{{- if and (has .kind (list "HorizontalPodAutoscaler" "ScaledObject")) (kindIs "map" .spec) }}
{{- if eq ((.spec).scaleTargetRef).name (include "vllm.deployment.name" $) }}
{{- /* KEDA's own default. */}}
{{- $most = max $most (.spec.maxReplicas | default (.spec.maxReplicaCount | default 100)) }}
{{- end }}
{{- end }}
{{- end }}
{{- $most }}
{{- end }}

{{/*
YAML list: for each mount of the engine's that a path is in, "filled", or "empty" where it is an emptyDir. Takes a list: root
context, path.
*/}}
{{- define "vllm.volumesAt" -}}
{{- $root := first . }}
{{- $path := last . }}
{{- $cache := ternary (list (dict "name" "cache" "mountPath" $root.Values.persistence.mountPath)) list $root.Values.persistence.enabled }}
{{- $found := list }}
{{- range $mount := concat $cache ($root.Values.volumeMounts | default list) | compact }}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) (printf "%s/" $path) }}
{{- range include "vllm.volumes" $root | fromYamlArray }}
{{- if eq .name $mount.name }}{{ $found = append $found (ternary "empty" "filled" (empty (omit . "name" "emptyDir"))) }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}

{{/* YAML list: the names of the pod's volumes. */}}
{{- define "vllm.volumeNames" -}}
{{- $names := list }}
{{- range include "vllm.volumes" . | fromYamlArray }}{{ $names = append $names .name }}{{ end }}
{{- toYaml $names }}
{{- end }}

{{/* Lines for a container's probes. Takes a list: what stands before their keys, the probes, names of the ports. */}}
{{- define "vllm.validate.probes" }}
{{- $ports := last . }}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- $key := printf "%s%s" (first $) $name }}
{{- with get (index $ 1) $name }}
{{- $handlers := include "vllm.validate.set" (pick . "httpGet" "tcpSocket" "exec" "grpc") | fromYamlArray }}
{{- if gt (len $handlers) 1 }}
{{ $key }}: {{ join " and " $handlers }} are two ways to ask: keep one
{{- else if and (ne $key $name) (not $handlers) }}
{{ $key }}: it does not say what to ask: write httpGet, tcpSocket, grpc or exec
{{- end }}
{{- range $handler := pick . "httpGet" "tcpSocket" }}
{{- if and . (kindIs "string" .port) (not (has .port $ports)) }}
{{ $key }}: the container has no port named {{ .port }}: write {{ append $ports "a number without quotes" | join ", or " }}
{{- end }}
{{- end }}
{{- if and (ne $name "readinessProbe") (gt (int .successThreshold) 1) }}
{{ $key }}.successThreshold: Kubernetes allows only 1 here: leave it out
{{- end }}
{{- if and (eq $name "readinessProbe") .terminationGracePeriodSeconds }}
{{ $key }}.terminationGracePeriodSeconds: a readiness probe kills nothing: leave it out
{{- end }}
{{- else }}
{{- if and (ne $key $name) (kindIs "map" (get (index $ 1) $name)) }}
{{ $key }}: it does not say what to ask: write httpGet, tcpSocket, grpc or exec
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vllm.validate.containers" }}
{{- $names := list "vllm" }}
{{- $taken := dict }}
{{- $volumes := include "vllm.volumeNames" . | fromYamlArray }}
{{- range $key := list "initContainers" "extraContainers" }}
{{- range $index, $container := get $.Values $key | default list }}
{{- if $container }}
{{- $at := printf "%s[%d]" $key $index }}
{{- $once := and (eq $key "initContainers") (ne ($container.restartPolicy | default "") "Always") }}
{{- if has $container.name $names }}
{{ $key }}: the name {{ $container.name }} is taken: give each container a name of its own
{{- end }}
{{- $names = append $names $container.name }}
{{- if not $container.image }}
{{ $key }}: {{ $container.name }} has no image: write image
{{- end }}
{{- $paths := list }}
{{- range compact ($container.volumeMounts | default list) }}
{{- if not (has .name $volumes) }}
{{ $key }}: {{ $container.name }} mounts {{ .name }}, which is not a volume of the pod: add it to volumes, or write one of {{ join ", " $volumes }}
{{- end }}
{{- if has .mountPath $paths }}
{{ $key }}: {{ $container.name }} mounts two volumes at {{ .mountPath }}: write another mountPath
{{- end }}
{{- $paths = append $paths .mountPath }}
{{- end }}
{{- include "vllm.validate.quantities" (list $ (printf "%s.resources" $at) ($container.resources | default dict)) }}
{{- with $container.securityContext }}
{{- include "vllm.validate.user" (list $ (printf "%s.securityContext" $at) (printf "%s.securityContext" $at) .) }}
{{- end }}
{{- range compact ($container.env | default list) }}
{{- if and .value .valueFrom }}
{{ $at }}.env: {{ .name }} has both value and valueFrom: keep one
{{- else if and (kindIs "map" .valueFrom) (ne (len .valueFrom) 1) }}
{{ $at }}.env: {{ .name }} has {{ keys .valueFrom | sortAlpha | join " and " | default "no source" }}: write one, such as secretKeyRef: {name: …, key: …}
{{- end }}
{{- end }}
{{- include "vllm.validate.envFrom" (list (printf "%s.envFrom" $at) $container.envFrom) }}
{{- $ports := list }}
{{- range $field, $value := pick $container "livenessProbe" "readinessProbe" "startupProbe" "lifecycle" }}
{{- if and $once $value }}
{{ $key }}: {{ $container.name }} ends before the engine starts, and cannot have {{ $field }}: leave it out, or write restartPolicy: Always for a sidecar
{{- end }}
{{- end }}
{{- range compact ($container.ports | default list) }}
{{- if and $.Values.hostNetwork .hostPort (ne (int .hostPort) (int .containerPort)) }}
{{ $key }}: {{ $container.name }} has hostPort {{ .hostPort }} for {{ .containerPort }}, which are the same port with hostNetwork: leave hostPort out
{{- end }}
{{- if and .name (has .name $ports) }}
{{ $key }}: {{ $container.name }} has two ports named {{ .name }}: give each a name of its own
{{- end }}
{{- with .name }}{{ $ports = append $ports . }}{{ end }}
{{- if and (not $once) (eq (int .containerPort) (int $.Values.containerPort)) (eq (.protocol | default "TCP") "TCP") }}
{{ $key }}: {{ $container.name }} listens on {{ .containerPort }}, which is the engine's port: write another one, or another containerPort for the engine
{{- end }}
{{- if .hostPort }}
{{- $hostPort := printf "%v %s %s on the host" .hostPort (.protocol | default "TCP") (.hostIP | default "") }}
{{- if hasKey $taken $hostPort }}
{{ $key }}: {{ $container.name }} has hostPort {{ .hostPort }}, as {{ get $taken $hostPort }} has: write another one
{{- end }}
{{- $_ := set $taken $hostPort $container.name }}
{{- end }}
{{- $port := printf "%v %s" .containerPort (.protocol | default "TCP") }}
{{- $other := get $taken $port | default $container.name }}
{{- if ne $other $container.name }}
{{ $key }}: {{ $container.name }} listens on {{ .containerPort }}, as {{ $other }} does: write another port for one of them
{{- end }}
{{- if not $once }}{{ $_ := set $taken $port $container.name }}{{ end }}
{{- end }}
{{- include "vllm.validate.probes" (list (printf "%s." $at) $container $ports) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Lines for what a container runs as. Takes a list: root context, keys of its UID's and its own context, the latter. */}}
{{- define "vllm.validate.user" }}
{{- $pod := (first .).Values.podSecurityContext | default dict }}
{{- $container := last . | default dict }}
{{- $user := ternary $pod.runAsUser $container.runAsUser (kindIs "invalid" $container.runAsUser) }}
{{- $nonRoot := ternary $pod.runAsNonRoot $container.runAsNonRoot (kindIs "invalid" $container.runAsNonRoot) }}
{{- if and $nonRoot (not (kindIs "invalid" $user)) (eq (int $user) 0) }}
{{ index . 1 }}.runAsUser: 0 is root, which runAsNonRoot: true forbids: write another UID, or runAsNonRoot: false
{{- end }}
{{- $escalation := $container.allowPrivilegeEscalation }}
{{- if and (kindIs "bool" $escalation) (not $escalation) (or $container.privileged (has "SYS_ADMIN" (($container.capabilities | default dict).add | default list))) }}
{{ index . 2 }}.allowPrivilegeEscalation: a container that is privileged or has SYS_ADMIN cannot forbid it: write true
{{- end }}
{{- end }}

{{- define "vllm.validate.pod" }}
{{- include "vllm.validate.user" (list . "podSecurityContext" "securityContext" .Values.securityContext) }}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) }}
serviceAccount.annotations: no ServiceAccount is created that could have them: write serviceAccount.create: true, or annotate your own
{{- end }}
{{- $spread := list }}
{{- range compact (.Values.topologySpreadConstraints | default list) }}
{{- $constraint := printf "%s, %s" .topologyKey .whenUnsatisfiable }}
{{- if has $constraint $spread }}
topologySpreadConstraints: {{ $constraint }} is there twice: keep one
{{- end }}
{{- $spread = append $spread $constraint }}
{{- $selector := .labelSelector | default (dict "matchLabels" (include "vllm.selectorLabels" $ | fromYaml)) }}
{{- $selected := keys ($selector.matchLabels | default dict) }}
{{- range compact ($selector.matchExpressions | default list) }}{{ $selected = append $selected .key }}{{ end }}
{{- range .matchLabelKeys }}
{{- if has . $selected }}
topologySpreadConstraints: {{ . }} is in matchLabelKeys and in the labelSelector: keep one
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq (.Values.dnsPolicy | default "") "None") (not (.Values.dnsConfig | default dict).nameservers) }}
dnsPolicy: None leaves the pod without DNS: write dnsConfig.nameservers, or another policy
{{- end }}
{{- end }}

{{- define "vllm.validate.objects" }}
{{- $own := list
  (list "apps Deployment" "vllm.deployment.name" true)
  (list " Service" "vllm.service.name" true)
  (list " ConfigMap" "vllm.lifecycle.name" true)
  (list " ServiceAccount" "vllm.serviceAccount.name" .Values.serviceAccount.create)
  (list " PersistentVolumeClaim" "vllm.claim.name" (and .Values.persistence.enabled (not .Values.persistence.existingClaim)))
  (list " Pod" "vllm.test.name" .Values.test.enabled)
  (list "policy PodDisruptionBudget" "vllm.podDisruptionBudget.name" .Values.podDisruptionBudget.enabled) }}
{{- $taken := list }}
{{- range $own }}
{{- if last . }}{{ $taken = append $taken (printf "%s %s in %s" (first .) (include (index . 1) $) (include "vllm.namespace" $)) }}{{ end }}
{{- end }}
{{- range compact (.Values.extraObjects | default list) }}
{{- $namespace := .metadata.namespace | default $.Release.Namespace }}
{{- $object := printf "%s %s %s in %s" (splitList "/" .apiVersion | initial | join "") .kind (include "vllm.text" .metadata.name) $namespace }}
{{- if not (or .metadata.name (hasSuffix "List" .kind)) }}
extraObjects: a {{ .kind }} has no name: write metadata.name
{{- else if has $object $taken }}
extraObjects: {{ .kind }} {{ .metadata.name }} is in the release already: use another name
{{- else if not (regexMatch "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$" (.metadata.name | default "") | or (contains "." .apiVersion)) }}
extraObjects: {{ .metadata.name }} is no name of a {{ .kind }}: write lower-case letters, digits, dashes and dots
{{- end }}
{{- $taken = append $taken $object }}
{{- $texts := pick .metadata "annotations" "labels" }}
{{- if has .kind (list "ConfigMap" "Secret") }}{{ $texts = merge $texts (pick . "data" "stringData") }}{{ end }}
{{- $object := . }}
{{- range $field, $map := $texts }}
{{- if not (or (kindIs "map" $map) (kindIs "invalid" $map)) }}
extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}: {{ toJson $map }}: write a map, {name: text}
{{- end }}
{{- range $name, $value := ternary $map dict (kindIs "map" $map) }}
{{- if not (or (kindIs "string" $value) (kindIs "invalid" $value)) }}
extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}.{{ $name }}: {{ toJson $value }}, which has to be text: write it in quotes
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML list: the names of the ports of the pod's containers. */}}
{{- define "vllm.portNames" -}}
{{- $names := list "http" }}
{{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
{{- range compact (.ports | default list) }}{{ with .name }}{{ $names = append $names . }}{{ end }}{{ end }}
{{- end }}
{{- toYaml $names }}
{{- end }}
