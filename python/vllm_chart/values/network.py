"""NetworkPolicy: who reaches the pods of a release, and whom they reach. Both charts have it."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values.base import Block, Kubernetes, Pattern

Peers = list[Annotated[dict[str, Any], Kubernetes("networking.v1.NetworkPolicyPeer")]]
#: A word and no empty list: Kubernetes reads `from: []` as everybody, and `ingress: []` as nobody.
AnyoneOrPeers = Annotated[str, Pattern("^anyone$", "write anyone, or who may: [{podSelector: …}]")] | Peers


class Ingress(Block):
    """Who reaches the pods. An empty list is nobody, wherever one stands here."""

    remedies = {
        "allowExternal": "write from: anyone, or who may",
        "podSelector": "write from: [{podSelector: {…}}]",
        "namespaceSelector": "write from: [{namespaceSelector: {…}}]",
        "rules": "write extra",
    }

    from_: AnyoneOrPeers = Field("anyone", alias="from", description="Who may ask.")
    metrics_from: AnyoneOrPeers = Field("anyone", description="Who may scrape.")
    extra: list[Annotated[dict[str, Any], Kubernetes("networking.v1.NetworkPolicyIngressRule")]] = Field(
        [],
        description="More of Kubernetes' rules, as written: `[{from: [{podSelector: {…}}], ports: [{port: 15020}]}]`.",
    )


class Egress(Block):
    """Whom the pods reach."""

    remedies = {"rules": "write extra", "from": "write to"}

    enabled: bool = Field(False, description="Close what is not let out here.")
    to: Peers = Field([], description="Whom else, on any port: `[{ipBlock: {cidr: 10.20.0.0/16}}]`.")
    extra: list[Annotated[dict[str, Any], Kubernetes("networking.v1.NetworkPolicyEgressRule")]] = Field(
        [],
        description="More of Kubernetes' rules, as written: a bucket, `[{to: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: "
        "[{port: 9000}]}]`.",
    )


class NetworkPolicy(Block):
    """A NetworkPolicy of the release's pods."""

    remedies = {
        "allowExternal": "write ingress.from: anyone, or who may",
        "from": "write ingress.from",
        "policyTypes": "leave it out: egress.enabled says it",
        "annotations": "write commonAnnotations at the top level",
    }

    enabled: bool = Field(True, description="Render it.")
    ingress: Ingress = Field(Ingress(), description=Ingress.__doc__)
    egress: Egress = Field(Egress(), description=Egress.__doc__)
