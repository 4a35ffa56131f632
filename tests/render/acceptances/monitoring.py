"""Monitoring: what people run, and is accepted."""

from typing import Any

from tests.render.acceptances.rows import Row
from tests.render.view import View

OPERATOR = "https://github.com/prometheus-operator/prometheus-operator/blob/main/Documentation"
PROMETHEUS = "https://github.com/prometheus-community/helm-charts/blob/main/charts"


def endpoint(view: View) -> dict[str, Any]:
    """The first endpoint of the one monitor."""
    [monitor] = [one for one in view.manifests if one.kind in ("ServiceMonitor", "PodMonitor")]
    first: dict[str, Any] = next(monitor["spec"][key] for key in monitor["spec"] if key.lower().endswith("endpoints"))[
        0
    ]
    return first


ROWS: list[Row] = [
    (
        "a monitor for kube-prometheus-stack",
        f"{PROMETHEUS}/kube-prometheus-stack/values.yaml",
        """
        model: {id: Qwen/Qwen3-8B}
        serviceMonitor: {enabled: true, labels: {release: kube-prometheus-stack}}
        """,
        lambda v: v.manifests.one("ServiceMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack",
    ),
    (
        "a monitor in the namespace of the one Prometheus that looks nowhere else",
        f"{OPERATOR}/getting-started/introduction.md",
        """
        model: {id: Qwen/Qwen3-8B}
        podMonitor: {enabled: true, namespace: monitoring}
        """,
        lambda v: v.manifests.one("PodMonitor")["spec"]["namespaceSelector"] == {"matchNames": ["default"]},
    ),
    (
        "engines with certificates of cert-manager's",
        "https://cert-manager.io/docs/usage/certificate/",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {ssl-certfile: /tls/tls.crt, ssl-keyfile: /tls/tls.key}}
        volumes: [{name: tls, secret: {secretName: llm-tls}}]
        volumeMounts: [{name: tls, mountPath: /tls}]
        serviceMonitor: {enabled: true, tlsConfig: {ca: {secret: {name: llm-tls, key: ca.crt}}}}
        """,
        lambda v: endpoint(v)["tlsConfig"]["serverName"] == "llm-vllm.default.svc",
    ),
    (
        "certificates of a mesh, which a scrape class brings",
        f"{OPERATOR}/developer/scrapeclass.md",
        """
        model: {id: Qwen/Qwen3-8B}
        podMonitor: {enabled: true, scrapeClass: istio-mtls, scheme: https}
        """,
        lambda v: endpoint(v)["scheme"] == "https" and "tlsConfig" not in endpoint(v),
    ),
    (
        "a proxy that asks for a token before it passes the metrics on",
        "https://github.com/brancz/kube-rbac-proxy",
        """
        model: {id: Qwen/Qwen3-8B}
        extraContainers:
          - name: kube-rbac-proxy
            image: quay.io/brancz/kube-rbac-proxy:v0.19.1
            args: [--secure-listen-address=0.0.0.0:8443, --upstream=http://127.0.0.1:8000/]
            ports: [{name: guarded, containerPort: 8443}]
        serviceMonitor:
          enabled: true
          port: guarded
          scheme: https
          tlsConfig: {insecureSkipVerify: true}
          authorization: {credentials: {name: prometheus, key: token}}
        """,
        lambda v: (
            endpoint(v)["targetPort"] == "guarded" and endpoint(v)["authorization"]["credentials"]["key"] == "token"
        ),
    ),
    (
        "a key for the API, which the metrics do not ask for",
        "https://docs.vllm.ai/en/stable/usage/security/",
        """
        model: {id: Qwen/Qwen3-8B}
        auth: {apiKeySecretRef: {name: llm-key, key: api-key}}
        serviceMonitor: {enabled: true}
        """,
        lambda v: "authorization" not in endpoint(v),
    ),
    (
        "the node as a label, and fewer series",
        f"{OPERATOR}/developer/getting-started.md",
        """
        model: {id: Qwen/Qwen3-8B}
        serviceMonitor:
          enabled: true
          interval: ""
          scrapeTimeout: ""
          sampleLimit: 0
          relabelings: [{sourceLabels: [__meta_kubernetes_pod_node_name], targetLabel: node}]
          metricRelabelings: [{sourceLabels: [__name__], regex: "python_.+|process_.+", action: drop}]
        """,
        lambda v: endpoint(v)["relabelings"][0]["targetLabel"] == "node" and "interval" not in endpoint(v),
    ),
    (
        "annotations for the Prometheus of a cluster without the operator",
        f"{PROMETHEUS}/prometheus/values.yaml",
        """
        model: {id: Qwen/Qwen3-8B}
        scrapeAnnotations: {enabled: true}
        podAnnotations: {prometheus.io/path: /metrics/}
        """,
        lambda v: v.annotations["prometheus.io/port"] == "8000" and v.annotations["prometheus.io/path"] == "/metrics/",
    ),
    (
        "a monitor of one's own beside the chart's, which is elsewhere",
        f"{OPERATOR}/developer/getting-started.md",
        """
        model: {id: Qwen/Qwen3-8B}
        podMonitor: {enabled: true, namespace: monitoring}
        extraObjects:
          - apiVersion: monitoring.coreos.com/v1
            kind: PodMonitor
            metadata: {name: llm-vllm}
            spec: {selector: {matchLabels: {app: dcgm}}, podMetricsEndpoints: [{port: metrics}]}
        """,
        lambda v: len(v.manifests.all("PodMonitor")) == 2,
    ),
]
