"""What a cluster's objects say of themselves: their conditions."""

from collections.abc import Sequence

from kubernetes.client import V1Node, V1NodeCondition, V1Pod, V1PodCondition

Condition = V1PodCondition | V1NodeCondition


def condition(item: V1Pod | V1Node, type_: str) -> Condition | None:
    """What a pod or a node says of itself under a name; None where it says nothing."""
    conditions: Sequence[Condition] = (item.status.conditions if item.status else None) or []
    return next((each for each in conditions if each.type == type_), None)


def is_ready(pod: V1Pod) -> bool:
    """Whether a pod gets requests."""
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"
