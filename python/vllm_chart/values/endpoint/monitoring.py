"""What is measured of the endpoint, and who collects it."""

from vllm_chart.values import monitoring


class Monitor(monitoring.Monitor):
    """Of a monitor of prometheus-operator, which asks metricsPort. Both kinds give every target the same labels: `job`
    is `<namespace>/<fullname>`, which rules and dashboards go by, and `pod`."""

    remedies = monitoring.Monitor.remedies | {
        "port": "leave it out: it is metricsPort",
        "targetPort": "leave it out: it is metricsPort",
        "scheme": "leave it out: metricsPort answers by http",
        "tlsConfig": "leave it out: metricsPort answers by http",
    }
