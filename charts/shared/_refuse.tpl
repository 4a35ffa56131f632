{{/*
Refuses values. Rules are defines that return an item for every one that is broken,

    - key: what is wrong: what to write instead

which may go on in the lines after it; lines are trimmed, so rules are indented as code is. All are reported together,
so that whoever only has Helm gets every answer at once. Takes a list: root context, names of defines.
*/}}
{{- define "chart.refuse" -}}
  {{- $root := first . }}
  {{- $messages := list }}
  {{- range $rules := last . }}
    {{- range include $rules $root | trim | splitList "\n" }}
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

{{/* Lines for text that YAML cannot hold. */}}
{{- define "chart.validate.text" }}
  {{- /* Helm's toYaml would silently leave out all that stands beside one. */}}
  {{- $control := `[\x7f-\x{9f}\x{fffe}\x{ffff}]` }}
  {{- if regexMatch $control (toRawJson .Values) }}
    {{- range $key, $value := .Values }}
      {{- if regexMatch $control (toRawJson $value) }}
        - {{ $key }}: has a control character (U+007F to U+009F), which YAML cannot hold: take it out
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
