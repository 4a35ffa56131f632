{{/* What Kubernetes would not take of a release's Service, and of how its pods roll. */}}

{{/* Lines for the Service that clients ask. */}}
{{- define "chart.validate.service" }}
  {{- if regexMatch "^[0-9]" (include "chart.service.name" .) }}
    - fullnameOverride: {{ include "chart.service.name" . }} begins with a digit, which the name of a Service may not
      before Kubernetes 1.37: write one that begins with a letter
  {{- end }}
  {{- with .Values.service }}
    {{- if and .nodePort (eq .type "ClusterIP") }}
      - service.nodePort: a ClusterIP Service has none: write service.type: NodePort, or leave it out
    {{- end }}
    {{- if and (eq (.ipFamilyPolicy | default "") "SingleStack") (gt (len (.ipFamilies | default list)) 1) }}
      - service.ipFamilies: two families are not a single stack: write one, or service.ipFamilyPolicy: PreferDualStack
    {{- end }}
    {{- if ne .type "LoadBalancer" }}
      {{- range $key, $value := pick . "loadBalancerClass" "loadBalancerSourceRanges" }}
        {{- if $value }}
          - service.{{ $key }}: only for a load balancer: write service.type: LoadBalancer
        {{- end }}
      {{- end }}
    {{- end }}
    {{- if and .externalTrafficPolicy (eq .type "ClusterIP") }}
      - service.externalTrafficPolicy: a ClusterIP Service has no external traffic:
        write another service.type, or leave it empty
    {{- end }}
  {{- end }}
{{- end }}

{{/* YAML map, or nothing: the Deployment's strategy, without what stands beside a Recreate as a default. */}}
{{- define "chart.strategy" -}}
  {{- with .Values.strategy }}
    {{- ternary (omit . "rollingUpdate") . (eq (.type | default "") "Recreate") | include "chart.yaml" }}
  {{- end }}
{{- end }}

{{/* Lines for a rollout that could not begin. */}}
{{- define "chart.validate.strategy" }}
  {{- with .Values.strategy }}
    {{- $rolling := .rollingUpdate | default dict }}
    {{- $noSurge := include "chart.text" $rolling.maxSurge | regexMatch "^0+%?$" }}
    {{- $noneAway := include "chart.text" $rolling.maxUnavailable | regexMatch "^0+%?$" }}
    {{- if and (ne (.type | default "") "Recreate") $noSurge $noneAway }}
      - strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so that nothing could ever roll:
        write maxUnavailable: 1, or maxSurge: 1 where there is room for one pod more
    {{- end }}
  {{- end }}
{{- end }}
