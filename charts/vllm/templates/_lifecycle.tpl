{{/* Start, stop and roll: the computed numbers. All are integers as strings, in seconds. */}}

{{/*
The startup probe's budget: startup.budgetSeconds, or what the user's own failureThreshold comes to; and its delay.
*/}}
{{- define "vllm.startup.budgetSeconds" -}}
  {{- $probe := .Values.startupProbe | default dict }}
  {{- $seconds := int .Values.startup.budgetSeconds }}
  {{- with $probe.failureThreshold }}{{ $seconds = mul . ($probe.periodSeconds | default 10) }}{{ end }}
  {{- add (int $probe.initialDelaySeconds) $seconds }}
{{- end }}

{{/*
The pod's grace period: propagation, drain, and a margin for the engine's own end, which took an idle one 5 to 14 s.
*/}}
{{- define "vllm.shutdown.gracePeriodSeconds" -}}
  {{- include "vllm.load" . }}
  {{- add .Values.shutdown.propagationSeconds .Values.shutdown.drainSeconds .Facts.graceMarginSeconds }}
{{- end }}

{{/*
YAML map from file name to text: the programs that the engine's container finds at "vllm.path.programs". What empties
/dev/shm at a container's start is left out where another container mounts it, whose segments would be in use; and where
no middleware needs a PYTHONPATH, which it would be run by.
*/}}
{{- define "vllm.lifecycle.files" -}}
  {{- $names := list "draining.py" "liveness.py" "pre_stop.py" }}
  {{- if include "vllm.lora" . }}{{ $names = append $names "adapters.py" }}{{ end }}
  {{- if .Values.lora.reload }}{{ $names = append $names "sync_adapters.py" }}{{ end }}
  {{- $middlewares := include "vllm.middlewares" . | fromJsonArray }}
  {{- if has "api_keys.ApiKeys" $middlewares }}{{ $names = append $names "api_keys.py" }}{{ end }}
  {{- if has "adapter_routes.AdapterRoutes" $middlewares }}{{ $names = append $names "adapter_routes.py" }}{{ end }}
  {{- if has "certificate.Renewed" $middlewares }}{{ $names = append $names "certificate.py" }}{{ end }}
  {{- if .Values.download.enabled }}{{ $names = append $names "wait_for_download.py" }}{{ end }}
  {{- $files := dict }}
  {{- range $name := $names }}{{ $_ := set $files $name $name }}{{ end }}
  {{- if and $middlewares (not (include "vllm.mountedElsewhere" (list . "shm"))) }}
    {{- /* Python runs a file of this name by itself, which is why it has another one where it is no program yet. */}}
    {{- $_ := set $files "sitecustomize.py" "sweep_shm.py" }}
  {{- end }}
  {{- $texts := list }}
  {{- range $name, $file := $files }}
    {{- /* As toYaml writes it, which takes far longer for a text; blank lines stay empty, two in a row too. */}}
    {{- $text := printf "files/programs/%s" $file | $.Files.Get | trim | indent 2 }}
    {{- $text = $text | replace "\n  \n" "\n\n" | replace "\n  \n" "\n\n" }}
    {{- $texts = append $texts (printf "%s: |\n%s" $name $text) }}
  {{- end }}
  {{- join "\n" $texts }}
{{- end }}

{{/* JSON list: the middlewares that the engine loads from there. */}}
{{- define "vllm.middlewares" -}}
  {{- $middlewares := list }}
  {{- if .Values.shutdown.closeConnections }}{{ $middlewares = append $middlewares "draining.Draining" }}{{ end }}
  {{- if .Values.hang.seconds }}{{ $middlewares = append $middlewares "liveness.Liveness" }}{{ end }}
  {{- $keys := include "vllm.apiKeys" . | fromJsonArray | len }}
  {{- if gt $keys 1 }}{{ $middlewares = append $middlewares "api_keys.ApiKeys" }}{{ end }}
  {{- if include "vllm.lora.atRunTime" . }}
    {{- $middlewares = append $middlewares "adapter_routes.AdapterRoutes" }}
  {{- end }}
  {{- if include "vllm.tls.renews" . }}{{ $middlewares = append $middlewares "certificate.Renewed" }}{{ end }}
  {{- toJson (ternary $middlewares list .Values.engine.passArguments) }}
{{- end }}

{{/* YAML list: the preStop hook, which waits until the engine has nothing left to do. */}}
{{- define "vllm.preStop" -}}
- python3
- {{ include "vllm.path.programs" . }}/pre_stop.py
- --port={{ int .Values.containerPort }}
- --scheme={{ include "vllm.scheme" . }}
- --propagation={{ int .Values.shutdown.propagationSeconds }}
- --drain={{ int .Values.shutdown.drainSeconds }}
{{- end }}

{{/* How long one pod's turn in a rollout may take: the old one's end, the new one's place and its start. */}}
{{- define "vllm.turnSeconds" -}}
  {{- $start := add .Values.startup.provisioningSeconds (include "vllm.startup.budgetSeconds" .) }}
  {{- add (include "vllm.shutdown.gracePeriodSeconds" .) $start .Values.minReadySeconds }}
{{- end }}

{{/* The same with the download that it may wait for. */}}
{{- define "vllm.progressDeadlineSeconds" -}}
  {{- add (include "vllm.turnSeconds" .) (include "vllm.download.budgetSeconds" .) }}
{{- end }}

{{/* For `helm upgrade --wait --timeout`: one download, and the turns of a rollout one after the other. */}}
{{- define "vllm.rollout.timeoutSeconds" -}}
  {{- $turns := divf (include "vllm.workload.leastReplicas" .) (include "vllm.rollout.step" .) | ceil | int | max 1 }}
  {{- include "vllm.load" . }}
  {{- $rollout := mul $turns (include "vllm.turnSeconds" .) }}
  {{- add .Facts.rolloutMarginSeconds $rollout (include "vllm.download.budgetSeconds" .) }}
{{- end }}

{{/*
YAML map: a probe, with GET /health as its handler unless the user wrote another one. /health refuses connections until
the model is ready, so it serves all three probes. An engine with a certificate is asked by HTTPS, by the user's handler
too. Takes a list: root context, probe.
*/}}
{{- define "vllm.probe" -}}
  {{- $values := (first .).Values }}
  {{- $probe := deepCopy (last .) }}
  {{- if not (or $probe.httpGet $probe.tcpSocket $probe.exec $probe.grpc) }}
    {{- $_ := set $probe "httpGet" (dict "path" "/health" "port" "http") }}
  {{- end }}
  {{- with $probe.httpGet }}
    {{- $engine := has (include "vllm.text" .port) (list "http" (include "vllm.text" $values.containerPort)) }}
    {{- if and $engine (not .scheme) (eq (include "vllm.scheme" (first $)) "https") }}
      {{- $_ := set . "scheme" "HTTPS" }}
    {{- end }}
  {{- end }}
  {{- include "vllm.yaml" $probe }}
{{- end }}

{{/*
YAML map: the startup probe. Unless the user gives its failureThreshold, that follows from startup.budgetSeconds; beside
one, a period that is not given is Kubernetes' own. Takes a list: root context, probe.
*/}}
{{- define "vllm.startupProbe" -}}
  {{- $probe := last . }}
  {{- if not $probe.failureThreshold }}
    {{- $period := $probe.periodSeconds | default 2 }}
    {{- $threshold := divf (first .).Values.startup.budgetSeconds $period | ceil | int }}
    {{- $probe = merge (dict "periodSeconds" $period "failureThreshold" $threshold) $probe }}
  {{- end }}
  {{- include "vllm.probe" (list (first .) $probe) }}
{{- end }}
