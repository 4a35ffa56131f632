"""What a cluster says about a release, as it is asked for: everything that `explain` concludes from."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import urllib3
from kubernetes import client
from kubernetes.client import CoreV1Event, V1Node, V1PersistentVolumeClaim, V1Pod

from vllm_chart.cluster import autoscaling, prometheus, workloads
from vllm_chart.cluster.api import Cluster, refusal, root_cause
from vllm_chart.live.diagnose import endpoint
from vllm_chart.live.diagnose.endpoint import Endpoint
from vllm_chart.live.diagnose.objects import container_statuses, last_seen, name_of, state
from vllm_chart.rendered.workload import Workload

#: A traceback of vLLM is long, and its cause stands at its head.
LOG_LINES = 2000


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a cluster says about a release at one moment.

    `between` holds the objects between its workloads and their pods, which stand for revisions. `events` are in the
    order in which they came. `hidden` names the kinds of workload that the caller may not list. `nodes` is None where
    the caller may not list them. `logs` holds, by pod and container, the last lines of the run that ended, or of the
    current one if none has; each begins with the time when it was written; `unread` says in the same way why one can't
    be read. `hpas` and `scaled_objects` are the autoscalers of the namespace, None where they may not be listed. `jobs`
    are those of the release, none where they may not be listed. `monitors` are the objects by which it is scraped, and
    its rules. `endpoint` is what an endpoint's clients and models are like, None for another release. `at` is when the
    cluster was asked.
    """

    release: str
    namespace: str
    workloads: Sequence[Workload] = ()
    between: Sequence[Mapping[str, Any]] = ()
    pods: Sequence[V1Pod] = ()
    events: Sequence[CoreV1Event] = ()
    claims: Sequence[V1PersistentVolumeClaim] = ()
    nodes: Sequence[V1Node] | None = None
    logs: Mapping[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    unread: Mapping[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    hidden: Sequence[str] = ()
    hpas: Sequence[Mapping[str, Any]] | None = ()
    scaled_objects: Sequence[Mapping[str, Any]] | None = ()
    jobs: Sequence[Mapping[str, Any]] = ()
    monitors: Sequence[Mapping[str, Any]] = ()
    pickers: prometheus.Pickers = dataclasses.field(default_factory=prometheus.Pickers)
    endpoint: Endpoint | None = None
    at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    def newest_pods(self) -> list[V1Pod]:
        """Pods of the newest revision of each workload: the others are on their way out."""
        return [pod for workload in self.workloads for pod in self.newest_pods_of(workload)]

    def newest_pods_of(self, workload: Workload) -> list[V1Pod]:
        """Pods of a workload's newest revision, without those that are being deleted."""
        return workloads.newest_pods(workload, self.between, self.pods)


def snapshot(name: str, namespace: str, cluster: Cluster) -> Snapshot:
    """Ask a cluster about a release. Raises `kubernetes.client.ApiException` for what it refuses."""
    selector = f"app.kubernetes.io/instance={name}"
    core = cluster.core
    pods = core.list_namespaced_pod(namespace, label_selector=selector).items
    listed = workloads.find(cluster, namespace, selector)
    monitors = prometheus.of_release(cluster, name, namespace)
    logs = _logs(core, namespace, pods)
    return Snapshot(
        release=name,
        namespace=namespace,
        workloads=listed.workloads,
        between=workloads.between(cluster, listed.workloads),
        pods=pods,
        events=sorted(core.list_namespaced_event(namespace).items, key=last_seen),
        claims=core.list_namespaced_persistent_volume_claim(namespace).items,
        nodes=_nodes(core),
        logs=logs.read,
        unread=logs.unread,
        hidden=listed.hidden,
        hpas=autoscaling.hpas(cluster, namespace),
        scaled_objects=autoscaling.scaled_objects(cluster, namespace),
        jobs=workloads.jobs(cluster, namespace, selector),
        monitors=monitors,
        pickers=prometheus.ask(cluster, monitors),
        endpoint=endpoint.ask(cluster, namespace, listed.workloads),
    )


def _nodes(core: client.CoreV1Api) -> list[V1Node] | None:
    try:
        return core.list_node().items
    except client.ApiException as error:
        if error.status == 403:
            return None
        raise


class _Logs(NamedTuple):
    """The logs of containers that are not ready, and why the others can't be read, by pod and container."""

    read: dict[tuple[str, str], str]
    unread: dict[tuple[str, str], str]


def _logs(core: client.CoreV1Api, namespace: str, pods: Iterable[V1Pod]) -> _Logs:
    """Ask for the logs. One that a node's kubelet does not give takes nothing from what else is to be said."""
    logs = _Logs({}, {})
    for pod in pods:
        for status in container_statuses(pod):
            if status.ready:
                continue
            ran_before = state(status.last_state).terminated is not None
            key = (name_of(pod), status.name)
            try:
                logs.read[key] = core.read_namespaced_pod_log(
                    name_of(pod),
                    namespace,
                    container=status.name,
                    previous=ran_before,
                    tail_lines=LOG_LINES,
                    timestamps=True,
                )
            except client.ApiException as error:
                # It never ran (400), or its log is gone (404).
                if error.status not in (400, 404):
                    logs.unread[key] = refusal(error)
            except urllib3.exceptions.HTTPError as error:
                logs.unread[key] = str(root_cause(error))
    return logs
