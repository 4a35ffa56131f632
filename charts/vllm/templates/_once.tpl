{{/*
What costs as much as the rest of a render is done once, whoever asks for it: the root context, which all files of a
chart share, keeps it. Only for what follows from the root context alone.
*/}}

{{/* What a define returns for the root context. Takes a list: root context, the define's name. */}}
{{- define "vllm.once" -}}
  {{- $root := first . }}
  {{- $kept := get $root "once" | default dict }}
  {{- if not (hasKey $kept (last .)) }}
    {{- $_ := set $root "once" (set $kept (last .) (include (last .) $root)) }}
  {{- end }}
  {{- get $kept (last .) }}
{{- end }}

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
