"""The Service, and the key that guards it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import Block, Kubernetes, Port, SecretKeyRef, Text, UserMap


class Service(Block):
    """How applications reach the pods."""

    remedies = {
        "targetPort": "write containerPort at the top level",
        "containerPort": "write containerPort at the top level",
        "ports": "write service.port",
        "name": "write fullnameOverride",
    }

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = Field("ClusterIP", description="Kind of Service.")
    port: Port = Field(80, description="Port of the Service.")
    node_port: Annotated[int, Field(ge=1, le=65535)] | Literal[""] = Field(
        "", description="Fixed node port, for NodePort and LoadBalancer."
    )
    cluster_ip: str = Field("", description="`None` makes it headless.", alias="clusterIP")
    session_affinity: Literal["None", "ClientIP"] = Field(
        "None", description="ClientIP keeps a client at one pod, and so at its prefix cache."
    )
    session_affinity_config: Annotated[dict[str, Any], Kubernetes("core.v1.SessionAffinityConfig")] = Field(
        {}, description="For example `clientIP: {timeoutSeconds: 3600}`."
    )
    traffic_distribution: str = Field("", description="For example `PreferClose`.")
    external_traffic_policy: Literal["", "Cluster", "Local"] = Field("", description="For external Services.")
    internal_traffic_policy: Literal["", "Cluster", "Local"] = Field("", description="For in-cluster clients.")
    load_balancer_class: str = Field("", description="For type LoadBalancer.")
    load_balancer_source_ranges: list[str] = Field([], description="Client networks, for type LoadBalancer.")
    annotations: UserMap[Text] = Field({}, description="Annotations of the Service.")
    labels: UserMap[Text] = Field({}, description="More labels of the Service.")


class ApiKey(SecretKeyRef):
    name: str = Field("", description="Secret with the API key. Empty: no key is asked for.")
    key: str = Field("api-key", description="Key of the API key in that Secret.")


class Auth(Block):
    """Who may ask. vLLM's API key guards `/v1` only: close other routes with an allow-list in front."""

    remedies = {
        "apiKey": "put the key in a Secret and name it in auth.apiKeySecretRef: {name, key}",
        "existingSecret": "write auth.apiKeySecretRef: {name, key}",
    }

    api_key_secret_ref: ApiKey = Field(ApiKey(), description="The key, read as `VLLM_API_KEY`.")
