"""What the namespace lets in: its Pod Security Standard, LimitRanges and ResourceQuotas."""

from collections.abc import Iterator
from typing import get_args

from vllm_chart.checks import podsecurity
from vllm_chart.cluster import admission
from vllm_chart.cluster.admission import Demand
from vllm_chart.findings import Finding, Severity
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted, runs

ENFORCED = "pod-security.kubernetes.io/enforce"


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """What the namespace refuses of the pods."""
    yield from _pod_security(wanted, snapshot)
    for spec, _ in wanted.parts if wanted.scale.replicas else ():
        yield from admission.limit_ranges(spec, snapshot.ranges or ())
    yield from _quotas(wanted, snapshot)


def _pod_security(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    name = wanted.workload.namespace
    if snapshot.namespace is None:
        yield Finding(
            "namespace",
            f"Namespace/{name}",
            "there is none, or it is not yours to see",
            "create it, or install with --create-namespace",
            "warning",
        )
        return
    labels = (snapshot.namespace.metadata.labels if snapshot.namespace.metadata else None) or {}
    level = labels.get(ENFORCED, "privileged")
    for enforced in get_args(podsecurity.Level):
        if enforced == level:
            yield from podsecurity.check(wanted.manifests, enforced)


def _quotas(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """What the quotas have no place for: at once, else when an autoscaler asks for all that it may."""
    own = admission.usage([pod.spec for pod in snapshot.pods or () if pod.spec and runs(pod) and wanted.owns(pod)])
    autoscaler = wanted.scale.autoscaler
    steps: list[tuple[int, str, Severity]] = [(wanted.scale.replicas, f"write {wanted.scale.key}: {{}}", "error")]
    if autoscaler:
        steps.append((wanted.scale.most, f"write {autoscaler.keys[1]}: {{}}", "warning"))
    for replicas, fewer, severity in steps:
        demand = Demand(wanted.parts, replicas, fewer)
        found = list(admission.quotas(demand, snapshot.ranges or (), snapshot.quotas or (), own, severity))
        yield from found
        if found:
            return
