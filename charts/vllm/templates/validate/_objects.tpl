{{- define "vllm.validate.objects" }}
  {{- if .Values.extraObjects }}{{ include "vllm.validate.objects.given" . }}{{ end }}
{{- end }}

{{- define "vllm.validate.objects.given" }}
  {{- $claim := and .Values.persistence.enabled (not .Values.persistence.existingClaim) }}
  {{- $claim = and $claim (not .Values.persistence.ephemeral) }}
  {{- $group := include "vllm.workload.apiVersion" . | splitList "/" | first }}
  {{- $workload := printf "%s %s" $group (include "vllm.workload.kind" .) }}
  {{- $beside := eq (include "vllm.dashboards.namespace" .) (include "vllm.namespace" .) }}
  {{- $dashboards := and .Values.dashboards.enabled $beside }}
  {{- $own := list
    (list $workload "vllm.workload.name" true)
    (list " Service" "vllm.service.name" true)
    (list " Service" "vllm.service.pods.name" .Values.service.pods.enabled)
    (list "networking.k8s.io Ingress" "vllm.ingress.name" .Values.ingress.enabled)
    (list "inference.networking.k8s.io InferencePool" "vllm.inferencePool.name" .Values.inferencePool.enabled)
    (list "gateway.networking.k8s.io HTTPRoute" "vllm.httpRoute.name" .Values.httpRoute.enabled)
    (list " ConfigMap" "vllm.lifecycle.name" true)
    (list " ServiceAccount" "vllm.serviceAccount.name" .Values.serviceAccount.create)
    (list " PersistentVolumeClaim" "vllm.claim.name" $claim)
    (list " ConfigMap" "vllm.dashboard.service.name" $dashboards)
    (list " ConfigMap" "vllm.dashboard.replica.name" $dashboards)
    (list " Pod" "vllm.test.name" .Values.test.enabled)
    (list "policy PodDisruptionBudget" "vllm.podDisruptionBudget.name" .Values.podDisruptionBudget.enabled)
    (list "autoscaling HorizontalPodAutoscaler" "vllm.autoscaler.name" (include "vllm.autoscales" (list . "HPA")))
    (list "keda.sh ScaledObject" "vllm.autoscaler.name" (include "vllm.autoscales" (list . "KEDA"))) }}
  {{- $taken := list }}
  {{- range $own }}
    {{- $object := printf "%s %s in %s" (first .) (include (index . 1) $) (include "vllm.namespace" $) }}
    {{- if last . }}{{ $taken = append $taken $object }}{{ end }}
  {{- end }}
  {{- range $key := list "serviceMonitor" "podMonitor" "prometheusRule" }}
    {{- $block := get $.Values $key }}
    {{- $namespace := $block.namespace | default (include "vllm.namespace" $) }}
    {{- $name := include (printf "vllm.%s.name" $key) $ }}
    {{- $object := printf "monitoring.coreos.com %s %s in %s" (title $key) $name $namespace }}
    {{- if $block.enabled }}{{ $taken = append $taken $object }}{{ end }}
  {{- end }}
  {{- range compact (.Values.extraObjects | default list) }}
    {{- $namespace := .metadata.namespace | default $.Release.Namespace }}
    {{- $name := include "vllm.text" .metadata.name }}
    {{- $object := printf "%s %s %s in %s" (splitList "/" .apiVersion | initial | join "") .kind $name $namespace }}
    {{- if not (or .metadata.name (hasSuffix "List" .kind)) }}
      - extraObjects: a {{ .kind }} has no name: write metadata.name
    {{- else if has $object $taken }}
      - extraObjects: {{ .kind }} {{ .metadata.name }} is in the release already: use another name
    {{- else if not (or (contains "." .apiVersion) (regexMatch "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$" $name)) }}
      - extraObjects: {{ .metadata.name }} is no name of a {{ .kind }}:
        write lower-case letters, digits, dashes and dots
    {{- end }}
    {{- $taken = append $taken $object }}
    {{- $texts := pick .metadata "annotations" "labels" }}
    {{- if has .kind (list "ConfigMap" "Secret") }}{{ $texts = merge $texts (pick . "data" "stringData") }}{{ end }}
    {{- $object := . }}
    {{- range $field, $map := $texts }}
      {{- if not (or (kindIs "map" $map) (kindIs "invalid" $map)) }}
        - extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}: {{ toJson $map }}:
          write a map, {name: text}
      {{- end }}
      {{- range $name, $value := ternary $map dict (kindIs "map" $map) }}
        {{- if not (or (kindIs "string" $value) (kindIs "invalid" $value)) }}
          - extraObjects: {{ $object.kind }} {{ $object.metadata.name }} has {{ $field }}.{{ $name }}:
            {{ toJson $value }}, which has to be text: write it in quotes
        {{- end }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
