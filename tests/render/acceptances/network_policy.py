"""NetworkPolicy: what people let in and out, and is accepted."""

from typing import Any

from tests.render.acceptances.rows import KUBERNETES, Row
from tests.render.view import View

PAGE = f"{KUBERNETES}/concepts/services-networking/network-policies/"


def spec(view: View) -> Any:
    return view.manifests.one("NetworkPolicy")["spec"]


ROWS: list[Row] = [
    (
        "a namespace, a pod's label and a network with a hole",
        PAGE,
        """
        model: {id: Qwen/Qwen3-8B}
        networkPolicy:
          ingress:
            from:
              - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
              - namespaceSelector: {matchLabels: {project: myproject}}
              - podSelector: {matchLabels: {role: frontend}}
        """,
        lambda v: len(spec(v)["ingress"][0]["from"]) == 5,
    ),
    (
        "namespaces by an expression, and a range of ports",
        PAGE,
        """
        model: {id: Qwen/Qwen3-8B}
        networkPolicy:
          ingress:
            from:
              - namespaceSelector: {matchExpressions: [{key: namespace, operator: In, values: [frontend, backend]}]}
            extra: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{port: 32000, endPort: 32768, protocol: TCP}]}]
        """,
        lambda v: spec(v)["ingress"][-1]["ports"][0]["endPort"] == 32768,
    ),
    (
        "the probes of Istio's ambient mode, which come from a link-local address",
        "https://istio.io/latest/docs/ambient/usage/networkpolicy/",
        """
        model: {id: Qwen/Qwen3-8B}
        networkPolicy:
          ingress:
            from: [{podSelector: {matchLabels: {app: chat}}}]
            extra:
              - {from: [{ipBlock: {cidr: 169.254.7.127/32}}]}
              - {ports: [{port: 15008}]}
        """,
        lambda v: {"ports": [{"port": 15008}]} in spec(v)["ingress"],
    ),
    (
        "a rule that lets everybody in everywhere, said as Kubernetes says it",
        PAGE,
        """
        model: {id: Qwen/Qwen3-8B}
        networkPolicy: {ingress: {from: [], extra: [{}]}}
        """,
        lambda v: {} in spec(v)["ingress"],
    ),
    (
        "none, because others write the policies of the namespace",
        "https://github.com/bitnami/charts/issues/27981",
        """
        model: {id: Qwen/Qwen3-8B}
        networkPolicy: {enabled: false}
        """,
        lambda v: v.manifests.maybe("NetworkPolicy") is None,
    ),
    (
        "out through a proxy of numbers, to a collector and to a bucket",
        "https://github.com/kubecost/cost-analyzer-helm-chart/issues/743",
        """
        model: {id: Qwen/Qwen3-8B}
        proxy: {httpsProxy: "http://10.0.0.5:3128"}
        tracing: {endpoint: "http://collector.monitoring:4317"}
        networkPolicy:
          egress:
            enabled: true
            extra: [{to: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: [{port: 9000}]}]
        """,
        lambda v: (
            {"to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}], "ports": [{"port": 3128, "protocol": "TCP"}]}
            in spec(v)["egress"]
        ),
    ),
]
