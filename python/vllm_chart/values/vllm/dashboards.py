"""What Grafana shows."""

from typing import Annotated

from pydantic import Field

from vllm_chart.values.base import Annotations, Block, Labels, Reference
from vllm_chart.values.rules import Number


class Dashboards(Block):
    """Two dashboards for Grafana 10 or later, of the service and of its replicas, as ConfigMaps that Grafana's sidecar
    loads; `vllm-chart dashboards` writes them as files. Enable them in one release and choose any other by their
    variables, or in each: then each release's have its own objectives and target."""

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
    gpu_hour_price: Annotated[float, Number()] = Field(
        1, description="What an hour of one GPU costs, in your currency. 1: costs are in hours of a GPU."
    )
