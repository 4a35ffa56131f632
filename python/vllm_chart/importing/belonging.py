"""Which objects belong to a workload, and how one is installed with its release as it stands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.objects import Object
from vllm_chart.importing.pod import PodReader, owned_labels
from vllm_chart.importing.source import Part

Json = Any

KEEP = {"helm.sh/resource-policy": "keep"}


class Companions:
    """The objects beside a workload: which are its own, and what is found of them.

    services: those that lead to it, the first one the chart's.
    """

    def __init__(self, draft: Draft, workload: Object, pod: Part, labels: Part | None, reader: PodReader) -> None:
        self.draft = draft
        self.workload = workload
        self.pod = pod.value or {}
        self.labels: Mapping[str, Json] = labels.value if labels else {}
        self.reader = reader
        self.services: dict[str, Object] = {}
        self.findings: list[Finding] = []

    def is_its(self, one: Object) -> bool:
        """Whether an object is about this workload."""
        if one.namespace and self.workload.namespace and one.namespace != self.workload.namespace:
            return one.kind in ("ServiceMonitor", "PodMonitor") and self._selects(one)
        by_name = {
            "HorizontalPodAutoscaler": ("spec", "scaleTargetRef", "name"),
            "ScaledObject": ("spec", "scaleTargetRef", "name"),
        }
        if one.kind in by_name:
            return bool(one.value_of(*by_name[one.kind]) == self.workload.name)
        if one.kind in ("Service", "PodDisruptionBudget", "ServiceMonitor", "PodMonitor"):
            return self._selects(one)
        if one.kind == "Ingress":
            return any(name in self.services for name in backends(one.value))
        if one.kind == "ServiceAccount":
            return bool(one.name == self.draft.get("serviceAccount.name"))
        return one.name in _named(self.pod, one.kind)

    def _selects(self, one: Object) -> bool:
        selector = one.value_of("spec", "selector") or {}
        wanted = selector if one.kind == "Service" else selector.get("matchLabels") or {}
        if one.kind != "ServiceMonitor":
            return bool(wanted) and wanted.items() <= self.labels.items()
        return any(wanted and wanted.items() <= service.labels.items() for service in self.services.values())


def backends(value: Json) -> Iterator[str]:
    """The names of the Services that a part of an Ingress leads to."""
    if isinstance(value, Mapping):
        service = value.get("service")
        if isinstance(service, Mapping) and "name" in service:
            yield str(service["name"])
        for below in value.values():
            yield from backends(below)
    elif isinstance(value, list):
        for below in value:
            yield from backends(below)


_REFERENCES = {
    "PersistentVolumeClaim": {"persistentVolumeClaim": "claimName"},
    "ConfigMap": {"configMap": "name", "configMapRef": "name", "configMapKeyRef": "name"},
    "Secret": {"secret": "secretName", "secretRef": "name", "secretKeyRef": "name", "imagePullSecrets": "name"},
}


def _named(value: Json, kind: str) -> set[str]:
    """The names of objects of a kind that a part of a pod refers to."""
    names: set[str] = set()
    if isinstance(value, Mapping):
        for key, below in value.items():
            field = _REFERENCES.get(kind, {}).get(key)
            for item in below if isinstance(below, list) else [below]:
                if field and isinstance(item, Mapping) and item.get(field):
                    names.add(str(item[field]))
            names |= _named(below, kind)
    elif isinstance(value, list):
        for below in value:
            names |= _named(below, kind)
    return names


def extra_object(found: Companions, one: Object, annotations: Mapping[str, Part], without: Sequence[str] = ()) -> bool:
    """Install it with the release, as it stands. without: fields of its `spec` that are left out.

    Returns whether it can be; if not, that is told.
    """
    selector = one.value_of("spec", "selector")
    if isinstance(selector, Mapping) and set(selector) & set(owned_labels()):
        one.left(
            "it selects pods by labels that the chart sets itself", "write it in extraObjects, with the chart's labels"
        )
        return False
    metadata = {key: value for key, value in one.value["metadata"].items() if key in ("name", "labels")}
    if annotations or one.kind == "PersistentVolumeClaim":
        kept = {key: part.value for key, part in annotations.items()}
        metadata["annotations"] = kept | (KEEP if one.kind == "PersistentVolumeClaim" else {})
    rest = {key: value for key, value in one.value.items() if key not in ("metadata", "status")}
    if without:
        rest["spec"] = {key: value for key, value in rest["spec"].items() if key not in without}
    found.draft.append(
        one,
        "extraObjects",
        {"apiVersion": rest.pop("apiVersion"), "kind": rest.pop("kind"), "metadata": metadata, **rest},
    )
    return True
