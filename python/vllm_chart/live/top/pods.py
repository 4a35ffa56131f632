"""Pods as the API server's JSON has them: where each is in its life, and how its engine is asked."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from vllm_chart.live.smoke.reach import serves_tls
from vllm_chart.rendered.workload import ENGINE

Json = Mapping[str, Any]

SERVING, LOADING, DRAINING = "serving", "loading", "draining"


@dataclasses.dataclass(frozen=True)
class Replica:
    """A pod that runs, ran or will run an engine."""

    name: str
    uid: str
    phase: str
    """One or two words: "serving", "loading", "draining", "no node", or a reason of Kubernetes': "CrashLoopBackOff"."""
    ready: bool
    answers: bool
    """Whether its engine can be asked: vLLM refuses connections until the model is loaded."""
    restarts: int
    port: int
    tls: bool
    containers: Sequence[Json]
    started: datetime | None
    """When its engine's container began."""


def replicas(pods: Sequence[Json]) -> list[Replica]:
    """The pods among those of a release that have the engine's container, the oldest first."""
    having = [pod for pod in pods if engine_of(pod)]
    having.sort(key=lambda pod: (str(pod["metadata"].get("creationTimestamp")), pod["metadata"]["name"]))
    return [_replica(pod) for pod in having]


def _replica(pod: Json) -> Replica:
    metadata, containers = pod["metadata"], (pod.get("spec") or {}).get("containers") or []
    status = status_of(pod, ENGINE)
    running = (status.get("state") or {}).get("running")
    ready = any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in (pod.get("status") or {}).get("conditions") or []
    )
    begun = (running or {}).get("startedAt")
    return Replica(
        name=metadata["name"],
        uid=metadata.get("uid") or metadata["name"],
        phase=_phase(pod, status, ready=ready),
        ready=ready,
        # Without a startup probe a container counts as started at once: then it is asked, and may refuse.
        answers=bool(running) and bool(status.get("started")),
        restarts=int(status.get("restartCount") or 0),
        port=_port(engine_of(pod) or {}),
        tls=serves_tls(containers),
        containers=containers,
        started=datetime.fromisoformat(begun) if begun else None,
    )


def _phase(pod: Json, status: Json, *, ready: bool) -> str:
    state = status.get("state") or {}
    about = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return DRAINING
    if about.get("phase") in ("Failed", "Succeeded"):
        return str(about.get("reason") or about["phase"])
    if "running" in state and state["running"] is not None:
        if not status.get("started"):
            return LOADING
        return SERVING if ready else "not ready"
    if _is_unschedulable(about):
        return "no node"
    initializing = _initializing(about)
    if initializing:
        return initializing
    reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
    return str(reason or about.get("phase") or "Pending")


def _is_unschedulable(about: Json) -> bool:
    return any(
        condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        for condition in about.get("conditions") or []
    )


def _initializing(about: Json) -> str:
    """The init container that runs or fails; a sidecar that has started is none."""
    for status in about.get("initContainerStatuses") or []:
        state = status.get("state") or {}
        if state.get("running") and not status.get("started"):
            return f"init: {status['name']}"
        reason = (state.get("waiting") or {}).get("reason") or ""
        if reason not in ("", "PodInitializing"):
            return f"init: {reason}"
    return ""


def engine_of(pod: Json) -> Json | None:
    """The engine's container of a pod's specification."""
    containers = (pod.get("spec") or {}).get("containers") or []
    return next((container for container in containers if container.get("name") == ENGINE), None)


def status_of(pod: Json, name: str) -> Json:
    """What the kubelet says of a pod's container; empty before it does."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status for status in statuses if status.get("name") == name), {})


def _port(engine: Json) -> int:
    """The engine's own: behind a Service that leads to a proxy, too."""
    ports = engine.get("ports") or []
    named = [port for port in ports if port.get("name") == "http"] or ports
    return int(named[0]["containerPort"]) if named else 8000
