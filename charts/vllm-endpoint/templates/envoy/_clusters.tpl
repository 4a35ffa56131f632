{{/* YAML list: the replicas of a model. Takes a list: root context, model. */}}
{{- define "vllm-endpoint.envoy.cluster" -}}
{{- $root := first . }}
{{- $model := last . }}
# {{ toJson $model.name }}
- name: {{ $model.cluster }}
  # What Envoy counts of it has the model's name as a label (stats_config).
  alt_stat_name: {{ printf "%s.<%s>" $model.cluster $model.name | toJson }}
  connect_timeout: {{ int $root.Values.timeouts.connectSeconds }}s
  # The addresses behind the name: the pods that are ready, where the Service is headless. DNS may be late (kubeadm's
  # CoreDNS keeps an answer for 30 s): health checks and retries bridge that.
  cluster_type:
    name: envoy.cluster.dns
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster
      dns_refresh_rate: 2s
      dns_lookup_family: V4_PREFERRED
  load_assignment:
    {{- include "vllm-endpoint.envoy.endpoint" (list $model.cluster $model.host $model.port) | nindent 4 }}
  ignore_health_on_host_removal: true
  # A pod that drains answers 503. One that is busy answers late, and goes on.
  health_checks:
    - http_health_check: {path: /health}
      interval: 2s
      no_traffic_interval: 2s
      timeout: 5s
      unhealthy_threshold: 3
      healthy_threshold: 1
  # Connections that fail take a replica out for a while; what an engine answers never does.
  outlier_detection:
    split_external_local_origin_errors: true
    consecutive_local_origin_failure: 3
    interval: 1s
    base_ejection_time: 5s
    max_ejection_percent: 100
    enforcing_consecutive_5xx: 0
    enforcing_consecutive_gateway_failure: 0
    enforcing_success_rate: 0
    enforcing_local_origin_success_rate: 0
  lb_policy: RING_HASH
  ring_hash_lb_config: {minimum_ring_size: 1024}
  common_lb_config:
    # Without a healthy replica the answer is 503 at once, and no try.
    healthy_panic_threshold: {value: 0}
    consistent_hashing_lb_config: {hash_balance_factor: {{ int $root.Values.prefixAffinity.loadPercent }}}
  # The engine's own queue is the limit: with Envoy's (1024 requests, 3 retries), a replica's death would lose requests.
  # What is asked again counts to the end of its answer, and is a fifth of all at most, so that a model whose replicas
  # all refuse is not asked three times as much.
  circuit_breakers:
    thresholds:
      - max_connections: 1000000
        max_pending_requests: 1000000
        max_requests: 1000000
        retry_budget: {budget_percent: {value: 20}, min_retry_concurrency: 256}
  upstream_connection_options: {tcp_keepalive: {keepalive_time: 60, keepalive_interval: 10, keepalive_probes: 6}}
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: {http_protocol_options: {}}
      # Shorter than the engine keeps an idle connection (traffic.keepAliveSeconds of charts/vllm: 620), so that no
      # request meets one that is just being closed.
      common_http_protocol_options: {idle_timeout: 600s}
      http_filters: {{- include "vllm-endpoint.envoy.cluster.filters" $model | nindent 8 }}
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
