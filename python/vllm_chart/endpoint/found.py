"""The models of an endpoint, out of the releases of charts/vllm that a cluster has: its `models`, and what is to say.

`ask` asks a cluster, `explain` draws the conclusions.
"""

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubernetes.client import V1Service

from vllm_chart.cluster import workloads
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import Finding
from vllm_chart.live.smoke.reach import api_key_reference, certificate_secret, reached_port, serves_tls
from vllm_chart.rendered.workload import Workload
from vllm_chart.vllm_args import container

#: On a release's Service: the names of its adapters, a JSON list (charts/vllm, templates/_lora.tpl).
ADAPTERS = "vllm-chart/adapters"
_CHART = re.compile(r"vllm-\d")

Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Served:
    """A release: how it is reached, and by which names its model is asked for."""

    release: str
    namespace: str
    service: str
    port: int
    headless: bool
    names: tuple[str, ...]
    """As vLLM has them: the first is that in its answers. none where its arguments can't be read."""
    adapters: tuple[str, ...] = ()
    api_key: Json | None = None
    """Name and key of the Secret with the key that the engine asks for."""
    tls: bool = False
    certificate: str = ""
    """Name of the Secret with the certificate that the engine shows."""
    certified: str = ""
    """Name of the Service that clients without an endpoint ask, for which its certificate is."""

    def __str__(self) -> str:
        return f"release {self.release} in namespace {self.namespace}"


@dataclasses.dataclass(frozen=True)
class Found:
    """The releases that have a Service, and those that have none, by "namespace/name"."""

    served: Sequence[Served]
    unreachable: Sequence[str] = ()


def ask(cluster: Cluster, namespace: str) -> Found:
    """The releases of a namespace, or with "" of all, by their namespaces and names.

    Raises UnavailableError where they may not be listed.
    """
    with asking_the_api_server():
        listed = workloads.find(cluster, namespace, "").workloads
        core = cluster.core
        services = (
            core.list_namespaced_service(namespace) if namespace else core.list_service_for_all_namespaces()
        ).items
    ours = sorted((one for one in listed if _is_ours(one)), key=lambda one: (one.namespace, one.name))
    pairs = [(one, _fronts(one, services)) for one in ours]
    served = [_served(one, fronts[0], _certified(one, fronts)) for one, fronts in pairs if fronts]
    return Found(served, [f"{one.namespace}/{_release(one)}" for one, fronts in pairs if not fronts])


def _is_ours(workload: Workload) -> bool:
    labels = (workload.object.get("metadata") or {}).get("labels") or {}
    return bool(_CHART.match(str(labels.get("helm.sh/chart")))) and workload.front.runs_engine


def _release(workload: Workload) -> str:
    labels = (workload.object.get("metadata") or {}).get("labels") or {}
    return str(labels.get("app.kubernetes.io/instance") or workload.name)


def _fronts(workload: Workload, services: Sequence[V1Service]) -> list[V1Service]:
    """The Services of its pods' port "http", headless ones before others."""

    def leads_there(service: V1Service) -> bool:
        spec, metadata = service.spec, service.metadata
        if not spec or not metadata or metadata.namespace != workload.namespace or not spec.selector:
            return False
        named = any(port.name == "http" for port in spec.ports or [])
        return named and spec.selector.items() <= workload.front.labels.items()

    return sorted(filter(leads_there, services), key=lambda service: not _is_headless(service))


def _name(service: V1Service) -> str:
    return str(service.metadata.name if service.metadata else "")


def _certified(workload: Workload, fronts: Sequence[V1Service]) -> str:
    """The Service that clients without an endpoint ask: the release's own, if others lead to its pods too."""
    names = [_name(one) for one in fronts if not _is_headless(one)] or [_name(one) for one in fronts]
    return workload.name if workload.name in names else names[0]


def _is_headless(service: V1Service) -> bool:
    return bool(service.spec and service.spec.cluster_ip == "None")


def _served(workload: Workload, service: V1Service, certified: str) -> Served:
    containers = workload.front.spec.get("containers") or []
    told = container.of_live(next(one for one in containers if one.get("name") == "vllm"))
    name = told.get("model_tag") or told.get("model")
    names = told.get("served_model_name") or ([name] if name else [])
    metadata = service.metadata
    assert metadata
    return Served(
        release=_release(workload),
        namespace=workload.namespace,
        service=str(metadata.name),
        port=reached_port(service, workload),
        headless=_is_headless(service),
        names=tuple(dict.fromkeys(map(str, names))),
        adapters=tuple(_adapters(told, metadata.annotations or {})),
        api_key=api_key_reference(containers),
        tls=serves_tls(containers),
        certificate=certificate_secret(workload.front.spec),
        certified=certified,
    )


def _adapters(told: Json, annotations: Mapping[str, str]) -> list[str]:
    """Those of the engine's arguments, "name=path" or JSON, and those that a sidecar loads."""
    names = []
    for module in told.get("lora_modules") or []:
        try:
            names.append(str(module["name"] if isinstance(module, Mapping) else json.loads(module)["name"]))
        except (ValueError, TypeError, KeyError):
            names.append(str(module).partition("=")[0])
    with contextlib.suppress(ValueError):  # somebody else's
        names += [str(name) for name in json.loads(annotations.get(ADAPTERS, "[]"))]
    return list(dict.fromkeys(names))


# What follows


def values(found: Found) -> dict[str, Any]:
    """The `models` of an endpoint in front of these releases, by the first name of each."""
    return {one.names[0]: _model(one) for one in found.served if one.names}


def _model(one: Served) -> dict[str, Any]:
    model: dict[str, Any] = {"service": one.service, "namespace": one.namespace, "port": one.port}
    if one.names[1:]:
        model["aliases"] = list(one.names[1:])
    if one.adapters:
        model["adapters"] = list(one.adapters)
    if one.api_key:
        model["apiKeySecretRef"] = {"name": one.api_key["name"], "key": one.api_key["key"]}
    if one.tls and one.certificate:
        model["tls"] = {"caSecretName": one.certificate, "serverName": f"{one.certified}.{one.namespace}.svc"}
    return model


def explain(found: Found) -> Iterator[Finding]:
    """What an endpoint could not tell apart, or would not reach as well as it could."""
    for where in found.unreachable:
        yield Finding("endpoint-models", where, "no Service with a port http leads to its pods", "give it one", "error")
    for one in found.served:
        yield from _explain(one)
    yield from _collisions(found.served)


def _explain(one: Served) -> Iterator[Finding]:
    where = f"{one.namespace}/{one.release}"
    if not one.names:
        message = "its arguments are none of a version of vLLM that is known here: its names are not known"
        yield Finding("endpoint-models", where, message, "write it into models by hand", "error")
    if not one.headless:
        message = f"Service {one.service} is not headless: Kubernetes chooses the pod, and no prefix is kept together"
        remedy = "write service.pods: {enabled: true} in its values, and ask again after its upgrade"
        yield Finding("endpoint-models", where, message, remedy, "warning")
    if one.api_key:
        message = f"it asks for the key of Secret {one.api_key['name']}, which the endpoint reads in its own namespace"
        yield Finding("endpoint-models", where, message, "have that Secret there too", "info")
    if one.tls and one.certificate:
        message = f"its engine speaks TLS, checked by ca.crt of Secret {one.certificate} in the endpoint's namespace"
        yield Finding("endpoint-models", where, message, "have that there, or write another one's name", "info")
    elif one.tls:
        message = "its engine speaks TLS, by a certificate that no Secret of its pods has: it would be asked without"
        yield Finding("endpoint-models", where, message, "write its model's tls.caSecretName by hand", "warning")


def _collisions(served: Sequence[Served]) -> Iterator[Finding]:
    """Names that several releases serve, or one twice: a request names one model."""
    owners: dict[str, list[Served]] = {}
    for one in served:
        for name in (*one.names, *one.adapters):
            owners.setdefault(name, []).append(one)
    for name, found in owners.items():
        if len(found) > 1:
            said = " and ".join(map(str, dict.fromkeys(found)))
            remedy = "give one of them another model.servedModelName, or lora.adapters another name"
            if len(set(found)) == 1:
                said = f"{said}, twice"
            yield Finding("endpoint-models", name, f"it is a name of {said}: a request names one model", remedy)
