"""What is measured of the endpoint, who collects it, and what Grafana shows of it."""

from typing import Annotated

from pydantic import Field

from vllm_chart.endpoint.alerts import ALERTS
from vllm_chart.values import monitoring, rules
from vllm_chart.values.rules import AlertSettings, ByAlert


class Monitor(monitoring.Monitor):
    """Of a monitor of prometheus-operator, which asks metricsPort. Both kinds give every target the same labels: `job`
    is `<namespace>/<fullname>`, which rules and dashboards go by, and `pod`."""

    remedies = monitoring.Monitor.remedies | {
        "port": "leave it out: it is metricsPort",
        "targetPort": "leave it out: it is metricsPort",
        "scheme": "leave it out: metricsPort answers by http",
        "tlsConfig": "leave it out: metricsPort answers by http",
    }


class PrometheusRule(rules.PrometheusRule):
    """Recording rules and alerts, as an object of the Prometheus operator. `vllm-chart rules --chart vllm-endpoint -f
    mine.yaml` prints the same as a file for a Prometheus without it. They find the release by the labels `namespace`
    and `job` (`<namespace>/<name>`), which the chart's monitors and annotations give it."""

    runbook_url: str = Field(
        "docs/runbooks",
        description="Where the pages on the alerts are, one for each: `runbook_url` of VLLMEndpointDown leads to "
        "VLLMEndpointDown.md in it. The default is the folder in the chart's repository.",
    )
    alerts: Annotated[dict[str, AlertSettings], ByAlert(ALERTS)] = Field(
        ALERTS,
        description="When each alert fires: thresholds, how long it has to be so, how severe it is. `enabled: false` "
        "leaves one out. docs/endpoint.md says what each means.",
    )


class Dashboards(monitoring.Dashboards):
    """A dashboard for Grafana 10 or later, as a ConfigMap that Grafana's sidecar loads: requests, refusals, latency and
    tokens by client and model, the engines, and the endpoint's own replicas. `vllm-chart dashboards --chart
    charts/vllm-endpoint` writes it as a file."""
