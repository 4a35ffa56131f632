"""Objects of a cluster, read without a thought for what they leave out."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from kubernetes.client import (
    CoreV1Event,
    V1Container,
    V1ContainerState,
    V1ContainerStatus,
    V1PersistentVolumeClaim,
    V1Pod,
)

from vllm_chart.cluster.conditions import condition


def name_of(item: V1Pod | V1PersistentVolumeClaim) -> str:
    """Its name."""
    return (item.metadata.name if item.metadata else None) or ""


def is_about(event: CoreV1Event, item: V1Pod | V1PersistentVolumeClaim) -> bool:
    """Whether an event tells of that object."""
    return item.metadata is not None and event.involved_object.uid == item.metadata.uid


def last_seen(event: CoreV1Event) -> datetime:
    """When an event came last: by its series, by its count, or at the only time that it has.

    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
    """
    times = (
        event.series.last_observed_time if event.series else None,
        event.last_timestamp,
        event.event_time,
        event.first_timestamp,
        event.metadata.creation_timestamp,
    )
    return next((time for time in times if time), datetime.min.replace(tzinfo=UTC))


def latest_event(pod: V1Pod, events: Iterable[CoreV1Event]) -> str:
    """The message of a pod's last event; empty if it has none. events: the oldest first."""
    mine = [event for event in events if is_about(event, pod)]
    return (mine[-1].message or "") if mine else ""


def container_of(pod: V1Pod, name: str) -> V1Container | None:
    """A pod's container, or init container, by its name."""
    spec = pod.spec
    containers = [*(spec.containers if spec else []), *((spec.init_containers if spec else None) or [])]
    return next((container for container in containers if container.name == name), None)


def is_init_container(pod: V1Pod, name: str) -> bool:
    """Whether a pod's container of that name runs before the others."""
    return any(container.name == name for container in (pod.spec.init_containers if pod.spec else None) or [])


def age_seconds(pod: V1Pod, now: datetime) -> float:
    """How long ago a pod was made; without an end where it does not say."""
    made: datetime | None = pod.metadata.creation_timestamp if pod.metadata else None
    return (now - made).total_seconds() if made else math.inf


def scheduled_at(pod: V1Pod) -> datetime | None:
    """When a pod was given its node; None if it has none, or does not say."""
    scheduled = condition(pod, "PodScheduled")
    return scheduled.last_transition_time if scheduled and scheduled.status == "True" else None


def container_statuses(pod: V1Pod) -> list[V1ContainerStatus]:
    """What is said of a pod's containers, init containers first."""
    status = pod.status
    if status is None:
        return []
    return [*(status.init_container_statuses or []), *(status.container_statuses or [])]


def state(of: V1ContainerState | None) -> V1ContainerState:
    """A container's state; an empty one where none is said."""
    return of or V1ContainerState()


def waits(status: V1ContainerStatus) -> tuple[str, str]:
    """Why a container waits: the reason and the message, both empty if it does not."""
    waiting = state(status.state).waiting
    return ((waiting.reason or "") if waiting else "", (waiting.message or "") if waiting else "")


def startup_seconds(container: V1Container | None) -> int:
    """How long a container's start may take before its startup probe ends it."""
    probe = container.startup_probe if container else None
    if probe is None:
        return 0
    return (probe.initial_delay_seconds or 0) + (probe.period_seconds or 10) * (probe.failure_threshold or 3)
