"""NetworkPolicy of the endpoint: its metrics have a port of their own."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values import network
from vllm_chart.values.base import Kubernetes
from vllm_chart.values.network import AnyoneOrPeers


class Ingress(network.Ingress):
    """Who reaches the pods. An empty list is nobody, wherever one stands here."""

    from_: AnyoneOrPeers = Field(
        "anyone",
        alias="from",
        description="Who may ask. `anyone`: whoever reaches the endpoint without a policy, from outside as well. Else "
        'Kubernetes\' peers: `[{namespaceSelector: {matchLabels: {llm-clients: "true"}}}]`.',
    )
    metrics_from: AnyoneOrPeers = Field(
        "anyone",
        description="Who may scrape metricsPort, which leads to no model: `anyone`, or Prometheus alone, "
        "`[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]`.",
    )


class Egress(network.Egress):
    """Whom the pods reach."""

    enabled: bool = Field(
        False,
        description="Close what is not let out here. Open stay names (port 53), and, in the namespace of each model, "
        "the model's port, as that of the pods: where a Service maps it to another one, write that in `extra`.",
    )
    extra: list[Annotated[dict[str, Any], Kubernetes("networking.v1.NetworkPolicyEgressRule")]] = Field(
        [],
        description="More of Kubernetes' rules, as written: the pods behind a Service that maps their port, `[{to: "
        "[{namespaceSelector: {}}], ports: [{port: 8000}]}]`.",
    )


class NetworkPolicy(network.NetworkPolicy):
    """A NetworkPolicy of the endpoint's pods. As it is, it takes nothing from anybody: the API's port and the metrics'
    stay open to all, and all others are closed. It takes a network plugin that enforces policies."""

    ingress: Ingress = Field(Ingress(), description=Ingress.__doc__)
    egress: Egress = Field(Egress(), description=Egress.__doc__)
