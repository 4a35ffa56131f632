"""Pods that find no node, or that a node sends away."""

import re
from collections.abc import Iterator, Sequence

from kubernetes.client import V1Node, V1Pod

from vllm_chart.cluster import scheduling
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.objects import name_of


def turned_away(pod: V1Pod) -> Iterator[Finding]:
    """A pod that its node evicted, or never took: nothing more is to be learnt from it."""
    where = f"Pod/{name_of(pod)}"
    if pod.status and pod.status.reason == "Evicted":
        message = pod.status.message or ""
        yield Finding(
            "evicted",
            where,
            f"its node evicted it: {message}",
            "weights need disk: write persistence.enabled: true, or raise resources.limits.ephemeral-storage"
            if "ephemeral" in message
            else "raise resources.requests to what it really uses",
        )
    elif pod.status and re.match(r"UnexpectedAdmissionError|OutOf", pod.status.reason or ""):
        yield Finding(
            "node",
            where,
            f"its node turned it away: {pod.status.message or pod.status.reason}",
            "look at the node's device plugin, and at pods that hold its GPUs; a new pod is made in its place",
        )


def unschedulable(pod: V1Pod, nodes: Sequence[V1Node] | None) -> Iterator[Finding]:
    """A pod that the scheduler finds no node for; the nodes are None if unknown."""
    for condition in (pod.status.conditions if pod.status else None) or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable" and pod.spec:
            message = condition.message or ""
            for cause in scheduling.unschedulable(pod.spec, message, nodes):
                yield Finding("scheduling", f"Pod/{name_of(pod)}", f"{cause.message}: {message}", cause.remedy)
