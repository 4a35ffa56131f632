{{- define "vllm.validate.containers" }}
  {{- $names := list "vllm" }}
  {{- if include "vllm.lora" . }}{{ $names = append $names "adapters" }}{{ end }}
  {{- if .Values.download.enabled }}{{ $names = append $names "wait-for-download" }}{{ end }}
  {{- $taken := dict }}
  {{- range $key := list "initContainers" "extraContainers" }}
    {{- range $index, $container := get $.Values $key | default list }}
      {{- if $container }}
        {{- if has $container.name $names }}
          - {{ $key }}: the name {{ $container.name }} is taken: give each container a name of its own
        {{- end }}
        {{- $names = append $names $container.name }}
        {{- include "vllm.validate.container" (list $ $key $index $container) }}
        {{- include "vllm.validate.containerPorts" (list $ $key $container $taken) }}
        {{- $ports := list }}
        {{- range compact ($container.ports | default list) }}{{ $ports = append $ports .name }}{{ end }}
        {{- include "vllm.validate.probes" (list (printf "%s[%d]." $key $index) $container (compact $ports)) }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines for one of the user's containers. Takes a list: root context, key of its list, its index, the container. */}}
{{- define "vllm.validate.container" }}
  {{- $root := first . }}
  {{- $key := index . 1 }}
  {{- $container := last . }}
  {{- $at := printf "%s[%d]" $key (index . 2) }}
  {{- if not $container.image }}
    - {{ $key }}: {{ $container.name }} has no image: write image
  {{- end }}
  {{- $volumes := include "vllm.volumeNames" $root | fromJsonArray }}
  {{- $paths := list }}
  {{- range compact ($container.volumeMounts | default list) }}
    {{- if not (has .name $volumes) }}
      - {{ $key }}: {{ $container.name }} mounts {{ .name }}, which is not a volume of the pod:
        add it to volumes, or write one of {{ join ", " $volumes }}
    {{- end }}
    {{- if has .mountPath $paths }}
      - {{ $key }}: {{ $container.name }} mounts two volumes at {{ .mountPath }}: write another mountPath
    {{- end }}
    {{- $paths = append $paths .mountPath }}
  {{- end }}
  {{- $resources := $container.resources | default dict }}
  {{- include "vllm.validate.quantities" (list $root (printf "%s.resources" $at) $resources) }}
  {{- with $container.securityContext }}
    {{- $context := printf "%s.securityContext" $at }}
    {{- include "vllm.validate.user" (list $root $context $context .) }}
  {{- end }}
  {{- range compact ($container.env | default list) }}
    {{- if and .value .valueFrom }}
      - {{ $at }}.env: {{ .name }} has both value and valueFrom: keep one
    {{- else if and (kindIs "map" .valueFrom) (ne (len .valueFrom) 1) }}
      - {{ $at }}.env: {{ .name }} has {{ keys .valueFrom | sortAlpha | join " and " | default "no source" }}:
        write one, such as secretKeyRef: {name: …, key: …}
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.envFrom" (list (printf "%s.envFrom" $at) $container.envFrom) }}
  {{- if include "vllm.endsBeforeEngine" (list $key $container) }}
    {{- range $field, $value := pick $container "livenessProbe" "readinessProbe" "startupProbe" "lifecycle" }}
      {{- if $value }}
        - {{ $key }}: {{ $container.name }} ends before the engine starts, and cannot have {{ $field }}:
          leave it out, or write restartPolicy: Always for a sidecar
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
"true", or nothing: whether a container ends before the engine starts: an init container that is no sidecar. Takes a
list: key of its list, the container.
*/}}
{{- define "vllm.endsBeforeEngine" -}}
  {{- if and (eq (first .) "initContainers") (ne ((last .).restartPolicy | default "") "Always") }}true{{ end }}
{{- end }}

{{/*
Lines for a container's ports. Takes a list: root context, key of its list, the container, and a dict from ports that
are taken to who took them, which is added to.
*/}}
{{- define "vllm.validate.containerPorts" }}
  {{- $values := (first .).Values }}
  {{- $key := index . 1 }}
  {{- $container := index . 2 }}
  {{- $taken := last . }}
  {{- $once := include "vllm.endsBeforeEngine" (list $key $container) }}
  {{- $names := list }}
  {{- range compact ($container.ports | default list) }}
    {{- $protocol := .protocol | default "TCP" }}
    {{- if and $values.hostNetwork .hostPort (ne (int .hostPort) (int .containerPort)) }}
      - {{ $key }}: {{ $container.name }} has hostPort {{ .hostPort }} for {{ .containerPort }}, which are the
        same port with hostNetwork: leave hostPort out
    {{- end }}
    {{- if and .name (has .name $names) }}
      - {{ $key }}: {{ $container.name }} has two ports named {{ .name }}: give each a name of its own
    {{- end }}
    {{- $names = append $names .name }}
    {{- if and (not $once) (eq (int .containerPort) (int $values.containerPort)) (eq $protocol "TCP") }}
      - {{ $key }}: {{ $container.name }} listens on {{ .containerPort }}, which is the engine's port:
        write another one, or another containerPort for the engine
    {{- end }}
    {{- if .hostPort }}
      {{- $hostPort := printf "%v %s %s on the host" .hostPort $protocol (.hostIP | default "") }}
      {{- if hasKey $taken $hostPort }}
        - {{ $key }}: {{ $container.name }} has hostPort {{ .hostPort }}, as {{ get $taken $hostPort }} has:
          write another one
      {{- end }}
      {{- $_ := set $taken $hostPort $container.name }}
    {{- end }}
    {{- $port := printf "%v %s" .containerPort $protocol }}
    {{- $other := get $taken $port | default $container.name }}
    {{- if ne $other $container.name }}
      - {{ $key }}: {{ $container.name }} listens on {{ .containerPort }}, as {{ $other }} does:
        write another port for one of them
    {{- end }}
    {{- if not $once }}{{ $_ := set $taken $port $container.name }}{{ end }}
  {{- end }}
{{- end }}

{{/* Lines for a container's probes. Takes a list: what stands before their keys, the probes, names of the ports. */}}
{{- define "vllm.validate.probes" }}
  {{- $ports := last . }}
  {{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
    {{- $key := printf "%s%s" (first $) $name }}
    {{- with get (index $ 1) $name }}
      {{- $handlers := include "vllm.keysSet" (pick . "httpGet" "tcpSocket" "exec" "grpc") | fromJsonArray }}
      {{- if gt (len $handlers) 1 }}
        - {{ $key }}: {{ join " and " $handlers }} are two ways to ask: keep one
      {{- else if and (ne $key $name) (not $handlers) }}
        - {{ $key }}: it does not say what to ask: write httpGet, tcpSocket, grpc or exec
      {{- end }}
      {{- range $handler := pick . "httpGet" "tcpSocket" }}
        {{- if and . (kindIs "string" .port) (not (has .port $ports)) }}
          - {{ $key }}: the container has no port named {{ .port }}:
            write {{ append $ports "a number without quotes" | join ", or " }}
        {{- end }}
      {{- end }}
      {{- if and (ne $name "readinessProbe") (gt (int .successThreshold) 1) }}
        - {{ $key }}.successThreshold: Kubernetes allows only 1 here: leave it out
      {{- end }}
      {{- if and (eq $name "readinessProbe") .terminationGracePeriodSeconds }}
        - {{ $key }}.terminationGracePeriodSeconds: a readiness probe kills nothing: leave it out
      {{- end }}
    {{- else }}
      {{- if and (ne $key $name) (kindIs "map" (get (index $ 1) $name)) }}
        - {{ $key }}: it does not say what to ask: write httpGet, tcpSocket, grpc or exec
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
