{{/* The download: what is fetched from the Hub before an engine starts, by whom, and how engines wait for it. */}}

{{/* Strings: folder of the markers in the volume; the label of the Job's pods; seconds that it may take. */}}
{{- define "vllm.download.markers" -}}{{ .Values.persistence.mountPath | trimSuffix "/" }}/.fetched{{- end }}
{{- define "vllm.download.label" -}}{{ include "vllm.name" . | trunc 54 | printf "%s.download" }}{{- end }}
{{- define "vllm.download.budgetSeconds" -}}
  {{- ternary (int .Values.download.budgetSeconds) 0 .Values.download.enabled }}
{{- end }}
{{- define "vllm.download.deadlineSeconds" -}}
  {{- add .Values.startup.provisioningSeconds .Values.download.budgetSeconds }}
{{- end }}

{{/*
JSON list of {name, revision, exclude, marker, key}: the repositories of the Hub that an engine reads, the model first.
`marker` is the file that says that one is there, and follows from what is fetched; `adapter` the directory where one of
`lora` is looked for; `key` the value that says the revision.
*/}}
{{- define "vllm.download.repositories" -}}{{ include "vllm.once" (list . "vllm.download.found") }}{{- end }}

{{- define "vllm.download.found" -}}
  {{- $repositories := list }}
  {{- if and (include "vllm.download.isOfHub" .Values.model.id) (not .Values.model.image.reference) }}
    {{- $model := list . .Values.model.id .Values.model.revision "model.revision" }}
    {{- $repositories = append $repositories (include "vllm.download.repository" $model | fromJson) }}
  {{- end }}
  {{- range include "vllm.repositories" . | fromJsonArray }}
    {{- if and (eq .use "weights") (include "vllm.download.isOfHub" .text) }}
      {{- $revision := "" }}
      {{- $key := .where }}
      {{- if eq .where "engine.args.tokenizer" }}
        {{- $revision = include "vllm.flag" (list $ "tokenizer-revision") }}
        {{- $key = "engine.args.tokenizer-revision" }}
      {{- else if hasPrefix "engine.args.speculative-config" .where }}
        {{- $revision = (include "vllm.jsonFlag" (list $ "speculative-config") | fromJson).revision }}
        {{- $key = "engine.args.speculative-config.revision" }}
      {{- end }}
      {{- $own := or (eq .text $.Values.model.id) (eq .where "engine.args.hf-config-path") }}
      {{- if and $own (not $revision) }}
        {{- $revision = $.Values.model.revision }}
        {{- $key = "model.revision" }}
      {{- end }}
      {{- $found := include "vllm.download.repository" (list $ .text $revision $key) | fromJson }}
      {{- $repositories = append $repositories $found }}
    {{- end }}
  {{- end }}
  {{- /* With lora.reload a sidecar fetches them, because the list changes without a new pod. */}}
  {{- range $index, $adapter := ternary list (include "vllm.lora.list" . | fromJsonArray) .Values.lora.reload }}
    {{- if include "vllm.download.isOfHub" .source }}
      {{- $key := printf "lora.adapters[%d].revision" $index }}
      {{- $found := include "vllm.download.repository" (list $ .source .revision $key .path) | fromJson }}
      {{- $repositories = append $repositories $found }}
    {{- end }}
  {{- end }}
  {{- /* What two keys name is fetched once. */}}
  {{- $markers := list }}
  {{- $once := list }}
  {{- range $repositories }}
    {{- if not (has .marker $markers) }}{{ $once = append $once . }}{{ end }}
    {{- $markers = append $markers .marker }}
  {{- end }}
  {{- toJson $once }}
{{- end }}

{{/* "true" if a name is one of the Hub's, neither a path nor an address; or nothing. */}}
{{- define "vllm.download.isOfHub" -}}
  {{- if regexMatch `^[^/.~\s{$][^\s{$:]*$` (. | default "") }}true{{ end }}
{{- end }}

{{/*
JSON map: a repository to fetch. Takes a list: root context, name, revision, the key that says the revision, and the
directory of an adapter.
*/}}
{{- define "vllm.download.repository" -}}
  {{- $exclude := (first .).Values.download.exclude | default list }}
  {{- $repository := dict "name" (index . 1) "revision" (index . 2 | default "") "exclude" $exclude }}
  {{- if gt (len .) 4 }}{{ $_ := set $repository "adapter" (last .) }}{{ end }}
  {{- $_ := set $repository "marker" (toJson $repository | sha256sum | trunc 16) }}
  {{- set $repository "key" (index . 3) | toJson }}
{{- end }}

{{/* String: the file that says that a repository is there. Takes a list: root context, repository. */}}
{{- define "vllm.download.marker" -}}
  {{- printf "%s/%s" (include "vllm.download.markers" (first .)) (last .).marker }}
{{- end }}

{{/* String: a repository in words. */}}
{{- define "vllm.download.named" -}}
  {{- .name }}{{ with .revision }} at {{ . }}{{ end }}
{{- end }}

{{/*
YAML list: what the Job needs of the engine's environment to reach the Hub, and of the user's what is huggingface_hub's.
*/}}
{{- define "vllm.download.env" -}}
  {{- $env := list }}
  {{- range include "vllm.env" . | fromYamlArray }}
    {{- $hub := regexMatch "^(HF_|HOME$|USER$|LOGNAME$|XDG_CACHE_HOME$|SSL_CERT_|(REQUESTS|CURL)_CA_BUNDLE$)" .name }}
    {{- $own := has .name (list "HF_HUB_OFFLINE" "HF_HUB_DISABLE_XET") }}
    {{- if and (or $hub (regexMatch "(?i)_proxy$" .name)) (not $own) }}{{ $env = append $env . }}{{ end }}
  {{- end }}
  {{- /* The engine's image asks the NVIDIA runtime for every GPU of the node. */}}
  {{- $env = append $env (dict "name" "NVIDIA_VISIBLE_DEVICES" "value" "void") }}
  {{- $env = append $env (dict "name" "HF_HUB_DISABLE_PROGRESS_BARS" "value" "1") }}
  {{- $env = append $env (dict "name" "HF_HUB_DISABLE_XET" "value" (ternary "0" "1" .Values.download.xet)) }}
  {{- include "vllm.yaml" $env }}
{{- end }}

{{/* String: the Job's name. A Job's template is immutable, so that it follows from all of the Job's spec. */}}
{{- define "vllm.download.name" -}}
  {{- $hash := include "vllm.once" (list . "vllm.download.spec") | sha256sum | trunc 10 }}
  {{- include "vllm.suffixed" (list (include "vllm.fullname" .) (printf "download-%s" $hash)) }}
{{- end }}

{{/* JSON map: what the Job is told. What no engine waits for is fetched last. */}}
{{- define "vllm.download.order" -}}
  {{- $order := dict
    "markers" (include "vllm.download.markers" .)
    "repositories" (include "vllm.download.repositories" . | fromJsonArray)
    "seconds" (int .Values.download.budgetSeconds)
    "verify" .Values.download.verify }}
  {{- with .Values.download.nextRevision }}
    {{- /* A rule refuses it for a model that is none of the Hub's. */}}
    {{- $next := list $ $.Values.model.id . "download.nextRevision" }}
    {{- $next = include "vllm.download.repository" $next | fromJson }}
    {{- $markers := list }}
    {{- range $order.repositories }}{{ $markers = append $markers .marker }}{{ end }}
    {{- if not (has $next.marker $markers) }}{{ $_ := set $order "ahead" (list $next) }}{{ end }}
  {{- end }}
  {{- toJson $order }}
{{- end }}

{{/* YAML map: the Job's spec. */}}
{{- define "vllm.download.spec" -}}
activeDeadlineSeconds: {{ include "vllm.download.deadlineSeconds" . }}
# An attempt that ends goes on where the one before did. A busy Hub is waited for within an attempt.
backoffLimit: 10
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
    # No other attempt would end otherwise: no such repository, no room, no right to write.
    - action: FailJob
      onExitCodes: {containerName: download, operator: In, values: [3]}
template:
  metadata:
    {{- $name := dict "app.kubernetes.io/name" (include "vllm.download.label" .) }}
    {{- $selector := include "vllm.selectorLabels" . | fromYaml }}
    labels: {{- include "vllm.map" (list .Values.commonLabels $selector $name) | nindent 6 }}
    {{- with include "vllm.annotations" (list .) }}
    annotations: {{- . | nindent 6 }}
    {{- end }}
  spec:
    # Pods that failed stay, and with them what they said.
    restartPolicy: Never
    enableServiceLinks: false
    # The engine's, whose imagePullSecrets and rights to be admitted it may need, without its token.
    serviceAccountName: {{ include "vllm.serviceAccount.name" . | quote }}
    automountServiceAccountToken: false
    {{- with include "vllm.download.names" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with include "vllm.list" .Values.imagePullSecrets }}
    imagePullSecrets: {{- . | nindent 6 }}
    {{- end }}
    {{- with .Values.podSecurityContext }}
    securityContext: {{- include "vllm.yaml" . | nindent 6 }}
    {{- end }}
    containers:
      - name: download
        image: {{ include "vllm.image" . | quote }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        command: ["python3", "-c"]
        args:
          - | {{- .Files.Get "files/programs/download.py" | nindent 12 }}
        env:
          - name: DOWNLOAD
            value: {{ include "vllm.download.order" . | include "vllm.literal" | quote }}
          {{- include "vllm.download.env" . | nindent 10 }}
        {{- with include "vllm.list" .Values.envFrom }}
        envFrom: {{- . | nindent 10 }}
        {{- end }}
        {{- with .Values.download.resources }}
        resources: {{- include "vllm.yaml" . | nindent 10 }}
        {{- end }}
        {{- $context := merge (dict "readOnlyRootFilesystem" true) (.Values.securityContext | default dict) }}
        securityContext: {{- include "vllm.yaml" $context | nindent 10 }}
        terminationMessagePolicy: FallbackToLogsOnError
        volumeMounts: {{- include "vllm.download.mounts" (list . "mounts") | nindent 10 }}
    volumes: {{- include "vllm.download.mounts" (list . "volumes") | nindent 6 }}
    {{- include "vllm.download.scheduling" . | nindent 4 }}
{{- end }}

{{/* YAML map, or nothing: how names are found, as in the engine's pod. The Job is never on its node's network. */}}
{{- define "vllm.download.names" -}}
  {{- $names := dict }}
  {{- if ne (.Values.dnsPolicy | default "") "ClusterFirstWithHostNet" }}
    {{- with .Values.dnsPolicy }}{{ $_ := set $names "dnsPolicy" . }}{{ end }}
  {{- end }}
  {{- with .Values.dnsConfig }}{{ $_ := set $names "dnsConfig" (include "vllm.yaml" . | fromYaml) }}{{ end }}
  {{- with include "vllm.list" .Values.hostAliases }}{{ $_ := set $names "hostAliases" (fromYamlArray .) }}{{ end }}
  {{- with $names }}{{ include "vllm.yaml" . }}{{ end }}
{{- end }}

{{/*
YAML list: the volumes that a Job has, or their mounts: the chart's own, and the user's that hold a file of certificates
or the token, which its environment names. Not those that begin empty: the Job has no container of the user's that would
fill them, and they would hide the image's own authorities. Takes a list: root context, which of both.
*/}}
{{- define "vllm.download.mounts" -}}
  {{- $values := (first .).Values }}
  {{- $items := list }}
  {{- range include "vllm.mounts" (first .) | fromJsonArray }}
    {{- if and .source (has .name (list "cache" "tmp" "ca-bundle")) }}
      {{- $volume := merge (dict "name" .name) .source }}
      {{- $mount := merge (dict "name" .name "mountPath" .path) .mount }}
      {{- $items = append $items (ternary $mount $volume (eq (last $) "mounts")) }}
    {{- end }}
  {{- end }}
  {{- $paths := list }}
  {{- range $name := list "SSL_CERT_FILE" "SSL_CERT_DIR" "REQUESTS_CA_BUNDLE" "CURL_CA_BUNDLE" "HF_TOKEN_PATH" }}
    {{- $paths = append $paths (include "vllm.envText" (list (first $) $name)) }}
  {{- end }}
  {{- range $volume := compact ($values.volumes | default list) }}
    {{- $mounts := list }}
    {{- range $mount := compact ($values.volumeMounts | default list) }}
      {{- range $path := ternary $paths list (eq $mount.name $volume.name) }}
        {{- $below := hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) (printf "%s/" $path) }}
        {{- if and $path $below }}{{ $mounts = append $mounts $mount | uniq }}{{ end }}
      {{- end }}
    {{- end }}
    {{- if or (kindIs "map" $volume.emptyDir) (kindIs "map" $volume.ephemeral) }}{{ $mounts = list }}{{ end }}
    {{- $volumes := ternary list (list $volume) (empty $mounts) }}
    {{- $items = concat $items (ternary $mounts $volumes (eq (last $) "mounts")) }}
  {{- end }}
  {{- include "vllm.yaml" $items }}
{{- end }}

{{/*
YAML map: where the Job runs: where the engine's image is, and where only one node mounts the volume, beside an engine
that may hold it already.
*/}}
{{- define "vllm.download.scheduling" -}}
{{- $beside := include "vllm.download.besideEngine" . }}
{{- $own := ternary "" (include "vllm.map" (list .Values.download.nodeSelector)) (not (empty $beside)) }}
{{- with $own | default (include "vllm.map" (list .Values.nodeSelector)) }}
nodeSelector: {{- . | nindent 2 }}
{{- end }}
{{- with include "vllm.list" .Values.tolerations }}
tolerations: {{- . | nindent 2 }}
{{- end }}
{{- $affinity := dict }}
{{- if not $own }}{{ $affinity = pick (.Values.affinity | default dict) "nodeAffinity" }}{{ end }}
{{- if $beside }}
  {{- $selector := dict "matchLabels" (include "vllm.selectorLabels" . | fromYaml) }}
  {{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" $selector }}
  {{- $required := dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term) }}
  {{- $affinity = merge (dict "podAffinity" $required) $affinity }}
{{- end }}
{{- with $affinity }}
affinity: {{- include "vllm.yaml" . | nindent 2 }}
{{- end }}
{{- end }}

{{/* "true" if only one node at a time mounts the volume, and an engine may be what has it; or nothing. */}}
{{- define "vllm.download.besideEngine" -}}
  {{- $unknown := not (empty .Values.persistence.existingClaim) }}
  {{- $modes := .Values.persistence.accessModes | default (ternary list (list "ReadWriteOnce") $unknown) }}
  {{- if and $modes (not (has "ReadWriteMany" $modes)) (include "vllm.workload.leastReplicas" . | int) }}true{{ end }}
{{- end }}


{{/*
JSON list: the container that waits for the download, before all others of the engine's pod. Nothing of the Job is in it
but what it fetches: another limit of its memory restarts no engine. It waits in 12 MiB.
*/}}
{{- define "vllm.download.waiting" -}}
  {{- $containers := list }}
  {{- if .Values.download.enabled }}
    {{- $args := list }}
    {{- range include "vllm.download.repositories" . | fromJsonArray }}
      {{- $marker := include "vllm.download.marker" (list $ .) }}
      {{- $args = concat $args (list "--marker" $marker (include "vllm.download.named" . | include "vllm.literal")) }}
    {{- end }}
    {{- $label := include "vllm.download.label" . }}
    {{- $labels := printf "app.kubernetes.io/name=%s,app.kubernetes.io/instance=%s" $label .Release.Name }}
    {{- $args = append $args (printf "--job=%s" $labels) }}
    {{- $args = append $args (include "vllm.download.deadlineSeconds" . | printf "--seconds=%s") }}
    {{- $mounts := list }}
    {{- range include "vllm.mounts" . | fromJsonArray }}
      {{- if and .source (has .name (list "cache" "lifecycle")) }}
        {{- $mounts = append $mounts (merge (dict "name" .name "mountPath" .path) .mount) }}
      {{- end }}
    {{- end }}
    {{- $program := printf "%s/wait_for_download.py" (include "vllm.path.programs" .) }}
    {{- $container := dict
      "name" "wait-for-download"
      "image" (include "vllm.image" .)
      "imagePullPolicy" .Values.image.pullPolicy
      "command" (list "python3" $program)
      "args" $args
      "env" (list (dict "name" "NVIDIA_VISIBLE_DEVICES" "value" "void"))
      "securityContext" (merge (dict "readOnlyRootFilesystem" true) (.Values.securityContext | default dict))
      "terminationMessagePolicy" "FallbackToLogsOnError"
      "volumeMounts" $mounts }}
    {{- with include "vllm.resources.before" . | fromYaml }}{{ $_ := set $container "resources" . }}{{ end }}
    {{- $containers = list $container }}
  {{- end }}
  {{- toJson $containers }}
{{- end }}
