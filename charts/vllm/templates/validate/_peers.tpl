{{/* Items for engines that talk to another process: what they listen on, and what they tell others to dial. */}}
{{- define "vllm.validate.peers" }}
  {{- $args := .Values.engine.args | default dict }}
  {{- if or .Values.engine.extraArgs (regexMatch "(kv|ec)-transfer|kv-events|kv-offload" (keys $args | join " ")) }}
    {{- include "vllm.validate.peers.given" . }}
  {{- end }}
{{- end }}

{{- define "vllm.validate.peers.given" }}
  {{- include "vllm.load" . }}
  {{- $facts := .Facts.peers }}
  {{- $containers := concat (.Values.initContainers | default list) (.Values.extraContainers | default list) }}
  {{- $containers = compact $containers }}
  {{- /* In one pod, or on one node's network, 0.0.0.0 leads to oneself, which may be the peer. */}}
  {{- $alone := not (or $containers .Values.hostNetwork) }}
  {{- $remedy := "write {valueFrom: {fieldRef: {fieldPath: status.podIP}}}" }}
  {{- $taken := dict (printf "%d" (int .Values.containerPort)) "the HTTP port (containerPort)" }}
  {{- range $container := $containers }}
    {{- range compact (.ports | default list) }}
      {{- $_ := set $taken (printf "%d" (int .containerPort)) (printf "a port of %s" $container.name) }}
    {{- end }}
  {{- end }}
  {{- range $connector := include "vllm.once" (list . "vllm.connectors") | fromJsonArray }}
    {{- include "vllm.validate.peers.name" (list $ $facts $connector) }}
    {{- range $row := $facts.addresses }}
      {{- range include "vllm.peers.values" (list $ $row $connector) | fromJsonArray }}
        {{- $said := .value }}
        {{- if and $alone (kindIs "string" $said) (regexMatch `^(0\.0\.0\.0|::|\[::\]|\*|0)$` $said) }}
          - {{ .where }}: {{ $said }} is what {{ $connector.name }} tells others to dial, which nobody can:
            {{ if hasPrefix "env." .where }}{{ $remedy }}{{ else }}write $(POD_IP), and env.POD_IP:
            {valueFrom: {fieldRef: {fieldPath: status.podIP}}}{{ end }}
        {{- else if kindIs "map" $said }}
          {{- $path := ((($said.valueFrom | default dict).fieldRef) | default dict).fieldPath | include "vllm.text" }}
          {{- if and (eq $path "status.hostIP") (not $.Values.hostNetwork) }}
            - {{ .where }}: the node's address is none of the pod's, which {{ $connector.name }} listens on:
              {{ $remedy }}
          {{- end }}
        {{- end }}
      {{- end }}
    {{- end }}
    {{- range $row := $facts.ports }}
      {{- $engines := int $.Values.parallelism.dataParallelSize }}
      {{- $times := dict "engine" $engines "worker" (include "vllm.workers" $ | int) }}
      {{- range include "vllm.peers.values" (list $ $row $connector) | fromJsonArray }}
        {{- $first := include "vllm.text" .value | include "vllm.number" | default "0" | float64 | int }}
        {{- $where := .where }}
        {{- $owner := printf "a port of %s" $connector.name }}
        {{- range $index := until (get $times ($row.each | default "") | default 1) }}
          {{- $port := printf "%d" (add $first $index) }}
          {{- $other := get $taken $port }}
          {{- /* The rule about variables tells of the first of them on the HTTP port. */}}
          {{- $http := eq $first (int $.Values.containerPort) }}
          {{- $told := and (hasPrefix "env." $where) (eq $index 0) $http }}
          {{- if and $first $other (not $told) (ne $other $owner) }}
            - {{ $where }}: {{ $connector.name }} listens on {{ $port }}, which is {{ $other }}: write another
              {{ $row.env | default $row.key }}
          {{- end }}
          {{- $_ := set $taken $port $owner }}
        {{- end }}
      {{- end }}
    {{- end }}
    {{- $http := get ($connector.extra | default dict) "http_port" | include "vllm.text" }}
    {{- if and (eq $connector.name "MoRIIOConnector") (not $http) }}
      - {{ $connector.where }}: MoRIIOConnector does not start without http_port:
        write {{ int $.Values.containerPort }}, the engine's port, in its extra config
    {{- end }}
  {{- end }}
  {{- $events := include "vllm.jsonFlag" (list . "kv-events-config") | fromJson }}
  {{- if and $alone (regexMatch `^tcp://0\.0\.0\.0(:|$)` ($events.endpoint | include "vllm.text")) }}
    - engine.args.kv-events-config.endpoint: vLLM dials {{ $events.endpoint }} where it should listen:
      write {{ replace "0.0.0.0" "*" $events.endpoint }}
  {{- end }}
{{- end }}

{{/* Item for a connector that vLLM does not have. Takes a list: root context, facts, the connector. */}}
{{- define "vllm.validate.peers.name" }}
  {{- $values := (first .).Values }}
  {{- $facts := index . 1 }}
  {{- $connector := last . }}
  {{- $names := get $facts.names $connector.kind }}
  {{- $plain := not (or $values.image.repository $values.command $connector.module (contains "$(" $connector.name)) }}
  {{- $version := include "vllm.knownVersion" (first .) }}
  {{- if and $plain $version (not (has $connector.name $names)) }}
    - {{ $connector.where }}: vLLM {{ $version }} has no connector {{ $connector.name }}:
      write {{ get $facts.gone $connector.name | default (join ", " $names) }}
  {{- end }}
{{- end }}
