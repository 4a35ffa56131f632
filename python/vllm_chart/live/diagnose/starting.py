"""Nothing is wrong, yet: the release takes its time. What is told is the stage of its start, not a line of its log."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from kubernetes.client import V1ContainerStatus, V1Pod

from vllm_chart.cluster.conditions import condition, is_ready
from vllm_chart.findings import Finding
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose import downloads, scheduled
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import (
    age_seconds,
    container_of,
    container_statuses,
    latest_event,
    name_of,
    scheduled_at,
    startup_seconds,
    state,
    waits,
)
from vllm_chart.live.engine_log import stages
from vllm_chart.rendered.scaling import wanted
from vllm_chart.rendered.workload import ENGINE, Workload


def explain(snapshot: Snapshot) -> Iterator[Finding]:
    """How far the release has come: something is said of every workload that has fewer ready replicas than it is to."""
    for workload in snapshot.workloads:
        pods = snapshot.newest_pods_of(workload)
        told = list(_of_containers(pods, snapshot))
        if not pods:
            doing = "it has no pods yet" if wanted(workload) else "it is scaled to 0 replicas"
            told.append(Finding("starting", workload.where, doing, severity="info"))
        elif not told and workload.ready < wanted(workload):
            told.append(_unexplained(workload, pods, snapshot))
        yield from told


def _unexplained(workload: Workload, pods: Sequence[V1Pod], snapshot: Snapshot) -> Finding:
    """Of a workload whose pods' containers say of nothing that it is amiss, or do not say anything."""
    counted = f"{workload.ready} of {wanted(workload)} replicas are ready"
    behind = next((pod for pod in pods if not is_ready(pod)), None)
    if behind is None or age_seconds(behind, snapshot.at) <= scheduled.SOON:
        return Finding("starting", workload.where, counted, "wait, and ask again", "info")
    ready = condition(behind, "Ready")
    why = (ready and (ready.message or ready.reason)) or "and no container says why"
    return Finding(
        "not-ready",
        f"Pod/{name_of(behind)}",
        f"it is not ready, {why}; {counted}",
        f"`kubectl describe pod --namespace {snapshot.namespace} {name_of(behind)}` shows a readiness gate that nobody "
        "meets; else look at its node, whose kubelet says nothing new of it",
    )


def _of_containers(pods: Sequence[V1Pod], snapshot: Snapshot) -> Iterator[Finding]:
    for pod in pods:
        for status in container_statuses(pod):
            if not status.ready and not (status.name == downloads.WAITING and downloads.under_way(snapshot)):
                budget = startup_seconds(container_of(pod, status.name))
                yield Finding(
                    "starting",
                    f"Pod/{name_of(pod)}: container {status.name}",
                    f"not ready yet: {_doing(pod, status, snapshot)}",
                    f"wait: it may take {budget} s from its container's start" if budget else "wait",
                    "info",
                )


def _doing(pod: V1Pod, status: V1ContainerStatus, snapshot: Snapshot) -> str:
    log = snapshot.logs.get((name_of(pod), status.name), "")
    running = state(status.state).running
    if running and (name_of(pod), status.name) in snapshot.unread:
        return "it runs"
    if running and status.name == ENGINE:
        return _engine(log, scheduled_at(pod), running.started_at or snapshot.at, snapshot.at)
    if waits(status)[0] in ("ContainerCreating", "PodInitializing"):
        return _waiting(pod, snapshot)
    return engine_log.last_line(log) or latest_event(pod, snapshot.events) or waits(status)[0]


def _waiting(pod: V1Pod, snapshot: Snapshot) -> str:
    """Of a container that does not run: its init containers are told of by themselves."""
    since = scheduled_at(pod)
    event = latest_event(pod, snapshot.events)
    last = f"; last: {event}" if event else ""
    seconds = f", for {stages.between(since, snapshot.at):.0f} s now" if since else ""
    return f"{stages.IMAGE.doing}{seconds} (usual: {stages.IMAGE.usual}){last}"


def _engine(log: str, scheduled: datetime | None, started: datetime, now: datetime) -> str:
    """The stage of the engine, those before it, and what it logged as an error: a start goes on after some."""
    progress = stages.progress(log, started, now)
    pulled = {stages.IMAGE.name: stages.between(scheduled, started)} if scheduled else {}
    before = stages.told({**pulled, **progress.before})
    failure = engine_log.failure(log)
    cache = stages.compile_cache(log)
    return "; ".join(
        [
            f"{progress.stage.doing}, for {progress.seconds:.0f} s now (usual: {progress.stage.usual})",
            *([f"before: {before}"] if before else []),
            *([f"compile cache: {cache}"] if cache else []),
            *([f"it logged: {failure.message}"] if failure else []),
        ]
    )
