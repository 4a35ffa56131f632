"""A cluster's nodes: what they offer, and which of them let a pod in by labels and taints."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kubernetes.client import V1Node, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec, V1Taint, V1Toleration

from vllm_chart.rendered.quantities import parse_quantity

PODS_OF_A_NODE = "110"
"""The kubelet's own limit, where a node does not say its own."""


def name(node: V1Node) -> str:
    """The name of a node."""
    return (node.metadata.name if node.metadata else None) or ""


def labels(node: V1Node) -> Mapping[str, str]:
    """The labels of a node."""
    return (node.metadata.labels if node.metadata else None) or {}


def allocatable(node: V1Node, resource: str) -> Decimal:
    """What a node offers pods of a resource."""
    offered: Mapping[str, Any] = (node.status.allocatable if node.status else None) or {}
    return parse_quantity(offered.get(resource, PODS_OF_A_NODE if resource == "pods" else "0"))


def welcomes(spec: V1PodSpec, node: V1Node) -> bool:
    """Whether a node's labels and taints let the pod in, and nobody has closed the node (`kubectl cordon`)."""
    return (
        (spec.node_selector or {}).items() <= labels(node).items()
        and has_affinity(spec, node)
        and not (node.spec and node.spec.unschedulable)
        and not repelling_taints(node, spec.tolerations or [])
    )


def terms(spec: V1PodSpec) -> list[V1NodeSelectorTerm] | None:
    """The terms of a required node affinity; None without one."""
    affinity = spec.affinity.node_affinity if spec.affinity else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity else None
    return required.node_selector_terms if required else None


def has_affinity(spec: V1PodSpec, node: V1Node) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity: any term, all of it."""
    required = terms(spec)
    return required is None or any(
        all(_matches(expression, labels(node)) for expression in term.match_expressions or [])
        and all(_matches(field, {"metadata.name": name(node)}) for field in term.match_fields or [])
        for term in required
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


def repelling_taints(node: V1Node, tolerations: Sequence[V1Toleration]) -> list[V1Taint]:
    """The taints of a node that keep a pod with these tolerations off it."""
    taints = (node.spec.taints if node.spec else None) or []
    return [
        taint
        for taint in taints
        if taint.effect != "PreferNoSchedule" and not any(_tolerates(toleration, taint) for toleration in tolerations)
    ]


def _tolerates(toleration: V1Toleration, taint: V1Taint) -> bool:
    """https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/, and for numbers k8s.io/api,
    core/v1/toleration.go (`compareNumericValues`): Gt tolerates taints whose number is greater."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    there, given = taint.value or "", toleration.value or ""
    match toleration.operator:
        case "Exists":
            return True
        case "Gt" | "Lt":
            numbers = all(re.fullmatch("0|[1-9][0-9]*", text, re.ASCII) for text in (there, given))
            return numbers and (int(there) > int(given) if toleration.operator == "Gt" else int(there) < int(given))
    return there == given


def written(taint: V1Taint) -> str:
    """A taint as kubectl writes it."""
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"
