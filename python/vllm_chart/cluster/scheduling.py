"""Why no node takes a pod.

The scheduler counts nodes by reason ("0/3 nodes are available: 2 Insufficient nvidia.com/gpu"). Which value is
wrong, and what the nodes offer instead, only the nodes themselves say.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from kubernetes.client import (
    V1Container,
    V1Node,
    V1NodeSelectorRequirement,
    V1NodeSelectorTerm,
    V1PodSpec,
    V1Taint,
    V1Toleration,
)

from vllm_chart.rendered.quantities import parse_quantity


class Cause(NamedTuple):
    """Why, and what to change."""

    message: str
    remedy: str


def unschedulable(spec: V1PodSpec, message: str, nodes: Sequence[V1Node] | None) -> list[Cause]:
    """Explain the scheduler's message (of the pod's condition `PodScheduled`); the nodes are None if unknown."""
    causes = list(never_fits(spec, nodes)) if nodes is not None else []
    return causes or list(_does_not_fit_now(spec, message)) or [_rule(message)]


def never_fits(spec: V1PodSpec, nodes: Sequence[V1Node]) -> Iterator[Cause]:
    """What keeps a pod off every node, however empty: labels, else taints, else size."""
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
    chosen = [node for node in selected if _has_affinity(spec, node)]
    if not chosen:
        keys = {expression.key for term in _terms(spec) or [] for expression in term.match_expressions or []}
        there = {f"{key}={labels(node)[key]}" for node in selected for key in keys if key in labels(node)}
        yield Cause(
            f"no node matches the required node affinity, which asks for {', '.join(sorted(keys))}",
            "write labels of your nodes in affinity: "
            + (", ".join(sorted(there)) if there else "`kubectl get nodes --show-labels` lists them"),
        )
        return
    tolerations = spec.tolerations or []
    welcoming = [node for node in chosen if not _repelling_taints(node, tolerations)]
    if not welcoming:
        taints = {_written(taint) for node in chosen for taint in _repelling_taints(node, tolerations)}
        yield Cause(
            f"its nodes have a taint that it does not tolerate: {', '.join(sorted(taints))}",
            _of_a_node(taints) or "tolerate it in tolerations, or choose other nodes with nodeSelector",
        )
        return
    for resource, asked in requests(spec).items():
        most = max(_allocatable(node, resource) for node in welcoming)
        if asked > most:
            yield Cause(
                f"it asks for {shown(asked, resource)} {resource}, and the most that one node offers is "
                f"{shown(most, resource)}",
                _smaller(resource, most),
            )


def welcomes(spec: V1PodSpec, node: V1Node) -> bool:
    """Whether a node's labels and taints let the pod in, and nobody has closed the node (`kubectl cordon`)."""
    return (
        (spec.node_selector or {}).items() <= labels(node).items()
        and _has_affinity(spec, node)
        and not (node.spec and node.spec.unschedulable)
        and not _repelling_taints(node, spec.tolerations or [])
    )


def room(spec: V1PodSpec, node: V1Node, running: Iterable[V1PodSpec]) -> int:
    """How many such pods still fit on a node beside those that run there."""
    taken: dict[str, Decimal] = {}
    for other in running:
        for resource, amount in requests(other).items():
            taken[resource] = taken.get(resource, Decimal(0)) + amount
    counts = [
        (_allocatable(node, resource) - taken.get(resource, Decimal(0))) // asked
        for resource, asked in requests(spec).items()
        if asked
    ]
    return max(0, int(min(counts, default=Decimal(110))))  # the kubelet's own limit of pods


def _terms(spec: V1PodSpec) -> list[V1NodeSelectorTerm] | None:
    affinity = spec.affinity.node_affinity if spec.affinity else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity else None
    return required.node_selector_terms if required else None


def _has_affinity(spec: V1PodSpec, node: V1Node) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity: any term, all of it."""
    terms = _terms(spec)
    return terms is None or any(
        all(_matches(expression, labels(node)) for expression in term.match_expressions or [])
        and all(_matches(field, {"metadata.name": name(node)}) for field in term.match_fields or [])
        for term in terms
        if term.match_expressions or term.match_fields
    )


def _matches(expression: V1NodeSelectorRequirement, having: Mapping[str, str]) -> bool:
    value, values = having.get(expression.key), expression.values or []
    match expression.operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" if value is not None and value.lstrip("-").isdigit():
            return int(value) > int(values[0]) if expression.operator == "Gt" else int(value) < int(values[0])
    return False


def _smaller(resource: str, most: Decimal) -> str:
    if _is_native(resource):
        return f"write at most {shown(most, resource)} in resources.requests.{resource}"
    if most:
        return f"write gpu.count: {most} or less, or choose bigger nodes with nodeSelector"
    return (
        "write in gpu.resourceName what your nodes offer, choose those nodes with nodeSelector, "
        "or install the device plugin"
    )


def _does_not_fit_now(spec: V1PodSpec, message: str) -> Iterator[Cause]:
    for resource in dict.fromkeys(re.findall(r"Insufficient ([\w./-]*\w)", message)):
        asked = shown(requests(spec).get(resource, Decimal(0)), resource)
        value = f"resources.requests.{resource}" if _is_native(resource) else "gpu.count"
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


def requests(spec: V1PodSpec) -> dict[str, Decimal]:
    """What the scheduler counts for a pod: the sum of its containers, or its biggest init container."""
    total: dict[str, Decimal] = {}
    for container in spec.containers:
        for resource, amount in _container_requests(container).items():
            total[resource] = total.get(resource, Decimal(0)) + amount
    for container in spec.init_containers or []:
        for resource, amount in _container_requests(container).items():
            total[resource] = max(total.get(resource, Decimal(0)), amount)
    return total


def devices(spec: V1PodSpec) -> dict[str, Decimal]:
    """What a pod asks for of GPUs and other extended resources."""
    return {resource: asked for resource, asked in requests(spec).items() if not _is_native(resource) and asked}


def _container_requests(container: V1Container) -> dict[str, Decimal]:
    written = (container.resources.requests if container.resources else None) or {}
    return {resource: parse_quantity(amount) for resource, amount in written.items()}


def _allocatable(node: V1Node, resource: str) -> Decimal:
    offered: Mapping[str, Any] = (node.status.allocatable if node.status else None) or {}
    return parse_quantity(offered.get(resource, "0"))


def shown(amount: Decimal, resource: str) -> str:
    """An amount as people write it."""
    if resource in ("memory", "ephemeral-storage"):
        return f"{amount / 2**30:.1f}Gi"
    return f"{amount.normalize():f}"


def _is_native(resource: str) -> bool:
    """Whether Kubernetes itself has this resource (cpu, memory); a device plugin's has a domain."""
    return "/" not in resource


def name(node: V1Node) -> str:
    """The name of a node."""
    return (node.metadata.name if node.metadata else None) or ""


def labels(node: V1Node) -> Mapping[str, str]:
    """The labels of a node."""
    return (node.metadata.labels if node.metadata else None) or {}


def _repelling_taints(node: V1Node, tolerations: Sequence[V1Toleration]) -> list[V1Taint]:
    taints = (node.spec.taints if node.spec else None) or []
    return [
        taint
        for taint in taints
        if taint.effect != "PreferNoSchedule" and not any(_tolerates(toleration, taint) for toleration in tolerations)
    ]


def _tolerates(toleration: V1Toleration, taint: V1Taint) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    return toleration.operator == "Exists" or (toleration.value or "") == (taint.value or "")


def _written(taint: V1Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"
