"""The objects that a release names and does not bring along: Secrets, ConfigMaps, claims, classes."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.facts import OTHER_API_KEY, VOLUMES
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Container, Pod, serving


@dataclasses.dataclass(frozen=True)
class Need:
    """An object that has to be there before the release is, and the key of the values that names it."""

    kind: str
    name: str
    value: str
    key: str = ""
    """Of a Secret or a ConfigMap."""
    header: bool = False
    """Whether the engine sends or compares it as part of an HTTP header."""


_VARIABLES = {
    "HF_TOKEN": "hub.tokenSecretRef",
    "VLLM_API_KEY": "auth.apiKeySecretRef",
    "AWS_ACCESS_KEY_ID": "objectStorage.credentialsSecretRef",
    "AWS_SECRET_ACCESS_KEY": "objectStorage.credentialsSecretRef",
}

#: The key of the values by a volume of the endpoint's pods; those with engines' keys and authorities are numbered.
_OF_THE_ENDPOINT = {
    "clients": "clients.secretName",
    "tls": "tls.secretName",
    "key": "models.NAME.apiKeySecretRef",
    "ca": "models.NAME.tls",
}


def needs(manifests: Manifests) -> list[Need]:
    """What the pods that serve name and the release does not bring along."""
    own = {(item.kind, item.name) for item in manifests}
    every = [need for pod in serving(manifests) for need in _of_pod(pod)]
    every += [need for item in manifests.all("TriggerAuthentication") for need in _of_authentication(item)]
    return [need for need in dict.fromkeys(every) if need.name and (need.kind, need.name) not in own]


def _of_authentication(item: Object) -> Iterator[Need]:
    """What an autoscaler shows Prometheus."""
    for reference in (item.get("spec") or {}).get("secretTargetRef") or []:
        value = item.where if item.is_extra else "autoscaling.prometheus.auth.secretTargetRef"
        yield Need("Secret", str(reference.get("name") or ""), value, str(reference.get("key") or ""))


def _of_pod(pod: Pod) -> Iterator[Need]:
    for container in pod.containers:
        yield from _of_container(container)
    for volume in pod.all("volumes"):
        value = _value(pod, str(volume["name"]))
        header = value == _OF_THE_ENDPOINT["key"]
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            yield from _of_source(source, value, header)
    for secret in pod.all("imagePullSecrets"):
        yield Need("Secret", secret.get("name", ""), "imagePullSecrets")
    for field, kind, value in (
        ("priorityClassName", "PriorityClass", "priorityClassName"),
        ("runtimeClassName", "RuntimeClass", "runtimeClassName"),
        ("serviceAccountName", "ServiceAccount", "serviceAccount.name"),
    ):
        yield Need(kind, pod.spec.get(field) or "", value)


def _of_container(container: Container) -> Iterator[Need]:
    path = "" if container.is_engine else container.path
    for variable in container.all("env"):
        name, source = str(variable.get("name")), variable.get("valueFrom") or {}
        header = container.is_engine and (name in _VARIABLES or name.startswith(OTHER_API_KEY))
        own = "auth.apiKeySecretRefs" if name.startswith(OTHER_API_KEY) else _VARIABLES.get(name, f"env.{name}")
        value = own if container.is_engine else f"{path}env"
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            reference = source.get(field) or {}
            if not reference.get("optional"):
                yield Need(kind, reference.get("name", ""), value, reference.get("key", ""), header)
    for source in container.all("envFrom"):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            reference = source.get(field) or {}
            if not reference.get("optional"):
                yield Need(kind, reference.get("name", ""), f"{path}envFrom")


def _value(pod: Pod, volume: str) -> str:
    """The key of the values that a volume comes from."""
    if any(container.is_engine for container in pod.containers):
        return VOLUMES.get(volume, {}).get("value") or "volumes"
    return _OF_THE_ENDPOINT.get(
        re.sub(r"^(key-model|ca)-\d+$", lambda found: found[1].removesuffix("-model"), volume), "volumes"
    )


def _of_source(source: Mapping[str, Any], value: str, header: bool) -> Iterator[Need]:
    for field, kind, name in (
        ("secret", "Secret", "secretName"),
        ("secret", "Secret", "name"),  # of a projected volume
        ("configMap", "ConfigMap", "name"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):
        reference = source.get(field) or {}
        if reference.get("optional"):
            continue
        keys = [item["key"] for item in reference.get("items") or []] or [""]
        for key in keys:
            yield Need(kind, reference.get(name, ""), value, key, header)
