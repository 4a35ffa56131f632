{{- define "vllm.validate.network" }}
  {{- include "vllm.validate.networkPolicy" . }}
  {{- if regexMatch "^[0-9]" (include "vllm.service.name" .) }}
    - fullnameOverride: {{ include "vllm.service.name" . }} begins with a digit, which the name of a Service may not:
      write one that begins with a letter
  {{- end }}
  {{- with .Values.service }}
    {{- if and .nodePort (eq .type "ClusterIP") }}
      - service.nodePort: a ClusterIP Service has none: write service.type: NodePort, or leave it out
    {{- end }}
    {{- if and (eq (.clusterIP | default "") "None") (ne .type "ClusterIP") }}
      - service.clusterIP: a {{ .type }} Service cannot be headless:
        write service.type: ClusterIP, or leave clusterIP empty
    {{- end }}
    {{- $ports := include "vllm.portNames" $ | fromJsonArray }}
    {{- $others := or $.Values.extraContainers $.Values.initContainers }}
    {{- $number := ternary 0 (int .targetPort) (kindIs "string" .targetPort) }}
    {{- if and .targetPort (kindIs "string" .targetPort) (not (has .targetPort $ports)) }}
      - service.targetPort: no container has a port named {{ .targetPort }}:
        write {{ join " or " $ports }}, or a number
    {{- else if and $number (ne $number (int $.Values.containerPort)) (not $others) }}
      - service.targetPort: nothing listens on {{ .targetPort }} but a container that you add to extraContainers:
        leave it empty, or write the engine's port in containerPort
    {{- end }}
    {{- $names := list "http" }}
    {{- $numbers := list (printf "%v TCP" .port) }}
    {{- $nodePorts := list (printf "%v TCP" .nodePort) }}
    {{- range $port := compact (.extraPorts | default list) }}
      {{- $number := printf "%v %s" .port (.protocol | default "TCP") }}
      {{- if or (has .name $names) (has $number $numbers) }}
        - service.extraPorts: {{ .name }} ({{ .port }}) is there already: use another name and port
      {{- end }}
      {{- if and (kindIs "string" .targetPort) (not (has .targetPort $ports)) }}
        - service.extraPorts: no container has a port named {{ .targetPort }}:
          write {{ join " or " $ports }}, or a number
      {{- end }}
      {{- with .nodePort }}
        {{- $nodePort := printf "%v %s" . ($port.protocol | default "TCP") }}
        {{- if eq $.Values.service.type "ClusterIP" }}
          - service.extraPorts: {{ $port.name }} has a nodePort, which a ClusterIP Service has not:
            write service.type: NodePort, or leave it out
        {{- else if has $nodePort $nodePorts }}
          - service.extraPorts: the nodePort {{ . }} of {{ $port.name }} is there already: use another one
        {{- end }}
        {{- $nodePorts = append $nodePorts $nodePort }}
      {{- end }}
      {{- $names = append $names .name }}
      {{- $numbers = append $numbers $number }}
    {{- end }}
    {{- if and (eq (.ipFamilyPolicy | default "") "SingleStack") (gt (len (.ipFamilies | default list)) 1) }}
      - service.ipFamilies: two families are not a single stack: write one, or service.ipFamilyPolicy: PreferDualStack
    {{- end }}
    {{- $family := ternary "IPv6" "IPv4" (contains ":" (.clusterIP | default "")) }}
    {{- if and (regexMatch "[.:]" (.clusterIP | default "")) .ipFamilies (ne (first .ipFamilies) $family) }}
      - service.clusterIP: {{ .clusterIP }} is {{ $family }}, but the main family is {{ first .ipFamilies }}:
        write {{ $family }} first in service.ipFamilies, or leave clusterIP empty
    {{- end }}
    {{- if and .sessionAffinityConfig (ne .sessionAffinity "ClientIP") }}
      - service.sessionAffinityConfig: only with ClientIP: write service.sessionAffinity: ClientIP
    {{- end }}
    {{- if ne .type "LoadBalancer" }}
      {{- range $key, $value := pick . "loadBalancerClass" "loadBalancerSourceRanges" }}
        {{- if $value }}
          - service.{{ $key }}: only for a load balancer: write service.type: LoadBalancer
        {{- end }}
      {{- end }}
    {{- end }}
    {{- if and .externalTrafficPolicy (eq .type "ClusterIP") }}
      - service.externalTrafficPolicy: a ClusterIP Service has no external traffic:
        write another service.type, or leave it empty
    {{- end }}
  {{- end }}
  {{- $labelled := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels }}
  {{- range $key, $labels := set $labelled "service.labels" .Values.service.labels }}
    {{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" }}
      {{- if get ($labels | default dict) $label }}
        - {{ $key }}.{{ $label }}: it selects the pods and is the chart's own:
          write nameOverride or another release name
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
