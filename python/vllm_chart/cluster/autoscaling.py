"""What a cluster says about autoscaling: who there is that scales, who serves metrics for it, and what Prometheus
answers. All of it is read as JSON, because KEDA's objects and API services have no model in the client."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import urllib3
from kubernetes import client

from vllm_chart.cluster.api import Cluster, root_cause

Json = Mapping[str, Any]

#: The API that HPAs ask for external metrics, of which a cluster has one (kedacore/keda#470).
EXTERNAL_METRICS = "v1beta1.external.metrics.k8s.io"

SECONDS = 10
"""How long a question may take; KEDA itself gives Prometheus 3 s."""

#: A Service's address within a cluster: scheme, name, namespace, what shows that it is one, port, path.
_SERVICE = re.compile(
    r"(https?)://([a-z0-9][-a-z0-9]*)\.([a-z0-9][-a-z0-9]*)(\.svc(?:\.[-a-z0-9.]+)?)?(?::([0-9]+))?(/.*)?"
)


class Answer(NamedTuple):
    """What Prometheus answers to a query, or why it does not."""

    numbers: Sequence[float] = ()
    problem: str = ""
    asked: bool = True
    """False where it was not tried, which `problem` says."""


@dataclasses.dataclass(frozen=True)
class Autoscaling:
    """What a cluster says about autoscaling in a namespace at one moment. None is what the caller may not see."""

    apis: Mapping[str, bool | None] = dataclasses.field(default_factory=dict)
    """Whether the cluster has an API: "keda.sh/v1alpha1"."""
    external_metrics: Json | None = dataclasses.field(default_factory=dict)
    """The APIService that serves external metrics; empty where there is none."""
    hpas: Sequence[Json] | None = ()
    scaled_objects: Sequence[Json] | None = ()
    found: Mapping[tuple[str, str], bool | None] = dataclasses.field(default_factory=dict)
    """Whether an object is there that triggers name, by kind and name."""
    answers: Mapping[str, Answer] = dataclasses.field(default_factory=dict)
    """By query."""


def has_api(cluster: Cluster, api: str) -> bool | None:
    """Whether a cluster has an API, "keda.sh/v1alpha1"; None where it does not say."""
    return is_there(cluster, f"/apis/{api}")


def external_metrics(cluster: Cluster) -> Json | None:
    """The APIService of the external metrics, empty where there is none, None where it may not be read."""
    path = f"/apis/apiregistration.k8s.io/v1/apiservices/{EXTERNAL_METRICS}"
    return _read(cluster, path)


def hpas(cluster: Cluster, namespace: str) -> Sequence[Json] | None:
    """The HorizontalPodAutoscalers of a namespace; None where they may not be listed."""
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    found = _read(cluster, path)
    return None if found is None else found.get("items") or []


def scaled_objects(cluster: Cluster, namespace: str) -> Sequence[Json] | None:
    """KEDA's ScaledObjects of a namespace: none where there is no KEDA, None where they may not be listed."""
    path = f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects"
    found = _read(cluster, path)
    return None if found is None else found.get("items") or []


def is_there(cluster: Cluster, path: str) -> bool | None:
    """Whether there is an object at a path; None where it may not be read."""
    found = _read(cluster, path)
    return None if found is None else bool(found)


def ask(cluster: Cluster, address: str, query: str) -> Answer:
    """Ask a Prometheus that is a Service of the cluster, through the API server.

    address: as KEDA has it, "http://prometheus.monitoring:9090". What is no Service is not asked.
    """
    service = _SERVICE.fullmatch(address)
    if service is None:
        return Answer(problem=f"{address} is no Service of the cluster", asked=False)
    scheme, name, namespace, surely, port, path = service.groups()
    there = is_there(cluster, f"/api/v1/namespaces/{namespace}/services/{name}")
    if not there:
        if there is False and surely:
            return Answer(problem=f"there is no Service {name} in namespace {namespace}")
        return Answer(problem=f"no Service {name} in namespace {namespace} is yours to see", asked=False)
    proxied = f"{scheme}:{name}:{port or (443 if scheme == 'https' else 80)}"
    url = f"/api/v1/namespaces/{namespace}/services/{proxied}/proxy{path or ''}/api/v1/query"
    try:
        return _answer(json.loads(cluster.get(url, timeout_seconds=SECONDS, query=query)))
    except client.ApiException as error:
        if error.status in (401, 403):
            return Answer(problem="it is not asked: that is not yours to do, or it asks for a password", asked=False)
        detail = str(error.body or error.reason).strip()
        return Answer(problem=f"it answered {error.status}: {detail[:200]}")
    except urllib3.exceptions.HTTPError as error:
        return Answer(problem=f"it did not answer: {root_cause(error)}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Answer(problem="what answered is no Prometheus")


def _answer(document: Any) -> Answer:
    if document.get("status") != "success":
        return Answer(problem=str(document.get("error") or "no success"))
    return Answer(numbers=[float(series["value"][1]) for series in document["data"]["result"]])


def _read(cluster: Cluster, path: str) -> Json | None:
    """What is at a path, empty where there is nothing, None where it may not be read."""
    try:
        found: Json = json.loads(cluster.get(path, timeout_seconds=SECONDS))
    except client.ApiException as error:
        if error.status == 404:
            return {}
        if error.status in (401, 403):
            return None
        raise
    return found
