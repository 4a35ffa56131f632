{{/* TLS to the engines, checked by authorities in files that Envoy reads again when the kubelet changes them. */}}

{{/* YAML map, or nothing: what a model's replicas are spoken to by, below HTTP. Takes a list: root context, model. */}}
{{- define "vllm-endpoint.envoy.engineTls" -}}
{{- $root := first . }}
{{- $model := last . }}
{{- if $model.authority }}
{{- $names := include "vllm-endpoint.serverNames" . | fromJsonArray }}
{{- range include "vllm-endpoint.authorities" $root | fromJsonArray }}
{{- if eq (omit . "volume" | toJson) $model.authority }}
name: tls
typed_config:
  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
  sni: {{ first $names | toJson }}
  common_tls_context:
    tls_params: {tls_maximum_protocol_version: TLSv1_3}
    combined_validation_context:
      default_validation_context:
        match_typed_subject_alt_names:
          {{- range $names }}
          - {san_type: DNS, matcher: {exact: {{ toJson . }}}}
          {{- end }}
      validation_context_sds_secret_config:
        name: {{ .volume }}
        sds_config:
          resource_api_version: V3
          path_config_source: {path: {{ include "vllm-endpoint.path.config" $root }}/{{ .volume }}.yaml}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML map from file name to text, or nothing: each authority as Envoy takes it. */}}
{{- define "vllm-endpoint.envoy.authorities" -}}
{{- range include "vllm-endpoint.authorities" . | fromJsonArray }}
{{- $folder := printf "%s/%s" (include "vllm-endpoint.path.authorities" $) .volume }}
{{ .volume }}.yaml: |
  resources:
    - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
      name: {{ .volume }}
      validation_context:
        trusted_ca: {filename: {{ $folder }}/ca.crt}
        watched_directory: {path: {{ $folder }}}
{{- end }}
{{- end }}
