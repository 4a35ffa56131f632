{{- define "vllm.validate.pod" }}
  {{- include "vllm.validate.user" (list . "podSecurityContext" "securityContext" .Values.securityContext) }}
  {{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) }}
    - serviceAccount.annotations: no ServiceAccount is created that could have them:
      write serviceAccount.create: true, or annotate your own
  {{- end }}
  {{- $spread := list }}
  {{- range compact (.Values.topologySpreadConstraints | default list) }}
    {{- $constraint := printf "%s, %s" .topologyKey .whenUnsatisfiable }}
    {{- if has $constraint $spread }}
      - topologySpreadConstraints: {{ $constraint }} is there twice: keep one
    {{- end }}
    {{- $spread = append $spread $constraint }}
    {{- $selector := .labelSelector | default (dict "matchLabels" (include "vllm.selectorLabels" $ | fromYaml)) }}
    {{- $selected := keys ($selector.matchLabels | default dict) }}
    {{- range compact ($selector.matchExpressions | default list) }}{{ $selected = append $selected .key }}{{ end }}
    {{- range .matchLabelKeys }}
      {{- if has . $selected }}
        - topologySpreadConstraints: {{ . }} is in matchLabelKeys and in the labelSelector: keep one
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if and (eq (.Values.dnsPolicy | default "") "None") (not (.Values.dnsConfig | default dict).nameservers) }}
    - dnsPolicy: None leaves the pod without DNS: write dnsConfig.nameservers, or another policy
  {{- end }}
{{- end }}

{{/*
Lines for what a container runs as. Takes a list: root context, keys of its UID's and its own context, the latter.
*/}}
{{- define "vllm.validate.user" }}
  {{- $pod := (first .).Values.podSecurityContext | default dict }}
  {{- $container := last . | default dict }}
  {{- $user := ternary $pod.runAsUser $container.runAsUser (kindIs "invalid" $container.runAsUser) }}
  {{- $nonRoot := ternary $pod.runAsNonRoot $container.runAsNonRoot (kindIs "invalid" $container.runAsNonRoot) }}
  {{- if and $nonRoot (not (kindIs "invalid" $user)) (eq (int $user) 0) }}
    - {{ index . 1 }}.runAsUser: 0 is root, which runAsNonRoot: true forbids:
      write another UID, or runAsNonRoot: false
  {{- end }}
  {{- $escalation := $container.allowPrivilegeEscalation }}
  {{- $added := ($container.capabilities | default dict).add | default list }}
  {{- $forbidden := and (kindIs "bool" $escalation) (not $escalation) }}
  {{- if and $forbidden (or $container.privileged (has "SYS_ADMIN" $added)) }}
    - {{ index . 2 }}.allowPrivilegeEscalation: a container that is privileged or has SYS_ADMIN cannot forbid it:
      write true
  {{- end }}
{{- end }}
