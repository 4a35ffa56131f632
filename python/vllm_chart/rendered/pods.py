"""The pods that rendered objects make, whatever kind of workload holds their template."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.rendered.manifests import Manifests, Object

#: Where each kind keeps its pod; a bare Pod is one itself.
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}

#: The name of the engine's container in the pods of the chart.
ENGINE = "vllm"


class Container(dict[str, Any]):
    """A container of a pod, and the path that leads to its fields: "containers[0]."."""

    def __init__(self, data: Mapping[str, Any], path: str) -> None:
        super().__init__(data)
        self.path = path

    @property
    def is_engine(self) -> bool:
        return self.get("name") == ENGINE and self.path.startswith("containers")

    @property
    def probes(self) -> dict[str, dict[str, Any]]:
        """Its probes, by field name."""
        return {name: self[name] for name in ("startupProbe", "readinessProbe", "livenessProbe") if self.get(name)}

    def all(self, field: str) -> list[Any]:
        """The items of a list field, such as env; none where it is left out."""
        return self.get(field) or []

    def resources(self, kind: str) -> dict[str, Any]:
        """Its limits or requests, by resource name."""
        return (self.get("resources") or {}).get(kind) or {}


@dataclasses.dataclass(frozen=True)
class Pod:
    """A pod, or the template of one, and the object that it is written in."""

    owner: Object
    metadata: dict[str, Any]
    spec: dict[str, Any]

    @property
    def where(self) -> str:
        return self.owner.where

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    def all(self, field: str) -> list[Any]:
        """The items of a list field of the spec, such as volumes; none where it is left out."""
        return self.spec.get(field) or []

    @property
    def containers(self) -> list[Container]:
        """Every container, init and ephemeral ones included."""
        return [
            Container(container, f"{field}[{index}].")
            for field in ("initContainers", "containers", "ephemeralContainers")
            for index, container in enumerate(self.all(field))
        ]


def pods(manifests: Manifests) -> Iterator[Pod]:
    """Every pod of the rendered objects, in their order."""
    for found in manifests:
        if found.kind in _TEMPLATES:
            pod: dict[str, Any] = found
            for step in _TEMPLATES[found.kind]:
                pod = pod.get(step) or {}
            yield Pod(found, pod.get("metadata") or {}, pod.get("spec") or {})
