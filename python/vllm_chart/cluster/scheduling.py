"""Why no node takes a pod.

The scheduler counts nodes by reason ("0/3 nodes are available: 2 Insufficient nvidia.com/gpu"). Which value is
wrong, and what the nodes offer instead, only the nodes themselves say.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from kubernetes.client import V1Node, V1PodSpec

from vllm_chart.cluster.nodes import allocatable, has_affinity, labels, name, repelling_taints, terms, welcomes, written
from vllm_chart.rendered import podresources
from vllm_chart.rendered.podresources import Amounts, is_native
from vllm_chart.rendered.workload import ENGINE


class Cause(NamedTuple):
    """Why, and what to change."""

    message: str
    remedy: str


def unschedulable(spec: V1PodSpec, message: str, nodes: Sequence[V1Node] | None) -> list[Cause]:
    """Explain the scheduler's message (of the pod's condition `PodScheduled`); the nodes are None if unknown."""
    causes = list(never_fits(spec, nodes)) if nodes is not None else []
    return causes or list(_does_not_fit_now(spec, message)) or [_rule(message)]


def never_fits(spec: V1PodSpec, nodes: Sequence[V1Node]) -> Iterator[Cause]:
    """What keeps a pod off every node, however empty: that there is none, labels, else taints, else size."""
    if not nodes:
        yield Cause("the cluster has no node at all", "add nodes")
        return
    selector = spec.node_selector or {}
    selected = [node for node in nodes if selector.items() <= labels(node).items()]
    if not selected:
        wanted = ", ".join(f"{key}={value}" for key, value in selector.items())
        there = {f"{key}={labels(node)[key]}" for node in nodes for key in selector if key in labels(node)}
        yield Cause(
            f"no node has the label {wanted}" if len(selector) == 1 else f"no node has all of {wanted}",
            "write a label of your nodes in nodeSelector: "
            + (", ".join(sorted(there)) if there else "`kubectl get nodes --show-labels` lists them"),
        )
        return
    chosen = [node for node in selected if has_affinity(spec, node)]
    if not chosen:
        asked_for = [[*(term.match_expressions or []), *(term.match_fields or [])] for term in terms(spec) or []]
        keys = {expression.key for expressions in asked_for for expression in expressions}
        there = {f"{key}={labels(node)[key]}" for node in selected for key in keys if key in labels(node)}
        yield Cause(
            f"no node matches the required node affinity, which asks for {', '.join(sorted(keys))}",
            "write labels of your nodes in affinity: "
            + (", ".join(sorted(there)) if there else "`kubectl get nodes --show-labels` lists them"),
        )
        return
    tolerations = spec.tolerations or []
    welcoming = [node for node in chosen if not repelling_taints(node, tolerations)]
    if not welcoming:
        taints = {written(taint) for node in chosen for taint in repelling_taints(node, tolerations)}
        yield Cause(
            f"its nodes have a taint that it does not tolerate: {', '.join(sorted(taints))}",
            _of_a_node(taints) or "tolerate it in tolerations, or choose other nodes with nodeSelector",
        )
        return
    for resource, asked in requests(spec).items():
        most = max(allocatable(node, resource) for node in welcoming)
        if asked > most:
            yield Cause(
                f"it asks for {shown(asked, resource)} {resource}, and the most that one node offers is "
                f"{shown(most, resource)}",
                _smaller(resource, most, _others(spec, resource)),
            )


def places(
    parts: Sequence[tuple[V1PodSpec, int]], nodes: Sequence[V1Node], running: Iterable[V1PodSpec], most: int
) -> int:
    """How many replicas still find a place beside the pods that run there, up to a number.

    parts: the pods of a replica, each with how many of them it has. Exact where they are alike; of several kinds, it is
    what comes of placing one after the other.
    """
    free = {name(node): _Free(node) for node in nodes}
    for other in running:
        if other.node_name in free:
            free[other.node_name].take(requests(other))
    wanted = [
        (requests(spec), [free[name(node)] for node in nodes if welcomes(spec, node)], count) for spec, count in parts
    ]
    for placed in range(most):
        for asked, candidates, count in wanted:
            for _ in range(count):
                node = next((node for node in candidates if node.fits(asked)), None)
                if node is None:
                    return placed
                node.take(asked)
    return most


class _Free:
    """What is left of a node."""

    def __init__(self, node: V1Node) -> None:
        self._node = node
        self._taken: Amounts = {}

    def take(self, asked: Amounts) -> None:
        podresources.add(self._taken, {**asked, "pods": Decimal(1)})

    def fits(self, asked: Amounts) -> bool:
        return all(
            allocatable(self._node, resource) - self._taken.get(resource, Decimal(0)) >= amount
            for resource, amount in {**asked, "pods": Decimal(1)}.items()
            if amount
        )


def _others(spec: V1PodSpec, resource: str) -> list[str]:
    """The containers beside the engine that ask for a resource."""
    every = podresources.read(spec).every
    return [container.name for container in every if container.name != ENGINE and container.requests.get(resource)]


def _smaller(resource: str, most: Decimal, others: Sequence[str]) -> str:
    if is_native(resource):
        beside = f", together with {' and '.join(others)}" if others else ""
        return f"write at most {shown(most, resource)} in resources.requests.{resource}{beside}"
    if most:
        return f"write gpu.count: {most} or less, or choose bigger nodes with nodeSelector"
    return (
        "write in gpu.resourceName what your GPU nodes offer, choose those nodes with nodeSelector, "
        "or install the device plugin"
    )


def _does_not_fit_now(spec: V1PodSpec, message: str) -> Iterator[Cause]:
    for resource in dict.fromkeys(re.findall(r"Insufficient ([\w./-]*\w)", message)):
        asked = shown(requests(spec).get(resource, Decimal(0)), resource)
        value = f"resources.requests.{resource}" if is_native(resource) else "gpu.count"
        yield Cause(
            f"it asks for {asked} {resource}, which no node has free",
            f"free or add a node, or lower {value} or replicaCount",
        )


_RULES = (
    (
        r'persistentvolumeclaim "[^"]*" not found',
        "create the claim, or name another one in persistence.existingClaim (or in volumes)",
    ),
    (r"unbound immediate PersistentVolumeClaims", "see persistence.storageClassName: the claim is not bound"),
    (
        r"volume node affinity conflict|available persistent volumes to bind",
        "no node fits both the pod and its volume: widen nodeSelector, or use another claim",
    ),
    (
        r"anti-affinity rules|topology spread constraints",
        "relax affinity or topologySpreadConstraints, or lower replicaCount",
    ),
    (r"node affinity/selector", "write labels that your nodes have in nodeSelector and affinity"),
    (r"untolerated taint", "tolerate the taint in tolerations, or choose other nodes with nodeSelector"),
)


#: Taints that Kubernetes itself puts on a node, and what ends them. Source:
#: https://kubernetes.io/docs/reference/labels-annotations-taints/
_CONDITIONS = {
    "node.kubernetes.io/disk-pressure": "free the node's disk, or choose nodes with a larger one in nodeSelector: "
    "images and weights are tens of gigabytes",
    "node.kubernetes.io/memory-pressure": "free the node's memory, or choose larger nodes with nodeSelector",
    "node.kubernetes.io/unschedulable": "`kubectl uncordon` the node, or add one",
    "node.kubernetes.io/not-ready": "see why the node is not ready: `kubectl describe node`",
    "node.kubernetes.io/unreachable": "see why the node is not reached: `kubectl describe node`",
}


def _of_a_node(taints: Iterable[str]) -> str:
    """What ends taints that are a node's condition, which no pod should tolerate; empty if there are others."""
    keys = [re.split("[=:]", taint)[0] for taint in taints]
    remedies = [_CONDITIONS[key] for key in sorted(keys) if key in _CONDITIONS]
    return "; ".join(dict.fromkeys(remedies)) if len(remedies) == len(keys) else ""


def _rule(message: str) -> Cause:
    taints = re.findall(r"untolerated taint \{([^:}]+)", message)
    if taints and (remedy := _of_a_node(taints)):
        return Cause("a condition of the nodes keeps it off", remedy)
    for pattern, remedy in _RULES:
        if re.search(pattern, message):
            return Cause("a rule keeps it off every node", remedy)
    return Cause("a rule keeps it off every node", "see nodeSelector, tolerations, affinity and resources")


def requests(spec: V1PodSpec) -> Amounts:
    """What the scheduler counts for a pod."""
    return podresources.read(spec).total_requests()


def devices(spec: V1PodSpec) -> dict[str, Decimal]:
    """What a pod asks for of GPUs and other extended resources."""
    return {resource: asked for resource, asked in requests(spec).items() if not is_native(resource) and asked}


def shown(amount: Decimal, resource: str) -> str:
    """An amount as people write it."""
    if resource in ("memory", "ephemeral-storage"):
        return f"{amount / 2**30:.1f}Gi"
    return f"{amount.normalize():f}"
