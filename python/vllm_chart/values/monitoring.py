"""Who collects what is measured, and what Grafana shows of it: keys that every chart has."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

from vllm_chart.values.base import Annotations, Block, Count, Empty, Labels, Pattern, Reference, Schema
from vllm_chart.values.kubernetes import one_of

#: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
_DURATION = "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"
Duration = Annotated[str, Pattern(_DURATION, "write a duration: 30s, 5m or 1h30m")]

TEXT: Schema = {"type": ["string", "null"]}
_ACTIONS = (
    *("Replace", "Keep", "Drop", "HashMod", "LabelMap", "LabelDrop", "LabelKeep", "Lowercase", "Uppercase"),
    *("KeepEqual", "DropEqual"),
)


@dataclass(frozen=True)
class Fields:
    """Marks an object of prometheus-operator, passed through as written: its fields, and no others."""

    properties: Schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"type": ["object", "null"], "properties": self.properties, "additionalProperties": False}


Relabeling = TypeAliasType(
    "Relabeling",
    Annotated[
        dict[str, Any],
        Fields(
            {
                "action": one_of(*_ACTIONS, *map(str.lower, _ACTIONS)),
                "sourceLabels": {"type": ["array", "null"], "items": {"type": "string"}},
                "modulus": {"type": ["integer", "null"]},
                **dict.fromkeys(("regex", "replacement", "separator", "targetLabel"), TEXT),
            }
        ),
    ],
)

_NEVER = "write convertClassicHistogramsToNHCB: false, or leave it empty"


class Monitor(Block):
    """Of a monitor of prometheus-operator. Both kinds give every target the same labels: `job` is
    `<namespace>/<fullname>`, which rules, dashboards and scalers go by, and `pod`."""

    remedies = {
        "create": "write enabled",
        "additionalLabels": "write labels",
        "extraLabels": "write labels",
        "selector": "write labels: they are what a Prometheus picks monitors by",
        "additionalAnnotations": "write annotations",
        "scrapeInterval": "write interval",
        "timeout": "write scrapeTimeout",
        "relabelConfigs": "write relabelings",
        "relabellings": "write relabelings",
        "metricRelabelConfigs": "write metricRelabelings",
        "path": "leave it out: it is /metrics",
        "jobLabel": "leave it out: job is <namespace>/<fullname>",
        "honorLabels": "leave it out: the metrics have no labels of the target's",
        "namespaceSelector": "leave it out: it is the release's namespace",
        "targetLabels": "write relabelings: [{sourceLabels: [__meta_kubernetes_service_label_a], targetLabel: a}]",
        "podTargetLabels": "write relabelings: [{sourceLabels: [__meta_kubernetes_pod_label_a], targetLabel: a}]",
    }

    enabled: bool = Field(False, description="Render it. Turning it on restarts no pod.")
    namespace: Reference = Field(
        "",
        description="Where the monitor is, for a Prometheus that looks into its own namespace alone. Empty: beside the "
        "pods. Secrets that it names are there too.",
    )
    labels: Labels = Field(
        {},
        description="Labels that your Prometheus picks monitors by: `release: kube-prometheus-stack`, for example. "
        "`vllm-chart preflight` reads the Prometheus and says which one is missing.",
    )
    annotations: Annotations = Field({}, description="Annotations of the monitor.")
    interval: Duration = Field("10s", description="How often. Empty: as the Prometheus has it.")
    scrape_timeout: Duration = Field("8s", description="How long an answer may take; no longer than the interval.")
    relabelings: list[Relabeling] = Field([], description="Relabelings of the target, beside the chart's own.")
    metric_relabelings: list[Relabeling] = Field(
        [], description="Relabelings of samples, after the chart's own, which drops the times of creation (`_created`)."
    )
    sample_limit: Count | Empty = Field(
        "", description="Samples of a pod, beyond which the whole scrape fails. Empty or 0: no limit."
    )
    scrape_class: Reference = Field("", description="Scrape class of the Prometheus: its TLS, its relabelings.")
    convert_classic_histograms: bool | Annotated[str, Pattern("^$", _NEVER)] = Field(
        "",
        description="`false` keeps the histograms' buckets, which rules and dashboards read, where the Prometheus "
        "converts them for all; prometheus-operator has it since 0.82. Empty: not written.",
        alias="convertClassicHistogramsToNHCB",
    )


class ScrapeAnnotations(Block):
    """`prometheus.io` annotations of the pods, for a Prometheus without the operator."""

    remedies = {
        "port": "write podAnnotations: {prometheus.io/port: …}",
        "path": "leave it out: it is /metrics",
    }

    enabled: bool = Field(
        False,
        description="Write them: scrape, port, path, scheme, and `prometheus.io/job` for the scrape configuration in "
        "docs/monitoring.md, which gives targets the same `job`. Turning it on replaces the pods.",
    )


class Dashboards(Block):
    """Of dashboards for Grafana, as ConfigMaps that its sidecar loads."""

    remedies = {
        "create": "write enabled",
        "label": 'write labels: {grafana_dashboard: "1"}',
        "labelKey": 'write labels: {grafana_dashboard: "1"}',
        "labelValue": 'write labels: {grafana_dashboard: "1"}',
        "sidecarLabel": 'write labels: {grafana_dashboard: "1"}',
        "sidecarLabelValue": 'write labels: {grafana_dashboard: "1"}',
        "additionalLabels": "write labels",
        "extraLabels": "write labels",
        "additionalAnnotations": "write annotations",
        "folder": "write annotations: {grafana_folder: …}",
        "grafanaFolder": "write annotations: {grafana_folder: …}",
        "datasource": "leave it out: the dashboards have a variable for it",
    }

    enabled: bool = Field(False, description="Render the ConfigMaps. Turning it on restarts no pod.")
    labels: Labels = Field(
        {"grafana_dashboard": "1"},
        description="Labels that the sidecar picks ConfigMaps by. The default is that of Grafana's own charts "
        "(`sidecar.dashboards.label`).",
    )
    annotations: Annotations = Field(
        {},
        description="Annotations of the ConfigMaps: `grafana_folder: vLLM` puts them in a folder where the sidecar has "
        "`folderAnnotation: grafana_folder`.",
    )
    namespace: Reference = Field(
        "",
        description="Where the ConfigMaps are, for a sidecar that looks into its own namespace alone. Empty: beside "
        "the pods, for one that looks into all (`searchNamespace: ALL`).",
    )
