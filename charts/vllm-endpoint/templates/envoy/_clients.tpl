{{/*
Who asks: by a token that an issuer has signed, or by a key. Each of the filters leaves the client's name in a header
that no client can send; a request without one ends.
*/}}

{{/* YAML list: the filters that find out who asks. */}}
{{- define "vllm-endpoint.envoy.clients" -}}
{{- if .Values.clients.jwt.issuer }}
{{ include "vllm-endpoint.envoy.tokens" . }}
{{- end }}
{{- if .Values.clients.secretName }}
# The key of the header Authorization is a client's, or the request ends here. Its digest is what is known.
- name: key-digest
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        {{- .Files.Get "files/keys.lua" | nindent 8 }}
{{- if .Values.clients.jwt.issuer }}
{{ include "vllm-endpoint.envoy.keys.others" . }}
{{- else }}
- name: api-keys
  config_discovery: {{- include "vllm-endpoint.envoy.keys" . | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
YAML map: the filter that knows the clients by their keys. Its settings are a file of the clients' Secret, which Envoy
reads again when the kubelet puts another one in its place; one that cannot be read changes nothing.
*/}}
{{- define "vllm-endpoint.envoy.keys" -}}
config_source:
  path_config_source:
    path: {{ include "vllm-endpoint.path.clients" . }}/clients.yaml
    watched_directory: {path: {{ include "vllm-endpoint.path.clients" . }}}
type_urls: [type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth]
{{- end }}

{{/* YAML list: that filter, for requests of which no token has said whose they are. */}}
{{- define "vllm-endpoint.envoy.keys.others" -}}
- name: api-keys-of-others
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher
    extension_config:
      name: composite
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite
    xds_matcher:
      matcher_list:
        matchers:
          - predicate:
              single_predicate:
                input:
                  name: client
                  typed_config:
                    "@type": type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput
                    header_name: x-llm-client
                value_match: {safe_regex: {google_re2: {}, regex: ".+"}}
            on_match:
              action:
                name: skip
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter
      on_no_match:
        action:
          name: api-keys
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.composite.v3.ExecuteFilterAction
            dynamic_config:
              name: api-keys
              config_discovery: {{- include "vllm-endpoint.envoy.keys" . | nindent 16 }}
{{- end }}

{{/*
YAML list: the filter that believes an issuer's tokens. A good one is taken off the request, so that no other filter
sees it, and its claim becomes the client's name.
*/}}
{{- define "vllm-endpoint.envoy.tokens" -}}
{{- $jwt := .Values.clients.jwt -}}
- name: tokens
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      issuer:
        issuer: {{ toJson $jwt.issuer }}
        audiences: {{ toJson $jwt.audiences }}
        require_expiration: true
        # In the header alone: a URL is written down on its way.
        from_headers: [{name: authorization, value_prefix: "Bearer "}]
        claim_to_headers: [{header_name: x-llm-client, claim_name: {{ toJson $jwt.claim }}}]
        {{- with include "vllm-endpoint.envoy.tokens.subjects" $jwt.subjects }}
        subjects: {safe_regex: {regex: {{ toJson . }}}}
        {{- end }}
        {{- if $jwt.jwksUri }}
        remote_jwks:
          http_uri: {uri: {{ toJson $jwt.jwksUri }}, cluster: issuer, timeout: 5s}
          async_fetch: {fast_listener: true}
        {{- else }}
        local_jwks: {inline_string: {{ include "vllm-endpoint.text" $jwt.jwks | toJson }}}
        {{- end }}
    rules:
      - match: {prefix: /}
        requires:
          {{- if .Values.clients.secretName }}
          # Another text may be a key.
          requires_any: {requirements: [{provider_name: issuer}, {allow_missing_or_failed: {}}]}
          {{- else }}
          provider_name: issuer
          {{- end }}
{{- end }}

{{/* String: a regular expression of the subjects that are clients, or nothing for all. Takes a list. */}}
{{- define "vllm-endpoint.envoy.tokens.subjects" -}}
  {{- $subjects := list }}
  {{- range . }}
    {{- $quoted := trimSuffix "*" . | regexQuoteMeta }}
    {{- $subjects = append $subjects (ternary (printf "%s.*" $quoted) $quoted (hasSuffix "*" .)) }}
  {{- end }}
  {{- join "|" $subjects }}
{{- end }}

{{/* YAML list, or nothing: where the issuer's keys are. */}}
{{- define "vllm-endpoint.envoy.tokens.cluster" -}}
{{- with .Values.clients.jwt.jwksUri }}
{{- $address := regexReplaceAll "^https://([^/]+)/.*" . "${1}" }}
{{- $host := regexReplaceAll ":[0-9]+$" $address "" }}
- name: issuer
  connect_timeout: 5s
  type: STRICT_DNS
  dns_lookup_family: V4_PREFERRED
  load_assignment:
    {{- $port := trimPrefix $host $address | trimPrefix ":" | default 443 }}
    {{- include "vllm-endpoint.envoy.endpoint" (list "issuer" $host $port) | nindent 4 }}
  transport_socket:
    name: tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
      sni: {{ toJson $host }}
      common_tls_context:
        tls_params: {tls_maximum_protocol_version: TLSv1_3}
        validation_context:
          # The authorities that the image trusts.
          trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}
          match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: {{ toJson $host }}}}]
{{- end }}
{{- end }}
