{{/* The KV and encoder-cache connectors that the engine loads. */}}

{{/*
JSON list of {kind, name, role, module, extra, config, where}: the KV ("kv") and encoder-cache ("ec") connectors that
the engine loads, those inside a MultiConnector too; kv-offloading-size puts its own in kv-transfer-config's place.
`config` is the flag's object without the extra config.
*/}}
{{- define "vllm.connectors" -}}
  {{- $connectors := list }}
  {{- $config := include "vllm.jsonFlag" (list . "kv-transfer-config") | fromJson }}
  {{- $size := include "vllm.flag" (list . "kv-offloading-size") | include "vllm.number" }}
  {{- if $size }}
    {{- $simple := not (has (include "vllm.envText" (list . "VLLM_USE_SIMPLE_KV_OFFLOAD")) (list "" "0")) }}
    {{- $extra := dict "cpu_bytes_to_use" (mulf (float64 $size) 1073741824) }}
    {{- $extra = merge $extra ($config.kv_connector_extra_config | default dict) }}
    {{- $name := ternary "SimpleCPUOffloadConnector" "OffloadingConnector" $simple }}
    {{- if eq (include "vllm.flag" (list . "kv-offloading-backend")) "lmcache" }}
      {{- $name = "LMCacheMPConnector" }}
    {{- end }}
    {{- $connector := dict "kind" "kv" "name" $name "role" "kv_both" "extra" $extra "config" dict }}
    {{- $connectors = list (set $connector "where" "engine.args.kv-offloading-size") }}
  {{- else }}
    {{- range include "vllm.connectors.flat" (list $config $config.kv_role) | fromJsonArray }}
      {{- $connectors = append $connectors (merge (dict "kind" "kv" "where" "engine.args.kv-transfer-config") .) }}
    {{- end }}
  {{- end }}
  {{- $config = include "vllm.jsonFlag" (list . "ec-transfer-config") | fromJson }}
  {{- if $config.ec_connector }}
    {{- $connector := dict "kind" "ec" "name" $config.ec_connector "extra" $config.ec_connector_extra_config }}
    {{- $connector = merge $connector (dict "role" $config.ec_role "module" $config.ec_connector_module_path) }}
    {{- $_ := set $connector "config" (omit $config "ec_connector_extra_config") }}
    {{- $connectors = append $connectors (set $connector "where" "engine.args.ec-transfer-config") }}
  {{- end }}
  {{- toJson $connectors }}
{{- end }}

{{/* JSON list: a KV connector, or those inside it. Takes a list: its object, the role of the one around it. */}}
{{- define "vllm.connectors.flat" -}}
  {{- $config := first . }}
  {{- $role := $config.kv_role | default (last .) }}
  {{- $name := $config.kv_connector | include "vllm.text" }}
  {{- $extra := $config.kv_connector_extra_config | default dict }}
  {{- $found := list }}
  {{- if eq $name "MultiConnector" }}
    {{- range compact ($extra.connectors | default list) }}
      {{- $found = concat $found (include "vllm.connectors.flat" (list . $role) | fromJsonArray) }}
    {{- end }}
  {{- else if $name }}
    {{- $config = omit $config "kv_connector_extra_config" }}
    {{- $found = list (dict "name" $name "role" $role "extra" $extra "config" $config) }}
    {{- $_ := set (first $found) "module" $config.kv_connector_module_path }}
  {{- end }}
  {{- toJson $found }}
{{- end }}
