"""Questions to a Prometheus: at a URL, at a Service of a cluster, or the one that prometheus-operator runs there."""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes import client

from vllm_chart.cluster import prometheus
from vllm_chart.cluster.api import Cluster, asking_the_api_server, root_cause
from vllm_chart.findings import UnavailableError

SECONDS = 60.0
TOKEN_VARIABLE = "PROMETHEUS_TOKEN"
#: The port of a Prometheus in the pods of prometheus-operator: pkg/prometheus/server/statefulset.go of 0.85.
OPERATORS_PORT = 9090

REMEDY = (
    "name one with --prometheus: http://prometheus.monitoring.svc:9090, or http://localhost:9090 beside a "
    "`kubectl port-forward`"
)


@dataclasses.dataclass(frozen=True)
class Prometheus:
    """A Prometheus, by the name that a person knows it by, and the way to it."""

    name: str
    get: Callable[[str], bytes]
    """Asks a query (of its HTTP API), and gives the body. Raises UnavailableError."""

    def ask(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """The labels and the value of each series that a query gives now.

        https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
        Raises UnavailableError where it does not answer, or refuses the query.
        """
        try:
            answer = json.loads(self.get(query))
            if answer["status"] != "success":
                raise UnavailableError(f"{self.name} refused a query: {answer.get('error')}")
            return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]
        except (ValueError, KeyError, TypeError) as error:
            raise UnavailableError(f"what answered as {self.name} is no Prometheus: {REMEDY}") from error


def at(url: str, cluster: Callable[[], Cluster]) -> Prometheus:
    """The Prometheus of a URL. One of a Service, http://NAME.NAMESPACE.svc:9090, is asked through the API server.

    cluster: gives the cluster, where it is needed. PROMETHEUS_TOKEN is its bearer token where it wants one; the API
    server can't hand one on.
    """
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    if len(labels) < 3 or labels[2] != "svc":
        return Prometheus(url, lambda query: _directly(url, query))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = f"/api/v1/namespaces/{labels[1]}/services/{parts.scheme}:{labels[0]}:{port}/proxy{parts.path.rstrip('/')}"
    return Prometheus(url, lambda query: _through_the_api_server(cluster(), path, url, query))


def of_operator(cluster: Cluster) -> list[Prometheus]:
    """Those that prometheus-operator runs, of which each pod has all series of its own.

    Raises UnavailableError where there is none, or they may not be listed.
    """
    with asking_the_api_server():
        found = prometheus.servers(cluster)
    if found is None:
        raise UnavailableError(f"the Prometheuses of the cluster may not be listed: {REMEDY}")
    whole = [one for one in found if int((one.get("spec") or {}).get("shards") or 1) == 1]
    if not whole:
        why = "spreads its targets over shards" if found else "there is none of prometheus-operator in the cluster"
        raise UnavailableError(f"no Prometheus to ask: {why}: {REMEDY}")
    return [_of_operator(cluster, one) for one in whole]


def _of_operator(cluster: Cluster, found: Mapping[str, Any]) -> Prometheus:
    metadata, spec = found["metadata"], found.get("spec") or {}
    name = f"Prometheus {metadata['namespace']}/{metadata['name']}"
    scheme = "https:" if (spec.get("web") or {}).get("tlsConfig") else ""
    pod = f"{scheme}prometheus-{metadata['name']}-0:{OPERATORS_PORT}"
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{pod}/proxy{(spec.get('routePrefix') or '').rstrip('/')}"
    return Prometheus(name, lambda query: _through_the_api_server(cluster, path, name, query))


def _through_the_api_server(cluster: Cluster, path: str, name: str, query: str) -> bytes:
    try:
        return cluster.get(f"{path}/api/v1/query", timeout_seconds=SECONDS, query=query)
    except client.ApiException as error:
        if _is_its_own(error.body):
            return str(error.body).encode()
        why = "that is not yours to do, or it wants a token" if error.status in (401, 403) else str(error.reason)
        raise UnavailableError(f"{name} does not answer ({error.status}): {why}: {REMEDY}") from error
    except urllib3.exceptions.HTTPError as error:
        raise UnavailableError(f"{name} does not answer: {root_cause(error)}") from error


def _directly(url: str, query: str) -> bytes:
    token = os.environ.get(TOKEN_VARIABLE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    whole = f"{url.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
    try:
        with urllib3.PoolManager(retries=False) as pool:
            answer = pool.request("GET", whole, headers=headers, timeout=SECONDS)
    except urllib3.exceptions.HTTPError as error:
        raise UnavailableError(f"{url} does not answer: {root_cause(error)}") from error
    if answer.status in (401, 403):
        raise UnavailableError(f"{url} refuses the question ({answer.status}): write its token in {TOKEN_VARIABLE}")
    return answer.data


def _is_its_own(body: object) -> bool:
    """Whether an error was said by Prometheus, whose answer says what is wrong with a query, and not before it."""
    try:
        answer = json.loads(str(body))
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("status") == "error"


def first_with(found: Sequence[Prometheus], query: str) -> Prometheus:
    """The first that gives something for a query, else the first that answers. Raises UnavailableError: none does."""
    answering: list[Prometheus] = []
    problems: list[UnavailableError] = []
    for one in found:
        try:
            if one.ask(query):
                return one
            answering.append(one)
        except UnavailableError as error:
            problems.append(error)
    if not answering:
        raise problems[0]
    return answering[0]
