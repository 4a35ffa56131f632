{{/* Names, labels, text and quantities. Each comment says what a define returns. */}}

{{/*
String: the chart's name, or its alias in an umbrella chart. Names may have capitals, dots and underscores there, which
objects' names may not.
*/}}
{{- define "vllm.name" -}}{{ include "vllm.once" (list . "vllm.name.cut") }}{{- end }}

{{- define "vllm.name.cut" -}}
{{- default .Chart.Name .Values.nameOverride | include "vllm.cut" }}
{{- end }}

{{/* String: release and chart name, the stem of all names; at most 63 characters. */}}
{{- define "vllm.fullname" -}}{{ include "vllm.once" (list . "vllm.fullname.cut") }}{{- end }}

{{- define "vllm.fullname.cut" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains (include "vllm.name" .) .Release.Name }}
{{- include "vllm.cut" .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "vllm.name" .) | include "vllm.cut" }}
{{- end }}
{{- end }}

{{/* String: a name as Kubernetes takes it, at most 63 characters. */}}
{{- define "vllm.cut" -}}
{{- regexReplaceAll "[._]" (lower .) "-" | trunc 63 | trimAll "-" }}
{{- end }}

{{/* String: a stem with a suffix that survives the cut at 63. Takes a list: stem, suffix. */}}
{{- define "vllm.suffixed" -}}
{{- $suffix := printf "-%s" (last .) }}
{{- printf "%s%s" (first . | trunc (sub 63 (len $suffix) | int) | trimAll "-") $suffix }}
{{- end }}

{{/* Strings: the name of each object. */}}
{{- define "vllm.service.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.podDisruptionBudget.name" -}}{{ include "vllm.fullname" . }}{{- end }}
{{- define "vllm.test.name" -}}{{ include "vllm.suffixed" (list (include "vllm.fullname" .) "test") }}{{- end }}
{{- define "vllm.lifecycle.name" -}}
{{- include "vllm.suffixed" (list (include "vllm.fullname" .) "lifecycle") }}
{{- end }}
{{- define "vllm.claim.name" -}}
{{- .Values.persistence.existingClaim | default (include "vllm.suffixed" (list (include "vllm.fullname" .) "cache")) }}
{{- end }}
{{- define "vllm.serviceAccount.name" -}}
{{- $own := ternary (include "vllm.fullname" .) "default" .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default $own }}
{{- end }}

{{/* String: the namespace of every object. */}}
{{- define "vllm.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end }}

{{/* YAML map: what selects the pods of this release, and never changes. */}}
{{- define "vllm.selectorLabels" -}}
{{- dict "app.kubernetes.io/name" (include "vllm.name" .) "app.kubernetes.io/instance" .Release.Name | toYaml }}
{{- end }}

{{/* YAML map: the labels of every object. */}}
{{- define "vllm.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_.")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service }}
{{- include "vllm.map" (list $own .Values.commonLabels (include "vllm.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/*
YAML map: the labels of the engine's pods. No chart or engine version among them: what a new chart does not change must
not restart a model.
*/}}
{{- define "vllm.podLabels" -}}
{{- include "vllm.map" (list .Values.commonLabels .Values.podLabels (include "vllm.selectorLabels" . | fromYaml)) }}
{{- end }}

{{/* YAML map, or nothing: annotations. Takes a list: the root context, then maps of annotations. */}}
{{- define "vllm.annotations" -}}
{{- include "vllm.map" (prepend (rest .) (first .).Values.commonAnnotations) }}
{{- end }}

{{/*
YAML map, or nothing: maps that users key themselves, merged, the last one wins. Nulls are skipped, because that is
how a later file deletes a key; values become text, because labels, annotations and selectors are.
*/}}
{{- define "vllm.map" -}}
{{- $merged := dict }}
{{- range $map := . }}
{{- range $key, $value := $map }}
{{- if kindIs "invalid" $value }}
{{- $_ := unset $merged $key }}
{{- else }}
{{- $_ := set $merged $key (include "vllm.text" $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- with $merged }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* YAML list, or nothing: a pass-through list. */}}
{{- define "vllm.list" -}}
{{- with without (. | default list) nil }}{{ include "vllm.yaml" . }}{{ end }}
{{- end }}

{{/*
YAML: a user's structure without the nulls in it. A null is how a later file deletes, and Kubernetes would read zero in
the place of some: a limit of null is a limit of 0.
*/}}
{{- define "vllm.yaml" -}}
{{- if contains "null" (toRawJson .) }}
{{- $copy := deepCopy . }}
{{- include "vllm.deleteNulls" $copy }}
{{- toYaml $copy }}
{{- else }}
{{- /* As nearly always; a copy costs more than the rest. */}}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* Nothing: changes the structure in place, at every depth. */}}
{{- define "vllm.deleteNulls" -}}
{{- if kindIs "map" . }}
{{- range $key, $value := . }}
{{- if kindIs "invalid" $value }}{{ $_ := unset $ $key }}{{ end }}
{{- if kindIs "slice" $value }}{{ $_ := set $ $key (without $value nil) }}{{ end }}
{{- include "vllm.deleteNulls" $value }}
{{- end }}
{{- else if kindIs "slice" . }}
{{- range . }}{{ include "vllm.deleteNulls" . }}{{ end }}
{{- end }}
{{- end }}

{{/* String: a value as text, nothing for null. JSON prints 10000000 in full where `quote` makes 1e+07 of it. */}}
{{- define "vllm.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if not (kindIs "invalid" .) }}{{ toRawJson . }}{{ end }}
{{- end }}

{{/* String: text that Kubernetes leaves alone. It would expand `$(NAME)` and halve `$$` in a variable's value. */}}
{{- define "vllm.literal" -}}
{{- $text := include "vllm.text" . }}
{{- ternary (replace "$" "$$" $text) $text (regexMatch "\\$[$(]" $text) }}
{{- end }}

{{/* String: a Kubernetes quantity as a decimal number (bytes, cores), for comparisons: "1.5Gi" is 1610612736. */}}
{{- define "vllm.quantity" -}}
{{- $text := include "vllm.text" . }}
{{- $number := regexFind "^[0-9.]+([eE][-+]?[0-9]+)?" $text }}
{{- $factors := dict "" 1 "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- printf "%f" (mulf (float64 $number) (get $factors (trimPrefix $number $text))) }}
{{- end }}

{{/* String: the engine's image. Also used by the test, so that its node has it already. */}}
{{- define "vllm.image" -}}
{{- $cpu := eq .Values.engine.device "cpu" }}
{{- $repository := .Values.image.repository | default (ternary "vllm/vllm-openai-cpu" "vllm/vllm-openai" $cpu) }}
{{- $tag := .Values.image.tag | default (printf "v%s%s" .Chart.AppVersion (ternary "-x86_64" "" $cpu)) }}
{{- with .Values.global.imageRegistry }}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository $tag }}
{{- end }}
{{- end }}
