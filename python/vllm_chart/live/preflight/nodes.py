"""Nodes: whether there are any for the pods, and enough of them, for a rollout and for an autoscaler too."""

from collections.abc import Iterator

from vllm_chart.cluster import scheduling
from vllm_chart.cluster.scheduling import Cause
from vllm_chart.findings import Finding, Severity
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted, runs

LATER = ": an autoscaler of nodes has to add one"
"""What is said beside a severity of warning: nodes come when pods ask for them."""


def explain(wanted: Wanted, snapshot: Snapshot, severity: Severity) -> Iterator[Finding]:
    """What keeps pods off the nodes. severity: of what no node offers now."""
    if snapshot.nodes is None:
        yield Finding("nodes", "cluster", "its nodes are not yours to see, and so not looked at", "", "info")
        return
    if not wanted.scale.replicas:
        return
    causes = dict.fromkeys(cause for spec, _ in wanted.parts for cause in scheduling.never_fits(spec, snapshot.nodes))
    for cause in causes:
        yield _never(cause, wanted, severity)
    if not causes and snapshot.pods is not None:
        yield from _too_few(wanted, snapshot, severity)


def _never(cause: Cause, wanted: Wanted, severity: Severity) -> Finding:
    where = wanted.workload.where
    if severity == "warning":
        remedy = f"see that one of its node groups takes the pods, or {cause.remedy}"
        return Finding("nodes", where, cause.message + LATER, remedy, severity)
    return Finding("nodes", where, cause.message, cause.remedy, severity)


def _too_few(wanted: Wanted, snapshot: Snapshot, severity: Severity) -> Iterator[Finding]:
    """Replicas that find no place beside the pods of others; those that the release has now make way."""
    where, scale = wanted.workload.where, wanted.scale
    others = [pod.spec for pod in snapshot.pods or () if pod.spec and runs(pod) and not wanted.owns(pod)]
    most = max(scale.replicas + wanted.surge, scale.most)
    places = scheduling.places(wanted.parts, snapshot.nodes or (), others, most)
    if places < scale.replicas:
        said = f" by {scale.autoscaler.where}" if scale.autoscaler else ""
        yield Finding(
            "nodes",
            where,
            f"{_count(wanted, scale.replicas)} wanted{said}, and there is room for {places}",
            f"write {scale.key}: {places}, free nodes, or add some" if places else "free nodes, or add some",
            severity,
        )
    elif places < scale.replicas + wanted.surge:
        yield Finding(
            "rollout",
            where,
            f"a rollout starts {_each(wanted, wanted.surge)} beside the {scale.replicas}, and there is room for "
            f"{places - scale.replicas}: it would wait for ever",
            "write strategy.rollingUpdate.maxSurge: 0 and maxUnavailable: 1, or add nodes",
            severity if snapshot.installed else "warning",
        )
    elif scale.autoscaler and places < scale.most and severity == "error":
        yield Finding(
            "nodes",
            where,
            f"{scale.autoscaler.where} may go to {_each(wanted, scale.most)}, and there is room for {places}: "
            "the others would wait",
            f"write {scale.autoscaler.keys[1]}: {places}, or add nodes",
            "warning",
        )


def _count(wanted: Wanted, number: int) -> str:
    return f"{_each(wanted, number)} {'is' if number == 1 else 'are'}"


def _each(wanted: Wanted, number: int) -> str:
    """So many replicas, and what each of them asks for."""
    devices: dict[str, int] = {}
    for spec, count in wanted.parts:
        for resource, amount in scheduling.devices(spec).items():
            devices[resource] = devices.get(resource, 0) + int(amount) * count
    pods = wanted.workload.pods_per_replica
    name = ("pod" if pods == 1 else "group") + ("" if number == 1 else "s") + ("" if pods == 1 else f" of {pods} pods")
    asked = ", ".join(f"{amount} {resource}" for resource, amount in devices.items())
    return f"{number} {name} of {asked}" if asked else f"{number} {name}"
