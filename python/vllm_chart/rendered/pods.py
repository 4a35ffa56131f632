"""The pods that rendered objects make, whatever kind of workload holds their template."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.workload import ENGINE, KINDS, Workload, read, templates


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
    template: str = "spec.template"
    """Where it is written in the object."""

    @property
    def where(self) -> str:
        """The object; of one with several pods, which of them."""
        one_of_several = self.template.split(".")[-1] not in ("", "template")
        return f"{self.owner.where}: {self.template}" if one_of_several else self.owner.where

    @property
    def workload(self) -> Workload | None:
        """The workload that keeps it running; None for a pod that ends, such as a Job's."""
        return read(self.owner) if KINDS[self.owner.kind].serves else None

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
    for item in manifests:
        for path, template in templates(item):
            yield Pod(item, dict(template.get("metadata") or {}), dict(template.get("spec") or {}), path)


def engines(manifests: Manifests) -> Iterator[tuple[Pod, Container]]:
    """The pods that run the engine, each with the engine's container: those of the chart before the user's own."""
    pairs = [(pod, container) for pod in pods(manifests) for container in pod.containers if container.is_engine]
    return iter(sorted(pairs, key=lambda pair: pair[0].owner.is_extra))


def serving(manifests: Manifests) -> list[Pod]:
    """The pods that run an engine; of a chart that has none, those of its own that run on."""
    running = [pod for pod, _ in engines(manifests)]
    return running or [pod for pod in pods(manifests) if pod.workload and not pod.owner.is_extra]
