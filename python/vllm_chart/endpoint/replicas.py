"""The replicas of an endpoint in a cluster: which Secret they read, and which version of it each goes by.

A replica tells the version in its metrics (the document's `version_info`), so that no key has to be shown to ask:
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/overview/mgmt_server#xds-subscription-statistics
"""

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.cluster import workloads
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.endpoint import clients, secret
from vllm_chart.endpoint.secret import Place
from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.live.top.pods import Replica
from vllm_chart.live.top.ways import NoAnswerError, Ways
from vllm_chart.rendered.workload import Workload

#: The name of Envoy's port for metrics in the chart's pods.
PORT = "metrics"
#: What a replica tells of its clients' document: its version alone.
VERSION = "envoy_extension_config_discovery_http_filter_api_keys_version_text"
QUESTION = {"text_readouts": "true", "filter": "api-keys.version_text$"}
#: The kubelet looks at a pod's volumes as soon as something of the pod changes, and every minute or so otherwise.
ANNOTATION = "checksum/clients"
EVERY_SECONDS, AGAIN_SECONDS, ANSWER_SECONDS, AT_ONCE = 0.5, 2.0, 5.0, 16

Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What came of waiting: how many replicas go by a version, of how many, and what is to say of the others."""

    taken: int = 0
    of: int = 0
    findings: Sequence[Finding] = ()


def place_of(cluster: Cluster, release: str, namespace: str) -> Place:
    """Where a release's clients are. Raises UnavailableError where there is no such release."""
    place = secret.place_in(workload_of(cluster, release, namespace).front.spec, namespace)
    if place is None:
        raise UnavailableError(f"release {release} has no clients with keys: write clients.secretName in its values")
    return place


def workload_of(cluster: Cluster, release: str, namespace: str) -> Workload:
    """The workload of an endpoint's release. Raises UnavailableError where there is none."""
    with asking_the_api_server():
        found = workloads.find(cluster, namespace, f"app.kubernetes.io/instance={release}").workloads
    for workload in found:
        if secret.envoy_of(workload.front.spec):
            return workload
    raise UnavailableError(
        f"there is no release {release!r} of the chart vllm-endpoint in namespace {namespace}: `helm list "
        "--all-namespaces` shows what there is"
    )


def wait(
    cluster: Cluster,
    release: str,
    place: Place,
    version: str,
    timeout_seconds: float,
    tell: Callable[[str], None] = lambda _: None,
) -> Seen:
    """Wait until every running replica goes by a version of the clients, or one that another writer made of it
    meanwhile; the kubelets are told to look.

    tell: is told how it stands. Raises UnavailableError where the API server refuses to say which pods there are.
    """
    end = time.monotonic() + timeout_seconds
    looks = _Looks(cluster, place.namespace, version)
    accepted = {version}
    with Ways(cluster, place.namespace, ANSWER_SECONDS, "metrics", QUESTION) as ways:
        while True:
            found, ending = _replicas(cluster, release, place)
            ways.keep({replica.uid: replica for replica in found})
            refused = {name: why for name, why in _ask(ways, found, accepted) if why}
            for name in refused:
                looks.ask_for(name)
            taken = len(found) - len(refused)
            tell(f"{taken} of {len(found)} replicas have taken it up")
            if not refused or time.monotonic() >= end:
                break
            time.sleep(min(EVERY_SECONDS, max(0.0, end - time.monotonic())))
            accepted.add(clients.version(secret.read(cluster, place)))
    findings = [_not_taken(name, why, timeout_seconds) for name, why in refused.items()]
    return Seen(taken, len(found), [*looks.findings, *findings, *map(_ending, ending)])


def pages(cluster: Cluster, namespace: str, labels: Mapping[str, str], question: Mapping[str, str]) -> dict[str, str]:
    """What the running pods with these labels say to a question about their metrics, by name; without those that can't
    be asked. Raises UnavailableError where the API server refuses to say which pods there are."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    found = [_replica(pod) for pod in _running(cluster, namespace, selector)]

    def ask(replica: Replica) -> str:
        with contextlib.suppress(NoAnswerError):
            return ways.page(replica)
        return ""

    with Ways(cluster, namespace, ANSWER_SECONDS, "metrics", question) as ways, ThreadPoolExecutor(AT_ONCE) as pool:
        told = zip((replica.name for replica in found), pool.map(ask, found), strict=True)
        return {name: page for name, page in told if page}


def _running(cluster: Cluster, namespace: str, selector: str) -> list[Json]:
    with asking_the_api_server():
        path = f"/api/v1/namespaces/{namespace}/pods"
        answer = json.loads(cluster.get(path, timeout_seconds=ANSWER_SECONDS, labelSelector=selector))
    return [pod for pod in answer.get("items") or [] if (pod.get("status") or {}).get("phase") == "Running"]


def _replicas(cluster: Cluster, release: str, place: Place) -> tuple[list[Replica], list[str]]:
    """The running pods that mount the clients' Secret, and the names of those that end."""
    pods = _running(cluster, place.namespace, f"app.kubernetes.io/instance={release}")
    running = [pod for pod in pods if secret.place_in(pod.get("spec") or {}, place.namespace) == place]
    there = [pod for pod in running if not pod["metadata"].get("deletionTimestamp")]
    ending = [pod["metadata"]["name"] for pod in running if pod not in there]
    return [_replica(pod) for pod in there], ending


def _replica(pod: Json) -> Replica:
    metadata = pod["metadata"]
    envoy = secret.envoy_of(pod["spec"]) or {}
    ports = {port.get("name"): int(port["containerPort"]) for port in envoy.get("ports") or []}
    return Replica(
        name=metadata["name"],
        uid=metadata.get("uid") or metadata["name"],
        phase="",
        ready=True,
        answers=True,
        restarts=0,
        port=ports.get(PORT, 9090),
        tls=False,
        containers=(),
        started=None,
    )


class _Looks:
    """Has kubelets look at their pods' volumes, by changes of an annotation.

    A kubelet that was told of the pod before it was told of the Secret has looked in vain: it is asked again, after
    longer and longer times.
    """

    def __init__(self, cluster: Cluster, namespace: str, version: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._version = version
        self._asked: dict[str, tuple[int, float]] = {}
        """By pod: how often, and when next."""
        self.findings: list[Finding] = []
        """That it is not allowed."""

    def ask_for(self, pod: str) -> None:
        """Change a pod's annotation, if it is time."""
        times, due = self._asked.get(pod, (0, 0.0))
        if self.findings or time.monotonic() < due:
            return
        self._asked[pod] = times + 1, time.monotonic() + AGAIN_SECONDS * 2**times
        patch = {"metadata": {"annotations": {ANNOTATION: f"{self._version[:32]}-{times}"}}}
        merge = "application/merge-patch+json"
        try:
            self._cluster.core.patch_namespaced_pod(pod, self._namespace, patch, _content_type=merge)
        except client.ApiException as error:
            if error.status != 404:  # it has gone
                message = (
                    f"its pods can't be annotated ({error.status}): it takes until the kubelets look by themselves"
                )
                self.findings.append(Finding("clients-taken", f"namespace {self._namespace}", message, "", "info"))
        except urllib3.exceptions.HTTPError:
            pass  # no answer: it is asked again, if the API server still says which pods there are


def _ask(ways: Ways, found: Sequence[Replica], accepted: Collection[str]) -> Iterator[tuple[str, str]]:
    """Of each replica its name, and why it does not go by one of these versions; "" where it does."""

    def why(replica: Replica) -> str:
        try:
            page = ways.page(replica)
        except NoAnswerError as error:
            return str(error)
        told = re.search(rf'^{VERSION}\{{[^}}]*text_value="([^"]*)"', page, re.MULTILINE)
        if told is None:
            return "it does not tell which version of the clients it goes by: it is of an older chart"
        return "" if told[1] in accepted else "it goes by the former document still"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip((replica.name for replica in found), pool.map(why, found), strict=True)


def _not_taken(pod: str, why: str, seconds: float) -> Finding:
    remedy = (
        f"the kubelet brings it within two minutes; if not, `kubectl describe pod {pod}` and the log say why; "
        "--timeout waits longer"
    )
    return Finding("clients-taken", f"Pod/{pod}", f"it has not taken the change up in {seconds:.0f} s: {why}", remedy)


def _ending(pod: str) -> Finding:
    message = "it is ending, and goes by what it knows for connections that it has"
    return Finding("clients-taken", f"Pod/{pod}", message, "", "info")
