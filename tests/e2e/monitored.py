"""`--set` expressions for releases that the cluster's Prometheus watches."""

from tests.e2e import prometheus

#: For how long what an alert expects has to last, in place of minutes.
FOR_SECONDS = 15
#: Beyond `for`: a scrape, and an evaluation that begins it and one that ends it.
LAG_SECONDS = 45
#: Cores that are shared with other tests break no promise. Both are boundaries of vLLM's histograms.
PATIENT_OBJECTIVES = ("slo.ttft.seconds=640", "slo.itl.seconds=10")


def monitored(kind: str) -> tuple[str, ...]:
    """A monitor of a kind, and rules that are evaluated as often as is scraped, both for this Prometheus."""
    return (*picked_up(kind), *picked_up("prometheusRule"), "prometheusRule.interval=10s")


def picked_up(kind: str) -> tuple[str, ...]:
    """An object of the operator's, with the label by which this Prometheus picks it up."""
    label, value = prometheus.LABEL
    return (f"{kind}.enabled=true", f"{kind}.labels.{label}={value}")


def short_alerts(*alerts: str) -> tuple[str, ...]:
    """These alerts' `for`, shortened."""
    return tuple(f"prometheusRule.alerts.{alert}.for={FOR_SECONDS}s" for alert in alerts)
