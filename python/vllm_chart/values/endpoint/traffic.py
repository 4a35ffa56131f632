"""How requests are taken and passed on, and how a replica of the endpoint ends."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.values.base import (
    LABEL_KEY,
    NETWORK,
    NODE_PORTS,
    Annotations,
    Block,
    Empty,
    Labels,
    Pattern,
    Port,
    Seconds,
    SecretName,
)


class Timeouts(Block):
    """What ends a request. No time limits a whole answer."""

    remedies = {"request": "write timeouts.requestSeconds", "idle": "write timeouts.silentSeconds"}

    request_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        300, description="How long a client may take to send a request."
    )
    silent_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        3600,
        description="How long a request may be silent: queued, in a long prefill, or between two words of a stream.",
    )
    connect_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        2, description="How long a connection to a replica may take until another one is tried."
    )


class PrefixAffinity(Block):
    """Requests that begin alike go to the same replica of a model, which has their beginning in its prefix cache. Every
    replica of the endpoint chooses the same one. Needs a headless Service."""

    bytes: Annotated[int, Field(ge=1, le=1048576)] = Field(
        512,
        description="How much of a request's body counts: short enough to be the same in requests with one system "
        "prompt, long enough to tell system prompts apart.",
    )
    load_percent: Annotated[int, Field(ge=100, le=1000)] = Field(
        150, description="The most that a replica gets, of the mean of all: what is more goes to the next on the ring."
    )
    spread_bursts: bool = Field(
        True,
        description="Of requests that begin alike and come at once, each waits 2 ms for the one before it, 100 ms at "
        "most: Envoy has counted that one by then, so that `loadPercent` holds for a burst too. Turn it off where "
        "every model has one replica, or one beginning comes more than 500 times a second: there waiting gains "
        "nothing.",
    )


class Shutdown(Block):
    """A graceful stop of a replica of the endpoint. The pod's grace period is the sum of both, and a margin."""

    remedies = {"terminationGracePeriodSeconds": "write shutdown.drainSeconds: the grace period is computed from it"}

    propagation_seconds: Seconds = Field(
        10, description="How long a terminating pod goes on as before, while the cluster learns that it goes."
    )
    drain_seconds: Seconds = Field(
        300, description="How long its streams may then take to end. What is left then is cut off."
    )


class TLS(Block):
    """TLS of the API. Probes and metrics stay plain, on a port of their own."""

    remedies = {
        "enabled": "write tls.secretName: it is on where that is set",
        "certificate": "put tls.crt and tls.key in a Secret and name it in tls.secretName",
        "key": "put tls.crt and tls.key in a Secret and name it in tls.secretName",
        "existingSecret": "write tls.secretName",
    }

    secret_name: SecretName = Field(
        "",
        description="Secret with `tls.crt` and `tls.key`, as cert-manager and `kubectl create secret tls` write it. A "
        "renewed one is taken up without a restart, as soon as the kubelet has it in the pods. Write "
        "`service.port: 443` beside it.",
    )
    min_version: Literal["TLSv1.2", "TLSv1.3"] = Field("TLSv1.2", description="The oldest version that is spoken.")


class Service(Block):
    """How clients reach the endpoint."""

    remedies = {
        "targetPort": "write containerPort at the top level",
        "name": "write fullnameOverride",
    }

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field("ClusterIP", description="Kind of Service.")
    port: Port = Field(80, description="Port of the Service.")
    node_port: Annotated[int, Field(ge=NODE_PORTS[0], le=NODE_PORTS[1])] | Empty = Field(
        "", description="Fixed node port, for NodePort and LoadBalancer: 30000 to 32767."
    )
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"] = Field(
        "", description="IPv4, IPv6 or both. Empty: as the cluster has it."
    )
    ip_families: Annotated[
        list[Literal["IPv4", "IPv6"]], Field(max_length=2, json_schema_extra={"uniqueItems": True})
    ] = Field(
        [],
        description="The families, the main one first. Where this or ipFamilyPolicy speaks of IPv6, the endpoint "
        "listens on it too; a cluster of IPv6 alone needs it.",
    )
    external_traffic_policy: Literal["", "Cluster", "Local"] = Field("", description="For external Services.")
    load_balancer_class: Annotated[
        str, Pattern(f"^({LABEL_KEY})?$", "write the name of the class: example.com/internal")
    ] = Field("", description="For type LoadBalancer.")
    load_balancer_source_ranges: list[Annotated[str, Pattern(f"^{NETWORK}$", "write a network: 10.0.0.0/8")]] = Field(
        [], description="Client networks, for type LoadBalancer."
    )
    annotations: Annotations = Field({}, description="Annotations of the Service.")
    labels: Labels = Field({}, description="More labels of the Service.")
