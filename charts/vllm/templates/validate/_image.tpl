{{- define "vllm.validate.image" }}
  {{- include "vllm.load" . }}
  {{- with .Values.image }}
    {{- $repository := .repository | default "" }}
    {{- $tag := .tag | default "" }}
    {{- $hub := regexMatch "^(vllm/vllm-openai(-cpu)?)?$" $repository }}
    {{- $own := include "vllm.isOwnImage" $ }}
    {{- if and (regexMatch "^latest(-|$)" $tag) (not .digest) }}
      - image.tag: {{ $tag }} is another image tomorrow:
        write a version, {{ if $own }}or leave it empty for {{ $.Chart.AppVersion }}{{ else }}or image.digest{{ end }}
    {{- else if and $hub (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+" $tag) }}
      - image.tag: vLLM's tags begin with a v: write v{{ $tag }}
    {{- else if and $hub (regexMatch "^v?[0-9]+\\.[0-9]+$" $tag) }}
      - image.tag: vLLM's tags have three numbers: write v{{ trimPrefix "v" $tag }}.0
    {{- else if and $repository (not $tag) (not .digest) }}
      {{- /* The chart's own tag would be asked for, which only vLLM's images have, and copies of them. */}}
      {{- if regexMatch $.Facts.images.otherTags $repository }}
        - image.tag: {{ $repository }} has tags of its own, and v{{ $.Chart.AppVersion }} is vLLM's: write one of them
      {{- end }}
    {{- end }}
    {{- if and (eq $.Values.engine.device "cpu") (regexMatch "(^|/)vllm/vllm-openai$" $repository) }}
      - image.repository: {{ $repository }} is the CUDA build, which finds no device on a CPU:
        leave it empty, or write vllm/vllm-openai-cpu
    {{- else if and (eq $.Values.engine.device "cuda") (regexMatch "(^|/)vllm/vllm-openai-cpu$" $repository) }}
      - engine.device: {{ $repository }} is the CPU build: write engine.device: cpu
    {{- end }}
  {{- end }}
  {{- include "vllm.validate.tooOld" . }}
{{- end }}

{{/* Lines for what the release of vLLM in the image, by its tag, does not have yet. */}}
{{- define "vllm.validate.tooOld" }}
  {{- if or (include "vllm.isOwnImage" .) (regexMatch "vllm[-_]?v?[0-9]" (.Values.image.tag | default "")) }}
    {{- $flags := dict "maxRequests" "max-num-queued-reqs" "streamKeepAliveSeconds" "sse-keep-alive-interval" }}
    {{- range $key, $flag := $flags }}
      {{- if and (get $.Values.traffic $key) (include "vllm.lacks" (list $ $flag)) }}
        - traffic.{{ $key }}: vLLM has --{{ $flag }} since {{ get $.Facts.images.since $flag }}, and image.tag
          names {{ include "vllm.namedVersion" $ }}: leave it at 0, or write a later tag
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
