{{/* The replicas of a model. What all models have is written with the first one, and only named by the others. */}}

{{/* YAML list: the replicas of a model. Takes a list: root context, model. */}}
{{- define "vllm-endpoint.envoy.cluster" -}}
{{- $root := first . }}
{{- $model := last . }}
# {{ toJson $model.name }}
- name: {{ $model.cluster }}
  # What Envoy counts of it has the model's name as a label (stats_config).
  alt_stat_name: {{ printf "%s.<%s>" $model.cluster $model.name | toJson }}
  connect_timeout: {{ int $root.Values.timeouts.connectSeconds }}s
  cluster_type: {{ include "vllm-endpoint.envoy.shared" (list $root "addresses") | nindent 4 | trim }}
  {{- $address := printf "socket_address: {address: %s, port_value: %d}" (toJson $model.host) (int $model.port) }}
  load_assignment:
    cluster_name: {{ $model.cluster }}
    endpoints: [{lb_endpoints: [{endpoint: {address: { {{ $address }} }}}]}]
  {{- with include "vllm-endpoint.envoy.engineTls" . | trim }}
  transport_socket: {{- . | nindent 4 }}
  {{- end }}
  ignore_health_on_host_removal: true
  health_checks: {{ include "vllm-endpoint.envoy.shared" (list $root "health") | nindent 4 | trim }}
  outlier_detection: {{ include "vllm-endpoint.envoy.shared" (list $root "connections") | nindent 4 | trim }}
  lb_policy: RING_HASH
  ring_hash_lb_config: {minimum_ring_size: 1024}
  common_lb_config: {{ include "vllm-endpoint.envoy.shared" (list $root "balance") | nindent 4 | trim }}
  circuit_breakers: {{ include "vllm-endpoint.envoy.shared" (list $root "breakers") | nindent 4 | trim }}
  upstream_connection_options: {{ include "vllm-endpoint.envoy.shared" (list $root "keepalive") | nindent 4 | trim }}
  {{- if $model.secret }}
  typed_extension_protocol_options: {{- include "vllm-endpoint.envoy.cluster.http" $model | nindent 4 }}
  {{- else }}
  typed_extension_protocol_options: {{ include "vllm-endpoint.envoy.shared" (list $root "http") | nindent 4 | trim }}
  {{- end }}
{{- end }}

{{/*
YAML: a part of the configuration that stands in many places, whole in the first and by its name in all others (anchors
of YAML). A release has some hundred models, and a ConfigMap 1 MiB. Takes a list: root context, the part's name.
*/}}
{{- define "vllm-endpoint.envoy.shared" -}}
  {{- $define := printf "vllm-endpoint.envoy.shared.%s" (last .) }}
  {{- include "vllm-endpoint.envoy.anchored" (list (first .) (last .) $define (first .)) }}
{{- end }}

{{/* YAML: the same, of any define. Takes a list: root context, the part's name, the define, what that takes. */}}
{{- define "vllm-endpoint.envoy.anchored" -}}
  {{- $written := get (first .) "written" | default dict }}
  {{- $name := index . 1 }}
  {{- if hasKey $written $name }}
    {{- printf "*%s" $name }}
  {{- else }}
    {{- $_ := set (first .) "written" (set $written $name true) }}
    {{- include (index . 2) (last .) | printf "&%s\n%s" $name }}
  {{- end }}
{{- end }}

{{/*
YAML map: the addresses behind a name, the pods that are ready, where the Service is headless. DNS may be late
(kubeadm's CoreDNS keeps an answer for 30 s): health checks and retries bridge that.
*/}}
{{- define "vllm-endpoint.envoy.shared.addresses" -}}
name: envoy.cluster.dns
typed_config:
  "@type": type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster
  dns_refresh_rate: 2s
  dns_lookup_family: V4_PREFERRED
{{- end }}

{{/* YAML list: a pod that drains answers 503. One that is busy answers late, and goes on. */}}
{{- define "vllm-endpoint.envoy.shared.health" -}}
- http_health_check: {path: /health}
  interval: 2s
  no_traffic_interval: 2s
  timeout: 5s
  unhealthy_threshold: 3
  healthy_threshold: 1
{{- end }}

{{/*
YAML map: what takes a replica out for five seconds: a connection that fails, and two refusals (502 to 504) in a row.
It has the least to do, so that the bound of the load would send it every request that busy ones are over, and each that
is asked again too. Where all are out, all are asked (panic threshold).
*/}}
{{- define "vllm-endpoint.envoy.shared.connections" -}}
split_external_local_origin_errors: true
consecutive_local_origin_failure: 1
interval: 1s
base_ejection_time: 5s
max_ejection_time: 5s
max_ejection_percent: 100
enforcing_consecutive_5xx: 0
consecutive_gateway_failure: 2
enforcing_consecutive_gateway_failure: 100
enforcing_success_rate: 0
enforcing_local_origin_success_rate: 0
{{- end }}

{{/*
YAML map: below one healthy replica in a hundred, all in DNS are asked, which Kubernetes calls ready: in a rollout the
last old one drains, and the first check of the new one is not answered yet. Without an address it is 503 at once.
*/}}
{{- define "vllm-endpoint.envoy.shared.balance" -}}
healthy_panic_threshold: {value: 1}
consistent_hashing_lb_config: {hash_balance_factor: {{ int .Values.prefixAffinity.loadPercent }}}
{{- end }}

{{/*
YAML map: the engine's own queue is the limit: with Envoy's (1024 requests, 3 retries), a replica's death would lose
requests. What is asked again counts to the end of its answer, and is a fifth of all at most, so that a model whose
replicas all refuse is not asked three times as much.
*/}}
{{- define "vllm-endpoint.envoy.shared.breakers" -}}
thresholds:
  - max_connections: 1000000
    max_pending_requests: 1000000
    max_requests: 1000000
    retry_budget: {budget_percent: {value: 20}, min_retry_concurrency: 256}
{{- end }}

{{/* YAML map: how a connection is known to be dead. */}}
{{- define "vllm-endpoint.envoy.shared.keepalive" -}}
tcp_keepalive: {keepalive_time: 60, keepalive_interval: 10, keepalive_probes: 6}
{{- end }}

{{/* YAML map: how engines without a key are spoken to. */}}
{{- define "vllm-endpoint.envoy.shared.http" -}}
  {{- include "vllm-endpoint.envoy.cluster.http" dict }}
{{- end }}

{{/*
YAML map: how an engine is spoken to. An idle connection is closed before the engine closes it (traffic.keepAliveSeconds
of charts/vllm: 620), so that no request meets one that is just being closed. Takes a model.
*/}}
{{- define "vllm-endpoint.envoy.cluster.http" -}}
envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
  "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
  explicit_http_config: {http_protocol_options: {}}
  common_http_protocol_options: {idle_timeout: 600s}
  http_filters: {{- include "vllm-endpoint.envoy.cluster.filters" . | nindent 4 }}
{{- end }}

{{/* YAML list: what is done with a request for a certain replica. Takes a model. */}}
{{- define "vllm-endpoint.envoy.cluster.filters" -}}
- name: prefix
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations: {request_mutations: [{remove: x-llm-prefix}]}
{{- if .secret }}
- name: engine-key
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector
    overwrite: true
    credential:
      name: envoy.http.injected_credentials.generic
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic
        credential: {name: {{ .cluster }}}
        header_value_prefix: "Bearer "
{{- end }}
- name: envoy.filters.http.upstream_codec
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec
{{- end }}
