{{- define "vllm.validate.autoscaling" }}
  {{- if .Values.autoscaling.enabled }}
    {{- include "vllm.validate.autoscaling.bounds" . }}
    {{- include "vllm.validate.autoscaling.owners" . }}
    {{- include "vllm.validate.autoscaling.zero" . }}
    {{- include "vllm.validate.autoscaling.prometheus" . }}
  {{- end }}
{{- end }}

{{- define "vllm.validate.autoscaling.bounds" }}
  {{- with .Values.autoscaling }}
    {{- if not .maxReplicas }}
      - autoscaling.maxReplicas: an autoscaler needs a bound: write how many pods there are GPUs for
    {{- else if gt (int .minReplicas) (int .maxReplicas) }}
      - autoscaling.minReplicas: {{ int .minReplicas }} is more than maxReplicas, {{ int .maxReplicas }}:
        write at most that
    {{- end }}
    {{- range $key := list "scaleUp" "scaleDown" }}
      {{- $rules := get $.Values.autoscaling $key | default dict }}
      {{- if and (kindIs "slice" $rules.policies) (not (compact $rules.policies)) }}
        - autoscaling.{{ $key }}.policies: an HPA takes no empty list: write a policy, leave it out, or write
          selectPolicy: Disabled
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "vllm.validate.autoscaling.owners" }}
  {{- with include "vllm.workload.writtenReplicas" . }}
    - replicaCount: {{ . }} beside autoscaling, which counts the replicas itself: leave it out, and write
      autoscaling.minReplicas: {{ . }} if there are never to be fewer
  {{- end }}
  {{- range rest (include "vllm.workload.autoscalers" . | fromJsonArray) }}
    - extraObjects: {{ .kind }} {{ .metadata.name }} scales the same pods as autoscaling: keep one of them
  {{- end }}
{{- end }}

{{- define "vllm.validate.autoscaling.zero" }}
  {{- $version := .Capabilities.KubeVersion.Version }}
  {{- with .Values.autoscaling }}
    {{- $keda := eq .kind "KEDA" }}
    {{- $triggers := compact (.wakeUp.triggers | default list) }}
    {{- $metrics := compact (.wakeUp.metrics | default list) }}
    {{- $wakes := ternary (or .wakeUp.httpAddon.enabled $triggers) $metrics $keda }}
    {{- if and (eq (int .minReplicas) 0) (not $wakes) }}
      - autoscaling.minReplicas: at 0 replicas the engine's metrics are gone, so that nothing would ever start one
        again, and requests get no answer: write 1, or
        {{ ternary "wakeUp.httpAddon or wakeUp.triggers" "wakeUp.metrics" $keda }}, which see requests without a pod
    {{- end }}
    {{- if and (eq (int .minReplicas) 0) (not $keda) (semverCompare "<1.37-0" $version) }}
      - autoscaling.minReplicas: an HPA goes to 0 on Kubernetes 1.37 or later alone: write 1, or kind: KEDA
        (`helm template` has to be told which Kubernetes yours is: --kube-version)
    {{- end }}
    {{- $cooldown := include "vllm.autoscaling.cooldownSeconds" $ | int }}
    {{- $budget := include "vllm.startup.budgetSeconds" $ | int }}
    {{- if and (eq (int .minReplicas) 0) $keda (lt $cooldown $budget) }}
      - autoscaling.cooldownSeconds: a start may take {{ $budget }} seconds (startup.budgetSeconds), and KEDA would end
        a pod that loads for longer than {{ $cooldown }}, again and again: write {{ $budget }} or more, or leave it
        empty
    {{- end }}
    {{- if and .wakeUp.httpAddon.enabled (not (compact (.wakeUp.httpAddon.hosts | default list))) }}
      - autoscaling.wakeUp.httpAddon.hosts: the add-on finds a release by the host that is asked for: write the names
        that clients use
    {{- end }}
    {{- $route := "http.keda.sh/v1beta1/InterceptorRoute" }}
    {{- if and $keda .wakeUp.httpAddon.enabled (include "vllm.clusterLacks" (list $ $route)) }}
      - autoscaling.wakeUp.httpAddon: the cluster has no InterceptorRoute (http.keda.sh/v1beta1): install KEDA's HTTP
        add-on, 0.14 or later, or write enabled: false and minReplicas: 1
    {{- end }}
    {{- if and (not $keda) (or .wakeUp.httpAddon.enabled $triggers) }}
      - autoscaling.wakeUp: httpAddon and triggers are KEDA's: write kind: KEDA, or wakeUp.metrics
    {{- else if and $keda $metrics }}
      - autoscaling.wakeUp.metrics: they are an HPA's: write wakeUp.triggers, or kind: HPA
    {{- end }}
    {{- range $triggers }}
      {{- if has .type (list "cpu" "memory") }}
        - autoscaling.wakeUp.triggers: {{ .type }} is measured in the pods, of which there is none:
          write a trigger outside them
      {{- else if contains (include "vllm.job" $) (toRawJson .) }}
        - autoscaling.wakeUp.triggers: the query asks for {{ include "vllm.job" $ }}, the engine's own metrics, which
          are gone at 0 replicas: write a query of what stands in front of it
      {{- else if not (and (kindIs "string" .type) (kindIs "map" .metadata)) }}
        - autoscaling.wakeUp.triggers: {{ toJson . }} is no trigger: write type and metadata, as KEDA has them
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
