{{/*
What is measured of the endpoint. Defines about a monitor take a list: root context, the monitor's key in the values.
*/}}

{{/*
JSON list of maps: what a monitor asks of a pod. The Service has no port for it, because who may ask for models need not
see who else does: a ServiceMonitor names the pod's own.
*/}}
{{- define "vllm-endpoint.monitor.targets" -}}
  {{- $field := ternary "port" "targetPort" (eq (last .) "podMonitor") }}
  {{- list (dict $field "metrics" "scheme" "http") | toJson }}
{{- end }}

{{/* Integer as string: no limit, since all labels come from the values and the clients' Secret. */}}
{{- define "vllm-endpoint.monitor.sampleLimit" -}}0{{- end }}
