"""Pods that find no node, that a node sends away, or whose node was lost."""

import re
from collections.abc import Iterator, Sequence

from kubernetes.client import V1Node, V1Pod

from vllm_chart.cluster import nodes, scheduling
from vllm_chart.cluster.conditions import condition, is_ready
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import age_seconds, name_of

SOON = 60
"""Seconds in which a scheduler looks at a new pod, and a kubelet at one that it is given, where they work at all."""

#: The names of Kueue's gates begin so. Source: https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/
_KUEUE = "kueue.x-k8s.io/"


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


def explain(pod: V1Pod, snapshot: Snapshot) -> Iterator[Finding]:
    """What keeps a pod from a node, or from the one that it has."""
    yield from _unschedulable(pod, snapshot.nodes)
    yield from _gated(pod, snapshot.namespace)
    yield from _unseen(pod, snapshot)
    yield from _lost(pod, snapshot.nodes)


def _unschedulable(pod: V1Pod, there: Sequence[V1Node] | None) -> Iterator[Finding]:
    """A pod that the scheduler finds no node for; the nodes are None if unknown."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.reason == "Unschedulable" and pod.spec:
        message = scheduled.message or ""
        for cause in scheduling.unschedulable(pod.spec, message, there):
            yield Finding("scheduling", f"Pod/{name_of(pod)}", f"{cause.message}: {message}", cause.remedy)


def _gated(pod: V1Pod, namespace: str) -> Iterator[Finding]:
    """A pod that no scheduler may look at before somebody else takes a gate off.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
    """
    gates = [gate.name for gate in (pod.spec.scheduling_gates if pod.spec else None) or []]
    if gates:
        remedy = (
            f"Kueue takes it off once its queue has room: `kubectl describe workloads.kueue.x-k8s.io --namespace "
            f"{namespace}` says what it waits for, be it quota or a queue that is not there"
            if any(gate.startswith(_KUEUE) for gate in gates)
            else "whoever puts it on pods takes it off again: see that its controller runs, or keep it from these pods"
        )
        message = f"it is held back from the scheduler by the gate {', '.join(gates)}"
        yield Finding("scheduling", f"Pod/{name_of(pod)}", message, remedy)


def _unseen(pod: V1Pod, snapshot: Snapshot) -> Iterator[Finding]:
    """A pod that no scheduler has said a word about, in a time in which one that works would have."""
    spec, status = pod.spec, pod.status
    if spec is None or status is None or status.phase != "Pending" or spec.node_name or spec.scheduling_gates:
        return
    if condition(pod, "PodScheduled") is None and age_seconds(pod, snapshot.at) > SOON:
        scheduler = spec.scheduler_name or "default-scheduler"
        yield Finding(
            "scheduling",
            f"Pod/{name_of(pod)}",
            f"the scheduler {scheduler} has not looked at it",
            "see that the cluster has a scheduler of that name and that it runs, or correct schedulerName",
        )


def _lost(pod: V1Pod, there: Sequence[V1Node] | None) -> Iterator[Finding]:
    """A pod whose node is not ready: what is said of its containers is the last that their kubelet said.

    The controller of nodes takes away the pods' condition Ready, and nothing else:
    https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller
    """
    ended = pod.status and pod.status.phase in ("Failed", "Succeeded")
    name = pod.spec.node_name if pod.spec and not ended else None
    for node in there or []:
        ready = condition(node, "Ready")
        if name and nodes.name(node) == name and ready and ready.status != "True" and not is_ready(pod):
            yield Finding(
                "node",
                f"Pod/{name_of(pod)}",
                f"its node {name} is not ready: {ready.message or ready.reason or ready.status}",
                f"`kubectl describe node {name}` says since when and why; where it is gone for good, `kubectl delete "
                f"node {name}` has its pods made anew on another",
            )
