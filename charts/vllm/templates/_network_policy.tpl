{{/* Which ports of a pod are for others, who may reach them, and whom the engine asks. */}}

{{/* JSON list: the ingress rules. */}}
{{- define "vllm.networkPolicy.in" -}}
  {{- $given := .Values.networkPolicy.ingress }}
  {{- $ports := include "vllm.networkPolicy.ports" . | fromJsonArray }}
  {{- $rules := list }}
  {{- if kindIs "string" $given.from }}
    {{- /* Istio's ambient mode brings all traffic on 15008; without it nothing listens there. */}}
    {{- $rules = append $rules (dict "ports" (append $ports (dict "port" 15008 "protocol" "TCP"))) }}
    {{- /* Peers have no names in the values, and UCX picks its ports as it likes. */}}
    {{- if or (include "vllm.exchanges" .) (include "vllm.spansReleases" .) }}
      {{- $rules = append $rules (dict "from" (list (dict "namespaceSelector" dict))) }}
    {{- end }}
  {{- else }}
    {{- $operators := include "vllm.networkPolicy.operators" . | fromJsonArray }}
    {{- $from := concat (without ($given.from | default list) nil) $operators }}
    {{- $rules = append $rules (dict "from" $from "ports" $ports) }}
  {{- end }}
  {{- with without ($given.metricsFrom | default list) nil }}
    {{- $scraped := include "vllm.networkPolicy.scraped" $ | fromJsonArray }}
    {{- $rules = append $rules (dict "from" . "ports" $scraped) }}
  {{- end }}
  {{- /* Between the pods of a release: ranks, groups, caches. */}}
  {{- $own := dict "podSelector" (dict "matchLabels" (include "vllm.selectorLabels" . | fromYaml)) }}
  {{- append $rules (dict "from" (list $own)) | toJson }}
{{- end }}

{{/*
JSON list of {port, protocol}: the ports of a pod that are there for clients: the engine's, those that containers
declare, and those that the Service leads to; not that of a monitor's proxy where metricsFrom says whose it is. As
numbers: not every network plugin finds the name of a sidecar's.
*/}}
{{- define "vllm.networkPolicy.ports" -}}
  {{- $ports := include "vllm.networkPolicy.engine" . | fromJsonArray }}
  {{- $named := dict "http" (int .Values.containerPort) }}
  {{- $proxy := "" }}
  {{- if .Values.networkPolicy.ingress.metricsFrom }}{{ $proxy = include "vllm.networkPolicy.proxied" . }}{{ end }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range compact (.ports | default list) }}
      {{- $port := dict "port" (float64 .containerPort) "protocol" (.protocol | default "TCP") }}
      {{- if not (and $proxy (eq $proxy (include "vllm.text" .name))) }}{{ $ports = append $ports $port }}{{ end }}
      {{- with .name }}{{ $_ := set $named . $port.port }}{{ end }}
    {{- end }}
  {{- end }}
  {{- /* A name there is of a port that a container declares. */}}
  {{- $scraped := get (.Values.podAnnotations | default dict) "prometheus.io/port" | include "vllm.text" }}
  {{- if regexMatch "^[1-9][0-9]{0,4}$" $scraped }}
    {{- $ports = append $ports (dict "port" (float64 $scraped) "protocol" "TCP") }}
  {{- end }}
  {{- $own := dict "targetPort" (.Values.service.targetPort | default "http") }}
  {{- range prepend (compact (.Values.service.extraPorts | default list)) $own }}
    {{- $target := .targetPort | default .port }}
    {{- $number := get $named (include "vllm.text" $target) | default $target | float64 }}
    {{- $ports = append $ports (dict "port" $number "protocol" (.protocol | default "TCP")) }}
  {{- end }}
  {{- uniq $ports | toJson }}
{{- end }}

{{/* JSON list of {port, protocol}: those that the engine answers on, the API and /metrics alike. */}}
{{- define "vllm.networkPolicy.engine" -}}
  {{- $ports := list }}
  {{- range include "vllm.metrics.ports" . | fromJsonArray }}
    {{- $ports = append $ports (dict "port" . "protocol" "TCP") }}
  {{- end }}
  {{- toJson $ports }}
{{- end }}

{{/* JSON list of {port, protocol}: those that are scraped, a proxy's where a monitor names it. */}}
{{- define "vllm.networkPolicy.scraped" -}}
  {{- $scraped := list }}
  {{- $proxy := include "vllm.networkPolicy.proxied" . }}
  {{- range concat (.Values.initContainers | default list) (.Values.extraContainers | default list) | compact }}
    {{- range compact (.ports | default list) }}
      {{- if and $proxy (eq (include "vllm.text" .name) $proxy) }}
        {{- $scraped = append $scraped (dict "port" (float64 .containerPort) "protocol" "TCP") }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- ternary (toJson $scraped) (include "vllm.networkPolicy.engine" .) (not (empty $scraped)) }}
{{- end }}

{{/* String: the port that a monitor names instead of the engine's, or nothing. */}}
{{- define "vllm.networkPolicy.proxied" -}}
  {{- range list .Values.serviceMonitor .Values.podMonitor }}
    {{- if and .enabled (not (has .port (list "" "http"))) }}{{ .port }}{{ end }}
  {{- end }}
{{- end }}

{{/* JSON list of peers: what asks the engine for those who run it: `helm test`, vllm-chart's pods. */}}
{{- define "vllm.networkPolicy.operators" -}}
  {{- $peers := include "vllm.networkPolicy.tools" . | fromJsonArray }}
  {{- if .Values.test.enabled }}
    {{- $peers = append $peers (dict "podSelector" (dict "matchLabels" (include "vllm.test.labels" . | fromYaml))) }}
  {{- end }}
  {{- toJson $peers }}
{{- end }}

{{/*
"true" if the engine exchanges caches, or tells of its cache, with pods that are not of its release: all connectors but
those that stay in one pod (vllm_args/peers.py has the files).
*/}}
{{- define "vllm.exchanges" -}}
  {{- $args := .Values.engine.args | default dict }}
  {{- if or .Values.engine.extraArgs (regexMatch "(kv|ec)-transfer|kv-events|kv-offload" (keys $args | join " ")) }}
    {{- include "vllm.load" . }}
    {{- $alone := .Facts.peers.alone }}
    {{- $found := list }}
    {{- range include "vllm.once" (list . "vllm.connectors") | fromJsonArray }}
      {{- if or (not (has .name $alone)) (.extra | default dict).secondary_tiers }}
        {{- $found = append $found .name }}
      {{- end }}
    {{- end }}
    {{- $events := include "vllm.jsonFlag" (list . "kv-events-config") | fromJson }}
    {{- if or $found $events.enable_kv_cache_events }}true{{ end }}
  {{- end }}
{{- end }}

{{/*
"true" if the engine's arguments name a rank among others, a master, or weights that come over the network: the others
are pods of other releases.
*/}}
{{- define "vllm.spansReleases" -}}
  {{- $words := concat (.Values.engine.args | default dict | keys) (.Values.engine.extraArgs | default list) }}
  {{- $others := "data-parallel-(address|rank|start-rank)|nnodes|node-rank|master-addr|weight-transfer" }}
  {{- if regexMatch $others (join " " $words) }}true{{ end }}
{{- end }}

{{/* JSON list: the egress rules. */}}
{{- define "vllm.networkPolicy.out" -}}
  {{- $rules := include "vllm.networkPolicy.egress" . | fromJsonArray }}
  {{- $own := dict "podSelector" (dict "matchLabels" (include "vllm.selectorLabels" . | fromYaml)) }}
  {{- $rules = append $rules (dict "to" (list $own)) }}
  {{- if not .Values.hub.offline }}
    {{- $rules = append $rules (include "vllm.networkPolicy.world" 443 | fromJson) }}
  {{- end }}
  {{- $urls := list .Values.proxy.httpProxy .Values.proxy.httpsProxy .Values.tracing.endpoint }}
  {{- $urls = append $urls .Values.objectStorage.endpoint }}
  {{- if not .Values.hub.offline }}{{ $urls = append $urls .Values.hub.endpoint }}{{ end }}
  {{- range compact $urls }}
    {{- with include "vllm.networkPolicy.address" (list $ .) }}{{ $rules = append $rules (fromJson .) }}{{ end }}
  {{- end }}
  {{- uniq $rules | toJson }}
{{- end }}

{{/*
JSON map, a rule for an address in the values, or nothing: for one of numbers its port; for a Service the pods of its
namespace, because a policy sees the ports of pods and not of Services. A name of two parts may be SERVICE.NAMESPACE.
Takes a list: root context, URL.
*/}}
{{- define "vllm.networkPolicy.address" -}}
  {{- $place := regexReplaceAll "^([A-Za-z]+://)?([^/@]*@)?" (last .) "" }}
  {{- $place = regexFind `^(\[[^\]]*\]|[^:/?#]*)(:[0-9]+)?` $place }}
  {{- $host := regexFind `^(\[[^\]]*\]|[^:]*)` $place | trimPrefix "[" | trimSuffix "]" }}
  {{- $default := ternary 443 80 (hasPrefix "https:" (last . | lower)) }}
  {{- $port := regexFind ":[0-9]+$" (trimPrefix (printf "[%s]" $host) $place) | trimPrefix ":" | default $default }}
  {{- $ports := list (dict "port" (int $port) "protocol" "TCP") }}
  {{- if regexMatch `^(localhost$|127\.|::1$)` $host }}
  {{- else if hasPrefix "[" $place }}
    {{- dict "to" (list (dict "ipBlock" (dict "cidr" (printf "%s/128" $host)))) "ports" $ports | toJson }}
  {{- else if regexMatch `^[0-9.]+$` $host }}
    {{- dict "to" (list (dict "ipBlock" (dict "cidr" (printf "%s/32" $host)))) "ports" $ports | toJson }}
  {{- else if regexMatch `^[-a-z0-9]+(\.[-a-z0-9]+(\.svc(\..*)?)?)?$` $host }}
    {{- $parts := append (splitList "." $host) (include "vllm.namespace" (first .)) }}
    {{- dict "to" (list (include "vllm.networkPolicy.namespace" (index $parts 1) | fromJson)) | toJson }}
  {{- end }}
{{- end }}
