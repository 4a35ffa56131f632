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
    {{- if and .Values.download.nextRevision .Values.model.image.reference }}
      - download.nextRevision: the model is in model.image, and no engine reads another revision of
        {{ .Values.model.id }}: leave it out
    {{- else if and .Values.download.nextRevision (not (include "vllm.download.isOfHub" .Values.model.id)) }}
      - download.nextRevision: {{ .Values.model.id }} is none of the Hub, and has no revisions: leave it out
    {{- end }}
    {{- range $name := list "HF_HOME" "HF_HUB_CACHE" "HUGGINGFACE_HUB_CACHE" }}
      {{- if get ($.Values.env | default dict) $name }}
        - env.{{ $name }}: the download goes to {{ $volume.mountPath }}/huggingface, where the engine then looks:
          leave it out
      {{- end }}
    {{- end }}
    {{- if eq (include "vllm.envText" (list . "VLLM_USE_MODELSCOPE") | lower) "true" }}
      - env.VLLM_USE_MODELSCOPE: the Job fetches from Hugging Face's Hub, and the engine would look in ModelScope's
        cache: leave it out, or write download.enabled: false
    {{- end }}
    {{- if hasKey (.Values.download.annotations | default dict) "helm.sh/hook" }}
      - download.annotations: a hook is no object of the release: Argo CD runs it apart from those, at every sync, and
        Helm doesn't delete it with them: leave helm.sh/hook out, engines wait for the Job by themselves
    {{- end }}
    {{- include "vllm.validate.download.waves" . }}
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

{{/* Lines for waves of Argo CD's, which begins none before the Jobs of those before it are complete. */}}
{{- define "vllm.validate.download.waves" }}
  {{- $wave := include "vllm.download.wave" (list . .Values.download.annotations) }}
  {{- $own := and .Values.persistence.enabled (not .Values.persistence.existingClaim) }}
  {{- range $key, $needed := dict "persistence" $own "serviceAccount" .Values.serviceAccount.create }}
    {{- if and $needed (lt (int $wave) (include "vllm.download.wave" (list $ (get $.Values $key).annotations) | int)) }}
      - {{ $key }}.annotations: Argo CD waits for the Job of wave {{ $wave }} before it creates what that needs: write
        argocd.argoproj.io/sync-wave: "{{ $wave }}" here too, or leave it out of download.annotations
    {{- end }}
  {{- end }}
  {{- $engine := include "vllm.download.wave" (list . .Values.deploymentAnnotations) }}
  {{- if and (lt (int $wave) (int $engine)) (include "vllm.download.besideEngine" .) }}
    - download.annotations: the Job of wave {{ $wave }} has to run beside an engine, where only one node mounts the
      volume, and Argo CD starts no engine before it is complete: write persistence.accessModes: [ReadWriteMany],
      replicaCount: 0, or no sync-wave
  {{- end }}
{{- end }}

{{/* Integer as string: the wave of Argo CD's in which an object is. Takes a list: root context, its annotations. */}}
{{- define "vllm.download.wave" -}}
  {{- $annotations := merge (dict) (last . | default dict) ((first .).Values.commonAnnotations | default dict) }}
  {{- get $annotations "argocd.argoproj.io/sync-wave" | default "0" | int }}
{{- end }}
