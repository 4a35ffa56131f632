{{/* Who changes the number of replicas, and by what measure. */}}

{{/* String: the name of its object. */}}
{{- define "vllm-endpoint.autoscaler.name" -}}{{ include "vllm-endpoint.fullname" . }}{{- end }}

{{/* Integer as string: the replicas; nothing where somebody else counts them (autoscaling, or replicaCount: null). */}}
{{- define "vllm-endpoint.replicas" -}}
  {{- if not (or .Values.autoscaling.enabled (kindIs "invalid" .Values.replicaCount)) }}
    {{- int .Values.replicaCount }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: how fast an HPA acts, where it is not as Kubernetes has it. */}}
{{- define "vllm-endpoint.autoscaling.behavior" -}}
  {{- $behavior := dict }}
  {{- range $key := list "scaleUp" "scaleDown" }}
    {{- with get $.Values.autoscaling $key }}{{ $_ := set $behavior $key . }}{{ end }}
  {{- end }}
  {{- with $behavior }}{{ include "vllm-endpoint.yaml" . }}{{ end }}
{{- end }}

{{/* PromQL: connections of clients, of all replicas; those of Prometheus and the kubelet are to another port. */}}
{{- define "vllm-endpoint.autoscaling.connections" -}}
  {{- $series := include "vllm-endpoint.autoscaling.series" . }}
  {{- printf "sum(envoy_http_downstream_cx_active{%s,envoy_http_conn_manager_prefix=\"api\"})" $series }}
{{- end }}

{{/* YAML list: KEDA's triggers. */}}
{{- define "vllm-endpoint.autoscaling.triggers" -}}
  {{- $connections := include "vllm-endpoint.autoscaling.connections" . }}
  {{- $each := include "vllm-endpoint.text" .Values.autoscaling.connectionsPerReplica }}
  {{- $trigger := include "vllm-endpoint.autoscaling.trigger" (list . "connections" $connections $each) }}
  {{- list (fromYaml $trigger) | toYaml }}
{{- end }}
