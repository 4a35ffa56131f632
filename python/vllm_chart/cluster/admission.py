"""Whether a namespace's LimitRanges and ResourceQuotas let a pod in, and what they make of it.

The API server fills in what a LimitRange defaults before it looks at bounds and quotas, and so does this.
Sources: https://kubernetes.io/docs/concepts/policy/limit-range/, https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from kubernetes.client import V1Container, V1LimitRange, V1LimitRangeItem, V1PodSpec, V1ResourceQuota

from vllm_chart.cluster.scheduling import shown
from vllm_chart.findings import Finding
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.rendered.workload import ENGINE

Amounts = dict[str, Decimal]


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a container asks for after the defaults of the namespace."""

    name: str
    requests: Amounts
    limits: Amounts

    def key(self, kind: str, resource: str) -> str:
        """Where the values say it."""
        if "/" in resource:
            return "gpu.count"
        return f"resources.{kind}.{resource}" if self.name == ENGINE else f"resources of the container {self.name}"


def check(
    spec: V1PodSpec, pods: int, ranges: Sequence[V1LimitRange], quotas: Sequence[V1ResourceQuota], own: Amounts
) -> Iterator[Finding]:
    """What keeps the pods of a release out of a namespace, or changes them.

    pods: how many there are to be. own: what pods of the release have of the quotas already.
    """
    items = [
        (found.metadata.name or "" if found.metadata else "", item)
        for found in ranges
        for item in (found.spec.limits if found.spec else None) or []
        if item.type == "Container"
    ]
    containers = [*spec.containers, *(spec.init_containers or [])]
    asked = [_defaulted(container, [item for _, item in items]) for container in containers]
    for name, item in items:
        for container, effective in zip(containers, asked, strict=True):
            yield from _bounds(f"LimitRange/{name}", item, effective)
            if container.name == ENGINE:
                yield from _given(f"LimitRange/{name}", container, effective, item, _shared_memory(spec))
    for quota in quotas:
        yield from _quota(quota, asked, len(spec.containers), pods, own)


def _amounts(written: Mapping[str, object] | None) -> Amounts:
    return {resource: parse_quantity(amount) for resource, amount in (written or {}).items()}


def _defaulted(container: V1Container, items: Sequence[V1LimitRangeItem]) -> Asked:
    resources = container.resources
    limits = _amounts(resources.limits if resources else None)
    requests = {**limits, **_amounts(resources.requests if resources else None)}
    for item in items:
        least, most = _amounts(item.min), _amounts(item.max)
        default = {**most, **_amounts(item.default)}
        requests = {**least, **default, **_amounts(item.default_request), **requests}
        limits = {**default, **limits}
    return Asked(container.name, requests, limits)


def _bounds(where: str, item: V1LimitRangeItem, asked: Asked) -> Iterator[Finding]:
    for resource, most in _amounts(item.max).items():
        if (limit := asked.limits.get(resource, most)) > most:
            message = (
                f"{asked.name} may have {shown(most, resource)} {resource}, and is limited to {shown(limit, resource)}"
            )
            yield Finding(
                "limit-range", where, message, f"lower {asked.key('limits', resource)}, or change the LimitRange"
            )
    for resource, least in _amounts(item.min).items():
        if (request := asked.requests.get(resource, least)) < least:
            wanted = shown(least, resource)
            message = f"{asked.name} has to request {wanted} {resource}, and requests {shown(request, resource)}"
            yield Finding("limit-range", where, message, f"raise {asked.key('requests', resource)}")


def _given(
    where: str, engine: V1Container, asked: Asked, item: V1LimitRangeItem, shared_memory: Decimal
) -> Iterator[Finding]:
    """Limits that the engine has only from the namespace: made for small pods, they end or slow it."""
    written = (engine.resources.limits if engine.resources else None) or {}
    for resource in item.default or item.max or {}:
        if resource in ("cpu", "memory") and resource not in written:
            limit = asked.limits[resource]
            message = f"it limits the engine to {shown(limit, resource)} {resource}, as it has no limit of its own"
            fatal = resource == "memory" and limit <= shared_memory
            remedy = f"write resources.limits.{resource}: what it needs"
            yield Finding("limit-range", where, message, remedy, "error" if fatal else "warning")


def _shared_memory(spec: V1PodSpec) -> Decimal:
    """The size of /dev/shm, which counts against the memory limit."""
    sizes = [volume.empty_dir.size_limit for volume in spec.volumes or [] if volume.name == "shm" and volume.empty_dir]
    return parse_quantity(sizes[0]) if sizes and sizes[0] else Decimal(0)


def _quota(quota: V1ResourceQuota, asked: Sequence[Asked], running: int, pods: int, own: Amounts) -> Iterator[Finding]:
    if quota.spec is None or quota.spec.scopes or quota.spec.scope_selector:
        return  # of some pods only, and perhaps not of these
    where = f"ResourceQuota/{(quota.metadata.name if quota.metadata else None) or ''}"
    used = _amounts(quota.status.used if quota.status else None)
    for counted, hard in _amounts(quota.spec.hard).items():
        if counted == "pods":
            kind, resource, each = "", "pods", Decimal(1)
        elif found := re.fullmatch(r"(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage|.+/.+)", counted):
            kind, resource = found[1] or "requests", found[2]
            lacking = [container for container in asked if resource not in getattr(container, kind)]
            if lacking and "/" not in resource:
                message = f"every container has to say its {kind} of {resource}, and {lacking[0].name} does not"
                yield Finding("quota", where, message, f"write {lacking[0].key(kind, resource)}")
                continue
            each = total(asked, running, kind, resource)
        else:
            continue
        left = hard - used.get(counted, Decimal(0)) + own.get(counted, Decimal(0))
        if each and each * pods > left:
            there = max(0, int(left // each))
            wanted, free = shown(each * pods, resource), shown(max(left, Decimal(0)), resource)
            message = f"{pods} pods want {wanted} {counted}, and {free} of {shown(hard, resource)} are left"
            lower = f"write replicaCount: {there}" if there else f"lower {_keys(kind, resource)}"
            remedy = f"{lower}, or have the quota raised"
            yield Finding("quota", where, message, remedy)


def _keys(kind: str, resource: str) -> str:
    return "replicaCount" if not kind else "gpu.count" if "/" in resource else f"resources.{kind}.{resource}"


def total(asked: Sequence[Asked], running: int, kind: str, resource: str) -> Decimal:
    """What a pod counts for: the sum of its containers, or its biggest init container. running: how many of them are
    containers; the rest are init containers."""
    amounts: list[Decimal] = [getattr(container, kind).get(resource, Decimal(0)) for container in asked]
    return max(sum(amounts[:running], Decimal(0)), *amounts[running:], Decimal(0))


def usage(specs: Sequence[V1PodSpec]) -> Amounts:
    """What these pods count for in a quota, by the names that quotas have for it."""
    found: Amounts = {"pods": Decimal(len(specs))}
    for spec in specs:
        asked = [_defaulted(container, []) for container in [*spec.containers, *(spec.init_containers or [])]]
        for kind in ("requests", "limits"):
            for resource in {resource for container in asked for resource in getattr(container, kind)}:
                each = total(asked, len(spec.containers), kind, resource)
                for name in (f"{kind}.{resource}", *([resource] if kind == "requests" else [])):
                    found[name] = found.get(name, Decimal(0)) + each
    return found
