"""Why a release is not ready: what the cluster says about it, in words that name the value to change.

`release` asks a cluster, `explain` draws the conclusions from what it answered. `explain` is pure, so each of
its conclusions has a test with recorded objects. Nothing here reads a Secret, because what is wrong with one, the
kubelet says; but that of an endpoint's clients, which Envoy reads, and nothing of it is ever said.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from kubernetes.client import V1Pod

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import Finding, has_errors
from vllm_chart.live.diagnose import (
    admission,
    ask,
    autoscaling,
    containers,
    downloads,
    endpoint,
    scheduled,
    scraping,
    starting,
    storage,
)
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.redaction import told_without

__all__ = ["Snapshot", "explain", "release"]


def release(name: str, namespace: str, cluster: Cluster) -> list[Finding]:
    """Say why a release is not ready. It is, once nothing but warnings is left: of what its containers went through.

    Raises `UnavailableError` when the cluster does not answer, or refuses to.
    """
    with asking_the_api_server():
        return explain(ask.snapshot(name, namespace, cluster))


def explain(snapshot: Snapshot) -> list[Finding]:
    """Draw the conclusions. The same cause in several pods is one finding."""
    if not snapshot.workloads:
        return [_nothing(snapshot)]
    pods = snapshot.newest_pods()
    findings = [
        *admission.explain(snapshot),
        *downloads.explain(snapshot),
        *(finding for pod in pods for finding in _of_pod(pod, snapshot)),
        *storage.pending_claims(pods, snapshot),
        *endpoint.explain(snapshot.endpoint),
    ]
    if not has_errors(findings):
        findings.extend(starting.explain(snapshot))
    return _merged([*findings, *autoscaling.explain(snapshot), *scraping.explain(snapshot)])


def _nothing(snapshot: Snapshot) -> Finding:
    hidden = f" ({', '.join(snapshot.hidden)}: not yours to see)" if snapshot.hidden else ""
    return Finding(
        "release",
        f"namespace {snapshot.namespace}",
        f"there is no workload of a release {snapshot.release!r}{hidden}",
        "`helm list --all-namespaces` shows the releases and their namespaces",
    )


def _of_pod(pod: V1Pod, snapshot: Snapshot) -> Iterator[Finding]:
    if ended := list(scheduled.turned_away(pod)):
        yield from ended
        return
    yield from scheduled.explain(pod, snapshot)
    yield from containers.explain(pod, snapshot)
    yield from containers.wrong_probes(pod, snapshot.events)
    yield from storage.mounts(pod, snapshot.events)


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per cause: the replicas of a workload fail alike, only their names differ."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.remedy, finding.severity), []).append(finding)
    return [
        told_without(
            dataclasses.replace(
                group[0], where=group[0].where + (f" (and {len(group) - 1} more)" if len(group) > 1 else "")
            )
        )
        for group in groups.values()
    ]
