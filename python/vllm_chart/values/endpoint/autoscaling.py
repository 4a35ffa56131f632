"""How many replicas of the endpoint there are: by demand, between two bounds."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import Annotations, Block, Count, Empty, Kubernetes
from vllm_chart.values.vllm import autoscaling


class Prometheus(autoscaling.Prometheus):
    """Where KEDA asks for the connections: the Prometheus that scrapes the endpoint, or what stands in front of it."""

    remedies = autoscaling.Prometheus.remedies | {"threshold": "write autoscaling.connectionsPerReplica"}


class Autoscaling(Block):
    """More replicas when there is more to do. By the processor (HPA), which follows the requests as an engine's does
    not: what Envoy does for one is reading, hashing and writing. Or by clients' connections (KEDA), which open streams
    hold while they cost little: a replica's memory and its end, which waits for them, go by those."""

    remedies = {
        "targetMemoryUtilizationPercentage": "memory follows the size of bodies and does not go back: write "
        "targetCPUUtilizationPercentage",
        "metrics": "write targetCPUUtilizationPercentage, or an object of your own in extraObjects with "
        "replicaCount: null",
        "behavior": "write autoscaling.scaleUp and autoscaling.scaleDown",
        "minReplicaCount": "write autoscaling.minReplicas",
        "maxReplicaCount": "write autoscaling.maxReplicas",
        "requestsPerReplica": "write autoscaling.connectionsPerReplica",
        "triggers": "write autoscaling.connectionsPerReplica, or an object of your own in extraObjects with "
        "replicaCount: null",
        "prometheusAddress": "write autoscaling.prometheus.address",
        "serverAddress": "write autoscaling.prometheus.address",
        "keda": "write autoscaling.kind: KEDA",
        "hpa": "write autoscaling.kind: HPA",
        "type": "write autoscaling.kind: KEDA or HPA",
    }

    enabled: bool = Field(
        False, description="Let an autoscaler count the replicas; leave `replicaCount` at its default then."
    )
    kind: Literal["HPA", "KEDA"] = Field(
        "HPA",
        description="HPA: a HorizontalPodAutoscaler, by the processor, for which the cluster has metrics-server. "
        "KEDA: a ScaledObject, by connections, for which a Prometheus scrapes the pods.",
    )
    min_replicas: Annotated[Count, Field(ge=1)] = Field(
        2, description="The fewest. With one, the loss of its node is an outage."
    )
    max_replicas: Annotated[int, Field(ge=1, le=2**31 - 1)] | Empty = Field("", description="The most. Required.")
    target_cpu_utilization_percentage: Annotated[int, Field(ge=1, le=1000)] = Field(
        70,
        alias="targetCPUUtilizationPercentage",
        description="For kind HPA: how much of `resources.requests.cpu` the pods are to use, in per cent. Above 100 "
        "is possible: there is no limit by default.",
    )
    connections_per_replica: Annotated[int, Field(ge=1, le=10**6)] = Field(
        500,
        description="For kind KEDA: connections of clients that a replica is to have, idle ones too. A request over "
        "HTTP/1.1 has one to itself; HTTP/2 has many in one.",
    )
    prometheus: Prometheus = Field(Prometheus(), description=Prometheus.__doc__)
    scale_up: Annotated[dict[str, Any], Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {}, description="How fast it grows, as Kubernetes has it. Empty: Kubernetes' own, at once and at most double."
    )
    scale_down: Annotated[dict[str, Any], Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {},
        description="How fast it shrinks. Empty: Kubernetes' own, after 300 s of less use. A pod that goes ends its "
        "streams first (shutdown).",
    )
    annotations: Annotations = Field({}, description="Annotations of the autoscaler.")
