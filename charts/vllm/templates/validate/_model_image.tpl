{{/* Items for a model that is mounted as an image. */}}
{{- define "vllm.validate.modelImage" }}
  {{- $id := .Values.model.id | default "" }}
  {{- if .Values.model.image.reference }}
    {{- /* pkg/features/kube_features.go of Kubernetes 1.37: ImageVolume; a mount's subPath came with 1.33. */}}
    {{- if not (include "vllm.modelImage.since" (list . 33)) }}
      - model.image: this Kubernetes mounts no images, which it does from 1.35 on, and from 1.33 with the gate
        ImageVolume: write a claim (persistence, volumes) or an address in object storage instead
    {{- end }}
    {{- if regexMatch "^/|://" $id }}
      - model.id: model.image has the files, and {{ $id }} would be the name: write the name that clients use, such as
        {{ trimSuffix "/" $id | base }}
    {{- end }}
    {{- if .Values.model.revision }}
      - model.revision: an image has none: leave it out, and write a digest in model.image.reference
    {{- end }}
  {{- else if or .Values.model.image.pullPolicy .Values.model.image.subPath }}
    - model.image.reference: no image is named: write registry/name@sha256:…, or leave model.image out
  {{- end }}
{{- end }}
