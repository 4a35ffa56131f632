{{/*
What is measured of an engine. Defines about a monitor take a list: root context, the monitor's key in the values.
*/}}

{{/*
JSON list of integers: the ports of a pod that answer /metrics, the one that it declares first. Data-parallel ranks that
are servers of their own listen side by side (entrypoints/launchers/dp_supervisor.py:121 of vLLM 0.33); else one page
tells of all ranks and API servers.
*/}}
{{- define "vllm.metrics.ports" -}}
  {{- $ports := list (int .Values.containerPort) }}
  {{- if eq (include "vllm.flag" (list . "data-parallel-multi-port-external-lb")) "true" }}
    {{- range $rank := include "vllm.flag" (list . "data-parallel-size-local") | int | until }}
      {{- if $rank }}{{ $ports = append $ports (add $.Values.containerPort $rank | int) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- toJson $ports }}
{{- end }}

{{/* Integer as string: the data-parallel ranks that one page tells of. */}}
{{- define "vllm.metrics.ranks" -}}
  {{- $several := gt (include "vllm.metrics.ports" . | fromJsonArray | len) 1 }}
  {{- ternary 1 (int .Values.parallelism.dataParallelSize) $several }}
{{- end }}

{{/* Integer as string: the samples of a pod that are too many, ten times what it has. */}}
{{- define "vllm.monitor.sampleLimit" -}}{{ include "vllm.metrics.ranks" . | int | mul 5000 }}{{- end }}

{{/* JSON list of maps: what a monitor asks of a pod, one for each port that answers. */}}
{{- define "vllm.monitor.targets" -}}
  {{- $root := first . }}
  {{- $monitor := get $root.Values (last .) }}
  {{- $target := dict (include "vllm.monitor.portField" .) ($monitor.port | default "http")
    "scheme" (include "vllm.monitor.scheme" .) }}
  {{- with include "vllm.monitor.tlsConfig" . }}{{ $_ := set $target "tlsConfig" (fromYaml .) }}{{ end }}
  {{- $ports := include "vllm.metrics.ports" $root | fromJsonArray }}
  {{- $targets := list }}
  {{- range $port := ternary (list 0) $ports (not (empty $monitor.port)) }}
    {{- $relabelings := list }}
    {{- if not (has (int $port) (list 0 (int $root.Values.containerPort))) }}
      {{- /* The pod declares the first rank's port alone: another's is found from it. */}}
      {{- $address := dict "sourceLabels" (list "__address__") "regex" "(.+):[0-9]+" "targetLabel" "__address__" }}
      {{- $relabelings = list (set $address "replacement" (printf "${1}:%d" (int $port))) }}
    {{- end }}
    {{- $targets = append $targets (merge (dict "relabelings" $relabelings) $target) }}
  {{- end }}
  {{- toJson $targets }}
{{- end }}

{{/*
String: the field that names a port of the pod. A ServiceMonitor's `port` is one of the Service's, which may lead to
another container; its `targetPort` is one of the pod's own.
*/}}
{{- define "vllm.monitor.portField" -}}
  {{- $root := first . }}
  {{- $engine := list "" "http" (toString $root.Values.containerPort) }}
  {{- $byService := has (toString $root.Values.service.targetPort) $engine }}
  {{- $same := and $byService (empty (get $root.Values (last .)).port) }}
  {{- ternary "port" "targetPort" (or $same (eq (last .) "podMonitor")) }}
{{- end }}

{{/* String: http or https. */}}
{{- define "vllm.monitor.scheme" -}}
  {{- $monitor := get (first .).Values (last .) }}
  {{- $own := ternary (include "vllm.scheme" (first .)) "http" (empty $monitor.port) }}
  {{- $monitor.scheme | default $own }}
{{- end }}

{{/*
YAML map, or nothing: how the certificate is checked. Prometheus asks by the pod's address, which is no name of a
certificate; the Service's is, because clients ask by that.
*/}}
{{- define "vllm.monitor.tlsConfig" -}}
  {{- $root := first . }}
  {{- $tls := deepCopy ((get $root.Values (last .)).tlsConfig | default dict) }}
  {{- if and $tls (not $tls.insecureSkipVerify) (not $tls.serverName) }}
    {{- $name := printf "%s.%s.svc" (include "vllm.service.name" $root) (include "vllm.namespace" $root) }}
    {{- $_ := set $tls "serverName" $name }}
  {{- end }}
  {{- with $tls }}{{ include "vllm.yaml" . }}{{ end }}
{{- end }}
