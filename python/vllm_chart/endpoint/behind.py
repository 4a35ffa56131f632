"""What stands behind an endpoint and beside it in a cluster: the Services of its models, and its clients' document.

`ask` asks a cluster, the others draw the conclusions. Of the clients' Secret nothing but names is ever said.
"""

import dataclasses
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from kubernetes import client

from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import clients
from vllm_chart.endpoint.clients import DocumentError
from vllm_chart.findings import Finding
from vllm_chart.live.smoke.reach import serves_tls

Json = Mapping[str, Any]

#: The port of the pods where nothing is written (values/endpoint/models.py).
PORT = 8000
_SLICES = ("discovery.k8s.io", "v1")


@dataclasses.dataclass(frozen=True)
class Model:
    """A model of the endpoint: the Service that is asked for it."""

    name: str
    service: str
    namespace: str
    port: int
    tls: bool = False
    """Whether it is asked by TLS."""

    @property
    def where(self) -> str:
        """As a person finds the Service."""
        return f"Service/{self.service} in namespace {self.namespace}"


@dataclasses.dataclass(frozen=True)
class Behind:
    """What a cluster has of a model. None is what the caller may not see."""

    service: Json | None = None
    is_there: bool = True
    slices: Sequence[Json] | None = None
    tls: bool | None = None
    """Whether the engine speaks TLS."""

    @property
    def is_headless(self) -> bool:
        """Whether its name leads to the pods themselves."""
        return self._spec.get("clusterIP") == "None"

    @property
    def is_elsewhere(self) -> bool:
        """Whether its name is another's, of which the cluster knows nothing."""
        return self._spec.get("type") == "ExternalName"

    @property
    def ready(self) -> int | None:
        """How many pods behind it are ready; None where nobody says."""
        if self.slices is None:
            return None
        addresses = [one for found in self.slices for one in found.get("endpoints") or []]
        return sum((one.get("conditions") or {}).get("ready") is not False for one in addresses)

    @property
    def ports(self) -> set[int]:
        """At which ports it answers; none where nobody says."""
        if not self.is_headless:
            return {int(port["port"]) for port in self._spec.get("ports") or []}
        ports = [port.get("port") for found in self.slices or () for port in found.get("ports") or []]
        return {int(port) for port in ports if port}

    @property
    def _spec(self) -> Json:
        return (self.service or {}).get("spec") or {}


def of_values(values: Json, namespace: str) -> list[Model]:
    """The models of merged values. namespace: of the endpoint's release."""
    own = str(values.get("namespaceOverride") or namespace)
    models = {name: model for name, model in (values.get("models") or {}).items() if model}
    return [
        Model(
            name,
            str(model.get("service")),
            str(model.get("namespace") or own),
            int(model.get("port") or PORT),
            any((model.get("tls") or {}).get(key) for key in ("caSecretName", "caConfigMapName")),
        )
        for name, model in sorted(models.items())
    ]


def of_config(text: str) -> list[Model]:
    """The models of the configuration that the chart wrote for Envoy; none where it is of another chart's version."""
    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["static_resources"]["clusters"]
        return [model for cluster in found for model in _of_cluster(cluster)]
    except (yaml.YAMLError, KeyError, TypeError, IndexError, ValueError):
        return []


def _of_cluster(cluster: Json) -> Iterator[Model]:
    named = re.fullmatch(r"model-\d+\.<(.*)>", str(cluster.get("alt_stat_name")))
    if named:
        first = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
        address = first["endpoint"]["address"]["socket_address"]
        service, namespace = str(address["address"]).split(".")[:2]
        yield Model(named[1], service, namespace, int(address["port_value"]), "transport_socket" in cluster)


def ask(cluster: Cluster, models: Sequence[Model]) -> dict[Model, Behind]:
    """What a cluster has of models. Raises `kubernetes.client.ApiException` for what it does not answer."""
    return {model: _ask(cluster, model) for model in models}


def _ask(cluster: Cluster, model: Model) -> Behind:
    get = functools.partial(cluster.get, f"/api/v1/namespaces/{model.namespace}/services/{model.service}")
    service, is_there = _allowed(lambda: yaml.safe_load(get(timeout_seconds=30)))
    label = f"kubernetes.io/service-name={model.service}"
    listed, _ = _allowed(
        lambda: cluster.custom.list_namespaced_custom_object(
            *_SLICES, model.namespace, "endpointslices", label_selector=label
        )
    )
    pods = _allowed(lambda: _pods(cluster, model.namespace, service))[0] if service else None
    return Behind(service, is_there, listed.get("items") or [] if listed else None, _speaks_tls(pods or []))


def _pods(cluster: Cluster, namespace: str, service: Json) -> Sequence[Json]:
    """The pods behind a Service; none where it selects none by itself."""
    selector = (service.get("spec") or {}).get("selector") or {}
    if not selector:
        return []
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    answer = cluster.get(f"/api/v1/namespaces/{namespace}/pods", timeout_seconds=30, labelSelector=labels)
    found: Sequence[Json] = json.loads(answer).get("items") or []
    return found


def _speaks_tls(pods: Sequence[Json]) -> bool | None:
    """Whether the engines of this project's pods do; None where there are none, or not all are alike."""
    specs = [pod.get("spec") or {} for pod in pods]
    kinds = {serves_tls(spec["containers"]) for spec in specs if _is_an_engine(spec)}
    return kinds.pop() if len(kinds) == 1 else None


def _is_an_engine(spec: Json) -> bool:
    """Whether nothing but vLLM can be what answers there: a proxy beside it may speak otherwise than it does."""
    containers = spec.get("containers") or []
    return len(containers) == 1 and containers[0].get("name") == "vllm"


def _allowed(question: Callable[[], Any]) -> tuple[Any, bool]:
    """What is answered, None where it may not be seen or is not there; and whether it may be there."""
    try:
        return question(), True
    except client.ApiException as error:
        if error.status not in (403, 404):
            raise
        return None, error.status == 403


# What follows


def explain(check: str, behind: Mapping[Model, Behind]) -> Iterator[Finding]:
    """Which models would not be served, or not as well as they could. check: the name that findings carry."""
    for model, found in behind.items():
        where = f"models.{model.name}"
        if not found.is_there:
            message = f"there is no {model.where}: its requests are answered 503"
            yield Finding(check, where, message, f"install its release, or correct {where}.service", "warning")
        elif found.service is not None and not found.is_elsewhere:
            yield from _of_service(check, where, model, found)


def _of_service(check: str, where: str, model: Model, found: Behind) -> Iterator[Finding]:
    if found.ports and model.port not in found.ports:
        kind = "its pods answer" if found.is_headless else "it answers"
        there = " or ".join(map(str, sorted(found.ports)))
        message = f"{model.where}: {kind} at {there}, and not at {model.port}"
        yield Finding(check, where, message, f"write {where}.port: {min(found.ports)}", "warning")
    if found.ready == 0:
        message = f"no pod behind {model.where} is ready: its requests are answered 503"
        yield Finding(check, where, message, "`vllm-chart diagnose` of its release says why", "warning")
    if found.tls and not model.tls:
        message = f"the engine behind {model.where} speaks TLS, and is asked without: its requests are answered 503"
        yield Finding(check, where, message, f"write {where}.tls.caSecretName: its certificate's authority", "warning")
    elif model.tls and found.tls is False:
        message = f"the engine behind {model.where} speaks no TLS, and is asked by it: its requests are answered 503"
        remedy = f"write tls.secretName in its release, or leave {where}.tls out"
        yield Finding(check, where, message, remedy, "warning")
    if not found.is_headless:
        message = f"{model.where} is not headless: Kubernetes chooses the pod, and no prefix is kept together"
        yield Finding(check, where, message, "write service.clusterIP: None in its release, a new one", "info")


def explain_clients(
    check: str, secret: str, key: str, data: Mapping[str, str], named: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """What is wrong with the clients' document. data: of the Secret. named: clients that the values name, by key."""
    where = f"Secret/{secret}: {key}"
    if key not in data:
        return  # as everything that a pod mounts and that is not there
    try:
        known = {one.client for one in clients.of_secret(data[key])}
    except DocumentError as error:
        message = f"{error}: a replica that starts with it is never ready, and one that runs goes by the one before"
        yield Finding(check, where, message, "write it by `vllm-chart clients`, or put the last good one back")
        return
    if not known:
        message = "it names no client: every request is answered 401"
        yield Finding(check, where, message, "`vllm-chart clients add NAME` makes one", "warning")
    for path, names in named.items():
        for name in sorted({*names} - known) if known else ():
            message = f"there is no client {name!r} in {where}, so that this says nothing about anybody"
            yield Finding(check, f"{path}.{name}", message, "correct the name, or add the client", "warning")
