"""Why no node takes a pod.

The scheduler counts nodes by reason ("0/3 nodes are available: 2 Insufficient nvidia.com/gpu"). Which value is
wrong, and what the nodes offer instead, only the nodes themselves say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from kubernetes.client import V1Container, V1Node, V1PodSpec, V1Taint, V1Toleration
from kubernetes.utils import parse_quantity


class Cause(NamedTuple):
    """Why, and what to change."""

    message: str
    remedy: str


def unschedulable(spec: V1PodSpec, message: str, nodes: Sequence[V1Node] | None) -> list[Cause]:
    """Explain the scheduler's message (of the pod's condition `PodScheduled`); the nodes are None if unknown."""
    causes = list(_never_fits(spec, nodes)) if nodes is not None else []
    return causes or list(_does_not_fit_now(spec, message)) or [_rule(message)]


def _never_fits(spec: V1PodSpec, nodes: Sequence[V1Node]) -> Iterator[Cause]:
    """What keeps the pod off every node, however empty: labels, else taints, else size."""
    selector = spec.node_selector or {}
    selected = [node for node in nodes if selector.items() <= _labels(node).items()]
    if not selected:
        wanted = ", ".join(f"{key}={value}" for key, value in selector.items())
        there = {f"{key}={_labels(node)[key]}" for node in nodes for key in selector if key in _labels(node)}
        yield Cause(
            f"no node has the label {wanted}" if len(selector) == 1 else f"no node has all of {wanted}",
            "write a label of your nodes in nodeSelector: "
            + (", ".join(sorted(there)) if there else "`kubectl get nodes --show-labels` lists them"),
        )
        return
    tolerations = spec.tolerations or []
    welcoming = [node for node in selected if not _repelling_taints(node, tolerations)]
    if not welcoming:
        taints = {_written(taint) for node in selected for taint in _repelling_taints(node, tolerations)}
        yield Cause(
            f"its nodes have a taint that it does not tolerate: {', '.join(sorted(taints))}",
            "tolerate it in tolerations, or choose other nodes with nodeSelector",
        )
        return
    for resource, asked in requests(spec).items():
        most = max(_allocatable(node, resource) for node in welcoming)
        if asked > most:
            yield Cause(
                f"it asks for {_amount(asked, resource)} {resource}, and the most that one node offers is "
                f"{_amount(most, resource)}",
                _smaller(resource, most),
            )


def _smaller(resource: str, most: Decimal) -> str:
    if _is_native(resource):
        return f"write at most {_amount(most, resource)} in resources.requests.{resource}"
    if most:
        return f"write gpu.count: {most} or less, or choose bigger nodes with nodeSelector"
    return (
        "write in gpu.resourceName what your GPU nodes offer, choose those nodes with nodeSelector, "
        "or install the device plugin"
    )


def _does_not_fit_now(spec: V1PodSpec, message: str) -> Iterator[Cause]:
    for resource in dict.fromkeys(re.findall(r"Insufficient ([\w./-]*\w)", message)):
        asked = _amount(requests(spec).get(resource, Decimal(0)), resource)
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


def _rule(message: str) -> Cause:
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


def _container_requests(container: V1Container) -> dict[str, Decimal]:
    written = (container.resources.requests if container.resources else None) or {}
    return {resource: parse_quantity(amount) for resource, amount in written.items()}


def _allocatable(node: V1Node, resource: str) -> Decimal:
    offered: Mapping[str, Any] = (node.status.allocatable if node.status else None) or {}
    amount: Decimal = parse_quantity(offered.get(resource, "0"))
    return amount


def _amount(amount: Decimal, resource: str) -> str:
    if resource in ("memory", "ephemeral-storage"):
        return f"{amount / 2**30:.1f}Gi"
    return f"{amount.normalize():f}"


def _is_native(resource: str) -> bool:
    """Whether Kubernetes itself has this resource (cpu, memory); a device plugin's has a domain."""
    return "/" not in resource


def _labels(node: V1Node) -> Mapping[str, str]:
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
