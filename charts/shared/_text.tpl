{{/* Values as text and as numbers. */}}

{{/* String: a value as text, nothing for null. JSON prints 10000000 in full where `quote` makes 1e+07 of it. */}}
{{- define "chart.text" -}}
  {{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toRawJson . }}{{ end }}
{{- end }}

{{/* String: text that Kubernetes leaves alone. It would expand `$(NAME)` and halve `$$` in a variable's value. */}}
{{- define "chart.literal" -}}
  {{- $text := include "chart.text" . }}
  {{- ternary (replace "$" "$$" $text) $text (regexMatch "\\$[$(]" $text) }}
{{- end }}

{{/* String: a Kubernetes quantity as a decimal number (bytes, cores), for comparisons: "1.5Gi" is 1610612736. */}}
{{- define "chart.quantity" -}}
  {{- $text := include "chart.text" . }}
  {{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text }}
  {{- $factors := dict "" 1 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
    "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
  {{- printf "%f" (mulf (float64 $number) (get $factors (trimPrefix $number $text))) }}
{{- end }}
