{{- define "vllm-endpoint.validate.clients" }}
  {{- $jwt := .Values.clients.jwt }}
  {{- if not (or .Values.clients.secretName $jwt.issuer) }}
    - clients.secretName: no client could be told from another: write the name of the Secret with the clients' keys
  {{- end }}
  {{- if and (not $jwt.issuer) (or $jwt.audiences $jwt.jwks $jwt.jwksUri $jwt.subjects) }}
    - clients.jwt.issuer: tokens of nobody are believed: write what they say in iss
  {{- end }}
  {{- if $jwt.issuer }}
    {{- if not $jwt.audiences }}
      - clients.jwt.audiences: a token that was made for something else would be a client's: write the audience that
        yours are asked for, [llm]
    {{- end }}
    {{- if and $jwt.jwks $jwt.jwksUri }}
      - clients.jwt.jwks: the issuer's keys are here and at jwksUri: leave one of the two empty
    {{- else if not (or $jwt.jwks $jwt.jwksUri) }}
      - clients.jwt.jwks: no token could be believed without the issuer's public keys: write them, as
        `kubectl get --raw /openid/v1/jwks` gives them, or clients.jwt.jwksUri
    {{- end }}
    {{- $host := regexReplaceAll "^https://([^/:]*).*" ($jwt.jwksUri | default "") "${1}" }}
    {{- if regexMatch "^[0-9.]+$" $host }}
      - clients.jwt.jwksUri: {{ $host }} is an address, and the certificate is checked by a name: write the issuer's
        name, or its keys in clients.jwt.jwks
    {{- else if regexMatch "^kubernetes(\\.default(\\.svc(\\..*)?)?)?$" $host }}
      - clients.jwt.jwksUri: the API server's certificate is of the cluster's own authority, which Envoy's image
        does not know: write clients.jwt.jwks, as `kubectl get --raw /openid/v1/jwks` gives them
    {{- end }}
    {{- if $jwt.jwks }}
      {{- include "vllm-endpoint.validate.jwks" (include "vllm-endpoint.text" $jwt.jwks | fromJson) }}
    {{- end }}
  {{- end }}
  {{- $known := include "vllm-endpoint.keysSet" .Values.models | fromJsonArray }}
  {{- range $client := include "vllm-endpoint.restricted" . | fromJsonArray }}
    {{- if and $jwt.issuer (hasSuffix "*" $client) }}
      - clients.allow.{{ $client }}: an asterisk means itself here, other than in clients.jwt.subjects, and those whom
        it is meant for could use every model: write a name for each client
    {{- end }}
    {{- range $name := get $.Values.clients.allow $client }}
      {{- if and $known (not (get $.Values.models $name)) }}
        - clients.allow.{{ $client }}: {{ $name }} is no key of models: write one of
          {{ $known | sortAlpha | join ", " }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Lines about the public keys of an issuer. Takes what was read of them. */}}
{{- define "vllm-endpoint.validate.jwks" }}
  {{- if not (kindIs "slice" .keys) }}
    - clients.jwt.jwks: is no set of keys: write a JWKS, {"keys": […]}
  {{- else }}
    {{- $readable := false }}
    {{- range $key := .keys }}
      {{- if not (kindIs "map" $key) }}{{ $key = dict }}{{ end }}
      {{- if or (hasKey $key "true") (hasKey $key "false") }}
        {{- $readable = true }}
        - clients.jwt.jwks: YAML read a key's y as true, or its n as false: write the keys in quotes, as JSON has them
      {{- else if or (hasKey $key "d") (hasKey $key "k") }}
        {{- $readable = true }}
        - clients.jwt.jwks: holds a private key, with which anybody can be any client: write the public ones alone, and
          make new ones
      {{- else if include "vllm-endpoint.validate.readableKey" $key }}
        {{- $readable = true }}
      {{- end }}
    {{- end }}
    {{- /* Of several, Envoy 1.40 leaves those out that it cannot read. Without one, no pod starts. */}}
    {{- if not $readable }}
      - clients.jwt.jwks: there is no public key in it that Envoy reads, RSA with n and e, EC with x and y, OKP with x:
        write all of a key, as `kubectl get --raw /openid/v1/jwks` gives it
    {{- end }}
  {{- end }}
{{- end }}

{{/* "true" for a key of which Envoy 1.40 finds all that its kind has, or nothing. Takes the key. */}}
{{- define "vllm-endpoint.validate.readableKey" -}}
  {{- $key := . }}
  {{- $kinds := dict "RSA" (list "n" "e") "EC" (list "x" "y") "OKP" (list "x") }}
  {{- $parts := get $kinds (include "vllm-endpoint.text" .kty) | default list }}
  {{- $there := list }}
  {{- range $parts }}{{ if kindIs "string" (get $key .) }}{{ $there = append $there (get $key .) }}{{ end }}{{ end }}
  {{- if and $parts (eq (len $parts) (len (compact $there))) }}true{{ end }}
{{- end }}
