{{/* How many pods there are, where an autoscaler counts them, and how many of them may go at a time. */}}

{{/*
Integer as string, or nothing: the replicas that are written where the chart's autoscaler counts them. They are left
out, unless that would reset them to 1: what was in the last manifest and no longer is, Helm deletes, and the API server
puts its default there (helm/helm#12650). Then they are what the cluster has now.

With server-side apply (Helm 4) a field is deleted only while nobody else owns it, and whoever scales owns it. Helm 3
compares with its last manifest, whatever happened since: so a release that once had `replicas` keeps it, which the
annotation of those that never had says. `helm template` sees no cluster: docs/autoscaling.md has what GitOps needs.
Takes a list: root context, API version, kind, name of the workload.
*/}}
{{- define "chart.keptReplicas" -}}
  {{- $live := lookup (index . 1) (index . 2) (include "chart.namespace" (first .)) (last .) }}
  {{- if $live }}
    {{- $applied := dict }}
    {{- $others := false }}
    {{- range $live.metadata.managedFields | default list }}
      {{- $fields := get (.fieldsV1 | default dict) "f:spec" | default dict }}
      {{- if and (eq .operation "Apply") (hasKey $fields "f:template") }}{{ $applied = $fields }}
      {{- else if hasKey $fields "f:replicas" }}{{ $others = true }}
      {{- end }}
    {{- end }}
    {{- $had := not (hasKey ($live.metadata.annotations | default dict) (include "chart.replicasLeftOut" .)) }}
    {{- if $applied }}{{ $had = and (hasKey $applied "f:replicas") (not $others) }}{{ end }}
    {{- if $had }}{{ int $live.spec.replicas }}{{ end }}
  {{- end }}
{{- end }}

{{/* String: the annotation that says that `replicas` was left out. */}}
{{- define "chart.replicasLeftOut" -}}vllm-chart/replicas-left-out{{- end }}

{{/*
Pods: a count or a percentage of the replicas (Kubernetes' default is 25%), rounded up or down. Takes a list: value,
replicas, up.
*/}}
{{- define "chart.rollout.pods" -}}
  {{- $value := index . 0 }}
  {{- if kindIs "invalid" $value }}{{ $value = "25%" }}{{ end }}
  {{- if kindIs "string" $value }}
    {{- $pods := divf (mulf (trimSuffix "%" $value | float64) (index . 1)) 100 }}
    {{- ternary (ceil $pods) (floor $pods) (index . 2) | int }}
  {{- else }}
    {{- int $value }}
  {{- end }}
{{- end }}

{{/* Lines for a budget that lets no pod go. Takes a list: root context, the fewest replicas, 0 where nobody says. */}}
{{- define "chart.validate.podDisruptionBudget" }}
  {{- $replicas := last . }}
  {{- with (first .).Values.podDisruptionBudget }}
    {{- $min := include "chart.text" .minAvailable }}
    {{- if not .enabled }}
    {{- else if and $min (include "chart.text" .maxUnavailable) }}
      - podDisruptionBudget: minAvailable and maxUnavailable are two ways to say it: keep one
    {{- else if not $replicas }}
    {{- else if and $min (ge (include "chart.rollout.pods" (list .minAvailable $replicas true) | int) $replicas) }}
      - podDisruptionBudget.minAvailable: {{ $min }} of {{ $replicas }} replicas blocks every node drain for ever:
        write less, or leave it empty and write maxUnavailable: 1
    {{- else if and (not $min) (regexMatch "^0+%?$" (include "chart.text" .maxUnavailable)) }}
      - podDisruptionBudget.maxUnavailable: {{ include "chart.text" .maxUnavailable }} blocks every node drain for
        ever: write 1 or more
    {{- end }}
  {{- end }}
{{- end }}
