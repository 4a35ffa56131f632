"""Warnings about narrowed NetworkPolicies: what they find, and what they let pass."""

import pytest
from helm_python import values_from_yaml

from vllm_chart import checks, network
from vllm_chart.charts import ENDPOINT
from vllm_chart.findings import Finding

FROM = "networkPolicy: {ingress: {from: [{podSelector: {matchLabels: {app: chat}}}]}}"
OUT = "networkPolicy: {egress: {enabled: true}}"
NIXL = "engine: {args: {kv-transfer-config: {kv_connector: NixlConnector, kv_role: kv_both}}}"
LET_IN = "networkPolicy: {ingress: {from: [{podSelector: {}}], extra: [{from: [{podSelector: {}}]}]}}"
LET_OUT = "networkPolicy: {egress: {enabled: true, to: [{ipBlock: {cidr: 10.0.0.0/8}}]}}"


def about(*texts: str) -> list[Finding]:
    values = {"model": {"id": "org/name"}}
    for text in texts:
        values |= values_from_yaml(text)
    return [one for one in checks.validate(values=values) if one.check == network.NAME]


FOUND = [
    ((FROM, "hostNetwork: true"), "networkPolicy", "hostNetwork"),
    ((OUT, "hostNetwork: true"), "networkPolicy", "hostNetwork"),
    ((FROM, "service: {type: NodePort}"), "networkPolicy.ingress.from", "a NodePort is for clients outside"),
    ((FROM, "service: {type: LoadBalancer}"), "networkPolicy.ingress.from", "a LoadBalancer is for"),
    ((OUT, "proxy: {httpsProxy: 'http://proxy.example.com:3128'}"), "networkPolicy.egress", "proxy.example.com:3128"),
    ((OUT, "proxy: {httpProxy: 'http://proxy.example.com'}"), "networkPolicy.egress", "proxy.example.com:80"),
    ((OUT, "tracing: {endpoint: 'http://otel.example.com:4317'}"), "networkPolicy.egress", "(tracing.endpoint)"),
    (
        (
            OUT,
            "model: {id: 's3://a/b', servedModelName: [b]}",
            "objectStorage: {endpoint: 'https://s3.example.com:9000'}",
        ),
        "networkPolicy.egress",
        "s3.example.com:9000 (objectStorage.endpoint)",
    ),
    ((OUT, "hub: {endpoint: 'https://hub.example.com:8443'}"), "networkPolicy.egress", "hub.example.com:8443"),
    ((FROM, NIXL), "networkPolicy.ingress", "the peers of NixlConnector are in no values, and are kept out"),
    ((OUT, NIXL), "networkPolicy.egress", "the peers of NixlConnector are in no values, and are not reached"),
]


@pytest.mark.parametrize(("texts", "where", "words"), FOUND)
def test_what_is_kept_out_by_mistake_is_named(texts: tuple[str, ...], where: str, words: str) -> None:
    [finding] = about(*texts)
    assert (finding.where, finding.severity, words in finding.message) == (where, "warning", True)


@pytest.mark.parametrize(
    "texts",
    [
        ("hostNetwork: true",),
        (NIXL,),
        ("service: {type: NodePort}",),
        ("proxy: {httpsProxy: 'http://proxy.example.com:3128'}",),
        (FROM, "proxy: {httpsProxy: 'http://proxy.example.com:3128'}"),
        (OUT, "service: {type: LoadBalancer}"),
        ("networkPolicy: {enabled: false, ingress: {from: [{podSelector: {}}]}}", "hostNetwork: true"),
        ("networkPolicy: {ingress: {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}}", "service: {type: NodePort}"),
        ("networkPolicy: {ingress: {from: [{podSelector: {}}], extra: [{}]}}", "service: {type: NodePort}"),
        (OUT, "proxy: {httpsProxy: 'http://10.0.0.5:3128'}"),
        (OUT, "proxy: {httpsProxy: 'http://[fd00::5]:3128'}"),
        (OUT, "proxy: {httpsProxy: 'http://user@proxy.egress:3128'}"),
        (OUT, "tracing: {endpoint: 'http://collector.monitoring.svc.cluster.local:4317'}"),
        (OUT, "tracing: {endpoint: 'http://localhost:4317'}"),
        (OUT, "hub: {endpoint: 'https://hub.example.com'}"),
        (LET_OUT, "proxy: {httpsProxy: 'http://proxy.example.com:3128'}"),
        (LET_OUT, NIXL),
        (LET_IN, NIXL),
        (FROM, "engine: {args: {kv-offloading-size: 4}}"),
    ],
)
def test_what_is_let_through_is_not(texts: tuple[str, ...]) -> None:
    assert about(*texts) == []


# The endpoint


def about_endpoint(*texts: str) -> list[Finding]:
    values = {"models": {"llama3": {"service": "llm"}}, "clients": {"secretName": "keys"}}
    for text in texts:
        values |= values_from_yaml(text)
    return [one for one in checks.validate(ENDPOINT.folder, values=values) if one.check == network.NAME]


BY_SERVICES = "models: {a: {service: a, port: 80}, b: {service: b}, c: {service: c, port: 80}, d: null}"
BY_ONE = "models: {a: {service: a, port: 443, tls: {caSecretName: ca}}}"
OF_ENDPOINT = [
    ((FROM, "service: {type: NodePort}"), "networkPolicy.ingress.from", "a NodePort is for clients outside"),
    ((FROM, "service: {type: LoadBalancer}"), "networkPolicy.ingress.from", "a LoadBalancer is for"),
    ((OUT, BY_SERVICES), "networkPolicy.egress", "port 80 of models.a and 1 more, which"),
    ((OUT, BY_ONE), "networkPolicy.egress", "port 443 of models.a, which"),
]


@pytest.mark.parametrize(("texts", "where", "words"), OF_ENDPOINT)
def test_what_the_endpoint_keeps_out_by_mistake_is_named(texts: tuple[str, ...], where: str, words: str) -> None:
    [finding] = about_endpoint(*texts)
    assert (finding.where, finding.severity, words in finding.message) == (where, "warning", True)


@pytest.mark.parametrize(
    "texts",
    [
        ("service: {type: NodePort}",),
        (BY_SERVICES,),
        (OUT,),
        (OUT, "service: {type: LoadBalancer}"),
        (LET_OUT, BY_SERVICES),
        ("networkPolicy: {egress: {enabled: true, extra: [{ports: [{port: 8000}]}]}}", BY_SERVICES),
        ("networkPolicy: {enabled: false, egress: {enabled: true}}", BY_SERVICES),
        ("networkPolicy: {ingress: {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}}", "service: {type: NodePort}"),
    ],
)
def test_what_the_endpoint_lets_through_is_not(texts: tuple[str, ...]) -> None:
    assert about_endpoint(*texts) == []
