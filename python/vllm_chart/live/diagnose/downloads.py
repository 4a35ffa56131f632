"""The Job that fetches the model: engines wait for it, so that what holds it up holds up all of them."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from kubernetes.client import V1Pod

from vllm_chart.findings import Finding, Severity
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose import containers, scheduled, storage
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import container_statuses, name_of, state

CONTAINER = "download"
#: The init container of an engine's pod that waits for it.
WAITING = "wait-for-download"
#: Events of a pod that tell why it does not run.
HELD = ("FailedScheduling", "FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox", "Failed")
#: The default of --event-ttl (kube-apiserver's reference).
EVENTS_LAST = timedelta(hours=1)
#: Of a name that is continued at random: maxGeneratedNameLength of apiserver/pkg/storage/names/generate.go.
NAME_CHARACTERS = 58

Json = Mapping[str, Any]


def explain(snapshot: Snapshot) -> Iterator[Finding]:
    """What keeps a download from its end, or ended it. A warning where all engines are ready: it was fetched ahead."""
    served = all(workload.ready >= (workload.replicas or 1) for workload in snapshot.workloads)
    severity: Severity = "warning" if served else "error"
    for job in snapshot.jobs:
        if _is_download(job) and not _ended(job, "Complete"):
            for finding in _of_job(job, snapshot):
                yield dataclasses.replace(finding, severity=severity) if finding.severity == "error" else finding


def under_way(snapshot: Snapshot) -> bool:
    """Whether a download has not ended yet."""
    return any(_is_download(job) and not _ended(job, "Complete") for job in snapshot.jobs)


def _of_job(job: Json, snapshot: Snapshot) -> Iterator[Finding]:
    where = f"Job/{_name(job)}"
    pods = sorted(_pods(job, snapshot), key=lambda pod: str(pod.metadata and pod.metadata.creation_timestamp))
    failed = _ended(job, "Failed")
    again = (
        f"mend that, then `kubectl delete job --namespace {snapshot.namespace} {_name(job)}` and `helm upgrade`, which "
        "makes it anew; what is there already is kept"
    )
    if failed and failed.get("reason") == "DeadlineExceeded" and (held := _never_ran(job, pods, snapshot)):
        seconds = (job.get("spec") or {}).get("activeDeadlineSeconds")
        yield Finding("download", where, f"it was ended after {seconds} s, in which its pod never ran: {held}", again)
    elif failed and failed.get("reason") == "DeadlineExceeded":
        seconds = (job.get("spec") or {}).get("activeDeadlineSeconds")
        yield Finding(
            "download",
            where,
            f"it was not complete after {seconds} s, and was ended",
            "write a larger download.budgetSeconds, with which `helm upgrade` makes a new Job; it goes on from there",
        )
    elif failed:
        yield Finding("download", where, f"it gave up: {_last_words(pods, snapshot)}", again)
    elif not pods:
        yield from _without_pods(job, where, snapshot)
    else:
        yield from _of_pod(pods, where, snapshot)


def _never_ran(job: Json, pods: list[V1Pod], snapshot: Snapshot) -> str:
    """Why none of a Job's pods ran, in the cluster's words; empty where one did, or where that is not known any more.

    A Job that is ended takes its pods with it: what is left of them are events, of which those of a start may be gone.
    """
    started = (job.get("status") or {}).get("startTime")
    if not started or snapshot.at - datetime.fromisoformat(started) > EVENTS_LAST:
        return ""
    if any(snapshot.logs.get((name_of(pod), CONTAINER)) for pod in pods):
        return ""
    uid = (job.get("metadata") or {}).get("uid")
    prefix = f"{_name(job)}-"[:NAME_CHARACTERS]
    own = [event for event in snapshot.events if uid and event.involved_object.uid == uid]
    of_pods = [event for event in snapshot.events if (event.involved_object.name or "").startswith(prefix)]
    if any(event.reason == "Started" for event in of_pods):
        return ""
    told = [event for event in of_pods if event.reason in HELD] or [e for e in own if e.reason == "FailedCreate"]
    return (told[-1].message or "").strip() if told else ""


def _of_pod(pods: list[V1Pod], where: str, snapshot: Snapshot) -> Iterator[Finding]:
    """Of a Job that goes on: what holds up its newest pod, and what ended the ones before."""
    newest = pods[-1]
    held = [
        *scheduled.explain(newest, snapshot),
        *storage.mounts(newest, snapshot.events),
        *(finding for finding in containers.explain(newest, snapshot) if finding.check in ("image", "configuration")),
    ]
    if held:
        yield from held
        return
    ended = [pod for pod in pods if pod.status and pod.status.phase == "Failed"]
    if ended:
        message = f"{len(ended)} of its attempts failed: {_last_words(ended, snapshot)}"
        yield Finding(
            "download", where, message, "wait: it tries again by itself; what is there already is kept", "info"
        )
    if newest not in ended:
        last = engine_log.last_line(snapshot.logs.get((name_of(newest), CONTAINER), ""))
        message = f"it fetches: {last}" if last else "its pod starts"
        yield Finding("download", where, message, "wait: engines start when it is complete", "info")


def _without_pods(job: Json, where: str, snapshot: Snapshot) -> Iterator[Finding]:
    """Of a Job that has no pods: the API server's words."""
    uid = (job.get("metadata") or {}).get("uid")
    refused = [event for event in snapshot.events if uid and event.involved_object.uid == uid]
    for event in [event for event in refused if event.reason == "FailedCreate"][-1:]:
        yield Finding(
            "download",
            where,
            f"its pods are refused: {event.message}",
            "write what the message asks for in download.resources, podSecurityContext or securityContext",
        )


def _last_words(pods: list[V1Pod], snapshot: Snapshot) -> str:
    """What the newest attempt that left something said last, or why it was killed."""
    for pod in reversed(pods):
        for status in container_statuses(pod):
            ended = state(status.state).terminated
            if ended and ended.reason == "OOMKilled":
                without = ", or write download.xet: false" if _has_xet(pod) else ""
                return f"it was killed for its memory: raise download.resources.limits.memory{without}"
            last = engine_log.last_line(snapshot.logs.get((name_of(pod), status.name), ""))
            if last or (ended and ended.message):
                return last or str(ended.message if ended else "").strip().splitlines()[-1]
    return "its pods are gone, and what they said with them"


def _has_xet(pod: V1Pod) -> bool:
    """Whether it fetches by the Hub's own protocol, which takes more memory."""
    variables = [each for container in (pod.spec.containers if pod.spec else []) for each in container.env or []]
    return any((each.name, each.value) == ("HF_HUB_DISABLE_XET", "0") for each in variables)


def _pods(job: Json, snapshot: Snapshot) -> list[V1Pod]:
    return [
        pod
        for pod in snapshot.pods
        for owner in (pod.metadata.owner_references if pod.metadata else None) or []
        if (owner.kind, owner.name) == ("Job", _name(job))
    ]


def _is_download(job: Json) -> bool:
    spec = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    return any(container.get("name") == CONTAINER for container in spec.get("containers") or [])


def _ended(job: Json, how: str) -> Json | None:
    """The condition in which a Job says that it ended so; None where it did not."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == how and each.get("status") == "True"), None)


def _name(job: Json) -> str:
    return str((job.get("metadata") or {}).get("name") or "")
