{{- define "vllm.validate.lifecycle" }}
  {{- include "vllm.validate.probes" (list "" .Values (list "http")) }}
  {{- /* Another container, image or command may listen on other ports; so does vLLM, with this flag. */}}
  {{- $containers := concat (.Values.extraContainers | default list) (.Values.initContainers | default list) }}
  {{- $flags := concat (keys (.Values.engine.args | default dict)) (.Values.engine.extraArgs | default list) }}
  {{- $ports := contains "data-parallel-multi-port-external-lb" (join " " $flags) }}
  {{- if not (or (compact $containers) .Values.command .Values.image.repository $ports) }}
    {{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
      {{- range pick (get $.Values $name | default dict) "httpGet" "tcpSocket" }}
        {{- if and . (not (kindIs "string" .port)) (ne (int .port) (int $.Values.containerPort)) }}
          - {{ $name }}: nothing listens on {{ .port }}: write port: http, or the engine's port in containerPort
        {{- end }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- with .Values.livenessProbe }}
    {{- if not (or $.Values.startupProbe .initialDelaySeconds) }}
      - startupProbe: without one the liveness probe kills a model that loads for longer than
        {{ mul (.failureThreshold | default 3) (.periodSeconds | default 10) }} seconds: leave startupProbe out, or
        write livenessProbe.initialDelaySeconds
    {{- end }}
  {{- end }}
  {{- $budget := include "vllm.startup.budgetSeconds" . | int }}
  {{- include "vllm.load" . }}
  {{- $said := ne (int .Values.startup.budgetSeconds) (int .Facts.startupBudgetSeconds) }}
  {{- if and $said (lt $budget (int .Values.startup.budgetSeconds)) }}
    - startupProbe.failureThreshold: with it the probe gives up after {{ $budget }} seconds, before the
      {{ int .Values.startup.budgetSeconds }} of startup.budgetSeconds: leave it out
  {{- end }}
  {{- $hang := int .Values.hang.seconds }}
  {{- if and $hang (lt $hang (int .Facts.hangLeastSeconds)) }}
    - hang.seconds: a step that compiles a kernel or loads an adapter may take longer than {{ $hang }} seconds, and the
      engine would be restarted in it: write {{ .Facts.hangLeastSeconds }} or more, or 0
  {{- end }}
  {{- include "vllm.validate.strategy" . }}
  {{- /* None where nobody in the release says how many. */}}
  {{- $counted := not (empty (include "vllm.workload.counted" .)) }}
  {{- $replicas := ternary (include "vllm.workload.leastReplicas" . | int) 0 $counted }}
  {{- include "vllm.validate.podDisruptionBudget" (list . $replicas) }}
{{- end }}
