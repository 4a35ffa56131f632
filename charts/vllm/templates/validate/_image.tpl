{{- define "vllm.validate.image" }}
  {{- with .Values.image }}
    {{- $repository := .repository | default "" }}
    {{- $tag := .tag | default "" }}
    {{- $hub := regexMatch "^(vllm/vllm-openai(-cpu)?)?$" $repository }}
    {{- $own := regexMatch "^(.*/)?vllm/vllm-openai(-cpu)?$" ($repository | default "vllm/vllm-openai") }}
    {{- $version := regexFind "^v0\\.[0-9]+\\.[0-9]+" $tag }}
    {{- if and (regexMatch "^latest(-|$)" $tag) (not .digest) }}
      - image.tag: {{ $tag }} is another image tomorrow:
        write a version, or leave it empty for {{ $.Chart.AppVersion }}
    {{- else if and $hub (regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+" $tag) }}
      - image.tag: vLLM's tags begin with a v: write v{{ $tag }}
    {{- else if and $own $version (semverCompare "<0.18.0-0" $version) }}
      - image.tag: {{ $tag }} is too old to be stopped gracefully (--shutdown-timeout):
        write v0.22.0 or later, or leave it empty for {{ $.Chart.AppVersion }}
    {{- end }}
    {{- if and (eq $.Values.engine.device "cpu") (regexMatch "(^|/)vllm/vllm-openai$" $repository) }}
      - image.repository: {{ $repository }} is the CUDA build, which finds no device on a CPU:
        leave it empty, or write vllm/vllm-openai-cpu
    {{- else if and (eq $.Values.engine.device "cuda") (regexMatch "(^|/)vllm/vllm-openai-cpu$" $repository) }}
      - engine.device: {{ $repository }} is the CPU build: write engine.device: cpu
    {{- end }}
  {{- end }}
{{- end }}
