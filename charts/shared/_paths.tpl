{{/* Routes of an engine that are nobody's but its operator's. */}}

{{/*
"true" for a path of vLLM that is no question to a model, or nothing: what loads, pauses, ends or tells of the engine
itself (entrypoints/serve of vLLM 0.33), and /invocations, which stands for any other path.
*/}}
{{- define "chart.changesAnEngine" -}}
  {{- $words := "pause|resume|sleep|wake_up|shutdown|abort|collective_rpc|weight|fault_tolerance|kv_event|static" }}
  {{- $beginnings := "(reset|load|unload|update|start|stop|finish|init|release|scale|is|get)_" }}
  {{- $others := "invocations|metrics|server_info|docs/" }}
  {{- $whole := "(ping|health|version|load|readyz?|redoc|docs|openapi[.]json)$" }}
  {{- if regexMatch (printf "/(%s|%s|%s|%s)" $words $beginnings $others $whole) . }}true{{ end }}
{{- end }}
