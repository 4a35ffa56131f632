"""NetworkPolicy: what is refused."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row


def policy(text: str) -> str:
    return f"networkPolicy: {{{text}}}"


ROWS: list[Row] = [
    ("nobody", policy("ingress: {from: []}"), "networkPolicy.ingress.from", "write anyone, or who may"),
    (
        "nobody but Prometheus",
        policy("ingress: {from: [], metricsFrom: [{namespaceSelector: {}}]}"),
        "networkPolicy.ingress.from",
        "write anyone, or who may",
    ),
    ("another word for anyone", policy("ingress: {from: all}"), "networkPolicy.ingress.from", "write anyone, or who"),
    ("null for who", policy("ingress: {from: null}"), "networkPolicy.ingress.from", MISSING),
    (
        "an address for a peer",
        policy("ingress: {from: [10.0.0.0/8]}"),
        "networkPolicy.ingress.from[0]",
        "got string, want",
    ),
    ("a peer that is all", policy("ingress: {from: [{}]}"), "networkPolicy.ingress.from[0]", "write podSelector: {}"),
    (
        "a misspelt selector, which the API server would drop",
        policy("ingress: {from: [{podSelektor: {}}]}"),
        "networkPolicy.ingress.from[0].podSelektor",
        UNKNOWN,
    ),
    (
        "a block and a selector in one peer",
        policy("ingress: {from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}"),
        "networkPolicy.ingress.from[0]",
        "write two peers",
    ),
    (
        "labels without matchLabels",
        policy("ingress: {from: [{namespaceSelector: {kubernetes.io/metadata.name: apps}}]}"),
        "networkPolicy.ingress.from[0].namespaceSelector.kubernetes.io/metadata.name",
        "write it in matchLabels: {kubernetes.io/metadata.name: …}",
    ),
    (
        "a range from a port with a name",
        policy("ingress: {extra: [{ports: [{port: http, endPort: 9000}]}]}"),
        "networkPolicy.ingress.extra[0].ports[0].port",
        "write a number",
    ),
    (
        "an address without its mask",
        policy("ingress: {from: [{ipBlock: {cidr: 10.0.0.1}}]}"),
        "networkPolicy.ingress.from[0].ipBlock.cidr",
        "write a network",
    ),
    (
        "an exception without its mask",
        policy("ingress: {from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.1]}}]}"),
        "networkPolicy.ingress.from[0].ipBlock.except[0]",
        "write a network",
    ),
    (
        "a rule for an empty list, which Kubernetes reads as everybody",
        policy("ingress: {extra: [{from: [], ports: [{port: 9000}]}]}"),
        "networkPolicy.ingress.extra[0].from",
        "leave it out if you mean all",
    ),
    (
        "a rule for no port, which Kubernetes reads as every port",
        policy("egress: {enabled: true, extra: [{to: [{podSelector: {}}], ports: []}]}"),
        "networkPolicy.egress.extra[0].ports",
        "leave it out if you mean all",
    ),
    (
        "a rule of egress for ingress",
        policy("ingress: {extra: [{to: [{podSelector: {}}]}]}"),
        "networkPolicy.ingress.extra[0].to",
        UNKNOWN,
    ),
    (
        "a protocol in lower case",
        policy("ingress: {extra: [{ports: [{port: 53, protocol: udp}]}]}"),
        "networkPolicy.ingress.extra[0].ports[0].protocol",
        "must be one of",
    ),
    ("from at its top", policy("from: [{podSelector: {}}]"), "networkPolicy.from", "write ingress.from"),
    ("bitnami's key", policy("allowExternal: false"), "networkPolicy.allowExternal", "write ingress.from"),
    ("policyTypes", policy("policyTypes: [Egress]"), "networkPolicy.policyTypes", "egress.enabled says it"),
]
