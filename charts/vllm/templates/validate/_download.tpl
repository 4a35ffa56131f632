{{- define "vllm.validate.download" }}
  {{- if .Values.download.enabled }}
    {{- $volume := .Values.persistence }}
    {{- $toZero := and .Values.autoscaling.enabled (eq (int .Values.autoscaling.minReplicas) 0) }}
    {{- if not $volume.enabled }}
      - download.enabled: what the Job fetches has to outlive it: write persistence.enabled: true
    {{- else if $volume.ephemeral }}
      - download.enabled: each pod has a claim of its own, which no Job can fill: write persistence.ephemeral: false,
        and accessModes: [ReadWriteMany] for several replicas
    {{- else if has "ReadWriteOncePod" ($volume.accessModes | default list) }}
      - persistence.accessModes: a pod that waits for the download would hold the ReadWriteOncePod volume that the Job
        needs: write ReadWriteOnce or ReadWriteMany
    {{- else if eq ($volume.accessModes | default list | uniq | join "") "ReadOnlyMany" }}
      - persistence.accessModes: the Job writes to the volume, which is ReadOnlyMany: write ReadWriteMany
    {{- else if and $toZero (include "vllm.download.besideEngine" .) }}
      - autoscaling.minReplicas: at 0 there is no engine beside which the Job could mount the volume: write
        persistence.accessModes: [ReadWriteMany], or minReplicas: 1
    {{- end }}
    {{- if .Values.hub.offline }}
      - hub.offline: true, and the download asks the Hub: leave it out, engines are offline with download.enabled
    {{- end }}
    {{- if not (include "vllm.download.repositories" . | fromJsonArray) }}
      {{- $model := .Values.model.image.reference | default .Values.model.id | default "no model" }}
      - download.enabled: {{ $model }} is none of the Hub: leave it out, or write organisation/name in model.id
    {{- end }}
    {{- if and .Values.download.nextRevision (not (include "vllm.download.isOfHub" .Values.model.id)) }}
      - download.nextRevision: {{ .Values.model.id }} is none of the Hub, and has no revisions: leave it out
    {{- end }}
    {{- range $name := list "HF_HOME" "HF_HUB_CACHE" "HUGGINGFACE_HUB_CACHE" }}
      {{- if get ($.Values.env | default dict) $name }}
        - env.{{ $name }}: the download goes to {{ $volume.mountPath }}/huggingface, where the engine then looks:
          leave it out
      {{- end }}
    {{- end }}
    {{- range $kind := list "limits" "requests" }}
      {{- range $resource, $_ := get ($.Values.download.resources | default dict) $kind | default dict }}
        {{- if include "vllm.isGpu" (list $ $resource) }}
          - download.resources: the Job needs no {{ $resource }}: leave it out
        {{- end }}
      {{- end }}
    {{- end }}
  {{- else if .Values.download.nextRevision }}
    - download.nextRevision: nothing fetches it: write download.enabled: true
  {{- end }}
{{- end }}
