{{/* YAML map: the pod template. */}}
{{- define "vllm-endpoint.podTemplate" -}}
metadata:
  {{- $checksum := dict "checksum/envoy" (include "vllm-endpoint.once" (list . "vllm-endpoint.files") | sha256sum) }}
  {{- $scraped := include "vllm-endpoint.scrapeAnnotations" (list . .Values.metricsPort "http") | fromYaml }}
  annotations: {{- include "vllm-endpoint.annotations" (list . $scraped .Values.podAnnotations $checksum) | nindent 4 }}
  labels: {{- include "vllm-endpoint.podLabels" . | nindent 4 }}
spec:
  enableServiceLinks: false
  serviceAccountName: {{ include "vllm-endpoint.serviceAccount.name" . | quote }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
  terminationGracePeriodSeconds: {{ include "vllm-endpoint.gracePeriodSeconds" . }}
  # Services are named in full: one question, and not one for each domain that is searched (5 dots by default).
  dnsConfig: {options: [{name: ndots, value: "1"}]}
  {{- with include "vllm-endpoint.list" .Values.imagePullSecrets }}
  imagePullSecrets: {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext: {{- include "vllm-endpoint.yaml" . | nindent 4 }}
  {{- end }}
  containers:
    - name: envoy
      image: {{ include "vllm-endpoint.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [envoy]
      args:
        - --config-path
        - {{ include "vllm-endpoint.path.config" . }}/envoy.yaml
        - --concurrency
        - {{ .Values.concurrency | int | quote }}
        # Every answer asks to connect anew while it drains, not more and more of them.
        - --drain-strategy
        - immediate
        - --drain-time-s
        - {{ .Values.shutdown.drainSeconds | int | max 1 | quote }}
        - --disable-hot-restart
        - --log-level
        - warning
        # Of each client's key Envoy would say at each reading that its filter is work in progress: 2 KB a client.
        - --component-log-level
        - misc:error
      ports:
        - name: {{ include "vllm-endpoint.scheme" . }}
          containerPort: {{ int .Values.containerPort }}
          protocol: TCP
        - name: metrics
          containerPort: {{ int .Values.metricsPort }}
          protocol: TCP
      {{- with .Values.resources }}
      resources: {{- include "vllm-endpoint.yaml" . | nindent 8 }}
      {{- end }}
      {{- with .Values.readinessProbe }}
      readinessProbe: {{- include "vllm-endpoint.probe" (list . "/ready") | nindent 8 }}
      {{- end }}
      {{- with .Values.livenessProbe }}
      livenessProbe: {{- include "vllm-endpoint.probe" (list . "/live") | nindent 8 }}
      {{- end }}
      lifecycle:
        preStop:
          exec:
            command:
              - bash
              - {{ include "vllm-endpoint.path.config" . }}/drain.sh
              - {{ .Values.adminPort | int | quote }}
              - {{ .Values.shutdown.propagationSeconds | int | quote }}
              - {{ .Values.shutdown.drainSeconds | int | quote }}
      {{- with .Values.securityContext }}
      securityContext: {{- include "vllm-endpoint.yaml" . | nindent 8 }}
      {{- end }}
      terminationMessagePolicy: FallbackToLogsOnError
      volumeMounts:
        - name: config
          mountPath: {{ include "vllm-endpoint.path.config" . }}
          readOnly: true
        {{- if .Values.clients.secretName }}
        - name: clients
          mountPath: {{ include "vllm-endpoint.path.clients" . }}
          readOnly: true
        {{- end }}
        {{- if .Values.tls.secretName }}
        - name: tls
          mountPath: {{ include "vllm-endpoint.path.tls" . }}
          readOnly: true
        {{- end }}
        {{- range include "vllm-endpoint.authorities" . | fromJsonArray }}
        - name: {{ .volume }}
          mountPath: {{ include "vllm-endpoint.path.authorities" $ }}/{{ .volume }}
          readOnly: true
        {{- end }}
        {{- range include "vllm-endpoint.models" . | fromJsonArray }}
        {{- if .secret }}
        - name: key-{{ .cluster }}
          mountPath: {{ include "vllm-endpoint.path.engineKeys" $ }}/{{ .cluster }}
          readOnly: true
        {{- end }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "vllm-endpoint.configMap.name" . | quote }}
    {{- with .Values.clients.secretName }}
    - name: clients
      secret:
        secretName: {{ quote . }}
        items:
          - key: {{ $.Values.clients.key | quote }}
            path: clients.yaml
    {{- end }}
    {{- with .Values.tls.secretName }}
    - name: tls
      secret:
        secretName: {{ quote . }}
        items:
          - {key: tls.crt, path: tls.crt}
          - {key: tls.key, path: tls.key}
    {{- end }}
    {{- range include "vllm-endpoint.authorities" . | fromJsonArray }}
    - name: {{ .volume }}
      {{ .kind }}:
        {{ ternary "secretName" "name" (eq .kind "secret") }}: {{ .name | quote }}
        items:
          - key: {{ .key | quote }}
            path: ca.crt
    {{- end }}
    {{- range include "vllm-endpoint.models" . | fromJsonArray }}
    {{- if .secret }}
    - name: key-{{ .cluster }}
      secret:
        secretName: {{ .secret | quote }}
        items:
          - key: {{ .secretKey | quote }}
            path: key
    {{- end }}
    {{- end }}
  {{- include "vllm-endpoint.scheduling" . | trim | nindent 2 }}
{{- end }}

{{/* YAML map: which nodes, and in what order of preference. */}}
{{- define "vllm-endpoint.scheduling" -}}
{{- with include "vllm-endpoint.map" (list .Values.nodeSelector) }}
nodeSelector: {{- . | nindent 2 }}
{{- end }}
{{- with include "vllm-endpoint.list" .Values.tolerations }}
tolerations: {{- . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- include "vllm-endpoint.yaml" . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- $selector := dict "matchLabels" (include "vllm-endpoint.selectorLabels" . | fromYaml) }}
{{- range compact (.Values.topologySpreadConstraints | default list) }}
{{- $constraint := deepCopy . }}
{{- if kindIs "invalid" .labelSelector }}{{ $_ := set $constraint "labelSelector" $selector }}{{ end }}
{{ list $constraint | include "vllm-endpoint.yaml" }}
{{- else }}
# One node's loss should not be the loss of all replicas; among the pods of one revision, so that a rollout balances.
- topologyKey: kubernetes.io/hostname
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector: {{- toYaml $selector | nindent 4 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ quote . }}
{{- end }}
{{- end }}
