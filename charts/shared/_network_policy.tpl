{{/* The NetworkPolicy of a release. Which ports there are, and whom the pods ask, each chart knows by itself. */}}

{{/* String: its name. */}}
{{- define "chart.networkPolicy.name" -}}{{ include "chart.fullname" . }}{{- end }}

{{/* YAML: the object. Takes a list: root context, JSON list of ingress rules, JSON list of egress rules. */}}
{{- define "chart.networkPolicy" -}}
{{- $root := first . }}
{{- $policy := $root.Values.networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "chart.networkPolicy.name" $root | quote }}
  namespace: {{ include "chart.namespace" $root | quote }}
  labels: {{- include "chart.labels" $root | nindent 4 }}
  {{- with include "chart.annotations" (list $root) }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{- include "chart.selectorLabels" $root | nindent 6 }}
  policyTypes: [Ingress{{ if $policy.egress.enabled }}, Egress{{ end }}]
  {{- $in := concat (index . 1 | fromJsonArray) ($policy.ingress.extra | default list) }}
  ingress: {{- include "chart.list" $in | nindent 4 }}
  {{- if $policy.egress.enabled }}
  {{- $out := concat (last . | fromJsonArray) ($policy.egress.extra | default list) }}
  egress: {{- include "chart.list" $out | nindent 4 }}
  {{- end }}
{{- end }}

{{/* JSON list: what every release lets out: questions for names, and networkPolicy.egress.to. */}}
{{- define "chart.networkPolicy.egress" -}}
  {{- /* To anywhere: a cache on the node has the node's address. What CoreDNS listens on counts, not its Service. */}}
  {{- $dns := list (dict "port" 53 "protocol" "UDP") (dict "port" 53 "protocol" "TCP") }}
  {{- $openShift := list (dict "port" 5353 "protocol" "UDP") (dict "port" 5353 "protocol" "TCP") }}
  {{- $to := include "chart.networkPolicy.namespace" "openshift-dns" | fromJson | list }}
  {{- $rules := list (dict "ports" $dns) (dict "to" $to "ports" $openShift) }}
  {{- with without (.Values.networkPolicy.egress.to | default list) nil }}
    {{- $rules = append $rules (dict "to" .) }}
  {{- end }}
  {{- toJson $rules }}
{{- end }}

{{/*
JSON map, a rule: public addresses, at the port that it takes. No private ones (RFC 1918, 6598, 4193), which are other
people's services, and none that clouds serve a pod's credentials from: 169.254.0.0/16 with Azure's own 168.63.129.16,
what NAT64 makes of it (RFC 6052), Alibaba's 100.100.100.200 and Amazon's and Google's in fc00::/7 among the private.
*/}}
{{- define "chart.networkPolicy.world" -}}
  {{- $four := list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "100.64.0.0/10" "169.254.0.0/16" "168.63.129.16/32" }}
  {{- $six := list "fc00::/7" "fe80::/10" "64:ff9b::a9fe:0/112" }}
  {{- $to := list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $four)) }}
  {{- $to = append $to (dict "ipBlock" (dict "cidr" "::/0" "except" $six)) }}
  {{- dict "to" $to "ports" (list (dict "port" (int .) "protocol" "TCP")) | toJson }}
{{- end }}

{{/* JSON map: the pods of a namespace as a peer. Takes its name. */}}
{{- define "chart.networkPolicy.namespace" -}}
  {{- dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .)) | toJson }}
{{- end }}

{{/* JSON list of peers: the pods of `vllm-chart load` and `bench`, in the release's namespace. */}}
{{- define "chart.networkPolicy.tools" -}}
  {{- $names := list "vllm-chart-load" "vllm-chart-bench" }}
  {{- $name := dict "key" "app.kubernetes.io/name" "operator" "In" "values" $names }}
  {{- list (dict "podSelector" (dict "matchExpressions" (list $name))) | toJson }}
{{- end }}

{{/* Items for a policy that lets nobody in. */}}
{{- define "chart.validate.networkPolicy" }}
  {{- $policy := .Values.networkPolicy }}
  {{- $in := $policy.ingress }}
  {{- $none := not (or (kindIs "string" $in.from) (without ($in.from | default list) nil)) }}
  {{- if and $policy.enabled $none (not (without ($in.extra | default list) nil)) }}
    - networkPolicy.ingress.from: an empty list is nobody, and nobody could ask: write anyone, or who may
  {{- end }}
{{- end }}
