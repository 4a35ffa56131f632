{{/* TLS of the API, by a certificate in files that Envoy reads again when the kubelet puts others in their place. */}}

{{/* YAML map, or nothing: what the listener speaks below HTTP. */}}
{{- define "vllm-endpoint.envoy.tls" -}}
{{- if .Values.tls.secretName }}
name: tls
typed_config:
  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
  common_tls_context:
    alpn_protocols: [h2, http/1.1]
    tls_params: {tls_minimum_protocol_version: {{ .Values.tls.minVersion | replace "." "_" }}}
    tls_certificate_sds_secret_configs:
      - name: api
        sds_config:
          resource_api_version: V3
          path_config_source: {path: {{ include "vllm-endpoint.path.config" . }}/certificate.yaml}
{{- end }}
{{- end }}

{{/* YAML map: the certificate as Envoy takes it. It goes by the change of the folder, as the kubelet changes it. */}}
{{- define "vllm-endpoint.envoy.tls.certificate" -}}
{{- $folder := include "vllm-endpoint.path.tls" . -}}
resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: api
    tls_certificate:
      certificate_chain: {filename: {{ $folder }}/tls.crt}
      private_key: {filename: {{ $folder }}/tls.key}
      watched_directory: {path: {{ $folder }}}
{{- end }}

{{/*
YAML list, or nothing: the filter that answers /ready where clients speak TLS. A listener without a certificate ends
each connection: a pod whose Secret cannot be read must not take the place of one that serves.
*/}}
{{- define "vllm-endpoint.envoy.tls.ready" -}}
{{- if .Values.tls.secretName }}
- name: ready
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck
    pass_through_mode: false
    headers: [{name: ":path", string_match: {exact: /ready}}]
    cluster_min_healthy_percentages: {own-tls: {value: 100}, own-clients: {value: 100}}
{{- end }}
{{- end }}

{{/* YAML list, or nothing: what it goes by, whether a client comes to speak TLS, and whether keys are known. */}}
{{- define "vllm-endpoint.envoy.tls.checks" -}}
{{- if .Values.tls.secretName }}
- name: own-tls
  type: STATIC
  load_assignment:
    {{- include "vllm-endpoint.envoy.endpoint" (list "own-tls" "127.0.0.1" .Values.containerPort) | nindent 4 }}
  transport_socket:
    name: tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
      common_tls_context: {tls_params: {tls_maximum_protocol_version: TLSv1_3}}
  health_checks:
    - tcp_health_check: {}
      {{- include "vllm-endpoint.envoy.tls.often" . | nindent 6 }}
- name: own-clients
  type: STATIC
  load_assignment:
    {{- include "vllm-endpoint.envoy.endpoint" (list "own-clients" "127.0.0.1" .Values.metricsPort) | nindent 4 }}
  health_checks:
    - http_health_check: {path: /clients}
      {{- include "vllm-endpoint.envoy.tls.often" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* YAML map: how often that is looked at. */}}
{{- define "vllm-endpoint.envoy.tls.often" -}}
interval: 1s
no_traffic_interval: 1s
timeout: 2s
unhealthy_threshold: 2
healthy_threshold: 1
{{- end }}
