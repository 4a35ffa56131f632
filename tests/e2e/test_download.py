"""A Job fetches the model once for three replicas, from a Hub that is busy, cut off, wrong or a commit further.

A story in order: each test begins where the one before ended. Replicas share a volume of one node, as its pods may.
"""

import dataclasses
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import V1Pod

from ci.shell import wait_until
from tests.e2e.clients import Application, assert_answers, pod_name, start_application
from tests.e2e.hubs import REPOSITORY, HubPod
from tests.e2e.profiles import Profile
from tests.e2e.releases import Installation
from tests.e2e.traffic import Traffic
from tests.hub_server import RANDOM
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose
from vllm_chart.load.asker import Options

pytestmark = pytest.mark.download

REPLICAS = 3
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: models}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}
"""
SECONDS = 900
BUSY_SECONDS = 60
CLIENTS = Options("", clients=3, max_tokens=16, duration_seconds=3600, timeout_seconds=300)


@pytest.fixture(scope="module")
def hub(cluster: Cluster, namespace: str, profile: Profile) -> HubPod:
    if not profile.no_gpu or not profile.gpu_nodes:
        pytest.skip("needs nodes with simulated GPUs, which have the CPU engine's image")
    hub = HubPod(cluster, namespace)
    hub.start("model-san-francisco")
    return hub


@pytest.fixture(scope="module")
def planned(
    helm: Helm,
    cluster: Cluster,
    namespace: str,
    profile: Profile,
    hub: HubPod,
    tmp_path_factory: pytest.TempPathFactory,
) -> Installation:
    """Not installed yet."""
    claim = tmp_path_factory.mktemp("claim") / "claim.yaml"
    claim.write_text(CLAIM)
    subprocess.run(cluster.kubectl("apply", f"--namespace={namespace}", "--filename", str(claim)), check=True)
    start_application(cluster, namespace)
    changes = {
        "model": {"id": REPOSITORY, "servedModelName": [profile.article.served]},
        "hub": {"endpoint": hub.url, "offline": False},
        "gpu": {"count": 0},
        "replicaCount": REPLICAS,
        "volumes": [],
        "volumeMounts": [],
        "nodeSelector": {"kubernetes.io/hostname": min(profile.gpu_nodes)},
        "persistence": {"enabled": True, "existingClaim": "models", "accessModes": ["ReadWriteMany"]},
        "download": {"enabled": True, "budgetSeconds": 600},
    }
    model = dataclasses.replace(profile.article, values={**profile.article.values, **changes})
    return Installation(helm, cluster, profile, namespace, "llm", model)  # somebody asks it: no short stop


@pytest.fixture(scope="module")
def release(planned: Installation) -> Iterator[Installation]:
    """The tests install it, each from what the one before left."""
    yield planned
    planned.uninstall()


def job(release: Installation, *more: str) -> str:
    """The name of the Job that a release with `more` --set expressions has."""
    return dataclasses.replace(release, set_=(*release.set_, *more)).rendered().one("Job").name


def job_pods(release: Installation) -> list[V1Pod]:
    selector = f"app.kubernetes.io/name=vllm.download,app.kubernetes.io/instance={release.name}"
    return list(release.cluster.core.list_namespaced_pod(release.namespace, label_selector=selector).items)


def log(release: Installation, pod: V1Pod) -> str:
    said: str = release.cluster.core.read_namespaced_pod_log(pod_name(pod), release.namespace)
    return said


def wait_for_job(release: Installation, name: str) -> None:
    options = (f"--namespace={release.namespace}", "--for=condition=complete", f"--timeout={SECONDS}s")
    subprocess.run(release.cluster.kubectl("wait", f"job/{name}", *options), check=True)


def application(release: Installation) -> Application:
    return Application(release.cluster, release.namespace, release.service)


def sent(hub: HubPod) -> dict[str, Any]:
    counted: dict[str, Any] = hub.counted()["sent"]
    return counted


def test_without_a_job_each_replica_takes_it_for_itself(hub: HubPod, planned: Installation) -> None:
    """What the Job spares, printed. Beside its weights each engine reads the beginning of each file of them, 100,001
    bytes and twice, for the types of its tensors (huggingface_hub's get_safetensors_metadata)."""
    hub.turn()
    alone = {"persistence": {"enabled": False}, "download": {"enabled": False}}
    model = dataclasses.replace(planned.model, values={**planned.model.values, **alone})
    each = dataclasses.replace(planned, name="each", model=model)
    each.install()
    try:
        counted = hub.counted()
    finally:
        each.uninstall()
    weights = {path: size for path, size in counted["sizes"].items() if path.endswith(".safetensors")}
    print(f"{counted['requests']} requests, {sum(counted['sent'].values())} bytes, by {len(counted['clients'])} pods")
    assert weights
    assert [path for path in weights if counted["sent"][path] < REPLICAS * weights[path]] == []
    assert len(counted["clients"]) == REPLICAS


def test_three_replicas_cost_the_hub_each_byte_once_though_it_is_busy(hub: HubPod, release: Installation) -> None:
    commit = hub.turn(refuse=3, headers={"Retry-After": str(BUSY_SECONDS)})
    release.install()
    counted = hub.counted()
    assert counted["refused"] == 3
    assert counted["sent"] == counted["sizes"], "each byte once"
    (pod,) = job_pods(release)
    assert pod.status
    assert counted["clients"] == [pod.status.pod_ip], "engines ask for nothing"
    assert f"commit {commit}" in log(release, pod)
    assert len(release.engines()) == REPLICAS
    assert_answers(application(release), release.model)


def test_replicas_that_start_again_ask_for_nothing(hub: HubPod, release: Installation) -> None:
    hub.turn()
    old = {pod_name(pod) for pod in release.engines()}
    options = (f"--namespace={release.namespace}", f"--selector={release.selector}")
    subprocess.run(release.cluster.kubectl("delete", "pods", *options), check=True)
    release.wait_until_available()
    assert not old & {pod_name(pod) for pod in release.engines()}
    assert hub.counted()["requests"] == 0


def test_a_job_that_is_killed_half_way_goes_on_while_the_old_pods_serve(hub: HubPod, release: Installation) -> None:
    commit = hub.turn(commit=True, rate=2 << 20)
    revision = f"model.revision={commit}"
    size = hub.counted()["sizes"][RANDOM]
    release.upgrade(revision, wait=False)
    wait_until("half of the file", lambda: sent(hub)[RANDOM] > size / 2, SECONDS)
    running = [pod for pod in job_pods(release) if pod.status and pod.status.phase == "Running"]
    assert len(running) == 1
    options = (f"--namespace={release.namespace}", "--grace-period=0", "--force")
    subprocess.run(release.cluster.kubectl("delete", "pod", pod_name(running[0]), *options), check=True)
    assert len(release.engines()) >= REPLICAS - 1, "the strategy takes one at a time"
    assert_answers(application(release), release.model)

    wait_for_job(release, job(release, revision))
    assert size <= sent(hub)[RANDOM] < 1.5 * size, "the second attempt goes on"
    release.upgrade(revision)
    assert_answers(application(release), release.model)


def test_a_flipped_bit_is_named_and_no_engine_starts_on_it(hub: HubPod, release: Installation) -> None:
    commit = hub.turn(commit=True, flip=RANDOM)
    revision = f"model.revision={commit}"
    release.upgrade(revision, wait=False)

    def failed() -> list[V1Pod]:
        return [pod for pod in job_pods(release) if pod.status and pod.status.phase == "Failed"]

    wait_until("a failed attempt", lambda: bool(failed()), SECONDS)
    assert f"{RANDOM}: its sha256 is" in log(release, failed()[0])
    told = diagnose.release(release.name, release.namespace, release.cluster)
    assert any(RANDOM in finding.message for finding in told), told
    assert len(release.engines()) == REPLICAS - 1
    assert_answers(application(release), release.model)

    hub.turn()
    release.upgrade(revision)
    assert len(release.engines()) == REPLICAS


def test_a_revision_that_is_fetched_ahead_restarts_nothing_and_then_costs_nothing_and_no_answer(
    hub: HubPod, release: Installation
) -> None:
    now = hub.turn()
    commit = hub.turn(commit=True)
    before = {pod_name(pod) for pod in release.engines()}
    ahead = (f"model.revision={now}", f"download.nextRevision={commit}")
    release.upgrade(*ahead)
    wait_for_job(release, job(release, *ahead))
    assert {pod_name(pod) for pod in release.engines()} == before

    hub.turn()
    with Traffic.on(release, CLIENTS) as traffic:
        traffic.wait_for_answers(CLIENTS.clients)
        with traffic.through("another revision") as windows:
            release.upgrade(f"model.revision={commit}")
            release.wait_until_departed()
    assert hub.counted()["requests"] == 0
    assert windows[0].lost() == []
    assert not before & {pod_name(pod) for pod in release.engines()}
    assert_answers(application(release), release.model)
