{{- define "vllm.validate.env" }}
  {{- include "vllm.load" . }}
  {{- range $name, $value := .Values.env }}
    {{- $text := include "vllm.text" $value }}
    {{- if kindIs "invalid" $value }}
    {{- else if hasKey $.Facts.ownedEnv $name }}
      - env.{{ $name }}: the chart's own: {{ get $.Facts.ownedEnv $name }}
    {{- else if regexMatch (printf "^%s[0-9]+$" $.Facts.otherApiKey) $name }}
      - env.{{ $name }}: the chart's own: write auth.apiKeySecretRefs
    {{- else if regexMatch "^(HF|HUGGING_?FACE)(_?HUB)?_(API_)?(TOKEN|KEY)$" $name }}
      - env.{{ $name }}: nothing reads it: put the token in a Secret and write hub.tokenSecretRef
    {{- else if include "vllm.validate.devices.chosen" (list $ $name $text) }}
      - env.{{ $name }}: the device plugin chooses the pod's GPU, which this one may not be:
        leave it out, and choose nodes with nodeSelector
    {{- else if and (regexMatch "^VLLM_.*_PORT$" $name) (eq $text (include "vllm.text" $.Values.containerPort)) }}
      - env.{{ $name }}: {{ $text }} is the HTTP port (containerPort): write another one
    {{- else if kindIs "map" $value }}
      {{- if and $value.valueFrom (not (kindIs "invalid" $value.value)) }}
        - env.{{ $name }}: has both value and valueFrom: write null in the place of the one that should go
      {{- else if and (not $value.valueFrom) (kindIs "invalid" $value.value) }}
        - env.{{ $name }}: has neither value nor valueFrom: write one, or plain text
      {{- end }}
      {{- with $value.valueFrom }}
        {{- $sources := include "vllm.keysSet" . | fromJsonArray }}
        {{- if ne (len $sources) 1 }}
          - env.{{ $name }}.valueFrom: has {{ join " and " $sources | default "no source" }}:
            write one, such as secretKeyRef: {name: …, key: …}
        {{- end }}
      {{- end }}
      {{- if and (not $value.valueFrom) (include "vllm.isPlainSecret" (list $ $name $value.value)) }}
        - env.{{ $name }}: a secret written in values is no secret:
          write {valueFrom: {secretKeyRef: {name: …, key: …}}}
      {{- end }}
      {{- with ($value.valueFrom | default dict).fieldRef }}
        {{- if has .fieldPath (list "metadata.labels" "metadata.annotations") }}
          - env.{{ $name }}.valueFrom.fieldRef.fieldPath: all of {{ .fieldPath }} fit into a file only:
            write {{ .fieldPath }}['…'], or a downwardAPI volume
        {{- end }}
      {{- end }}
      {{- if and (eq $name "PYTHONPATH") $value.valueFrom (include "vllm.middlewares" $ | fromJsonArray) }}
        - env.PYTHONPATH: nothing can be put before what is only known in the pod, and the engine's middleware has to
          be: write the path as text, or shutdown.closeConnections: false and hang.seconds: 0
      {{- end }}
      {{- range include "vllm.env.references" (dict $name $value) | fromJsonArray }}
        {{- if and (eq . $name) (include "vllm.isSearchPath" (list $name $value.value)) }}
        {{- else if eq . $name }}
          - env.{{ $name }}: refers to itself, and Kubernetes does not know the image's own value:
            write the whole value
        {{- else if has $name (include "vllm.env.order" (list $.Values.env (list .)) | fromJsonArray) }}
          - env.{{ $name }}: refers to {{ . }}, which refers back to it: write one of them in full
        {{- end }}
      {{- end }}
    {{- else if include "vllm.isPlainSecret" (list $ $name $value) }}
      - env.{{ $name }}: a secret written in values is no secret:
        write {valueFrom: {secretKeyRef: {name: …, key: …}}}
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.shellVariables" . }}
  {{- include "vllm.validate.envFrom" (list "envFrom" .Values.envFrom) }}
{{- end }}

{{/*
"true" for a variable whose name is a secret's and whose value is written out; a reference to another is none. Takes a
list: root context, name, value.
*/}}
{{- define "vllm.isPlainSecret" -}}
  {{- $root := first . }}
  {{- $text := include "vllm.text" (last .) }}
  {{- if and (regexMatch $root.Facts.secretName (index . 1)) (not (regexMatch $root.Facts.noSecret $text)) }}
    {{- if not (hasPrefix "$(" $text) }}true{{ end }}
  {{- end }}
{{- end }}

{{/*
Lines for a shell's $NAME in a variable, which no shell sees: one that refers to itself, in Kubernetes' form too, or a
path that begins at another. The Hub's library expands its own (huggingface_hub/constants.py).
*/}}
{{- define "vllm.validate.shellVariables" }}
  {{- $env := include "vllm.once" (list . "vllm.ownEnv") | fromJson }}
  {{- range $name, $value := .Values.env }}
    {{- $text := include "vllm.text" $value }}
    {{- $shell := "\\{\\w+\\}|[A-Za-z_]\\w*|\\([A-Za-z_]\\w*\\)" }}
    {{- if kindIs "map" $value }}
      {{- $text = include "vllm.text" $value.value }}
      {{- $shell = "\\{\\w+\\}|[A-Za-z_]\\w*" }}
    {{- end }}
    {{- range regexFindAll (printf "\\$(%s)" $shell) (replace "$$" "" $text) -1 | uniq }}
      {{- $other := regexReplaceAll "[^A-Za-z0-9_]" . "" }}
      {{- $plain := hasPrefix "$(" . }}
      {{- $there := or (hasKey ($.Values.env | default dict) $other) (hasKey $env $other) }}
      {{- $path := and (regexMatch "(^|_)(PATH|HOME|DIR|ROOT|CACHE|PRELOAD)$" $name) (regexMatch "^[A-Z]" $other) }}
      {{- if and $plain (ne $other $name) }}
      {{- else if hasPrefix "HF_" $name }}
      {{- else if and (eq $other $name) (include "vllm.isSearchPath" (list $name $text)) }}
      {{- else if eq $other $name }}
        - env.{{ $name }}: no shell expands {{ . }}, and Kubernetes does not know the image's own value:
          write the whole value
      {{- else if and $path $there }}
        - env.{{ $name }}: no shell expands {{ . }}: write {value: "{{ replace . (printf "$(%s)" $other) $text }}"}
      {{- else if $path }}
        - env.{{ $name }}: no shell expands {{ . }}: write the whole value
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
"true" for directories in a row, or nothing. One that is not there is passed over, and the rest is searched: the package
warns of it. Without a PATH of its own the image would not find its program. Takes a list: name, text.
*/}}
{{- define "vllm.isSearchPath" -}}
  {{- if and (ne (first .) "PATH") (contains ":" (include "vllm.text" (last .))) }}true{{ end }}
{{- end }}

{{/* Lines for sources of environments. Takes a list: their key, the sources. */}}
{{- define "vllm.validate.envFrom" }}
  {{- range without (last . | default list) nil }}
    {{- if ne (include "vllm.keysSet" (pick . "configMapRef" "secretRef") | fromJsonArray | len) 1 }}
      - {{ first $ }}: {{ toJson . }} has to name one source: write configMapRef or secretRef
    {{- end }}
  {{- end }}
{{- end }}
