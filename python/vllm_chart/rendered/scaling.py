"""Who says how many replicas a workload has: its own `replicas`, or an autoscaler among the rendered objects."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from vllm_chart.rendered.manifests import Object
from vllm_chart.rendered.workload import DEPLOYMENT, Workload

#: What an autoscaler calls its bounds, and what they are where it leaves them out; by its kind.
#: Sources: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/,
#: https://keda.sh/docs/2.21/reference/scaledobject-spec/
_BOUNDS: dict[str, tuple[tuple[str, int], tuple[str, int]]] = {
    "HorizontalPodAutoscaler": (("minReplicas", 1), ("maxReplicas", 1)),
    "ScaledObject": (("minReplicaCount", 0), ("maxReplicaCount", 100)),
}


@dataclasses.dataclass(frozen=True)
class Autoscaler:
    """A rendered autoscaler: the workload that it scales, and between how many replicas."""

    object: Object
    kind: str
    """The kind of the workload."""
    name: str
    """The name of the workload."""
    least: int
    most: int

    @property
    def where(self) -> str:
        return self.object.where

    @property
    def keys(self) -> tuple[str, str]:
        """What is written for its bounds: the chart's values, or the fields of the user's own object."""
        if not self.object.is_extra and self.object.source:
            return "autoscaling.minReplicas", "autoscaling.maxReplicas"
        (least, _), (most, _) = _BOUNDS[self.object.kind]
        return f"{self.where}: {least}", f"{self.where}: {most}"

    def scales(self, workload: Workload) -> bool:
        """Whether that workload is its target."""
        return (self.kind, self.name) == (workload.kind.name, workload.name)


@dataclasses.dataclass(frozen=True)
class Scale:
    """How many replicas a workload is to have."""

    replicas: int
    """What is there once it is installed."""
    most: int
    """What it may grow to."""
    autoscaler: Autoscaler | None = None
    """Who says so; None for the workload itself."""

    @property
    def key(self) -> str:
        """What is written to have fewer replicas from the start."""
        return self.autoscaler.keys[0] if self.autoscaler else "replicaCount"


def autoscalers(objects: Sequence[Object]) -> list[Autoscaler]:
    """The autoscalers among rendered objects that name what they scale."""
    return [_read(item) for item in objects if item.kind in _BOUNDS]


def scale(workload: Workload, objects: Sequence[Object], current: int | None = None) -> Scale:
    """How many replicas a workload is to have, and by whose word.

    objects: everything that is rendered with it. current: how many it has in the cluster now, None where it is not
    there: an autoscaler, and a workload without `replicas`, keep them. An autoscaler that scales to nothing is counted
    for one replica: that is what a request will want.
    """
    for autoscaler in autoscalers(objects):
        if autoscaler.scales(workload):
            least, most = max(1, autoscaler.least), max(1, autoscaler.least, autoscaler.most)
            return Scale(min(max(least, current or 0), most), most, autoscaler)
    written = workload.replicas if workload.replicas is not None else 1 if current is None else current
    return Scale(written, written)


def wanted(workload: Workload) -> int:
    """How many replicas a live workload is to have: left out, it is one."""
    return 1 if workload.replicas is None else workload.replicas


def _read(item: Object) -> Autoscaler:
    spec = item.get("spec") if isinstance(item.get("spec"), dict) else {}
    target = (spec or {}).get("scaleTargetRef") or {}
    (least, fewest), (most, highest) = _BOUNDS[item.kind]
    return Autoscaler(
        item,
        str(target.get("kind") or DEPLOYMENT.name),  # KEDA's own default
        str(target.get("name") or ""),
        _count(spec, least, fewest),
        _count(spec, most, highest),
    )


def _count(spec: Any, field: str, default: int) -> int:
    written = spec.get(field)
    return written if isinstance(written, int) else default
