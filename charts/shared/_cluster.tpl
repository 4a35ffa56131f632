{{/* What the cluster has. */}}

{{/*
"true" if the cluster is known to have no such kind, "monitoring.coreos.com/v1/ServiceMonitor", or nothing. Helm lists
the kinds of a cluster that it talks to, as does whoever hands all of them to `helm template` (Argo CD); by itself that
has groups and versions alone, says nothing of kinds, and renders what was asked for. Takes a list: root context, kind.
*/}}
{{- define "chart.clusterLacks" -}}
  {{- $apis := (first .).Capabilities.APIVersions }}
  {{- if and ($apis.Has "v1/Pod") (not ($apis.Has (last .))) }}true{{ end }}
{{- end }}

{{/* "true" if the Service may have an IPv6 address, or nothing. */}}
{{- define "chart.asksForIPv6" -}}
  {{- with .Values.service }}
    {{- $dual := has .ipFamilyPolicy (list "PreferDualStack" "RequireDualStack") }}
    {{- if or $dual (has "IPv6" (.ipFamilies | default list)) (contains ":" (.clusterIP | default "")) }}true{{ end }}
  {{- end }}
{{- end }}
