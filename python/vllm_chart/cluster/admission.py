"""Whether a namespace's LimitRanges and ResourceQuotas let a pod in, and what they make of it.

The API server fills in what a LimitRange defaults before it looks at bounds and quotas, and so does this.
Sources: https://kubernetes.io/docs/concepts/policy/limit-range/, https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from kubernetes.client import V1LimitRange, V1LimitRangeItem, V1PodSpec, V1ResourceQuota

from vllm_chart.cluster.scheduling import shown
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered import podresources
from vllm_chart.rendered.podresources import Amounts, Container, PodResources, amounts
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.rendered.workload import ENGINE


class Demand(NamedTuple):
    """The pods that are to be there at a time."""

    parts: Sequence[tuple[V1PodSpec, int]]
    """Those of a replica, each with how many of them it has."""
    replicas: int
    fewer: str = "write replicaCount: {}"
    """The remedy, with the number of replicas that there is place for."""


def limit_ranges(spec: V1PodSpec, ranges: Sequence[V1LimitRange]) -> Iterator[Finding]:
    """What the LimitRanges of a namespace refuse of a pod, or make of it."""
    items = list(_items(ranges))
    written = podresources.read(spec)
    pod = defaulted(written, [item for _, item in items if item.type == "Container"])
    for where, item in items:
        if item.type == "Pod":
            yield from _pod_bounds(where, item, pod)
        if item.type != "Container":
            continue
        for container, effective in zip(written.every, pod.every, strict=True):
            yield from _bounds(where, item, effective)
            if container.name == ENGINE:
                yield from _given(where, container, effective, item, _shared_memory(spec))


def quotas(
    demand: Demand,
    ranges: Sequence[V1LimitRange],
    quotas: Sequence[V1ResourceQuota],
    own: Amounts,
    severity: Severity = "error",
) -> Iterator[Finding]:
    """What the ResourceQuotas of a namespace do not let in.

    own: what pods of the release have of the quotas already, as `usage`.
    """
    items = [item for _, item in _items(ranges) if item.type == "Container"]
    pods = [(defaulted(podresources.read(spec), items), count) for spec, count in demand.parts]
    for quota in quotas if demand.replicas else ():
        yield from _quota(quota, pods, own, demand, severity)


def usage(specs: Iterable[V1PodSpec]) -> Amounts:
    """What these pods count for in a quota, by the names that quotas have for it."""
    counted: Amounts = {}
    for spec in specs:
        pod = podresources.read(spec)
        podresources.add(counted, {"pods": Decimal(1)})
        requests = pod.total_requests()
        podresources.add(counted, requests)
        podresources.add(counted, {f"requests.{resource}": amount for resource, amount in requests.items()})
        podresources.add(counted, {f"limits.{resource}": amount for resource, amount in pod.total_limits().items()})
    return counted


def defaulted(pod: PodResources, items: Sequence[V1LimitRangeItem]) -> PodResources:
    """A pod after the defaults of the namespace's LimitRanges."""
    return dataclasses.replace(
        pod,
        containers=tuple(_defaulted(container, items) for container in pod.containers),
        init_containers=tuple(_defaulted(container, items) for container in pod.init_containers),
    )


def _items(ranges: Sequence[V1LimitRange]) -> Iterator[tuple[str, V1LimitRangeItem]]:
    for limit_range in ranges:
        name = (limit_range.metadata.name if limit_range.metadata else None) or ""
        for item in (limit_range.spec.limits if limit_range.spec else None) or []:
            yield f"LimitRange/{name}", item


def _key(container: Container, kind: str, resource: str) -> str:
    """Where the values say what a container requests, or is limited to."""
    if "/" in resource:
        return "gpu.count"
    return (
        f"resources.{kind}.{resource}" if container.name == ENGINE else f"resources of the container {container.name}"
    )


def _defaulted(container: Container, items: Sequence[V1LimitRangeItem]) -> Container:
    requests, limits = container.requests, container.limits
    for item in items:
        least, most = amounts(item.min), amounts(item.max)
        default = {**most, **amounts(item.default)}
        requests = {**least, **default, **amounts(item.default_request), **requests}
        limits = {**default, **limits}
    return dataclasses.replace(container, requests=requests, limits=limits)


def _pod_bounds(where: str, item: V1LimitRangeItem, pod: PodResources) -> Iterator[Finding]:
    """Bounds of a pod as a whole: the API server wants what they bound to be said."""
    for kind, bounds, totals in (
        ("limits", amounts(item.max), pod.total_limits()),
        ("requests", amounts(item.min), pod.total_requests()),
    ):
        for resource, bound in bounds.items():
            key, total = "gpu.count" if "/" in resource else f"resources.{kind}.{resource}", totals.get(resource)
            what = f"a pod's {kind} of {resource} are at {'most' if kind == 'limits' else 'least'}"
            if total is None:
                yield Finding("limit-range", where, f"{what} {shown(bound, resource)}, and it has none", f"write {key}")
            elif total > bound if kind == "limits" else total < bound:
                message = f"{what} {shown(bound, resource)}, and are {shown(total, resource)}"
                yield Finding("limit-range", where, message, f"{'lower' if kind == 'limits' else 'raise'} {key}")


def _bounds(where: str, item: V1LimitRangeItem, asked: Container) -> Iterator[Finding]:
    for resource, most in amounts(item.max).items():
        if (limit := asked.limits.get(resource, most)) > most:
            message = (
                f"{asked.name} may have {shown(most, resource)} {resource}, and is limited to {shown(limit, resource)}"
            )
            yield Finding(
                "limit-range", where, message, f"lower {_key(asked, 'limits', resource)}, or change the LimitRange"
            )
    for resource, least in amounts(item.min).items():
        if (request := asked.requests.get(resource, least)) < least:
            wanted = shown(least, resource)
            message = f"{asked.name} has to request {wanted} {resource}, and requests {shown(request, resource)}"
            yield Finding("limit-range", where, message, f"raise {_key(asked, 'requests', resource)}")


def _given(
    where: str, engine: Container, asked: Container, item: V1LimitRangeItem, shared_memory: Decimal
) -> Iterator[Finding]:
    """Limits that the engine has only from the namespace: made for small pods, they end or slow it."""
    for resource in item.default or item.max or {}:
        if resource in ("cpu", "memory") and resource not in engine.limits:
            limit = asked.limits[resource]
            message = f"it limits the engine to {shown(limit, resource)} {resource}, as it has no limit of its own"
            fatal = resource == "memory" and limit <= shared_memory
            remedy = f"write resources.limits.{resource}: what it needs"
            yield Finding("limit-range", where, message, remedy, "error" if fatal else "warning")


def _shared_memory(spec: V1PodSpec) -> Decimal:
    """The size of /dev/shm, which counts against the memory limit."""
    sizes = [volume.empty_dir.size_limit for volume in spec.volumes or [] if volume.name == "shm" and volume.empty_dir]
    return parse_quantity(sizes[0]) if sizes and sizes[0] else Decimal(0)


_COUNTED = re.compile(r"(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage|hugepages-.+|(?!count/).+/.+)")
_PODS = ("pods", "count/pods")
"""The number of pods, those that have ended left out or counted too."""


def _quota(
    quota: V1ResourceQuota,
    pods: Sequence[tuple[PodResources, int]],
    own: Amounts,
    demand: Demand,
    severity: Severity,
) -> Iterator[Finding]:
    if quota.spec is None or quota.spec.scopes or quota.spec.scope_selector:
        return  # of some pods only, and perhaps not of these
    where = f"ResourceQuota/{(quota.metadata.name if quota.metadata else None) or ''}"
    used = amounts(quota.status.used if quota.status else None)
    for counted, hard in amounts(quota.spec.hard).items():
        match = _COUNTED.fullmatch(counted)
        kind, resource = (match[1] or "requests", match[2]) if match else ("", "pods")
        if not match and counted not in _PODS:
            continue
        if lacking := _lacking(pods, kind, resource) if match else None:
            message = f"every container has to say its {kind} of {resource}, and {lacking.name} does not"
            yield Finding("quota", where, message, f"write {_key(lacking, kind, resource)}", severity)
            continue
        of_replica = sum((_total(pod, kind, resource) * count for pod, count in pods), Decimal(0))
        left = hard - used.get(counted, Decimal(0)) + own.get(counted if match else "pods", Decimal(0))
        # Of what the pods do not ask for, others may have had more than there is since the quota was lowered.
        if of_replica and of_replica * demand.replicas > left:
            yield _too_much(where, counted, resource, demand, (of_replica, left, hard), severity)


def _lacking(pods: Sequence[tuple[PodResources, int]], kind: str, resource: str) -> Container | None:
    """A container that does not say what a quota counts; none where its pod says it for all of them."""
    for pod, _ in pods:
        if "/" in resource or resource in getattr(pod, kind):
            continue
        for container in pod.every:
            if resource not in getattr(container, kind):
                return container
    return None


def _total(pod: PodResources, kind: str, resource: str) -> Decimal:
    if not kind:
        return Decimal(1)  # of pods
    totals = pod.total_limits() if kind == "limits" else pod.total_requests()
    return totals.get(resource, Decimal(0))


def _too_much(
    where: str,
    counted: str,
    resource: str,
    demand: Demand,
    sums: tuple[Decimal, Decimal, Decimal],
    severity: Severity,
) -> Finding:
    """sums: what a replica wants, what is left, and the quota itself."""
    of_replica, left, hard = sums
    pods, there = demand.replicas * sum(count for _, count in demand.parts), max(0, int(left // of_replica))
    wants = f"{pods} pods want" if pods > 1 else "a pod wants"
    wanted, free = shown(of_replica * demand.replicas, resource), shown(max(left, Decimal(0)), resource)
    message = f"{wants} {wanted} {counted}, and {free} of {shown(hard, resource)} are left"
    kind = counted.partition(".")[0] if counted.startswith(("requests.", "limits.")) else "requests"
    key = "replicaCount" if counted in _PODS else "gpu.count" if "/" in resource else f"resources.{kind}.{resource}"
    lower = demand.fewer.format(there) if there else f"lower {key}"
    return Finding("quota", where, message, f"{lower}, or have the quota raised", severity)
