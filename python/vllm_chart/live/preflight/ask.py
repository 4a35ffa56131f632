"""What a cluster says that a release is to be installed in."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kubernetes import client
from kubernetes.client import (
    V1LimitRange,
    V1LocalSubjectAccessReview,
    V1Namespace,
    V1Node,
    V1PersistentVolume,
    V1Pod,
    V1ResourceQuota,
    V1StorageClass,
)

from vllm_chart.cluster import prometheus, workloads
from vllm_chart.cluster.api import Cluster, unless_hidden
from vllm_chart.cluster.autoscaling import Autoscaling
from vllm_chart.live.preflight.needs import needs
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.workload import Workload, serving

CONSTRAINTS = ("security.openshift.io", "v1", "securitycontextconstraints")
"""Where OpenShift has its SecurityContextConstraints: group, version, plural."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a cluster says at one moment. None is what the caller may not see."""

    namespace: V1Namespace | None
    nodes: Sequence[V1Node] | None = ()
    pods: Sequence[V1Pod] | None = ()
    installed: bool = False
    """Whether the release is there already, so that this would be an upgrade."""
    replicas: int | None = None
    """How many replicas it has now; None where it is not there."""
    live: Workload | None = None
    """What runs its engines now; None where it is not there."""
    ranges: Sequence[V1LimitRange] | None = ()
    quotas: Sequence[V1ResourceQuota] | None = ()
    classes: Sequence[V1StorageClass] | None = ()
    volumes: Sequence[V1PersistentVolume] | None = ()
    constraints: Sequence[Mapping[str, Any]] | None = ()
    """OpenShift's SecurityContextConstraints; none on another Kubernetes."""
    usable: frozenset[str] | None = None
    """Those that the pods' service account may use, by name."""
    autoscaling: Autoscaling | None = None
    """What is said of autoscaling; None where the release has no autoscaler."""
    found: Mapping[tuple[str, str], Any] = dataclasses.field(default_factory=dict)
    """The objects that are needed, by kind and name: None where there is none; what may not be read is left out."""
    kinds: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    """The kinds that the cluster knows, by the API versions of the release's custom resources."""
    pickers: prometheus.Pickers = dataclasses.field(default_factory=prometheus.Pickers)
    """Who might scrape by the release's monitors, and evaluate its rules."""
    own: Any = None
    """What the chart alone asked for (`own.py`)."""


def snapshot(cluster: Cluster, manifests: Manifests) -> Snapshot:
    """Ask a cluster what a release needs. Raises `kubernetes.client.ApiException` for what it does not answer."""
    core, workload = cluster.core, serving(manifests)
    namespace = workload.namespace
    readers: dict[str, Callable[[str], Any]] = {
        "Secret": lambda name: core.read_namespaced_secret(name, namespace),
        "ConfigMap": lambda name: core.read_namespaced_config_map(name, namespace),
        "PersistentVolumeClaim": lambda name: core.read_namespaced_persistent_volume_claim(name, namespace),
        "ServiceAccount": lambda name: core.read_namespaced_service_account(name, namespace),
        "RuntimeClass": cluster.node.read_runtime_class,
        "PriorityClass": cluster.scheduling.read_priority_class,
    }
    found: dict[tuple[str, str], Any] = {}
    for need in needs(manifests):
        try:
            found[need.kind, need.name] = readers[need.kind](need.name)
        except client.ApiException as error:
            if error.status == 404:
                found[need.kind, need.name] = None
            elif error.status != 403:
                raise
    constraints = _constraints(cluster)
    account = str(workload.front.spec.get("serviceAccountName") or "default")
    installed: Workload | None = unless_hidden(lambda: workloads.get(cluster, workload))
    return Snapshot(
        namespace=unless_hidden(lambda: core.read_namespace(namespace)),
        nodes=unless_hidden(lambda: core.list_node().items),
        pods=unless_hidden(lambda: core.list_pod_for_all_namespaces().items),
        installed=installed is not None,
        replicas=installed.replicas if installed else None,
        live=installed,
        ranges=unless_hidden(lambda: core.list_namespaced_limit_range(namespace).items),
        quotas=unless_hidden(lambda: core.list_namespaced_resource_quota(namespace).items),
        classes=unless_hidden(lambda: cluster.storage.list_storage_class().items),
        volumes=unless_hidden(lambda: core.list_persistent_volume().items),
        constraints=constraints,
        usable=_usable(cluster, namespace, account, constraints or ()),
        found=found,
        kinds=dict(_kinds(cluster, manifests)),
        pickers=prometheus.ask(cluster, manifests),
    )


def _kinds(cluster: Cluster, manifests: Manifests) -> Iterator[tuple[str, frozenset[str]]]:
    """The kinds of each API version but for Kubernetes' first, which have no dot, NetworkPolicies', which every cluster
    has, and KEDA's, which another check knows more of; none for one that is not there. One that may not be asked for is
    left out."""
    for named in dict.fromkeys(str(object_.get("apiVersion")) for object_ in manifests):
        group, _, version = named.partition("/")
        if "." not in group or named == "networking.k8s.io/v1" or group.endswith("keda.sh"):
            continue
        try:
            answer: Any = cluster.custom.get_api_resources(group, version)
        except client.ApiException as error:
            if error.status == 404:
                yield named, frozenset()
            elif error.status != 403:
                raise
        else:
            yield named, frozenset(str(one.kind) for one in answer.resources)


def _constraints(cluster: Cluster) -> Sequence[Mapping[str, Any]] | None:
    """OpenShift's; none where the API does not have them, None where they may not be listed."""
    try:
        answer: Any = cluster.custom.list_cluster_custom_object(*CONSTRAINTS)
    except client.ApiException as error:
        if error.status == 404:
            return ()
        if error.status == 403:
            return None
        raise
    return list(answer.get("items") or [])


def _usable(
    cluster: Cluster, namespace: str, account: str, constraints: Sequence[Mapping[str, Any]]
) -> frozenset[str] | None:
    """The constraints that a service account may use; None where that may not be asked."""
    names = [str(item["metadata"]["name"]) for item in constraints]
    reviews = {name: unless_hidden(functools.partial(_review, cluster, namespace, account, name)) for name in names}
    if None in reviews.values():
        return None
    return frozenset(name for name, review in reviews.items() if review.status and review.status.allowed)


def _review(cluster: Cluster, namespace: str, account: str, name: str) -> V1LocalSubjectAccessReview:
    group, version, plural = CONSTRAINTS
    asked = {"group": group, "version": version, "resource": plural, "name": name, "verb": "use"}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    body = {
        "metadata": {"namespace": namespace},
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "groups": groups,
            "resourceAttributes": {**asked, "namespace": namespace},
        },
    }
    review = V1LocalSubjectAccessReview.model_validate(body)
    return cluster.authorization.create_namespaced_local_subject_access_review(namespace, review)
