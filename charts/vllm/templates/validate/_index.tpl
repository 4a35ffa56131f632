{{/*
The rules across values, which a schema cannot say. Each define below returns an item for every broken rule,

    - key: what is wrong: what to write instead

which may go on in the lines after it, and "vllm.validate" reports them all together, so that whoever only has Helm gets
every answer at once. A topic is a file here; lines are trimmed, so rules are indented as code is. What several topics
ask for is in _facts.tpl.
*/}}

{{- define "vllm.validate" -}}
  {{- $messages := list }}
  {{- range $topic := list "model" "image" "gpu" "args" "command" "stock" "repositories" "peers" "resources"
    "hostMemory" "storage" "lifecycle" "network" "host" "auth" "env" "containers" "pod" "objects" "text" }}
    {{- range include (printf "vllm.validate.%s" $topic) $ | trim | splitList "\n" }}
      {{- $line := trim . }}
      {{- if hasPrefix "- " $line }}
        {{- $messages = append $messages (printf "  %s" $line) }}
      {{- else if $line }}
        {{- $messages = append (initial $messages) (printf "%s %s" (last $messages) $line) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if $messages }}
    {{- printf "\n\nThese values cannot work:\n\n%s\n" (join "\n" $messages) | fail }}
  {{- end }}
{{- end }}
