"""Pods that the API server refuses, so that there is none to look at."""

import re
from collections.abc import Iterator

from vllm_chart.cluster import openshift
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.rendered.scaling import wanted
from vllm_chart.rendered.workload import Workload

_REFUSALS = (
    (
        r"violates PodSecurity",
        "pod-security",
        "make the pod fit the namespace's level: podSecurityContext, securityContext, volumes, extraContainers, "
        "initContainers (the chart's defaults fit `restricted`)",
    ),
    (
        r"unable to validate against any security context constraint",
        "security-constraints",
        "write podSecurityContext: {runAsUser: null, fsGroup: null}, and change what else the message names: "
        f"{openshift.FITS}; or have an administrator grant the pods' service account the constraints nonroot-v2, which "
        "let the chart's defaults in",
    ),
    (r"exceeded quota", "quota", "lower resources, gpu.count or replicaCount, or raise the ResourceQuota"),
    (r"failed quota", "quota", "write in resources what the ResourceQuota wants to see"),
    (
        r"(?:minimum|maximum) \S+ usage per|limit to request ratio",
        "limit-range",
        "write resources within the namespace's LimitRange",
    ),
    (
        r"serviceaccount \S+ not found",
        "service-account",
        "write serviceAccount.create: true, or a serviceAccount.name that exists",
    ),
    (r"no PriorityClass with name", "priority-class", "write a priorityClassName that exists"),
    (r"RuntimeClass .* not found", "runtime-class", "write a runtimeClassName that exists"),
)


#: What OpenShift says of constraints that a pod may not use at all, which is most of them.
_NOT_USABLE = re.compile(r'provider "?[\w.-]+"?: Forbidden: not usable by user or serviceaccount(, )?')


def explain(snapshot: Snapshot) -> Iterator[Finding]:
    """What the API server said of pods that it did not let in."""
    for workload in snapshot.workloads:
        for message in _refusals(workload, snapshot):
            message = _NOT_USABLE.sub("", message).replace(", ]", "]")
            check, remedy = next(
                ((check, remedy) for pattern, check, remedy in _REFUSALS if re.search(pattern, message)),
                ("admission", "change what the message names, or ask who owns the cluster's policy"),
            )
            yield Finding(check, workload.where, f"its pods are refused: {message}", remedy)


def _refusals(workload: Workload, snapshot: Snapshot) -> list[str]:
    """As the workload itself repeats them; where its kind does not, as the newest event says while pods are missing."""
    if workload.kind.refusal:
        return workload.refusals()
    missing = len(snapshot.newest_pods_of(workload)) < wanted(workload) * workload.pods_per_replica
    uids = {workload.uid, *(item.get("metadata", {}).get("uid") for item in snapshot.between)}
    events = [
        event.message or ""
        for event in snapshot.events
        if event.reason == "FailedCreate" and event.involved_object.uid in uids - {"", None}
    ]
    return events[-1:] if missing else []
