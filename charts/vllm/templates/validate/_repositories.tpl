{{/* Items for repositories and paths. Another image or command may bring the files: only vLLM's own is known. */}}
{{- define "vllm.validate.repositories" }}
  {{- if not (or .Values.image.repository .Values.command) }}
    {{- /* Directories that the image has, or that a secrets agent adds to the pod. */}}
    {{- $image := "/vllm-workspace|/usr|/opt|/etc/ssl|/etc/pki|/etc/vllm|/home|/root|/tmp|/dev|/var|/run|/vault" }}
    {{- $there := printf "^(%s|%s)/" $image (.Values.persistence.mountPath | trimSuffix "/" | regexQuoteMeta) }}
    {{- $user := (.Values.podSecurityContext | default dict).runAsUser | include "vllm.text" }}
    {{- $user = list $user ((.Values.securityContext | default dict).runAsUser | include "vllm.text") }}
    {{- $transformers := include "vllm.envText" (list . "TRANSFORMERS_OFFLINE") }}
    {{- $offline := or .Values.hub.offline (regexMatch "^(?i)(1|on|yes|true)$" $transformers) }}
    {{- $others := or .Values.initContainers .Values.extraContainers }}
    {{- $cache := ternary "" (trimSuffix "/" .Values.persistence.mountPath) .Values.persistence.enabled }}
    {{- range include "vllm.repositories" . | fromJsonArray }}
      {{- $path := .text }}
      {{- $volumes := list }}
      {{- if hasPrefix "/" $path }}{{ $volumes = include "vllm.volumesAt" (list $ $path) | fromJsonArray }}{{ end }}
      {{- $mounted := or (regexMatch $there (printf "%s/" $path)) $volumes }}
      {{- $emptied := and $cache (hasPrefix (printf "%s/" $cache) (printf "%s/" $path)) }}
      {{- /* Root may make a directory anywhere. */}}
      {{- $created := and (eq .use "written") (has "0" $user) }}
      {{- if and (regexMatch `^/[^\s{$]+$` $path) (not (or $mounted $created)) }}
        - {{ .where }}: nothing is mounted at {{ $path }}:
          add its volume to volumes and volumeMounts{{ if eq .use "written" }}, or leave it out{{ end }}
      {{- else if and (eq .use "weights") (regexMatch "^/" $path) (or $volumes $emptied)
        (not (or $others (has "filled" $volumes))) }}
        - {{ .where }}: {{ $path }} is in an emptyDir, which is empty in every new pod:
          write a volume that holds it, or an init container that fetches it
      {{- else if and (eq .use "weights") (regexMatch `^[^/.~\s{$][^\s{$:]*$` $path) $offline
        (ne $path $.Values.model.id) (not (include "vllm.hubCacheFilled" $)) }}
        - {{ .where }}: {{ $path }} is on the Hub, which hub.offline forbids, and the cache is empty in every new pod:
          write the path of a mounted copy, or persistence.enabled: true with a claim that holds it
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
