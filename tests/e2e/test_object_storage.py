"""A model in a bucket: an engine that streams it out of a store in the cluster, and what is said when it can't."""

import dataclasses
from typing import Any

import pytest

from tests.e2e import stores
from tests.e2e.clients import Application, assert_answers, restarts, start_application
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.stores import StorePod
from tests.render.view import View
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose, smoke

pytestmark = pytest.mark.object_storage

WEIGHTS = "model.safetensors"
#: An engine comes as far as its weights first, on a share of a core.
FAILURE_SECONDS = 420
SHORT = ("gpu.count=0", "replicaCount=1", SHORT_STOP, "shutdown.drainSeconds=1")


@dataclasses.dataclass(frozen=True)
class Filled:
    """The store, and the sizes in bytes of the model's files in it."""

    pod: StorePod
    sizes: dict[str, int]


@pytest.fixture(scope="module")
def store(cluster: Cluster, namespace: str, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    if not profile.no_gpu or not profile.gpu_nodes:
        pytest.skip("needs nodes with simulated GPUs, which have the CPU engine's image")
    pod = StorePod(cluster, namespace)
    return Filled(pod, pod.start("model-san-francisco", tmp_path_factory.mktemp("tls")))


def values(store: StorePod, profile: Profile) -> dict[str, Any]:
    """Of the model in the store, over those that every release here has."""
    return {**profile.article.values, **store.values(profile.article.served), "volumes": [], "volumeMounts": []}


@pytest.fixture(scope="module")
def base(helm: Helm, cluster: Cluster, namespace: str, profile: Profile, store: Filled) -> Installation:
    model = dataclasses.replace(profile.article, values=values(store.pod, profile))
    return Installation(helm, cluster, profile, namespace, "llm", model, SHORT)


def test_an_engine_streams_its_weights_out_of_the_store(base: Installation, store: Filled) -> None:
    """By the keys of a Secret, an authority of one's own and paths, under a memory limit."""
    start_application(base.cluster, base.namespace)
    before = len(store.pod.asked())
    base.install()
    try:
        (engine,) = base.engines()
        assert restarts(engine) == 0
        assert_answers(Application(base.cluster, base.namespace, base.service), base.model)
        report = smoke.run(smoke.Release(base.name, base.namespace, base.cluster.kubeconfig), timeout_seconds=120)
        assert report.findings == [], smoke.to_human(report)

        asked = store.pod.asked()[before:]
        assert {status for *_, status in asked} <= {"200", "206"}, "keys, paths and region are right at once"
        read = {key for operation, key, _ in asked if operation == "GetObject"}
        assert {f"{stores.FOLDER}/{name}" for name in (WEIGHTS, "config.json")} <= read
        assert store.sizes[WEIGHTS] > 0
        buffer = int(View(base.rendered()).env["RUNAI_STREAMER_MEMORY_LIMIT"])
        assert buffer < 5 << 30, "it was told how much it may take of the limit"
    finally:
        base.uninstall()


#: What is wrong, `--set` expressions for it, and words of the remedy. Of the last ones the engine comes further.
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "keys": ((f"objectStorage.credentialsSecretRef.name={stores.WRONG_KEYS}",), "correct the keys in the Secret"),
    "bucket": ((f"model.id=s3://absent/{stores.FOLDER}",), "correct the bucket in model.id"),
    "folder": ((f"model.id=s3://{stores.BUCKET}/acme/absent",), "correct the folder in model.id"),
    "endpoint": (("objectStorage.endpoint=https://absent.default.svc:7070",), "correct objectStorage.endpoint"),
    "authority": (("caBundle.configMapName=",), "caBundle.configMapName"),
    "region": (("objectStorage.region=us-west-2",), "correct objectStorage.region"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_diagnose_tells_what_is_wrong(base: Installation, wrong: str) -> None:
    set_, remedy = WRONG[wrong]
    release = dataclasses.replace(base, name=wrong, set_=(*base.set_, *set_))
    told: list[str] = []

    def is_told(_: object) -> bool:
        found = diagnose.release(release.name, release.namespace, release.cluster)
        told[:] = [finding.remedy for finding in found if finding.check == "object-storage"]
        return bool(told)

    release.install(wait=False)
    try:
        release.cluster.wait_for(
            release.cluster.core.list_namespaced_pod,
            release.namespace,
            label_selector=release.selector,
            until=is_told,
            timeout_seconds=FAILURE_SECONDS,
        )
        assert any(remedy in text for text in told), told
        others = [words for other, (_, words) in WRONG.items() if other != wrong]
        assert not any(words in text for words in others for text in told), told
    finally:
        release.uninstall(wait=False)
