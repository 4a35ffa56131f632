"""What is to be installed, as far as a cluster is concerned: pods, and how many of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes.client import V1Pod, V1PodSpec

from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import Manifests, answered
from vllm_chart.rendered.scaling import Scale, scale
from vllm_chart.rendered.workload import Workload


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A release that is to be installed, or upgraded to."""

    manifests: Manifests
    values: Mapping[str, Any]
    app_version: str
    workload: Workload
    scale: Scale
    parts: Sequence[tuple[V1PodSpec, int]]
    """The pods of a replica, each with how many of them it has; those that answer requests first."""

    @property
    def spec(self) -> V1PodSpec:
        """The pods that answer requests."""
        return self.parts[0][0]

    @property
    def surge(self) -> int:
        """Replicas that a rollout starts beside the others."""
        return self.workload.surge(self.scale.replicas)

    def owns(self, pod: V1Pod) -> bool:
        """Whether a pod of the cluster is of the release that is there already."""
        metadata = pod.metadata
        return (
            metadata is not None
            and metadata.namespace == self.workload.namespace
            and bool(self.workload.selector)
            and self.workload.selector.items() <= (metadata.labels or {}).items()
        )


def read(manifests: Manifests, values: Mapping[str, Any], app_version: str, snapshot: Snapshot) -> Wanted:
    """What rendered manifests want of a cluster. Raises `ManifestError` when no workload runs on."""
    serving = workload.serving(manifests)
    parts = [(_pod_spec(part.spec, snapshot), part.count) for part in serving.parts]
    return Wanted(manifests, values, app_version, serving, scale(serving, manifests, snapshot.replicas), parts)


def runs(pod: V1Pod) -> bool:
    """Whether a pod holds what it asked for: one that ended does not."""
    return pod.status is None or pod.status.phase not in ("Succeeded", "Failed")


def _pod_spec(rendered: Mapping[str, Any], snapshot: Snapshot) -> V1PodSpec:
    """A rendered pod as the API would return it: quantities are text there, and its runtime class has its overhead."""
    spec = answered(dict(rendered))
    runtime = snapshot.found.get(("RuntimeClass", spec.get("runtimeClassName") or ""))
    if runtime is not None and runtime.overhead and not spec.get("overhead"):
        spec["overhead"] = dict(runtime.overhead.pod_fixed or {})
    read: V1PodSpec = V1PodSpec.model_validate(spec)
    return read
