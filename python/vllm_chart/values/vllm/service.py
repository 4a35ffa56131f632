"""The Service, and the key that guards it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import (
    IP_ADDRESS,
    LABEL_KEY,
    NETWORK,
    NODE_PORTS,
    SECRET_NAME_REMEDY,
    SUBDOMAIN,
    Annotations,
    Block,
    DataKey,
    Empty,
    Kubernetes,
    Labels,
    Pattern,
    Port,
    SecretKeyRef,
    SecretName,
)


class EngineTLS(Block):
    """TLS of the engine itself: its API, its metrics, and everything of this chart that asks it. docs/tls.md"""

    remedies = {
        "enabled": "write tls.secretName: it is on where that is set",
        "certificate": "put tls.crt and tls.key in a Secret and name it in tls.secretName",
        "key": "put tls.crt and tls.key in a Secret and name it in tls.secretName",
        "existingSecret": "write tls.secretName",
        **dict.fromkeys(("certKey", "keyKey"), "leave it out: the Secret has tls.crt and tls.key"),
        "minVersion": "vLLM speaks TLS 1.2 and newer, and takes no other: leave it out",
        "caSecretName": "write it in models.NAME.tls of the chart vllm-endpoint: here engine.args.ssl-ca-certs asks "
        "clients for certificates",
    }

    secret_name: SecretName = Field(
        "",
        description="Secret with `tls.crt` and `tls.key`, as cert-manager and `kubectl create secret tls` write it, "
        "for the name `<fullname>.<namespace>.svc`. A renewed one is taken up without a restart, as soon as the "
        "kubelet has it in the pods. It takes the place of `ssl-certfile` and `ssl-keyfile` in `engine.args`.",
    )


class Pods(Block):
    """A second Service, `<fullname>-pods`, whose name leads to each pod that is ready (it is headless): for an endpoint
    or a gateway that chooses the pod itself, beside the ordinary one, for clients that do not. It can be switched on
    and off on a live release, which `clusterIP: None` can't."""

    remedies = {"port": "leave it out: the name leads to pods, and so to the pods' port"}

    enabled: bool = Field(False, description="Render it.")


class Service(Block):
    """How applications reach the pods."""

    remedies = {
        "containerPort": "write containerPort at the top level",
        "ports": "write service.port, and others in service.extraPorts",
        "name": "write fullnameOverride",
    }

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field("ClusterIP", description="Kind of Service.")
    port: Port = Field(80, description="Port of the Service.")
    target_port: (
        Port | Annotated[str, Pattern("^([-a-z0-9]*[a-z][-a-z0-9]*)?$", "write the name of a port, or its number", 15)]
    ) = Field(
        "", description="Number or name of the pod's port. Empty: the engine's; or a proxy's in `extraContainers`."
    )
    node_port: Annotated[int, Field(ge=NODE_PORTS[0], le=NODE_PORTS[1])] | Empty = Field(
        "", description="Fixed node port, for NodePort and LoadBalancer: 30000 to 32767."
    )
    cluster_ip: Annotated[str, Pattern(f"^(None|{IP_ADDRESS})?$", "write None, or an IP address")] = Field(
        "",
        description="`None` makes it headless. Fixed on a live release: another one needs another Service.",
        alias="clusterIP",
    )
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"] = Field(
        "",
        description="IPv4, IPv6 or both. Empty: as the cluster has it. Where this, ipFamilies or clusterIP speaks of "
        "IPv6, the engine is told to listen on it too (`--host=::`): vLLM alone listens on IPv4 only. In a cluster "
        "that has nothing but IPv6, or has it first, write it here; engine.args.host wins.",
    )
    ip_families: Annotated[
        list[Literal["IPv4", "IPv6"]], Field(max_length=2, json_schema_extra={"uniqueItems": True})
    ] = Field([], description="The families, the main one first, which is fixed on a live release.")
    extra_ports: list[Annotated[dict[str, Any], Kubernetes("core.v1.ServicePort")]] = Field(
        [], description="Ports of other containers: `[{name: metrics, port: 9400, targetPort: metrics}]`."
    )
    session_affinity: Literal["None", "ClientIP"] = Field(
        "None", description="ClientIP keeps a client at one pod, and so at its prefix cache."
    )
    session_affinity_config: Annotated[dict[str, Any], Kubernetes("core.v1.SessionAffinityConfig")] = Field(
        {}, description="For example `clientIP: {timeoutSeconds: 3600}`."
    )
    traffic_distribution: Literal["", "PreferClose", "PreferSameZone", "PreferSameNode"] = Field(
        "", description="Which pods a client's node prefers. Kubernetes 1.30 to 1.33 know PreferClose only."
    )
    external_traffic_policy: Literal["", "Cluster", "Local"] = Field("", description="For external Services.")
    internal_traffic_policy: Literal["", "Cluster", "Local"] = Field("", description="For in-cluster clients.")
    load_balancer_class: Annotated[
        str, Pattern(f"^({LABEL_KEY})?$", "write the name of the class: example.com/internal")
    ] = Field("", description="For type LoadBalancer. Fixed on a live release.")
    load_balancer_source_ranges: list[Annotated[str, Pattern(f"^{NETWORK}$", "write a network: 10.0.0.0/8")]] = Field(
        [], description="Client networks, for type LoadBalancer."
    )
    annotations: Annotations = Field({}, description="Annotations of the Service.")
    labels: Labels = Field({}, description="More labels of the Service.")
    pods: Pods = Field(Pods(), description=Pods.__doc__)


class ApiKey(SecretKeyRef):
    name: SecretName = Field("", description="Secret with the API key. Empty: no key is asked for.")
    key: DataKey = Field("api-key", description="Key of the API key in that Secret.")


class OneOfApiKeys(SecretKeyRef):
    name: Annotated[str, Pattern(f"^{SUBDOMAIN}$", SECRET_NAME_REMEDY, 253)] = Field(description="Secret with the key.")
    key: DataKey = Field(description="Key of the API key in that Secret.")


class Auth(Block):
    """Who may ask. vLLM's API key guards `/v1` only: close other routes with an allow-list in front."""

    remedies = {
        "apiKey": "put the key in a Secret and name it in auth.apiKeySecretRef: {name, key}",
        "apiKeys": "put each key in a Secret and name them in auth.apiKeySecretRefs: [{name, key}, …]",
        "existingSecret": "write auth.apiKeySecretRef: {name, key}",
    }

    api_key_secret_ref: ApiKey = Field(ApiKey(), description="The key, read as `VLLM_API_KEY`.")
    api_key_secret_refs: list[OneOfApiKeys] = Field(
        [],
        description="More keys that are let in: `[{name: keys, key: alice}, {name: keys, key: bob}]`. Tests and checks "
        "use the first of all, apiKeySecretRef before these. To rotate one without a gap: add the new key, let the "
        "rollout end, move the clients, take the old one out. More than one key loads a middleware into vLLM's Python "
        "frontend.",
    )
