"""How many replicas of the endpoint there are: by demand, between two bounds."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values.base import Annotations, Block, Count, Empty, Kubernetes


class Autoscaling(Block):
    """More replicas when the processor is busy, by Kubernetes' own autoscaler, which needs metrics-server. What Envoy
    does for a request is reading, hashing and writing: its processor follows the requests, as an engine's does not."""

    remedies = {
        "targetMemoryUtilizationPercentage": "memory follows the size of bodies and does not go back: write "
        "targetCPUUtilizationPercentage",
        "metrics": "write targetCPUUtilizationPercentage, or an object of your own in extraObjects with "
        "replicaCount: null",
        "behavior": "write autoscaling.scaleUp and autoscaling.scaleDown",
        "kind": "leave it out: it is a HorizontalPodAutoscaler",
    }

    enabled: bool = Field(
        False, description="Let an autoscaler count the replicas; leave `replicaCount` at its default then."
    )
    min_replicas: Annotated[Count, Field(ge=1)] = Field(
        2, description="The fewest. With one, the loss of its node is an outage."
    )
    max_replicas: Annotated[int, Field(ge=1, le=2**31 - 1)] | Empty = Field("", description="The most. Required.")
    target_cpu_utilization_percentage: Annotated[int, Field(ge=1, le=1000)] = Field(
        70,
        alias="targetCPUUtilizationPercentage",
        description="How much of `resources.requests.cpu` the pods are to use, in per cent. Above 100 is possible: "
        "there is no limit by default.",
    )
    scale_up: Annotated[dict[str, Any], Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {}, description="How fast it grows, as Kubernetes has it. Empty: Kubernetes' own, at once and at most double."
    )
    scale_down: Annotated[dict[str, Any], Kubernetes("autoscaling.v2.HPAScalingRules")] = Field(
        {},
        description="How fast it shrinks. Empty: Kubernetes' own, after 300 s of less use. A pod that goes ends its "
        "streams first (shutdown).",
    )
    annotations: Annotations = Field({}, description="Annotations of the autoscaler.")
