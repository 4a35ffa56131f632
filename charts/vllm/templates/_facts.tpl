{{/*
Nothing: puts what `generate` wrote for templates on the root context, once for all of them: `.Facts` (facts.json, whose
source is python/vllm_chart/facts.py) and `.Flags` (flags.json, of vLLM's own parsers). Whoever reads one includes this.
*/}}
{{- define "vllm.load" -}}
  {{- if not (hasKey . "Facts") }}
    {{- $_ := set . "Facts" (.Files.Get "files/generated/facts.json" | fromJson) }}
    {{- $_ := set . "Flags" (.Files.Get "files/generated/flags.json" | fromJson) }}
  {{- end }}
{{- end }}
