"""What Grafana shows."""

from typing import Annotated

from pydantic import Field

from vllm_chart.values import monitoring
from vllm_chart.values.rules import Number


class Dashboards(monitoring.Dashboards):
    """Two dashboards for Grafana 10 or later, of the service and of its replicas, as ConfigMaps that Grafana's sidecar
    loads; `vllm-chart dashboards` writes them as files. Enable them in one release and choose any other by their
    variables, or in each: then each release's have its own objectives and target."""

    gpu_hour_price: Annotated[float, Number()] = Field(
        1, description="What an hour of one GPU costs, in your currency. 1: costs are in hours of a GPU."
    )
