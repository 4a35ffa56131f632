{{/* How many pods there are, where an autoscaler counts them. */}}

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
