"""Prefix hits of real engines, asked through their Service and through the endpoint: the same load, a cold cache each.

Applications share beginnings (system prompts), of which a replica's cache holds a part. The hits are the engines' own
counters, in tokens. Each way has beginnings of its own, which no cache knows.
"""

import dataclasses
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Pod

from ci.shell import HarnessError, wait_until
from tests.e2e.clients import execute, pod_name, start_application
from tests.e2e.endpoints import APPLICATION, CLIENTS_SECRET, METRICS_PORT, Endpoint, fetch_page
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.scaling import gpus_a_node
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.prefixes

REPLICAS = 4
MODEL = "san-francisco"
API_PORT = 8080
# 16 beginnings of some 25 blocks each; a replica's cache has room for 6 of them, and for two requests that run.
PREFIXES, LETTERS = 16, 800
BLOCK, BLOCKS = 32, 160
CACHE = (
    f"engine.args.block-size={BLOCK}",
    f"engine.args.num-gpu-blocks-override={BLOCKS}",
    "engine.args.max-model-len=2048",
    "engine.args.max-num-seqs=2",
)
# In parts, because a command in a pod has two minutes.
PARTS, COUNT, WORKERS, TOKENS = 5, 64, 16, 4
TIMES_THE_SERVICE, BUSIEST = 2, 1.6
#: Of the hits of one replica that has room for all beginnings: it misses each once.
OF_ONE_REPLICA, ONE_REPLICA = 0.9, 1 - PREFIXES / (PARTS * COUNT)
SECONDS = 120
_ASK_PREFIXES = Path(__file__).with_name("programs") / "ask_prefixes.py"


@dataclasses.dataclass(frozen=True)
class Counted:
    """What replicas have counted, by pod: tokens of prompts, those of them that were in the cache, requests."""

    queries: Mapping[str, float]
    hits: Mapping[str, float]
    requests: Mapping[str, float]

    def since(self, before: "Counted") -> "Counted":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(before), strict=True)
        return Counted(*({pod: now[pod] - then[pod] for pod in now} for now, then in pairs))

    @property
    def share(self) -> float:
        """Hits, of all tokens of prompts."""
        return sum(self.hits.values()) / sum(self.queries.values())

    @property
    def busiest(self) -> float:
        """The most requests of a replica, of the mean."""
        return max(self.requests.values()) / (sum(self.requests.values()) / len(self.requests))


@pytest.fixture(scope="module")
def engines(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[Installation]:
    if not profile.no_gpu or len(profile.gpu_nodes) < 2:
        pytest.skip("needs two nodes with simulated GPUs")
    start_application(cluster, namespace)
    set_ = (f"replicaCount={REPLICAS}", "service.pods.enabled=true", SHORT_STOP, *CACHE)
    release = Installation(helm, cluster, profile, namespace, "first", profile.article, set_)
    with gpus_a_node(cluster, profile, REPLICAS // 2):
        release.install()
        yield release
        release.uninstall()


@pytest.fixture(scope="module")
def endpoint(engines: Installation, helm: Helm, cluster: Cluster, namespace: str) -> Iterator[Endpoint]:
    values = {
        "models": {MODEL: {"service": f"{engines.service}-pods"}},
        "clients": {"secretName": CLIENTS_SECRET},
        "concurrency": 1,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    endpoint = Endpoint(helm, cluster, namespace, values, {"app": f"sk-{secrets.token_urlsafe()}"})
    endpoint.install()
    for pod in endpoint.ready():
        _wait_until_it_knows_all(endpoint, pod)
    yield endpoint
    endpoint.uninstall()


def _wait_until_it_knows_all(endpoint: Endpoint, pod: V1Pod) -> None:
    def known() -> bool:
        page = fetch_page(endpoint.cluster, endpoint.namespace, pod, METRICS_PORT)
        return page.total("envoy_cluster_membership_healthy", model=MODEL) == REPLICAS

    wait_until(f"{pod_name(pod)} knows {REPLICAS} healthy replicas", known, SECONDS)


def _count(release: Installation) -> Counted:
    names = ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:request_success_total")
    pages = {pod_name(pod): fetch_page(release.cluster, release.namespace, pod, 8000) for pod in release.engines()}
    assert len(pages) == REPLICAS
    return Counted(*({pod: page.total(name) or 0 for pod, page in pages.items()} for name in names))


def _ask(endpoint: Endpoint, **asked: Any) -> list[dict[str, Any]]:
    whole = {
        "key": endpoint.keys["app"],
        "model": MODEL,
        "prefixes": PREFIXES,
        "letters": LETTERS,
        "part": 0,
        "count": COUNT,
        "workers": WORKERS,
        "tokens": TOKENS,
        "order": "shuffled",
        **asked,
    }
    command = ("python3", "-c", _ASK_PREFIXES.read_text(), json.dumps(whole))
    answers: list[dict[str, Any]] = json.loads(execute(endpoint.cluster, endpoint.namespace, APPLICATION, *command))
    assert {answer["status"] for answer in answers} == {200}
    return answers


def _load(endpoint: Endpoint, release: Installation, url: str, salt: str) -> Counted:
    """What the replicas counted of the load."""
    before, began = _count(release), time.time()
    answers = [answer for part in range(PARTS) for answer in _ask(endpoint, urls=[url], salt=salt, part=part)]
    took = time.time() - began
    counted = _count(release).since(before)
    median = sorted(answer["seconds"] for answer in answers)[len(answers) // 2]
    print(f"{salt}: {len(answers)} requests in {took:.0f} s, median {median:.2f} s")
    print(f"hits: {counted.share:.1%} of {sum(counted.queries.values()):.0f} tokens")
    print(f"requests by replica {sorted(counted.requests.values())}, busiest {counted.busiest:.2f} of the mean")
    return counted


def test_prefix_hits_are_twice_those_of_the_service(endpoint: Endpoint, engines: Installation) -> None:
    service = _load(endpoint, engines, f"http://{engines.service}.{engines.namespace}.svc", "service")
    through = _load(endpoint, engines, endpoint.url, "endpoint")

    for counted in (service, through):
        assert sum(counted.requests.values()) == PARTS * COUNT
    assert service.share > 0  # or the cache is off, and twice as many are none either
    assert through.share >= TIMES_THE_SERVICE * service.share
    assert through.share >= OF_ONE_REPLICA * ONE_REPLICA
    assert through.busiest <= BUSIEST


def test_every_replica_of_the_endpoint_chooses_the_same_engine(endpoint: Endpoint) -> None:
    pods = endpoint.ready()
    assert len(pods) == 2
    urls = [f"http://{pod.status.pod_ip}:{API_PORT}" for pod in pods if pod.status]
    answers = _ask(endpoint, urls=urls, salt="each", order="each")

    chosen = _chosen(endpoint, {answer["id"] for answer in answers})
    by_prefix: dict[int, set[str]] = {}
    for answer in answers:
        by_prefix.setdefault(answer["prefix"], set()).add(chosen[answer["id"]])
    print(f"beginnings by engine: {Counter(next(iter(engines)) for engines in by_prefix.values())}")
    assert len(answers) == 2 * PREFIXES
    assert {prefix: len(engines) for prefix, engines in by_prefix.items()} == dict.fromkeys(range(PREFIXES), 1)
    assert len(set().union(*by_prefix.values())) > 1


def _chosen(endpoint: Endpoint, ids: set[str]) -> dict[str, str]:
    """The engine that each request went to, as the endpoint's log says once it is written out."""
    read = endpoint.cluster.core.read_namespaced_pod_log
    found: dict[str, str] = {}

    def written() -> bool:
        lines = [line for pod in endpoint.ready() for line in read(pod_name(pod), endpoint.namespace).splitlines()]
        told = [json.loads(line) for line in lines if line.startswith("{")]
        found.update({line["request_id"]: line["replica"] for line in told if line.get("request_id") in ids})
        if found.keys() != ids:
            raise HarnessError(f"{len(found)} of {len(ids)} are there")
        return True

    wait_until("the requests are in the endpoint's log", written, SECONDS)
    return found
