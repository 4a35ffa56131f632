"""Dashboards: what is refused."""

from tests.render.rejections.rows import Row

ON = "dashboards: {enabled: true"

ROWS: list[Row] = [
    (
        "dashboards with a label as Cilium's chart has it",
        f"{ON}, label: grafana_dashboard}}",
        "dashboards.label",
        "labels",
    ),
    (
        "dashboards with a folder",
        f"{ON}, folder: Models}}",
        "dashboards.folder",
        "write annotations: {grafana_folder: …}",
    ),
    ("dashboards with a data source", f"{ON}, datasource: Mimir}}", "dashboards.datasource", "have a variable for it"),
    (
        "dashboards with a label that is none",
        f"{ON}, labels: {{grafana_dashboard: a b}}}}",
        "dashboards.labels.grafana_dashboard",
        "letters, digits",
    ),
    (
        "dashboards with a price in words",
        f"{ON}, gpuHourPrice: two}}",
        "dashboards.gpuHourPrice",
        "does not match pattern",
    ),
    (
        "dashboards in a namespace that can't be",
        f"{ON}, namespace: Monitoring}}",
        "dashboards.namespace",
        "write a name",
    ),
    (
        "dashboards of a budget that nobody can count",
        f"{ON}}}\nslo: {{ttft: {{seconds: 3}}}}",
        "slo.ttft.seconds",
        "write 2.5 or 5, or put 3 among engine.args.custom-histogram-buckets.time_to_first_token",
    ),
    (
        "dashboards of a budget of tokens",
        f"{ON}}}\nslo: {{itl: {{seconds: 0.12}}}}",
        "slo.itl.seconds",
        "write 0.1 or 0.15",
    ),
    ("dashboards of the article's Grafana", "grafana: {dashboards: {enabled: true}}", "grafana", "write dashboards"),
    (
        "dashboards as another chart has them",
        "grafanaDashboard: {enabled: true}",
        "grafanaDashboard",
        "write dashboards",
    ),
    (
        "dashboard of the user's by the name of the chart's",
        f"{ON}}}\nextraObjects: [{{apiVersion: v1, kind: ConfigMap, metadata: {{name: llm-vllm-dashboard-replica}}}}]",
        "extraObjects",
        "use another name",
    ),
]
