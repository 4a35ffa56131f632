"""Nothing is wrong, yet: the release takes its time."""

from collections.abc import Iterator, Sequence

from kubernetes.client import V1Pod

from vllm_chart.findings import Finding
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import (
    container_of,
    container_statuses,
    latest_event,
    name_of,
    startup_seconds,
    waits,
)
from vllm_chart.rendered.scaling import wanted


def explain(pods: Sequence[V1Pod], snapshot: Snapshot) -> Iterator[Finding]:
    """How far the release has come."""
    for workload in snapshot.workloads:
        if not pods:
            doing = "it has no pods yet" if wanted(workload) else "it is scaled to 0 replicas"
            yield Finding("starting", workload.where, doing, severity="info")
    for pod in pods:
        for status in container_statuses(pod):
            if status.ready:
                continue
            log = snapshot.logs.get((name_of(pod), status.name), "")
            doing = engine_log.last_line(log) or latest_event(pod, snapshot.events) or waits(status)[0]
            yield Finding(
                "starting",
                f"Pod/{name_of(pod)}: container {status.name}",
                f"not ready yet: {doing}",
                f"wait: it may take {startup_seconds(container_of(pod, status.name))} s from its container's start",
                "info",
            )
