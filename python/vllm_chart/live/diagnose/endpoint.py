"""Of a release of the chart vllm-endpoint: whether its clients' document can be read, and its models are served."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.cluster.api import Cluster, unless_hidden
from vllm_chart.endpoint import behind, handshakes, issuer, replicas, secret
from vllm_chart.endpoint.behind import Behind, Model
from vllm_chart.endpoint.handshakes import Watched
from vllm_chart.endpoint.secret import Place
from vllm_chart.findings import Finding
from vllm_chart.rendered.workload import Workload

#: The name of the volume of Envoy's configuration in the chart's pods.
CONFIG = "config"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """What a cluster says of an endpoint's clients and models."""

    secret: str = ""
    key: str = ""
    data: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Of the clients' Secret; empty where it is not there, which the kubelet says, or may not be read."""
    models: Mapping[Model, Behind] = dataclasses.field(default_factory=dict)
    handshakes: Watched = dataclasses.field(default_factory=Watched)
    """What the replicas count of TLS to engines; nothing where no engine is asked by it."""
    issuer: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What they count of the keys that they fetch of an issuer, by their pods' names; nothing where they fetch none."""


def ask(cluster: Cluster, namespace: str, workloads: Sequence[Workload]) -> Endpoint | None:
    """Ask a cluster about an endpoint; None where none of a release's workloads is one.

    Raises `kubernetes.client.ApiException` for what it refuses.
    """
    workload = next((workload for workload in workloads if secret.envoy_of(workload.front.spec)), None)
    found = workload.front.spec if workload else {}
    volumes = {volume.get("name"): volume for volume in found.get("volumes") or []}
    if workload is None or CONFIG not in volumes:
        return None
    written = str((volumes[CONFIG].get("configMap") or {}).get("name") or "")
    config = _data(cluster.core.read_namespaced_config_map, written, namespace)
    place = secret.place_in(found, namespace) or Place(namespace, "", "")
    envoy = config.get("envoy.yaml", "")
    models = behind.of_config(envoy)
    tls = any(model.tls for model in models)

    def pages(question: Mapping[str, str]) -> dict[str, str]:
        return replicas.pages(cluster, namespace, workload.front.labels, question)

    return Endpoint(
        place.secret,
        place.key,
        _data(cluster.core.read_namespaced_secret, place.secret, namespace),
        behind.ask(cluster, models),
        handshakes.watch(lambda: pages(handshakes.QUESTION)) if tls else Watched(),
        pages(issuer.QUESTION) if issuer.is_asked(envoy) else {},
    )


def _data(reader: Callable[[str, str], Any], name: str, namespace: str) -> dict[str, str]:
    """The data of an object; none where it is not there, or not to be seen."""
    found = unless_hidden(lambda: reader(name, namespace)) if name else None
    return dict((found and found.data) or {})


def explain(found: Endpoint | None) -> Iterator[Finding]:
    """What keeps clients out, or requests from a model."""
    if found is not None:
        yield from behind.explain_clients("endpoint-clients", found.secret, found.key, found.data, {})
        yield from issuer.explain("endpoint-clients", found.issuer)
        yield from behind.explain("endpoint-models", found.models)
        yield from handshakes.explain("endpoint-models", found.handshakes)
