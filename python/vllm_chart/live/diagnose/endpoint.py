"""Of a release of the chart vllm-endpoint: whether its clients' document can be read, and its models are served."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubernetes import client

from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import behind
from vllm_chart.endpoint.behind import Behind, Model
from vllm_chart.findings import Finding
from vllm_chart.rendered.workload import Workload

#: The names in the chart's pods: of Envoy's container, of the volumes of its configuration and its clients.
CONTAINER, CONFIG, CLIENTS = "envoy", "config", "clients"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """What a cluster says of an endpoint's clients and models."""

    secret: str = ""
    key: str = ""
    data: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Of the clients' Secret; empty where it is not there, which the kubelet says, or may not be read."""
    models: Mapping[Model, Behind] = dataclasses.field(default_factory=dict)


def ask(cluster: Cluster, namespace: str, workloads: Sequence[Workload]) -> Endpoint | None:
    """Ask a cluster about an endpoint; None where none of a release's workloads is one.

    Raises `kubernetes.client.ApiException` for what it refuses.
    """
    specs = [workload.front.spec for workload in workloads]
    found = next(
        (spec for spec in specs if any(one.get("name") == CONTAINER for one in spec.get("containers") or [])), {}
    )
    volumes = {volume.get("name"): volume for volume in found.get("volumes") or []}
    if CONFIG not in volumes:
        return None
    written = str((volumes[CONFIG].get("configMap") or {}).get("name") or "")
    config = _read(cluster.core.read_namespaced_config_map, written, namespace)
    clients = (volumes.get(CLIENTS) or {}).get("secret") or {}
    secret = str(clients.get("secretName") or "")
    [item, *_] = clients.get("items") or [{}]
    return Endpoint(
        secret,
        str(item.get("key") or ""),
        _read(cluster.core.read_namespaced_secret, secret, namespace),
        behind.ask(cluster, behind.of_config(config.get("envoy.yaml", ""))),
    )


def _runs_envoy(spec: Mapping[str, Any]) -> bool:
    return any(container.get("name") == CONTAINER for container in spec.get("containers") or [])


def _read(reader: Any, name: str, namespace: str) -> dict[str, str]:
    """The data of an object; none where it is not there, or not to be seen."""
    if not name:
        return {}
    try:
        return dict(reader(name, namespace).data or {})
    except client.ApiException as error:
        if error.status in (403, 404):
            return {}
        raise


def explain(found: Endpoint | None) -> Iterator[Finding]:
    """What keeps clients out, or requests from a model."""
    if found is not None:
        yield from behind.explain_clients("endpoint-clients", found.secret, found.key, found.data, {})
        yield from behind.explain("endpoint-models", found.models)
