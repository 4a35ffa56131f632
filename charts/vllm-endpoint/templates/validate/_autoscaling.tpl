{{- define "vllm-endpoint.validate.autoscaling" }}
  {{- with .Values.autoscaling }}
    {{- if and .enabled (not .maxReplicas) }}
      - autoscaling.maxReplicas: an autoscaler needs a bound: write how many pods there may be
    {{- else if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
      - autoscaling.minReplicas: {{ int .minReplicas }} is more than maxReplicas, {{ int .maxReplicas }}:
        write at most that
    {{- end }}
    {{- $written := include "vllm-endpoint.text" $.Values.replicaCount }}
    {{- if and .enabled (not (has $written (list "" "2"))) }}
      - replicaCount: {{ $written }} beside autoscaling, which counts the replicas itself: leave it out, and write
        autoscaling.minReplicas: {{ $written }} if there are never to be fewer
    {{- end }}
    {{- $requests := ($.Values.resources | default dict).requests | default dict }}
    {{- $limits := ($.Values.resources | default dict).limits | default dict }}
    {{- $byCPU := include "vllm-endpoint.autoscales" (list $ "HPA") }}
    {{- if and $byCPU (not (or $requests.cpu $limits.cpu)) }}
      - resources.requests.cpu: autoscaling goes by the share of it that is used, and there is none: write one, 500m
    {{- end }}
    {{- if .enabled }}{{ include "vllm-endpoint.validate.autoscaling.prometheus" $ }}{{ end }}
  {{- end }}
{{- end }}
