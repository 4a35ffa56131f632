{{/* Items for the engine's own certificate, and for those that it asks of clients. */}}
{{- define "vllm.validate.tls" }}
  {{- range $flag := list "ssl-certfile" "ssl-keyfile" }}
    {{- if and $.Values.tls.secretName (include "vllm.flag" (list $ $flag)) }}
      - engine.args.{{ $flag }}: tls.secretName brings a certificate as well: leave one of the two out
    {{- end }}
  {{- end }}
  {{- $extra := join " " .Values.engine.extraArgs | replace "_" "-" }}
  {{- if and (include "vllm.tls.renews" .) (regexMatch "(^| )--enable-ssl-refresh([ =]|$)" $extra) }}
      - engine.extraArgs: --enable-ssl-refresh takes up one renewal alone, and a key that does not fit too:
        leave it out, the chart has the certificate of tls.secretName taken anew by itself
  {{- end }}
  {{- if and (eq (include "vllm.scheme" .) "https") (eq (include "vllm.flag" (list . "ssl-cert-reqs")) "2") }}
    {{- $asking := list }}
    {{- range $key := list "startupProbe" "readinessProbe" "livenessProbe" }}
      {{- $probe := get $.Values $key | default dict }}
      {{- $handler := (include "vllm.probe" (list $ $probe) | fromYaml).httpGet | default dict }}
      {{- if and $probe (eq ($handler.scheme | default "") "HTTPS") }}{{ $asking = append $asking $key }}{{ end }}
    {{- end }}
    {{- with $asking }}
      - engine.args.ssl-cert-reqs: the kubelet has no certificate of a client, so that no engine would be ready
        ({{ join ", " . }}): write 1, which takes clients without one too, or tcpSocket: {port: http} in these probes
    {{- end }}
  {{- end }}
{{- end }}
