{{- define "vllm.validate.network" }}
  {{- include "vllm.validate.networkPolicy" . }}
  {{- include "vllm.validate.service" . }}
  {{- with .Values.service }}
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
    {{- $family := ternary "IPv6" "IPv4" (contains ":" (.clusterIP | default "")) }}
    {{- if and (regexMatch "[.:]" (.clusterIP | default "")) .ipFamilies (ne (first .ipFamilies) $family) }}
      - service.clusterIP: {{ .clusterIP }} is {{ $family }}, but the main family is {{ first .ipFamilies }}:
        write {{ $family }} first in service.ipFamilies, or leave clusterIP empty
    {{- end }}
    {{- if and .sessionAffinityConfig (ne .sessionAffinity "ClientIP") }}
      - service.sessionAffinityConfig: only with ClientIP: write service.sessionAffinity: ClientIP
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.ownLabels" . }}
{{- end }}
