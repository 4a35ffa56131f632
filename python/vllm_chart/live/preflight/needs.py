"""The objects that a release names and does not bring along: Secrets, ConfigMaps, claims, classes."""

import dataclasses
import re
from collections.abc import Iterator

from vllm_chart.facts import OTHER_API_KEY, VOLUMES
from vllm_chart.rendered import references
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Container, Pod, serving
from vllm_chart.rendered.references import Reference


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
    for reference in references.of_volumes(pod):
        value = _value(pod, reference.field)
        yield from _of_reference(reference, value, header=value == _OF_THE_ENDPOINT["key"])
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
    for reference in references.of_variables(container):
        name = reference.field
        header = container.is_engine and (name in _VARIABLES or name.startswith(OTHER_API_KEY))
        own = "auth.apiKeySecretRefs" if name.startswith(OTHER_API_KEY) else _VARIABLES.get(name, "")
        if not own or reference.kind != "Secret":  # of those keys of the values each names a Secret
            own = f"env.{name}"
        yield from _of_reference(reference, own if container.is_engine else f"{path}env", header=header)
    for reference in references.of_env_from(container):
        yield from _of_reference(reference, f"{path}envFrom")


def _of_reference(reference: Reference, value: str, *, header: bool = False) -> Iterator[Need]:
    if not reference.optional:
        for key in reference.keys or ("",):
            yield Need(reference.kind, reference.name, value, key, header)


def _value(pod: Pod, volume: str) -> str:
    """The key of the values that a volume comes from."""
    if any(container.is_engine for container in pod.containers):
        return VOLUMES.get(volume, {}).get("value") or "volumes"
    return _OF_THE_ENDPOINT.get(
        re.sub(r"^(key-model|ca)-\d+$", lambda found: found[1].removesuffix("-model"), volume), "volumes"
    )
