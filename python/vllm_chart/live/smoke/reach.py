"""The way to a release: its Service, the workload behind it, and the key that its engine asks for."""

import contextlib
import dataclasses
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kubernetes import client
from kubernetes.client import V1Service

from vllm_chart.cluster import workloads
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError
from vllm_chart.load.asker import API_KEY_VARIABLE, can_send, given_key
from vllm_chart.rendered.workload import Workload

#: Of a Service: the adapters' names, a JSON list ("vllm.lora.annotation" in the chart's _lora.tpl).
ADAPTERS = "vllm-chart/adapters"


@dataclasses.dataclass(frozen=True)
class Release:
    """A release in a cluster: its Service is reached by a port-forward, its API key read from its own Secret.

    key_secret: name and key of another Secret of the namespace, with the key to show; of an endpoint's clients, whose
    Secret has only what their keys are known by.
    """

    name: str
    namespace: str
    kubeconfig: Path | None = None
    context: str | None = None
    key_secret: tuple[str, str] | None = None


class Forwarded(NamedTuple):
    """The way to a release: its base URL, its API key, empty if it asks for none, and its adapters, as far as it tells
    of them."""

    url: str
    api_key: str
    adapters: Sequence[str]


@contextlib.contextmanager
def forwarded(release: Release) -> Iterator[Forwarded]:
    """Yield the way to a release.

    Raises `UnavailableError` when there is no cluster, no such release, or no pod of it that is ready.
    """
    with Cluster(release.kubeconfig, release.context) as cluster:
        with asking_the_api_server():
            service, workload = _find_front(cluster, release)
            api_key = given_key() or _key(cluster, release, _containers(workload))
        if not (workload.ready):
            raise UnavailableError(
                f"no pod of release {release.name} is ready: "
                f"`vllm-chart diagnose --release {release.name} --namespace {release.namespace}` says why"
            )
        scheme = "https" if serves_tls(_containers(workload)) else "http"
        with cluster.port_forward(release.namespace, _name(service), "http") as address:
            yield Forwarded(f"{scheme}://{address}", api_key, adapters_of(service))


@dataclasses.dataclass(frozen=True)
class Inside:
    """A release as pods of its cluster see it."""

    url: str
    labels: dict[str, str]
    """What its Service selects pods by."""
    api_key_secret: dict[str, str] | None
    """Name and key of the Secret with the API key, None if it asks for none."""


def adapters_of(service: V1Service) -> list[str]:
    """The names in the annotation that the chart gives a Service with adapters."""
    written = ((service.metadata.annotations if service.metadata else None) or {}).get(ADAPTERS, "[]")
    try:
        names = json.loads(written)
    except ValueError:
        return []  # somebody else's
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def inside(cluster: Cluster, release: Release) -> Inside:
    """The release as pods of its cluster see it. Raises `UnavailableError` when there is no such release."""
    with asking_the_api_server():
        service, workload = _find_front(cluster, release)
    assert service.spec
    port = reached_port(service, workload)
    scheme = "https" if serves_tls(_containers(workload)) else "http"
    secret = _reference(release) or api_key_reference(_containers(workload))
    return Inside(
        f"{scheme}://{_name(service)}.{release.namespace}.svc:{port}",
        service.spec.selector or {},
        {"name": secret["name"], "key": secret["key"]} if secret else None,
    )


def _find_front(cluster: Cluster, release: Release) -> tuple[V1Service, Workload]:
    selector = f"app.kubernetes.io/instance={release.name}"
    services = cluster.core.list_namespaced_service(release.namespace, label_selector=selector).items
    return _front(release, services, workloads.find(cluster, release.namespace, selector).workloads)


def reached_port(service: V1Service, workload: Workload) -> int:
    """The port at which clients reach the engine. A headless Service maps none: its name resolves to the pods."""
    assert service.spec
    (port,) = (port for port in service.spec.ports or [] if port.name == "http")
    if service.spec.cluster_ip != "None":
        return port.port
    target = port.target_port or port.port
    ports = (found for container in _containers(workload) for found in container.get("ports") or [])
    named = {found.get("name"): int(found["containerPort"]) for found in ports}
    return named.get(target, port.port) if isinstance(target, str) else int(target)


def _name(service: V1Service) -> str:
    return (service.metadata.name if service.metadata else None) or ""


def _front(release: Release, services: Iterable[V1Service], found: Iterable[Workload]) -> tuple[V1Service, Workload]:
    """A release's Service, and the workload behind it: that of clients, where there is one of the pods beside it."""
    for service in sorted(services, key=lambda one: bool(one.spec and one.spec.cluster_ip == "None")):
        ports = (service.spec.ports if service.spec else None) or []
        selector = ((service.spec.selector if service.spec else None) or {}).items()
        for workload in found:
            if any(port.name == "http" for port in ports) and selector and selector <= workload.front.labels.items():
                return service, workload
    raise UnavailableError(
        f"there is no release {release.name!r} of the chart in namespace {release.namespace}: "
        "`helm list --all-namespaces` shows what there is"
    )


def _containers(workload: Workload) -> list[Mapping[str, Any]]:
    return workload.front.spec.get("containers") or []


def api_key_of(cluster: Cluster, namespace: str, containers: Iterable[Mapping[str, Any]]) -> str:
    """The key that an engine itself was given, out of the Secret that its environment names; empty if it asks for none.

    Raises `kubernetes.client.ApiException` where the Secret can't be read, `UnavailableError` for a key that no client
    can send: the engine compares it as it is.
    """
    reference = api_key_reference(containers)
    if not reference:
        return ""
    secret = cluster.core.read_namespaced_secret(reference["name"], namespace)
    key = b64decode((secret.data or {}).get(reference["key"], "")).decode(errors="replace")
    if not can_send(key):
        where = f"Secret {reference['name']}: {reference['key']}"
        why = "it ends in white space or is not plain text"
        raise UnavailableError(f"{where}: no client can send this key: {why}: write it anew, and restart the pods")
    return key


def _reference(release: Release) -> Mapping[str, str] | None:
    return dict(zip(("name", "key"), release.key_secret, strict=True)) if release.key_secret else None


def _key(cluster: Cluster, release: Release, containers: Iterable[Mapping[str, Any]]) -> str:
    """The key to show: of the Secret that was named, else the engine's own.

    Raises UnavailableError where the Secret that was named is not there, or has no such key.
    """
    if not release.key_secret:
        return api_key_of(cluster, release.namespace, containers)
    name, key = release.key_secret
    try:
        data = cluster.core.read_namespaced_secret(name, release.namespace).data or {}
    except client.ApiException as error:
        if error.status != 404:
            raise
        data = {}
    if key not in data:
        raise UnavailableError(f"there is no Secret {name} with a key {key} in namespace {release.namespace}")
    return b64decode(data[key]).decode().strip()


def api_key_reference(containers: Iterable[Mapping[str, Any]]) -> Mapping[str, str] | None:
    """Name and key of the Secret; None where the engine asks for no key."""
    for variable in (variable for container in containers for variable in container.get("env") or []):
        if variable.get("name") == API_KEY_VARIABLE and variable.get("valueFrom"):
            reference: Mapping[str, str] = variable["valueFrom"].get("secretKeyRef") or {}
            return reference if reference.get("name") else None
    return None


def serves_tls(containers: Sequence[Mapping[str, Any]]) -> bool:
    """The engine or the endpoint was given a certificate, or the kubelet asks it as everybody has to: by HTTPS."""
    arguments = (str(argument) for container in containers for argument in container.get("args") or [])
    if any(argument.partition("=")[0] == "--ssl-certfile" for argument in arguments):
        return True
    envoys = (container for container in containers if container.get("name") == "envoy")
    if any(mount.get("name") == "tls" for envoy in envoys for mount in envoy.get("volumeMounts") or []):
        return True
    probes = (container.get("readinessProbe") or {} for container in containers)
    return any((probe.get("httpGet") or {}).get("scheme") == "HTTPS" for probe in probes)


def certificate_secret(spec: Mapping[str, Any]) -> str:
    """The Secret with the certificate that an engine shows, of a pod's specification; empty where it is in none."""
    secrets = {volume["name"]: (volume.get("secret") or {}).get("secretName") for volume in spec.get("volumes") or []}
    for container in spec.get("containers") or []:
        flags = dict(str(argument).partition("=")[::2] for argument in container.get("args") or [])
        file = flags.get("--ssl-certfile", "")
        for mount in container.get("volumeMounts") or []:
            if file.startswith(f"{str(mount['mountPath']).rstrip('/')}/") and secrets.get(mount["name"]):
                return str(secrets[mount["name"]])
    return ""
