"""Dashboards: how people bring them into a Grafana, and is accepted."""

from typing import Any

from tests.render.acceptances.rows import Row
from tests.render.view import View

GRAFANA = "https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards"


def boards(view: View) -> list[Any]:
    return [one.metadata for one in view.manifests if "-dashboard-" in one.name]


ROWS: list[Row] = [
    (
        "dashboards for the sidecar of kube-prometheus-stack, in a folder",
        GRAFANA,
        """
        model: {id: Qwen/Qwen3-8B}
        dashboards: {enabled: true, annotations: {grafana_folder: Models}}
        """,
        lambda v: [one["annotations"] for one in boards(v)] == [{"grafana_folder": "Models"}] * 2,
    ),
    (
        "dashboards for a sidecar that looks into its own namespace, with a label of its own",
        GRAFANA,
        """
        model: {id: Qwen/Qwen3-8B}
        dashboards:
          enabled: true
          namespace: monitoring
          labels: {grafana_dashboard: null, grafana.example.com/load: "true"}
        """,
        lambda v: all(
            one["namespace"] == "monitoring" and "grafana_dashboard" not in one["labels"] for one in boards(v)
        ),
    ),
    (
        "dashboards for the Grafana operator, which asks for an object beside the ConfigMap",
        "https://grafana.github.io/grafana-operator/docs/dashboards/",
        """
        model: {id: Qwen/Qwen3-8B}
        dashboards: {enabled: true, labels: {grafana_dashboard: null}}
        extraObjects:
          - apiVersion: grafana.integreatly.org/v1beta1
            kind: GrafanaDashboard
            metadata: {name: llm-vllm-service}
            spec:
              instanceSelector: {matchLabels: {dashboards: grafana}}
              configMapRef: {name: llm-vllm-dashboard-service, key: default.llm-vllm.vllm-service.json}
        """,
        lambda v: (
            len(boards(v)) == 2
            and v.manifests.one("GrafanaDashboard")["spec"]["configMapRef"]["key"]
            in next(one for one in v.manifests if one.name == "llm-vllm-dashboard-service")["data"]
        ),
    ),
    (
        "dashboards with a price, written as --set hands it over",
        "https://cloud.google.com/compute/gpus-pricing",
        "{model: {id: Qwen/Qwen3-8B}, dashboards: {enabled: true, gpuHourPrice: '2.48'}}",
        lambda v: len(boards(v)) == 2,
    ),
]
