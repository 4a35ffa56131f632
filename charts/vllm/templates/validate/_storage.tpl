{{- define "vllm.validate.storage" }}
  {{- with .Values.persistence }}
    {{- if and .existingClaim (not .enabled) }}
      - persistence.enabled: false, but persistence.existingClaim names {{ .existingClaim }}:
        write enabled: true, or leave out existingClaim
    {{- end }}
    {{- if and .ephemeral .existingClaim }}
      - persistence.ephemeral: pods with a claim each do not share {{ .existingClaim }}: leave out existingClaim, or
        write ephemeral: false
    {{- else if and .ephemeral (not .enabled) }}
      - persistence.ephemeral: true, but persistence.enabled is false: write enabled: true too
    {{- end }}
    {{- if and .enabled (not .existingClaim) }}
      {{- if lt (include "vllm.text" .size | default "0" | include "vllm.quantity" | float64) 1e6 }}
        - persistence.size: {{ include "vllm.text" .size | default "nothing" }} holds no model:
          write a size with its suffix, such as 100Gi
      {{- end }}
      {{- if eq (.accessModes | default list | uniq | join "") "ReadOnlyMany" }}
        - persistence.accessModes: nothing could ever be written to a new volume that is ReadOnlyMany:
          write ReadWriteMany, or existingClaim
      {{- end }}
    {{- end }}
    {{- if and (has "ReadWriteOncePod" (.accessModes | default list)) (gt (len (uniq .accessModes)) 1) }}
      - persistence.accessModes: ReadWriteOncePod cannot be together with another mode: keep one
    {{- end }}
    {{- $modes := .accessModes | default (ternary list (list "ReadWriteOnce") (not (empty .existingClaim))) }}
    {{- $shared := or (has "ReadWriteMany" $modes) (has "ReadOnlyMany" $modes) }}
    {{- if and .enabled $modes (not $shared) (not .ephemeral) }}
      {{- $each := ", or persistence.ephemeral: true for a claim each" }}
      {{- if or .existingClaim $.Values.download.enabled }}{{ $each = "" }}{{ end }}
      {{- $replicas := include "vllm.workload.mostReplicas" $ | int }}
      {{- if gt $replicas 1 }}
        - persistence.accessModes: {{ $replicas }} replicas cannot share a {{ first $modes }} volume:
          write accessModes: [ReadWriteMany], or {{ include "vllm.validate.storage.onePod" $ }}{{ $each }}
      {{- end }}
      {{- if gt (include "vllm.rollout.surge" $ | int) 0 }}
        - strategy.rollingUpdate.maxSurge: a surge pod cannot mount the {{ first $modes }} volume that the old pod
          holds, and the rollout hangs: write maxSurge: 0 and maxUnavailable: 1, or accessModes:
          [ReadWriteMany]{{ $each }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.volumes" . }}
  {{- include "vllm.validate.volumeMounts" . }}
{{- end }}

{{/* String: what to write for a replica at most, by who counts them. */}}
{{- define "vllm.validate.storage.onePod" -}}
  {{- $bounds := list }}
  {{- if gt (include "vllm.workload.replicas" . | int) 1 }}{{ $bounds = list "replicaCount: 1" }}{{ end }}
  {{- range include "vllm.workload.autoscalers" . | fromJsonArray }}
    {{- $most := .spec.maxReplicas | default (.spec.maxReplicaCount | default 100) | int }}
    {{- if not .metadata }}
      {{- $bounds = append $bounds "autoscaling.maxReplicas: 1" }}
    {{- else if gt $most 1 }}
      {{- $bounds = printf "at most 1 in %s %s" .kind .metadata.name | append $bounds }}
    {{- end }}
  {{- end }}
  {{- join " and " $bounds }}
{{- end }}

{{- define "vllm.validate.volumes" }}
  {{- $remedies := dict }}
  {{- range include "vllm.mounts" . | fromJsonArray }}{{ $_ := set $remedies .name .remedy }}{{ end }}
  {{- $names := list }}
  {{- range $volume := compact (.Values.volumes | default list) }}
    {{- if hasKey $remedies $volume.name }}
      - volumes: {{ $volume.name }} is the chart's own: {{ get $remedies $volume.name }}, or use another name
    {{- else if has $volume.name $names }}
      - volumes: {{ $volume.name }} is there twice: give each volume a name of its own
    {{- end }}
    {{- $names = append $names $volume.name }}
    {{- $sources := include "vllm.keysSet" (omit $volume "name") | fromJsonArray }}
    {{- if gt (len $sources) 1 }}
      - volumes: {{ $volume.name }} has {{ join " and " $sources }}: keep one
    {{- end }}
  {{- end }}
{{- end }}

{{- define "vllm.validate.volumeMounts" }}
  {{- $remedies := dict }}
  {{- $paths := list }}
  {{- range include "vllm.mounts" . | fromJsonArray }}
    {{- $path := trimSuffix "/" .path }}
    {{- /* Only the cache's is for the user to say. */}}
    {{- if hasKey $remedies $path }}
      - persistence.mountPath: {{ $path }} is mounted already: write another path, such as /cache
    {{- end }}
    {{- $_ := set $remedies $path .remedy }}
  {{- end }}
  {{- $names := include "vllm.volumeNames" . | fromJsonArray }}
  {{- range $mount := compact (.Values.volumeMounts | default list) }}
    {{- if not (has $mount.name $names) }}
      - volumeMounts: {{ $mount.name }} is not a volume of the pod:
        add it to volumes, or write one of {{ join ", " $names }}
    {{- end }}
    {{- if and $mount.subPath $mount.subPathExpr }}
      - volumeMounts: {{ $mount.name }} has subPath and subPathExpr: keep one
    {{- end }}
    {{- $path := $mount.mountPath | trimSuffix "/" }}
    {{- if or (hasKey $remedies $path) (has $path $paths) }}
      - volumeMounts: {{ $path }} is mounted already:
        {{ with get $remedies $path }}{{ . }}, or {{ end }}write another mountPath
    {{- end }}
    {{- $paths = append $paths $path }}
  {{- end }}
{{- end }}
