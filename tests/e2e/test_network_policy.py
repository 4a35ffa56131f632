"""Who is kept out, by a network plugin that enforces policies (--network), of a real engine and a real endpoint.

It begins with a denial that is seen to deny: where nothing enforces policies, all claims are skipped and not held.
"""

import dataclasses
import json
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import V1Pod
from pytest_helm_charts.k8s.fixtures import NamespaceFactoryFunc

from ci import versions
from ci.images.models import SHARED_PROMPT
from ci.shell import HarnessError, wait_until
from tests.e2e.clients import (
    RESTRICTED_CONTAINER,
    RESTRICTED_POD,
    SECONDS,
    execute,
    is_ready,
    pod_name,
    start_application,
)
from tests.e2e.endpoints import CLIENTS_SECRET, Endpoint
from tests.e2e.profiles import GPU_LABEL, Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.network

#: How long a plugin may take to learn of a policy or of a pod.
SETTLE_SECONDS = 60
#: Nothing declares it: a debugger's port, as it were.
HIDDEN_PORT, API_PORT, LISTEN_PORT = 5557, 8000, 8888
ENDPOINT_PORT, METRICS_PORT = 8080, 9090
LISTEN = ("python3", "-m", "http.server", str(LISTEN_PORT))
# A plugin drops packets, or rejects them.
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=4).close()
    print("reached")
except OSError:
    print("kept out")
"""


@dataclasses.dataclass(frozen=True)
class World:
    """Pods that ask, by what they are called in the rows: each listens on LISTEN_PORT, too."""

    cluster: Cluster
    pods: dict[str, V1Pod]

    def reaches(self, who: str, address: str, port: int) -> bool:
        pod = self.pods[who]
        assert pod.metadata
        command = ("python3", "-c", CONNECT, address, str(port))
        return execute(self.cluster, pod.metadata.namespace or "", pod_name(pod), *command).strip() == "reached"

    def address(self, who: str) -> str:
        return address(self.pods[who])


def address(pod: V1Pod) -> str:
    return (pod.status.pod_ip if pod.status else None) or ""


def start(cluster: Cluster, namespace: str, name: str, labels: dict[str, str], **spec: Any) -> V1Pod:
    """Start a pod that listens, on a node without the GPUs, and wait until it is ready."""
    elsewhere = {"matchExpressions": [{"key": GPU_LABEL, "operator": "DoesNotExist"}]}
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [elsewhere]}}
    container = {
        "name": name,
        "image": versions.CLIENT_IMAGE,
        "command": [*LISTEN],
        "readinessProbe": {"httpGet": {"path": "/", "port": LISTEN_PORT}, "periodSeconds": 1, "failureThreshold": 3},
        "workingDir": "/tmp",
        "securityContext": RESTRICTED_CONTAINER,
    }
    pod = {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD,
            "affinity": {"nodeAffinity": affinity},
            "containers": [container],
            **spec,
        },
    }
    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(pod))
    ready: V1Pod = cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={name}",
        until=is_ready,
        timeout_seconds=SECONDS,
    )
    return ready


@pytest.fixture(scope="module")
def spaces(namespace_factory: NamespaceFactoryFunc, namespace: str) -> dict[str, str]:
    """Namespaces: the release's, friends with a label that lets in, strangers without, and who watches."""
    named = {"release": namespace}
    for space in ("friends", "strangers", "watchers"):
        named[space] = f"vllm-e2e-{space}-{secrets.token_hex(3)}"
        namespace_factory(named[space], {"labels": {"team": space}})
    return named


@pytest.fixture(scope="module")
def world(cluster: Cluster, spaces: dict[str, str]) -> World:
    load = {"app.kubernetes.io/name": "vllm-chart-load"}
    pods = {
        "friend": start(cluster, spaces["friends"], "chat", {"app": "chat"}),
        "friend's cron job": start(cluster, spaces["friends"], "cron", {"app": "cron"}),
        "stranger": start(cluster, spaces["strangers"], "chat", {"app": "chat"}),
        "stranger's load": start(cluster, spaces["strangers"], "load", load),
        "watcher": start(cluster, spaces["watchers"], "prometheus", {"app": "prometheus"}),
        "neighbour": start(cluster, spaces["release"], "neighbour", {"app": "chat"}),
        "vllm-chart load": start(cluster, spaces["release"], "load", load),
        # On its node's network no selector matches it.
        "node": start(cluster, spaces["friends"], "node", {"app": "chat"}, hostNetwork=True),
    }
    return World(cluster, pods)


@pytest.fixture(scope="module", autouse=True)
def enforced(world: World, cluster: Cluster, spaces: dict[str, str]) -> None:
    """Where a policy that denies all denies nothing, nothing here could be shown."""
    target = start(cluster, spaces["strangers"], "target", {"app": "target"})
    assert world.reaches("friend", address(target), LISTEN_PORT), "a pod that no policy is about is not reached"
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny-all"},
        "spec": {"podSelector": {"matchLabels": {"app": "target"}}, "policyTypes": ["Ingress"]},
    }
    apply = cluster.kubectl("apply", f"--namespace={spaces['strangers']}", "--filename=-")
    subprocess.run(apply, input=json.dumps(deny), text=True, check=True)
    try:
        denied = lambda: not world.reaches("friend", address(target), LISTEN_PORT)  # noqa: E731
        wait_until("a policy that denies all denies", denied, SETTLE_SECONDS)
    except HarnessError as error:
        pytest.skip(f"needs a network plugin that enforces policies (`ci/run cluster -- up --network`): {error}")


def test_probes_go_on_where_all_is_denied(cluster: Cluster, spaces: dict[str, str], enforced: None) -> None:
    """The kubelet asks from the node, which no policy keeps out: ten probes later the pod is ready as before."""
    started = [f"--namespace={spaces['strangers']}", "pod/target", "--for=condition=Ready=false", "--timeout=10s"]
    done = subprocess.run(cluster.kubectl("wait", *started), capture_output=True, text=True, check=False)
    assert done.returncode != 0, "its readiness probe failed"
    pod = cluster.core.read_namespaced_pod("target", spaces["strangers"])
    assert is_ready(pod)


@pytest.fixture(scope="module")
def llm(
    enforced: None, helm: Helm, cluster: Cluster, profile: Profile, spaces: dict[str, str]
) -> Iterator[Installation]:
    """An engine that friends' chat and the endpoint may ask, and watchers scrape; it reaches names and friends."""
    endpoint = {"matchLabels": {"app.kubernetes.io/name": "vllm-endpoint"}}
    friends = {"matchLabels": {"team": "friends"}}
    listener = {
        "name": "debugger",
        "image": versions.CLIENT_IMAGE,
        "command": ["python3", "-m", "http.server", str(HIDDEN_PORT), "--directory", "/tmp"],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
    }
    values = {
        **profile.article.values,
        "extraContainers": [listener],
        "networkPolicy": {
            "ingress": {
                "from": [
                    {"namespaceSelector": friends, "podSelector": {"matchLabels": {"app": "chat"}}},
                    {"namespaceSelector": friends, "podSelector": endpoint},
                ],
                "metricsFrom": [{"namespaceSelector": {"matchLabels": {"team": "watchers"}}}],
            },
            "egress": {"enabled": True, "to": [{"namespaceSelector": friends}]},
        },
    }
    model = dataclasses.replace(profile.article, values=values)
    set_ = ("replicaCount=1", "service.clusterIP=None", SHORT_STOP)
    installation = Installation(helm, cluster, profile, spaces["release"], "closed", model, set_)
    installation.install()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def engine(llm: Installation) -> V1Pod:
    (pod,) = llm.engines()
    return pod


INGRESS = [
    ("friend", API_PORT, True),
    ("friend's cron job", API_PORT, False),
    ("stranger", API_PORT, False),
    ("neighbour", API_PORT, False),
    ("watcher", API_PORT, True),
    ("vllm-chart load", API_PORT, True),
    ("stranger's load", API_PORT, False),
    ("node", API_PORT, False),
    ("friend", HIDDEN_PORT, False),
    ("stranger", HIDDEN_PORT, False),
    ("watcher", HIDDEN_PORT, False),
]


@pytest.mark.parametrize(("who", "port", "expected"), INGRESS)
def test_who_reaches_an_engine(world: World, engine: V1Pod, who: str, port: int, expected: bool) -> None:
    _hold(world, who, address(engine), port, expected)


def test_what_is_closed_is_there(llm: Installation, engine: V1Pod) -> None:
    """Otherwise nobody would reach it anyway."""
    command = ("python3", "-c", CONNECT, "127.0.0.1", str(HIDDEN_PORT))
    assert execute(llm.cluster, llm.namespace, pod_name(engine), *command).strip() == "reached"


def test_the_test_of_the_release_gets_in(llm: Installation) -> None:
    assert "Succeeded" in llm.helm.test(llm.name, namespace=llm.namespace)


def test_whom_an_engine_reaches(world: World, llm: Installation, engine: V1Pod) -> None:
    """Names, and friends; not strangers, and not the API server, which has a private address and answers others."""
    inside = World(world.cluster, {"engine": engine})
    names = "import socket; socket.getaddrinfo('kubernetes.default.svc.cluster.local', 443); print('found')"
    assert execute(llm.cluster, llm.namespace, pod_name(engine), "python3", "-c", names).strip() == "found"
    _hold(inside, "engine", world.address("friend"), LISTEN_PORT, True)
    assert world.reaches("friend", world.address("stranger"), LISTEN_PORT)
    _hold(inside, "engine", world.address("stranger"), LISTEN_PORT, False)
    assert world.reaches("friend", "kubernetes.default.svc", 443)
    _hold(inside, "engine", "kubernetes.default.svc", 443, False)


@pytest.fixture(scope="module")
def endpoint(llm: Installation, helm: Helm, cluster: Cluster, spaces: dict[str, str]) -> Iterator[Endpoint]:
    """An endpoint among friends, which reaches the engine and nothing else, and which watchers alone scrape."""
    start_application(cluster, spaces["friends"])
    values = {
        "models": {"closed": {"service": llm.service, "namespace": llm.namespace, "aliases": [llm.model.served]}},
        "clients": {"secretName": CLIENTS_SECRET},
        "replicaCount": 1,
        "concurrency": 1,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "networkPolicy": {
            "ingress": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"team": "watchers"}}}]},
            "egress": {"enabled": True},
        },
    }
    endpoint = Endpoint(helm, cluster, spaces["friends"], values, {"app": f"sk-{secrets.token_urlsafe()}"})
    endpoint.install()
    yield endpoint
    endpoint.uninstall()


def test_the_endpoint_reaches_the_engine(endpoint: Endpoint, llm: Installation) -> None:
    """Once the plugin knows its pod, too: until then it answers 503."""

    def status() -> int:
        (answer,) = endpoint.ask_many("app", [llm.model.served], SHARED_PROMPT, 1, 1)
        return int(answer["status"])

    wait_until("the endpoint reaches the engine", lambda: status() == 200, SETTLE_SECONDS)
    assert status() == 200


@pytest.mark.parametrize(
    ("who", "port", "expected"),
    [
        ("stranger", ENDPOINT_PORT, True),
        ("stranger", METRICS_PORT, False),
        ("watcher", METRICS_PORT, True),
        ("friend", METRICS_PORT, False),
    ],
)
def test_who_reaches_the_endpoint(world: World, endpoint: Endpoint, who: str, port: int, expected: bool) -> None:
    (pod,) = endpoint.ready()
    _hold(world, who, address(pod), port, expected)


@pytest.mark.parametrize("who", ["friend", "stranger"])
def test_the_endpoint_reaches_nobody_else(world: World, endpoint: Endpoint, who: str) -> None:
    (pod,) = endpoint.ready()
    dial = f"timeout 5 bash -c '</dev/tcp/{world.address(who)}/{LISTEN_PORT}' && echo reached || echo kept out"
    assert execute(endpoint.cluster, endpoint.namespace, pod_name(pod), "bash", "-c", dial).strip() == "kept out"


def test_as_it_comes_the_api_is_open_to_all_and_nothing_else_is(
    world: World, llm: Installation, profile: Profile, engine: V1Pod, endpoint: Endpoint
) -> None:
    """The last one, because it opens the engine again: which restarts no pod."""
    open_again = {**llm.model.values, "networkPolicy": {}}
    dataclasses.replace(llm, model=dataclasses.replace(llm.model, values=open_again)).upgrade()

    (pod,) = llm.engines()
    assert pod_name(pod) == pod_name(engine)
    for who in ("stranger", "neighbour", "friend's cron job", "node"):
        _hold(world, who, address(pod), API_PORT, True)
        _hold(world, who, address(pod), HIDDEN_PORT, False)
    _hold(World(world.cluster, {"engine": pod}), "engine", world.address("stranger"), LISTEN_PORT, True)


def _hold(world: World, who: str, address: str, port: int, expected: bool) -> None:
    """Whether somebody reaches a port, once the plugin has learnt of it; and then again."""
    claim = f"{who} {'reaches' if expected else 'is kept out of'} {address}:{port}"
    wait_until(claim, lambda: world.reaches(who, address, port) is expected, SETTLE_SECONDS)
    assert world.reaches(who, address, port) is expected, claim
