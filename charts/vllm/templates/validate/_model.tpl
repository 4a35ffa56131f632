{{- define "vllm.validate.model" }}
  {{- $id := .Values.model.id | default "" }}
  {{- $stock := not (or .Values.image.repository .Values.command) }}
  {{- if not $id }}
    - model.id: no model is named: write a Hub id (organisation/name) or the path of a directory in a mounted volume
  {{- else if regexMatch "^(https?://|hf\\.co/|huggingface\\.co/)" $id }}
    - model.id: {{ $id }} is a URL: write organisation/name
  {{- else if and (regexMatch "^[^/.~][^/:]*/([^/]+/|$)" $id) (not (hasSuffix ".gguf" $id)) }}
    - model.id: {{ $id }} is neither organisation/name nor a path from the root: write one of them
  {{- else if hasPrefix "~/" $id }}
    - model.id: no shell expands {{ $id }}: write the whole path, from the root
  {{- else if and $stock (regexMatch "^(hf|huggingface|file|pvc|oci|docker|ollama|modelscope|gcs|abfss?|wasbs?)://"
    $id) }}
    - model.id: vLLM does not read {{ regexFind "^[a-z]+" $id }} addresses:
      write organisation/name, the path of a directory in a mounted volume, or an s3://, gs:// or az:// address
  {{- else if and $stock (regexMatch "^[^/@]+/[^/@]+@[^/@]+$" $id) }}
    - model.id: {{ $id }} names a revision, which is none of the name:
      write {{ regexReplaceAll "@.*" $id "" }}, and model.revision: {{ regexReplaceAll ".*@" $id "" }}
  {{- end }}
  {{- range $key := list "id" "revision" "servedModelName" }}
    {{- $given := get $.Values.model $key }}
    {{- range ternary $given (list $given) (kindIs "slice" $given) }}
      {{- include "vllm.validate.expansion" (list $ (printf "model.%s" $key) (include "vllm.text" .)) }}
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.gguf" . }}
  {{- if and (regexMatch "^/|://" $id) .Values.model.revision (not .Values.model.image.reference) }}
    - model.revision: {{ $id }} is a directory or a bucket, which has no revisions: leave it empty
  {{- end }}
  {{- /* Somebody else's image, command or init container may bring the files. */}}
  {{- if and $stock (not .Values.initContainers) }}
    {{- $volumes := include "vllm.volumesAt" (list . $id) | fromJsonArray }}
    {{- $mounts := compact (.Values.volumeMounts | default list) }}
    {{- $any := or .Values.persistence.enabled .Values.model.image.reference $mounts }}
    {{- if and (regexMatch "^\\.{0,2}/" $id) (not $volumes) }}
      - model.id: nothing is mounted at {{ $id }}:
        add the volume with the model to volumes and volumeMounts, or write a Hub id
    {{- else if and $volumes (not .Values.extraContainers) (not (has "filled" $volumes)) }}
      - model.id: {{ $id }} is in an emptyDir, which is empty in every new pod:
        write a volume that holds the model, or an init container that fetches it
    {{- else if and .Values.hub.offline (not $any) (not (contains "://" $id)) }}
      - hub.offline: {{ $id }} can be neither downloaded nor found in an empty cache:
        write the path of a mounted model in model.id, or persistence.enabled: true with a claim that holds it
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Lines for a GGUF model and an image of vLLM's own, which has had no loader for it since 0.24. Flint's checkpoints are
read by the model itself (models/flint/gguf_nvfp4.py of 0.33).
*/}}
{{- define "vllm.validate.gguf" }}
  {{- $id := .Values.model.id | default "" }}
  {{- $gguf := list }}
  {{- if regexMatch "(?i)(\\.gguf|-gguf(:.*)?)$" $id }}{{ $gguf = list "model.id" $id }}{{ end }}
  {{- range $flag := ternary list (list "quantization" "load-format") (not (empty $gguf)) }}
    {{- if eq (include "vllm.flag" (list $ $flag)) "gguf" }}
      {{- $gguf = list (printf "engine.args.%s" $flag) "gguf" }}
    {{- end }}
  {{- end }}
  {{- include "vllm.load" . }}
  {{- $since := .Facts.images.withoutGguf }}
  {{- $old := or (include "vllm.olderThan" (list . $since)) (and .Values.image.digest (not .Values.image.tag)) }}
  {{- if and $gguf (include "vllm.isOwnImage" .) (not .Values.command) (not $old) (not (regexMatch "(?i)flint" $id)) }}
    - {{ first $gguf }}: {{ last $gguf }} asks for GGUF, for which vLLM has had no loader since {{ $since }}:
      write a model in safetensors, or an image.repository of your own with the plugin (pip install vllm-gguf-plugin)
  {{- end }}
{{- end }}
