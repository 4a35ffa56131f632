"""How many replicas there are: by demand, between two bounds."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import (
    Annotations,
    Block,
    Count,
    Empty,
    KeyedMap,
    Kubernetes,
    Pattern,
    Reference,
    Seconds,
    Text,
)
from vllm_chart.values.vllm.service import OneOfApiKeys

Object = dict[str, Any]

#: Of all that reads metrics: a share of the KV cache, as a number or as `--set` hands it over.
Share = (
    Annotated[float, Field(ge=0, le=1)]
    | Annotated[str, Pattern(r"^(0(\.[0-9]+)?|1(\.0+)?)$", "write a share of the KV cache, 0 to 1: 0.8")]
)

_CAMEL = "^[A-Za-z][A-Za-z0-9]*$"


class TriggerAuthenticationRef(Block):
    """A TriggerAuthentication that is there already, for what secretTargetRef can't: a cloud's identity, a vault."""

    name: Reference = Field("", description="Its name, in the release's namespace.")
    kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = Field(
        "TriggerAuthentication", description="ClusterTriggerAuthentication: one for the whole cluster."
    )


class SecretParameter(OneOfApiKeys):
    """A key of a Secret, as KEDA's TriggerAuthentication names it."""

    parameter: Annotated[
        str, Pattern(_CAMEL, "write a parameter that KEDA knows: username, password, bearerToken, ca, cert or key")
    ] = Field(description="What it is to KEDA: username, password, bearerToken, ca, cert, key, …")


class PrometheusAuth(Block):
    """What KEDA shows Prometheus. Secrets stay in Secrets: a TriggerAuthentication names them."""

    remedies = {
        "basic": "write modes: [basic], and the Secret's keys in secretTargetRef",
        "bearer": "write modes: [bearer], and the Secret's key in secretTargetRef",
        "bearerToken": "put it in a Secret and write secretTargetRef: [{parameter: bearerToken, name, key}]",
        "token": "put it in a Secret and write secretTargetRef: [{parameter: bearerToken, name, key}]",
        "username": "put it in a Secret and write secretTargetRef: [{parameter: username, name, key}]",
        "password": "put it in a Secret and write secretTargetRef: [{parameter: password, name, key}]",
        "authModes": "write modes",
        "secretName": "write secretTargetRef: [{parameter, name, key}]",
    }

    modes: list[Literal["basic", "bearer", "tls", "custom", "oauth"]] = Field(
        [],
        description="KEDA's authModes. Without one KEDA sends nothing, and does not even take a CA (kedacore/keda "
        "2.21, authentication_types.go).",
    )
    secret_target_ref: list[SecretParameter] = Field(
        [],
        description="Keys of Secrets, each with the parameter of KEDA's that it is: `[{parameter: username, name: "
        "prometheus, key: user}, {parameter: password, name: prometheus, key: password}]`.",
    )
    trigger_authentication_ref: TriggerAuthenticationRef = Field(
        TriggerAuthenticationRef(), description=TriggerAuthenticationRef.__doc__
    )


class Prometheus(Block):
    """Where KEDA asks for the engines' metrics. It is the Prometheus that scrapes the pods, or what stands in front of
    it; an HPA asks the external metrics API instead."""

    remedies = {
        "url": "write autoscaling.prometheus.address",
        "serverAddress": "write autoscaling.prometheus.address",
        "query": "leave it out: the chart writes the queries, for its own pods alone",
        "threshold": "write autoscaling.requestsPerReplica",
    }

    address: Annotated[
        str, Pattern(r"^(https?://[^\s?#]*[^\s?#/])?$", "write a URL: http://prometheus-operated.monitoring:9090")
    ] = Field(
        "", description="Its URL, without `/api/v1`: `http://prometheus-operated.monitoring:9090`. Required for KEDA."
    )
    auth: PrometheusAuth = Field(PrometheusAuth(), description=PrometheusAuth.__doc__)
    parameters: Annotated[
        dict[str, Text | None],
        KeyedMap(_CAMEL, "write a parameter of the Prometheus trigger in KEDA: timeout, unsafeSsl"),
    ] = Field(
        {},
        description="More parameters of KEDA's Prometheus trigger: `{timeout: 5s, customHeaders: X-Scope-OrgID=team}`.",
    )


class HttpAddon(Block):
    """KEDA's HTTP add-on: it holds requests while the first pod starts, and counts them. Clients have to ask its proxy,
    `keda-add-ons-http-interceptor-proxy` in KEDA's namespace, by one of these hosts."""

    enabled: bool = Field(False, description="Render an InterceptorRoute, and let it wake the release up.")
    hosts: list[Annotated[str, Pattern(r"^[^\s/:]+$", "write a host name, without a scheme or a port")]] = Field(
        [], description="Names that clients ask for: `[llm.example.com]`."
    )
    scaler_address: Annotated[
        str, Pattern(r"^[^\s/]+:[0-9]+$", "write host:port: keda-add-ons-http-external-scaler.keda:9090")
    ] = Field(
        "keda-add-ons-http-external-scaler.keda:9090", description="Where KEDA reaches the add-on's external scaler."
    )


class WakeUp(Block):
    """What brings the first pod when there is none. At zero replicas the engine's own metrics are gone (kedacore/keda
    #6040), so it has to look at something outside the pods."""

    http_addon: HttpAddon = Field(HttpAddon(), description=HttpAddon.__doc__, alias="httpAddon")
    triggers: list[Object] = Field(
        [],
        description="KEDA's triggers of your own, as written: `[{type: prometheus, metadata: {…}}]` of a gateway's "
        "queue, for example.",
    )
    metrics: list[Object] = Field(
        [],
        description="For kind HPA: External or Object metrics of your own, as written.",
    )


class Autoscaling(Block):
    """More replicas when more is asked for, fewer when it is not. The measure is what is running and waiting, per
    replica: it grows with demand without a bound, is 0 when nobody asks, and does not change when a replica comes. How
    full the KV cache is stands beside it. docs/autoscaling.md has the reasons, and what to install."""

    remedies = {
        "minReplicaCount": "write autoscaling.minReplicas",
        "maxReplicaCount": "write autoscaling.maxReplicas",
        "targetCPUUtilizationPercentage": "an engine's processor is busy at any load: write "
        "autoscaling.requestsPerReplica",
        "targetMemoryUtilizationPercentage": "an engine takes its memory at the start: write "
        "autoscaling.requestsPerReplica",
        "targetGPUUtilizationPercentage": "a GPU is busy at any load: write autoscaling.requestsPerReplica",
        "metrics": "the chart writes them: write autoscaling.requestsPerReplica, or an object of your own in "
        "extraObjects with replicaCount: null",
        "customMetrics": "the chart writes them: write autoscaling.requestsPerReplica, or an object of your own in "
        "extraObjects with replicaCount: null",
        "triggers": "the chart writes them: write autoscaling.requestsPerReplica; autoscaling.wakeUp.triggers for one "
        "that wakes it up",
        "targetRequests": "write autoscaling.requestsPerReplica",
        "target": "write autoscaling.requestsPerReplica",
        "behavior": "write autoscaling.scaleUp and autoscaling.scaleDown",
        "prometheusAddress": "write autoscaling.prometheus.address",
        "serverAddress": "write autoscaling.prometheus.address",
        "pollingInterval": "leave it out: above 0 replicas KEDA asks when the HPA does, every 15 s",
        "cooldownPeriod": "write autoscaling.cooldownSeconds",
        "keda": "write autoscaling.kind: KEDA",
        "hpa": "write autoscaling.kind: HPA",
        "type": "write autoscaling.kind: KEDA or HPA",
        "idleReplicaCount": "write autoscaling.minReplicas: 0 and autoscaling.wakeUp",
        "scaleToZero": "write autoscaling.minReplicas: 0 and autoscaling.wakeUp",
    }

    enabled: bool = Field(
        False,
        description="Let an autoscaler count the replicas; leave `replicaCount` at its default then. It begins "
        "with the replicas that are there.",
    )
    kind: Literal["KEDA", "HPA"] = Field(
        "KEDA",
        description="KEDA: a ScaledObject, which asks Prometheus. HPA: a HorizontalPodAutoscaler, which asks the "
        "external metrics API: what has to serve it (prometheus-adapter) is in docs/autoscaling.md.",
    )
    min_replicas: Count = Field(
        1, description="The fewest. 0 only with `wakeUp`, and for an HPA on Kubernetes 1.37 or later."
    )
    max_replicas: Annotated[int, Field(ge=1, le=2**31 - 1)] | Empty = Field(
        "", description="The most: as many as there are GPUs for. Required."
    )
    requests_per_replica: Annotated[int, Field(ge=1, le=10**6)] | Empty = Field(
        "",
        description="Requests, running and waiting, that a replica is to have. `vllm-chart bench --find-target` "
        "measures it, and `vllm-chart plan` reckons it. Empty: three quarters of engine.args.max-num-seqs where that "
        "is set, else 32; for each data-parallel rank.",
    )
    kv_cache_usage: Share = Field(
        0.8,
        description="How full the KV caches are to be: long contexts fill them with few requests. 0: not looked at.",
    )
    scale_up: Annotated[Object, Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {},
        description="How fast it grows, over the chart's: at once one replica, or as many as there are, and then once "
        "in startup.typicalSeconds, because new replicas do not help before they are ready.",
    )
    scale_down: Annotated[Object, Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {},
        description="How fast it shrinks, over the chart's: after 600 s of less demand, a replica at a time, each as "
        "long as a pod takes to finish what it has (shutdown). `selectPolicy: Disabled`: never.",
    )
    cooldown_seconds: Seconds | Empty = Field(
        "",
        description="With minReplicas 0: how long nothing is asked before the last replica goes. Empty: "
        "startup.budgetSeconds, because less would end a replica that is still loading.",
    )
    prometheus: Prometheus = Field(Prometheus(), description=Prometheus.__doc__)
    wake_up: WakeUp = Field(WakeUp(), description=WakeUp.__doc__)
    annotations: Annotations = Field(
        {},
        description='Annotations of the autoscaler: `autoscaling.keda.sh/paused: "true"` stops it where it is.',
    )
