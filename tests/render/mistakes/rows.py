"""What a row of the table of mistakes is made of, and clusters to hold it against."""

import dataclasses
import re
from typing import Any

from kubernetes.client import V1LimitRange, V1Namespace, V1ResourceQuota

from tests.cluster_objects import (
    crashed,
    node,
    pod,
    snapshot,
)
from tests.render.mistakes.catches import (
    Catch,
    Elsewhere,
)
from vllm_chart.cluster.prometheus import Pickers
from vllm_chart.live import preflight
from vllm_chart.live.diagnose import Snapshot


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A mistake that somebody made."""

    id: str
    did: str
    source: str
    catches: tuple[Catch, ...]


def mistake(name: str, did: str, source: str, *catches: Catch) -> Mistake:
    """A row; the source is a URL, or a thread as GitHub abbreviates it (owner/name#1)."""
    url = re.sub(r"^([^/:]+/[^#]+)#(\d+)$", r"https://github.com/\1/issues/\2", source)
    return Mistake(name, did, url, catches)


def crash(log: str) -> Snapshot:
    """A release whose engine ended with this log."""
    return snapshot(pod(status=crashed()), logs={("llm-vllm-5c8-x2x", "vllm"): log})


def refused_pod(message: str) -> Snapshot:
    """A release whose pods the API server refuses."""
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return snapshot(conditions=[condition])


def init_crash(log: str) -> Snapshot:
    """A release whose init container ended with this log."""
    [status] = crashed()["containerStatuses"]
    spec = {"initContainers": [{"name": "download", "image": "downloader:1"}]}
    downloading = pod(spec=spec, status={"initContainerStatuses": [status | {"name": "download"}]})
    return snapshot(downloading, logs={("llm-vllm-5c8-x2x", "download"): log})


def cluster(**there: Any) -> preflight.Snapshot:
    """A cluster with one GPU node."""
    return preflight.Snapshot(V1Namespace(), **{"nodes": [node("gpu-1", gpu="1")], **there})


def limit_range(default: dict[str, str]) -> V1LimitRange:
    """A namespace's LimitRange for containers."""
    limits = [{"type": "Container", "default": default}]
    return V1LimitRange.model_validate({"metadata": {"name": "small"}, "spec": {"limits": limits}})


def quota(hard: dict[str, str]) -> V1ResourceQuota:
    """A namespace's ResourceQuota of which nothing is used."""
    return V1ResourceQuota.model_validate(
        {"metadata": {"name": "team"}, "spec": {"hard": hard}, "status": {"used": {}}}
    )


UNLABELLED = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "ServiceMonitor",
    "metadata": {"name": "llm-vllm", "namespace": "ai"},
}


def picked_by(labels: dict[str, str]) -> Pickers:
    """A cluster with one Prometheus, which picks monitors by labels."""
    spec = {"serviceMonitorSelector": {"matchLabels": labels}, "serviceMonitorNamespaceSelector": {}}
    prometheus = {"metadata": {"name": "k8s", "namespace": "monitoring"}, "spec": spec}
    return Pickers({"Prometheus": [prometheus], "PrometheusAgent": []})


LATER = "later: "
ROUTER = Elsewhere(f"{LATER}a router in front of several models")
METRICS = Elsewhere(f"{LATER}monitors and dashboards")
NODES = Elsewhere(f"{LATER}a model over several nodes")
