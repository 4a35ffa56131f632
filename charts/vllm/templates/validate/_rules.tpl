{{/* Items for alerts that could never fire, and for what would compare with a guess. */}}
{{- define "vllm.validate.rules" }}
  {{- include "vllm.validate.alerts" (list . "VLLMDown") }}
  {{- if .Values.prometheusRule.enabled }}
    {{- include "vllm.load" . }}
    {{- range $name := list "VLLMKVCacheFull" "VLLMAborted" "VLLMEngineErrors" }}
      {{- include "vllm.validate.share" (list $ $name) }}
    {{- end }}
    {{- with .Values.slo }}
      {{- include "vllm.validate.objective" (list $ "slo.errors" .errors "VLLMErrorBudgetBurn") }}
      {{- include "vllm.validate.objective" (list $ "slo.ttft.objective" .ttft.objective "VLLMTTFTBudgetBurn") }}
      {{- include "vllm.validate.objective" (list $ "slo.itl.objective" .itl.objective "VLLMITLBudgetBurn") }}
    {{- end }}
    {{- if eq (include "vllm.flag" (list . "disable-log-stats")) "true" }}
      - engine.args.disable-log-stats: without its statistics the engine has no metrics that prometheusRule could go by:
        leave it out
    {{- end }}
  {{- end }}
  {{- /* Dashboards show what is left of the budgets, which would be empty. */}}
  {{- if or .Values.prometheusRule.enabled .Values.dashboards.enabled }}
    {{- include "vllm.load" . }}
    {{- with .Values.slo }}
      {{- include "vllm.validate.boundary" (list $ "slo.ttft.seconds" .ttft.seconds "time_to_first_token") }}
      {{- include "vllm.validate.boundary" (list $ "slo.itl.seconds" .itl.seconds "inter_token_latency") }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Items for an objective of which so much may be missed that the alert about it, at so many times the budget, would need
more than all requests. Takes a list: root context, key, objective, the name of the alert.
*/}}
{{- define "vllm.validate.objective" }}
  {{- $budget := subf 1 (index . 2 | float64) }}
  {{- range $name := list (last .) (printf "%sSlow" (last .)) }}
    {{- $settings := get (first $).Values.prometheusRule.alerts $name | default dict }}
    {{- range $key, $factor := pick $settings "threshold" "longThreshold" }}
      {{- $factor = float64 $factor }}
      {{- if and (ne (toString $settings.enabled) "false") (ge (mulf $factor $budget) 1.0) }}
        {{- $least := divf (subf 1 (divf 1 $factor) | mulf 1000 | floor | add1f) 1000 }}
        - {{ index $ 1 }}: {{ $factor }} times its budget of {{ $budget }} is all there is or more, so that {{ $name }}
          could never fire: write {{ $least }} or more, or a lower prometheusRule.alerts.{{ $name }}.{{ $key }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Items for a time at which vLLM's histogram has no boundary. Of a version that nobody knows, nothing is said. Takes a
list: root context, key, seconds, the histogram's name in --custom-histogram-buckets.
*/}}
{{- define "vllm.validate.boundary" }}
  {{- $root := first . }}
  {{- $seconds := index . 2 | float64 }}
  {{- /* A list, or vLLM refuses it. */}}
  {{- $buckets := get (include "vllm.jsonFlag" (list $root "custom-histogram-buckets") | fromJson) (last .) }}
  {{- if not (kindIs "slice" $buckets) }}
    {{- $known := not (empty (include "vllm.knownVersion" $root)) }}
    {{- $buckets = ternary (get $root.Facts.alerts.buckets (last .)) list $known }}
  {{- end }}
  {{- $below := list }}
  {{- $above := list }}
  {{- $found := false }}
  {{- range $buckets }}
    {{- $bound := float64 . }}
    {{- if lt $bound $seconds }}{{ $below = append $below $bound }}
    {{- else if gt $bound $seconds }}{{ $above = append $above $bound }}
    {{- else }}{{ $found = true }}
    {{- end }}
  {{- end }}
  {{- if and $buckets (not $found) }}
    {{- $nearest := compact (list (last $below) (first $above)) }}
    - {{ index . 1 }}: vLLM counts no boundary at {{ $seconds }} s, so that nobody knows how many took longer: write
      {{ join " or " $nearest }}, or put {{ $seconds }} among engine.args.custom-histogram-buckets.{{ last . }}
  {{- end }}
{{- end }}
