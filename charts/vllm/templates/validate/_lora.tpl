{{- define "vllm.validate.lora" }}
  {{- if include "vllm.lora" . }}
    {{- $names := .Values.model.servedModelName | default (list .Values.model.id) }}
    {{- $seen := dict }}
    {{- range $index, $adapter := compact (.Values.lora.adapters | default list) }}
      {{- $at := printf "lora.adapters[%d]" $index }}
      {{- $name := $adapter.name | default "" }}
      {{- if not $name }}
        - {{ $at }}.name: nobody could ask for an adapter without a name: write what clients write in `model`
      {{- else if has $name $names }}
        - {{ $at }}.name: {{ $name }} is the model's own name: write another one, or another model.servedModelName
      {{- else if hasKey $seen $name }}
        - {{ $at }}.name: {{ $name }} is there twice: give each adapter a name of its own
      {{- end }}
      {{- $_ := set $seen $name true }}
      {{- include "vllm.validate.lora.source" (list $ $at $adapter) }}
    {{- end }}
    {{- include "vllm.validate.lora.flags" . }}
    {{- if .Values.lora.reload }}{{ include "vllm.validate.lora.reload" . }}{{ end }}
  {{- end }}
{{- end }}

{{/* Lines for where an adapter comes from. Takes a list: root context, its key, the adapter. */}}
{{- define "vllm.validate.lora.source" }}
  {{- $values := (first .).Values }}
  {{- $at := index . 1 }}
  {{- $adapter := last . }}
  {{- $source := $adapter.source | default "" }}
  {{- if not $source }}
    - {{ $at }}.source: it says not where the adapter is:
      write organisation/name, or the path of a directory in a mounted volume
  {{- else if and (hasPrefix "/" $source) $adapter.revision }}
    - {{ $at }}.revision: {{ $source }} is a directory, which has no revisions: leave it out
  {{- else if and (not (hasPrefix "/" $source)) $values.hub.offline (not $values.persistence.enabled) }}
    - {{ $at }}.source: {{ $source }} is on the Hub, which hub.offline forbids, and the cache is empty in every new pod:
      write the path of a mounted copy, or persistence.enabled: true with a claim that holds it
  {{- end }}
{{- end }}

{{/* Lines for flags that say the same, or what cannot be together. */}}
{{- define "vllm.validate.lora.flags" }}
  {{- range $flag, $key := dict
    "enable-lora" "adapters" "lora-modules" "adapters" "max-loras" "maxLoras" "max-lora-rank" "maxRank" }}
    {{- if include "vllm.saysFlag" (list $ $flag) }}
      - engine.args.{{ $flag }}: the chart writes it, because of lora: leave it out, and write lora.{{ $key }}
    {{- end }}
  {{- end }}
  {{- $most := include "vllm.lora.maxLoras" . | int }}
  {{- $cached := include "vllm.flag" (list . "max-cpu-loras") }}
  {{- if and (regexMatch "^[1-9][0-9]*$" $cached) (lt (int $cached) $most) }}
    - engine.args.max-cpu-loras: {{ $cached }} is less than the {{ $most }} of a batch: write {{ $most }} or more
      {{- if not .Values.lora.maxLoras }}, or lora.maxLoras: {{ $cached }}{{ end }}
  {{- end }}
  {{- if not .Values.engine.passArguments }}
    - lora: the engine is told of adapters by the chart's arguments: write engine.passArguments: true, or leave lora out
  {{- end }}
{{- end }}

{{/* Lines for what keeps the engine at a list while it runs. */}}
{{- define "vllm.validate.lora.reload" }}
  {{- $env := .Values.env | default dict }}
  {{- if not .Values.lora.maxLoras }}
    - lora.maxLoras: with lora.reload it cannot follow from the list, which changes while the engine runs:
      write how many adapters a batch may have, each of which takes GPU memory
  {{- end }}
  {{- if hasKey $env "VLLM_ALLOW_RUNTIME_LORA_UPDATING" }}
    - env.VLLM_ALLOW_RUNTIME_LORA_UPDATING: lora.reload sets it: leave it out
  {{- end }}
  {{- if not (regexMatch "^0*$" (include "vllm.envText" (list . "VLLM_USE_RUST_FRONTEND"))) }}
    - lora.reload: the Rust frontend does not load what keeps others from its routes: write false, or leave out
      env.VLLM_USE_RUST_FRONTEND
  {{- end }}
  {{- $servers := include "vllm.flag" (list . "api-server-count") }}
  {{- $ranks := int .Values.parallelism.dataParallelSize }}
  {{- $alone := include "vllm.flag" (list . "data-parallel-external-lb") }}
  {{- if and $servers (ne $servers "1") }}
    - engine.args.api-server-count: {{ $servers }} servers would each know other adapters, and vLLM refuses lora.reload
      with them: write 1
  {{- else if and (not $servers) (gt $ranks 1) (not $alone) }}
    - lora.reload: vLLM starts as many API servers as parallelism.dataParallelSize, and refuses to load adapters in more
      than one: write engine.args.api-server-count: 1
  {{- end }}
  {{- if eq (include "vllm.flag" (list . "ssl-cert-reqs")) "2" }}
    - engine.args.ssl-cert-reqs: what loads adapters has no certificate of a client: write 0 or 1, or
      lora.reload: false
  {{- end }}
{{- end }}
