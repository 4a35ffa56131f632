{{/*
What costs as much as the rest of a render is done once, whoever asks for it: the root context, which all files of a
chart share, keeps it. Only for what follows from the root context alone.
*/}}

{{/* What a define returns for the root context. Takes a list: root context, the define's name. */}}
{{- define "chart.once" -}}
  {{- $root := first . }}
  {{- $kept := get $root "once" | default dict }}
  {{- if not (hasKey $kept (last .)) }}
    {{- $_ := set $root "once" (set $kept (last .) (include (last .) $root)) }}
  {{- end }}
  {{- get $kept (last .) }}
{{- end }}
