{{- define "vllm-endpoint.validate.network" }}
  {{- include "vllm-endpoint.validate.networkPolicy" . }}
  {{- $ports := list (int .Values.containerPort) (int .Values.metricsPort) (int .Values.adminPort) }}
  {{- if lt (len (uniq $ports)) 3 }}
    - metricsPort: containerPort, metricsPort and adminPort are {{ join ", " $ports }}: write three different ports
  {{- end }}
  {{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") }}
    - service.nodePort: a Service of type ClusterIP has none: leave it empty, or write service.type: NodePort
  {{- end }}
  {{- if and .Values.service.loadBalancerSourceRanges (ne .Values.service.type "LoadBalancer") }}
    - service.loadBalancerSourceRanges: holds for type LoadBalancer alone: leave it out, or write that service.type
  {{- end }}
{{- end }}
