{{/* YAML map: the pod template. One define, whatever kind of workload holds it. */}}
{{- define "vllm.podTemplate" -}}
metadata:
  {{- $checksum := dict "checksum/lifecycle" (include "vllm.once" (list . "vllm.lifecycle.files") | sha256sum) }}
  {{- with .Values.model.chatTemplate }}{{ $_ := set $checksum "checksum/chat-template" (sha256sum .) }}{{ end }}
  {{- $answers := list . .Values.containerPort (include "vllm.scheme" .) }}
  {{- $scraped := include "vllm.scrapeAnnotations" $answers | fromYaml }}
  annotations: {{- include "vllm.annotations" (list . $scraped .Values.podAnnotations $checksum) | nindent 4 }}
  labels: {{- include "vllm.podLabels" . | nindent 4 }}
spec:
  # Links would inject VLLM_PORT for a Service called vllm, which the engine takes for its own and dies of.
  enableServiceLinks: false
  serviceAccountName: {{ include "vllm.serviceAccount.name" . | quote }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
  terminationGracePeriodSeconds: {{ include "vllm.shutdown.gracePeriodSeconds" . }}
  {{- with include "vllm.list" .Values.imagePullSecrets }}
  imagePullSecrets: {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext: {{- include "vllm.yaml" . | nindent 4 }}
  {{- end }}
  {{- $first := include "vllm.download.waiting" . | fromJsonArray }}
  {{- $last := include "vllm.lora.containers" . | fromJsonArray }}
  {{- with include "vllm.containers" (list . (concat $first (.Values.initContainers | default list) $last)) }}
  initContainers: {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: vllm
      image: {{ include "vllm.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- with .Values.command }}
      command: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with include "vllm.args" . }}
      args: {{- . | nindent 8 }}
      {{- end }}
      env: {{- include "vllm.env" . | nindent 8 }}
      {{- with include "vllm.list" .Values.envFrom }}
      envFrom: {{- . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ int .Values.containerPort }}
          protocol: TCP
      resources: {{- include "vllm.resources" . | nindent 8 }}
      {{- with .Values.startupProbe }}
      startupProbe: {{- include "vllm.startupProbe" (list $ .) | nindent 8 }}
      {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe: {{- include "vllm.probe" (list $ .) | nindent 8 }}
      {{- end }}
      {{- with .Values.livenessProbe }}
      livenessProbe: {{- include "vllm.probe" (list $ .) | nindent 8 }}
      {{- end }}
      lifecycle:
        preStop:
          exec:
            command: {{- include "vllm.preStop" . | nindent 14 }}
      securityContext: {{- include "vllm.securityContext" . | nindent 8 }}
      # The last lines of the log are the reason of a crash: `kubectl describe` shows them.
      terminationMessagePolicy: FallbackToLogsOnError
      volumeMounts: {{- include "vllm.volumeMounts" . | nindent 8 }}
    {{- with include "vllm.containers" (list . .Values.extraContainers) }}
    {{- . | nindent 4 }}
    {{- end }}
  volumes: {{- include "vllm.volumes" . | nindent 4 }}
  {{- include "vllm.scheduling" . | trim | nindent 2 }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- if .Values.hostIPC }}
  hostIPC: true
  {{- end }}
  {{- with .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig: {{- include "vllm.yaml" . | nindent 4 }}
  {{- end }}
  {{- with include "vllm.list" .Values.hostAliases }}
  hostAliases: {{- . | nindent 4 }}
  {{- end }}
  {{- with include "vllm.list" .Values.resourceClaims }}
  resourceClaims: {{- . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* YAML map: resources with the GPUs. Kubernetes wants request and limit of a GPU to be equal. */}}
{{- define "vllm.resources" -}}
  {{- $resources := deepCopy (.Values.resources | default dict) }}
  {{- $count := include "vllm.gpuCount" . | int }}
  {{- if $count }}
    {{- range $kind := list "limits" "requests" }}
      {{- $_ := set $resources $kind (set (get $resources $kind | default dict) $.Values.gpu.resourceName $count) }}
    {{- end }}
  {{- end }}
  {{- include "vllm.yaml" $resources }}
{{- end }}

{{/*
YAML map: what a container of the chart's gets that ends before the engine starts: the engine's CPU and memory. They
cost nothing there, and the pod stays in the class, and within the quotas, that the engine is in.
*/}}
{{- define "vllm.resources.before" -}}
  {{- $resources := dict }}
  {{- range $kind, $of := pick (.Values.resources | default dict) "limits" "requests" }}
    {{- with pick ($of | default dict) "cpu" "memory" }}{{ $_ := set $resources $kind . }}{{ end }}
  {{- end }}
  {{- include "vllm.yaml" $resources }}
{{- end }}

{{/* YAML map: the container's security context, read-only on the CPU engine unless the user says otherwise. */}}
{{- define "vllm.securityContext" -}}
  {{- $context := deepCopy (.Values.securityContext | default dict) }}
  {{- if and (eq .Values.engine.device "cpu") (not (hasKey $context "readOnlyRootFilesystem")) }}
    {{- $_ := set $context "readOnlyRootFilesystem" true }}
  {{- end }}
  {{- include "vllm.yaml" $context }}
{{- end }}

{{/*
YAML list, or nothing: the user's containers. One without a securityContext gets the engine's, or a namespace that
enforces `restricted` would refuse the pod. Takes a list: root context, containers.
*/}}
{{- define "vllm.containers" -}}
  {{- $context := (first .).Values.securityContext | default dict }}
  {{- $containers := list }}
  {{- range compact (last . | default list) }}
    {{- $own := set (deepCopy .) "securityContext" $context }}
    {{- $containers = append $containers (ternary . $own (hasKey . "securityContext")) }}
  {{- end }}
  {{- include "vllm.list" $containers }}
{{- end }}

{{/* YAML map: which nodes, and in what order of preference. */}}
{{- define "vllm.scheduling" -}}
{{- with include "vllm.map" (list .Values.nodeSelector) }}
nodeSelector: {{- . | nindent 2 }}
{{- end }}
{{- with include "vllm.list" .Values.tolerations }}
tolerations: {{- . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- include "vllm.yaml" . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- $selector := dict "matchLabels" (include "vllm.selectorLabels" . | fromYaml) }}
{{- range compact (.Values.topologySpreadConstraints | default list) }}
{{- $constraint := deepCopy . }}
{{- if kindIs "invalid" .labelSelector }}{{ $_ := set $constraint "labelSelector" $selector }}{{ end }}
{{ list $constraint | include "vllm.yaml" }}
{{- else }}
# One node's loss should not be the loss of all replicas; among the pods of one revision, so that a rollout balances.
- topologyKey: kubernetes.io/hostname
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector: {{- toYaml $selector | nindent 4 }}
  matchLabelKeys: [{{ include "vllm.workload.revisionLabel" . }}]
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ quote . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ quote . }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ quote . }}
{{- end }}
{{- end }}

{{/*
JSON list: what the pod reads of others' Secrets and ConfigMaps, "Secret hf-token". From what the pod template is made
of, because that as a whole costs as much as all else.
*/}}
{{- define "vllm.consumed" -}}
  {{- $found := dict }}
  {{- $given := pick .Values "env" "envFrom" "volumes" "initContainers" "extraContainers" }}
  {{- $own := list (include "vllm.once" (list . "vllm.ownEnv") | fromJson) (include "vllm.mounts" . | fromJsonArray) }}
  {{- include "vllm.consumed.find" (list $found (list $given $own)) }}
  {{- range list "vllm.lifecycle.name" "vllm.chatTemplate.name" "vllm.lora.list.name" }}
    {{- $_ := unset $found (include . $ | printf "ConfigMap %s") }}
  {{- end }}
  {{- range include "vllm.refreshed" . | fromJsonArray }}{{ $_ := unset $found . }}{{ end }}
  {{- keys $found | sortAlpha | toJson }}
{{- end }}

{{/* JSON list: the Secrets with certificates that the engine takes anew as they change, "Secret tls". */}}
{{- define "vllm.refreshed" -}}
  {{- $secrets := list }}
  {{- if include "vllm.tls.renews" . }}
    {{- $secrets = append $secrets (printf "Secret %s" .Values.tls.secretName) }}
  {{- end }}
  {{- if eq (include "vllm.flag" (list . "enable-ssl-refresh")) "true" }}
    {{- $paths := list (include "vllm.flag" (list . "ssl-certfile")) (include "vllm.flag" (list . "ssl-keyfile")) }}
    {{- range $mount := compact (.Values.volumeMounts | default list) }}
      {{- range $volume := compact ($.Values.volumes | default list) }}
        {{- $secret := ($volume.secret | default dict).secretName }}
        {{- $folder := printf "%s/" (trimSuffix "/" $mount.mountPath) }}
        {{- $holds := or (hasPrefix $folder (first $paths)) (hasPrefix $folder (last $paths)) }}
        {{- if and $holds $secret (eq $volume.name $mount.name) (not $mount.subPath) }}
          {{- $secrets = append $secrets (printf "Secret %s" $secret) }}
        {{- end }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- toJson $secrets }}
{{- end }}

{{/* Nothing: adds to a dict what a part of a pod refers to, as its keys. Takes a list: the dict, the part. */}}
{{- define "vllm.consumed.find" -}}
  {{- $found := first . }}
  {{- $kinds := dict "secretKeyRef" "Secret" "secretRef" "Secret" "secret" "Secret"
    "configMapKeyRef" "ConfigMap" "configMapRef" "ConfigMap" "configMap" "ConfigMap" }}
  {{- if kindIs "map" (last .) }}
    {{- range $key, $value := last . }}
      {{- if and (kindIs "map" $value) (hasKey $kinds $key) }}
        {{- $name := $value.name | default $value.secretName }}
        {{- if $name }}{{ $_ := set $found (printf "%s %s" (get $kinds $key) $name) true }}{{ end }}
      {{- end }}
      {{- if or (kindIs "map" $value) (kindIs "slice" $value) }}
        {{- include "vllm.consumed.find" (list $found $value) }}
      {{- end }}
    {{- end }}
  {{- else }}
    {{- range last . }}
      {{- if or (kindIs "map" .) (kindIs "slice" .) }}{{ include "vllm.consumed.find" (list $found .) }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}
