"""NetworkPolicy of the engines: their metrics are on the port of their API."""

from pydantic import Field

from vllm_chart.values import network
from vllm_chart.values.network import AnyoneOrPeers, Peers


class Ingress(network.Ingress):
    """Who reaches the pods. An empty list is nobody, wherever one stands here."""

    from_: AnyoneOrPeers = Field(
        "anyone",
        alias="from",
        description="Who may ask. `anyone`: whoever reaches the API without a policy, from outside as well. Else "
        "Kubernetes' peers, such as the endpoint's pods: `[{namespaceSelector: {matchLabels: "
        "{kubernetes.io/metadata.name: models}}, podSelector: {matchLabels: {app.kubernetes.io/name: "
        "vllm-endpoint}}}]`; the release's own pods, `helm test`, and `vllm-chart load` and `bench` from its namespace "
        "are let in beside them.",
    )
    metrics_from: Peers = Field(
        [],
        description="Who may scrape beside those: Prometheus, `[{namespaceSelector: {matchLabels: "
        "{kubernetes.io/metadata.name: monitoring}}}]`. vLLM answers `/metrics` on the API's port, so that who may "
        "scrape may ask as well, unless the monitor's `port` is that of a proxy: then these alone reach it.",
    )


class Egress(network.Egress):
    """Whom the pods reach."""

    enabled: bool = Field(
        False,
        description="Close what is not let out here. Open stay: names (port 53), the release's own pods, and, unless "
        "hub.offline is true, port 443 of public addresses; private ones and the clouds' metadata services are none. "
        "Proxies, collectors and mirrors of these values are let out to where their address says where they are.",
    )


class NetworkPolicy(network.NetworkPolicy):
    """A NetworkPolicy of the release's pods. As it is, it takes nothing from anybody who uses the service: the ports
    that a container, the Service or a monitor names stay open to all, and what else listens in a pod (the engine's
    ZMQ and NCCL) is closed to all but the release's own pods. It takes a network plugin that enforces policies, and
    holds for no pod on the node's network (hostNetwork)."""

    ingress: Ingress = Field(Ingress(), description=Ingress.__doc__)
    egress: Egress = Field(Egress(), description=Egress.__doc__)
