"""The workloads of a release in a cluster, whatever their kind, and the pods of their newest revision."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kubernetes import client
from kubernetes.client import V1Pod

from vllm_chart.cluster.api import Cluster
from vllm_chart.rendered.workload import KINDS, SERVING, Kind, Workload, read

Json = Mapping[str, Any]


class Listed(NamedTuple):
    """The workloads that were found, and the kinds that the caller may not list."""

    workloads: list[Workload]
    hidden: list[str]


def find(cluster: Cluster, namespace: str, selector: str) -> Listed:
    """The workloads of a namespace that a label selector selects; of all namespaces with "".

    A kind that the cluster does not have is passed over, and so is one that the caller may not list, unless that is
    all of them. Raises `kubernetes.client.ApiException`.
    """
    found: list[Workload] = []
    refused: list[client.ApiException] = []
    hidden: list[str] = []
    for kind in SERVING:
        try:
            found += [read(item, kind) for item in _list(cluster, kind, namespace, selector) if not _is_owned(item)]
        except client.ApiException as error:
            if error.status != 403:
                raise
            refused.append(error)
            hidden.append(kind.name)
    if len(refused) == len(SERVING):
        raise refused[0]
    return Listed(found, hidden)


def jobs(cluster: Cluster, namespace: str, selector: str) -> list[Json]:
    """The Jobs that a label selector selects; none where the caller may not list them.

    Raises `kubernetes.client.ApiException`.
    """
    try:
        return _list(cluster, KINDS["Job"], namespace, selector)
    except client.ApiException as error:
        if error.status == 403:
            return []
        raise


def get(cluster: Cluster, workload: Workload) -> Workload | None:
    """A rendered workload as the cluster has it; None if it does not. Raises `kubernetes.client.ApiException`."""
    kind = workload.kind
    try:
        item = cluster.custom.get_namespaced_custom_object(
            kind.group, kind.version, workload.namespace, kind.plural, workload.name
        )
    except client.ApiException as error:
        if error.status == 404:
            return None
        raise
    return read(_mapping(item), kind)


def between(cluster: Cluster, workloads: Iterable[Workload]) -> list[Json]:
    """The objects between workloads and their pods, for `newest_pods`. Raises `kubernetes.client.ApiException`."""
    return [
        item
        for workload in workloads
        if workload.kind.between
        for item in _list(
            cluster,
            KINDS[workload.kind.between],
            workload.namespace,
            ",".join(f"{name}={value}" for name, value in workload.selector.items()),
        )
        if workload.kind.own_label or (workload.kind.name, workload.name) in _owners(item)
    ]


def newest_pods(workload: Workload, between: Sequence[Json], pods: Iterable[V1Pod]) -> list[V1Pod]:
    """Pods of a workload's newest revision, without those that are being deleted. between: as `between` gives it, of
    any workloads."""
    revision = workload.newest([item for item in between if (workload.kind.name, workload.name) in _owners(item)])
    return [
        pod
        for pod in pods
        if pod.metadata
        and pod.metadata.deletion_timestamp is None
        and revision.has(pod.metadata.labels or {}, {owner.name for owner in pod.metadata.owner_references or []})
    ]


def _list(cluster: Cluster, kind: Kind, namespace: str, selector: str) -> list[Json]:
    """Objects as the API returns them; none of a kind that the cluster does not have."""
    custom = cluster.custom
    try:
        answer = (
            custom.list_namespaced_custom_object(
                kind.group, kind.version, namespace, kind.plural, label_selector=selector
            )
            if namespace
            else custom.list_cluster_custom_object(kind.group, kind.version, kind.plural, label_selector=selector)
        )
    except client.ApiException as error:
        if error.status == 404:
            return []
        raise
    return [_mapping(item) for item in _mapping(answer).get("items") or []]


def _mapping(answer: object) -> Json:
    return answer if isinstance(answer, Mapping) else {}


def _is_owned(item: Json) -> bool:
    """Whether a workload is part of another: the parts of a group are made by it."""
    return any(kind in KINDS and KINDS[kind].serves for kind, _ in _owners(item))


def _owners(item: Json) -> set[tuple[str, str]]:
    owners = (item.get("metadata") or {}).get("ownerReferences") or []
    return {(str(owner.get("kind")), str(owner.get("name"))) for owner in owners}
