{{- define "vllm.validate.host" }}
  {{- $host := include "vllm.flag" (list . "host") }}
  {{- $name := trimPrefix "$(" $host | trimSuffix ")" }}
  {{- if and $host .Values.engine.passArguments }}
    {{- $ipv4 := regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host }}
    {{- $everywhere := has $host (list "0.0.0.0" "::") }}
    {{- $service := .Values.service }}
    {{- $given := ternary "IPv6" "" (contains ":" ($service.clusterIP | default "")) }}
    {{- $first := append ($service.ipFamilies | default list) $given | first }}
    {{- $needed := or (eq $first "IPv6") (eq ($service.ipFamilyPolicy | default "") "RequireDualStack") }}
    {{- if regexMatch "[][/*\\s]|^[^:]*:[0-9]*$" $host }}
      - engine.args.host: {{ toJson $host }} is no address: write 0.0.0.0, or "::" for IPv6 too; the port is
        containerPort
    {{- else if and (hasPrefix "$(" $host) (not .Values.envFrom) (not (hasKey (.Values.env | default dict) $name)) }}
      - engine.args.host: no variable of env is called {{ $name }}, and {{ $host }} would stay as it is: write
        env.{{ $name }}: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    {{- else if regexMatch "^(127\\.[0-9.]+|::1|localhost)$" $host }}
      {{- include "vllm.validate.loopback" (list . $host) }}
    {{- else if and $ipv4 $needed }}
      - engine.args.host: {{ $host }} is IPv4 alone, and the Service has an IPv6 address (service.ipFamilies):
        write "::", which takes both, or leave it out
    {{- else if and (or $ipv4 (contains ":" $host)) (not $everywhere) (not .Values.hostNetwork) }}
      - engine.args.host: {{ $host }} is the address of one pod at most: leave it out, or write $(POD_IP) and
        env.POD_IP: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Lines for an engine that only its own pod reaches: a proxy beside it may ask it there, the kubelet and the Service may
not. Takes a list: root context, host.
*/}}
{{- define "vllm.validate.loopback" }}
  {{- $values := (first .).Values }}
  {{- $own := list "" "http" (toString $values.containerPort) }}
  {{- $others := concat ($values.extraContainers | default list) ($values.initContainers | default list) | compact }}
  {{- if or (not $others) (has (toString $values.service.targetPort) $own) }}
    - engine.args.host: {{ last . }} is reached from inside the pod only, and the probes and the Service are outside:
      leave it out
  {{- else if not $values.hostNetwork }}
    {{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
      {{- $probe := get $values $name | default dict }}
      {{- $asked := $probe.httpGet | default $probe.tcpSocket | default (dict "port" "http") }}
      {{- if and $probe (not (or $probe.exec $probe.grpc)) (has (toString $asked.port) $own) }}
        - {{ $name }}: the kubelet asks the pod's address, where the engine does not listen (engine.args.host:
          {{ last $ }}): write an exec probe, or a port of the container in front
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
