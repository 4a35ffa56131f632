"""The objects that a pod's fields name: Secrets, ConfigMaps and claims that have to be there before it starts."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.rendered.pods import Container, Pod


@dataclasses.dataclass(frozen=True)
class Reference:
    """One object, and what is taken out of it."""

    field: str
    """The name of the variable, or of the volume; empty for `envFrom`."""
    kind: str
    name: str
    keys: tuple[str, ...] = ()
    """Of a Secret or a ConfigMap; empty where all are taken."""
    optional: bool = False
    """Whether the pod starts without it."""


def of_variables(container: Container) -> Iterator[Reference]:
    """What a container's `env` names."""
    for variable in container.all("env"):
        source = variable.get("valueFrom") or {}
        for kind, field in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
            if reference := source.get(field):
                keys = (str(reference.get("key", "")),)
                yield _reference(str(variable.get("name")), kind, reference.get("name"), reference, keys)


def of_env_from(container: Container) -> Iterator[Reference]:
    """What a container's `envFrom` names."""
    for source in container.all("envFrom"):
        for kind, field in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
            if reference := source.get(field):
                yield _reference("", kind, reference.get("name"), reference)


def of_volumes(pod: Pod) -> Iterator[Reference]:
    """What a pod's volumes name, the sources of projected ones included."""
    for volume in pod.all("volumes"):
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            for kind, field in (("Secret", "secret"), ("ConfigMap", "configMap")):
                if reference := source.get(field):
                    name = reference.get("secretName") or reference.get("name")  # the latter in a projected volume
                    keys = tuple(str(item.get("key", "")) for item in reference.get("items") or ())
                    yield _reference(str(volume.get("name")), kind, name, reference, keys)
            if claim := source.get("persistentVolumeClaim"):
                yield _reference(str(volume.get("name")), "PersistentVolumeClaim", claim.get("claimName"), claim)


def _reference(field: str, kind: str, name: Any, source: Mapping[str, Any], keys: tuple[str, ...] = ()) -> Reference:
    return Reference(field, kind, str(name or ""), keys, bool(source.get("optional")))
