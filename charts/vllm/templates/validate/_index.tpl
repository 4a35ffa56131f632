{{/*
The rules across values, which a schema cannot say. Each define below returns one line per broken rule,

    key: what is wrong: what to write instead

and "vllm.validate" reports them all together, so that whoever only has Helm gets every answer at once. A topic is a file
here; lines are trimmed, so rules are indented as code is. What several topics ask for is in _facts.tpl.
*/}}

{{- define "vllm.validate" -}}
  {{- $lines := list }}
  {{- range $topic := list "model" "image" "gpu" "args" "stock" "resources" "storage" "lifecycle" "network" "env"
    "containers" "pod" "objects" "text" }}
    {{- range include (printf "vllm.validate.%s" $topic) $ | splitList "\n" }}
      {{- with trim . }}{{ $lines = append $lines (printf "  - %s" .) }}{{ end }}
    {{- end }}
  {{- end }}
  {{- if $lines }}
    {{- printf "\n\nThese values cannot work:\n\n%s\n" (join "\n" $lines) | fail }}
  {{- end }}
{{- end }}
