"""The compiled model outlives its pod: on the same node and on another one the next start finds it, and is quicker.

The volume is a disk that one node mounts after the other, as a cloud's. The engine's own log says of each start whether
it found what was compiled. vLLM's CPU build finds the file that it saved and cannot load it (decorators.py:315 of 0.32
and :322 of 0.33 ask it for a method that what Inductor alone compiles has not); Inductor's own cache, in the folder of
that file, is what makes its later starts quick.
"""

import dataclasses
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import V1Pod

from ci import kind
from ci.kind import disk
from tests import grown_model
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.starts import compile_cache, first_token, log, log_of, stages_told
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live.engine_log import stages

pytestmark = pytest.mark.warm_start

SERVED, MODEL = "deep", "/models/deep"
#: What fits a ConfigMap; each layer is to be compiled.
HIDDEN, LAYERS = 64, 6
#: What its log says that finds what was compiled before.
FOUND = "found, but not loaded: 'function' object has no attribute 'finalize_loading'"
#: Of a start that compiles. What is left is to import vLLM and to trace the model, which the file that can't be loaded
#: would spare too.
WARM_AT_MOST = 0.85
SIZE = "2Gi"


@pytest.fixture(scope="module")
def claim(cluster: Cluster, namespace: str, profile: Profile) -> Iterator[str]:
    """A claim for the disk, which either node may mount."""
    if cluster.kubeconfig != kind.kubeconfig():
        pytest.skip("a disk that moves is made on the local kind cluster only (`nox -s cluster -- up`)")
    first = min(profile.gpu_nodes)
    device = disk.attach(first, namespace, SIZE.removesuffix("i"))
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": sorted(profile.gpu_nodes)}
    modes = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": namespace},
        "spec": {
            **modes,
            "capacity": {"storage": SIZE},
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": namespace, "name": "disk"},
            "local": {"path": device, "fsType": "ext4"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
        },
    }
    claimed = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "disk", "namespace": namespace},
        "spec": {**modes, "volumeName": namespace, "resources": {"requests": {"storage": SIZE}}},
    }
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": [volume, claimed]})
    try:
        subprocess.run(cluster.kubectl("apply", "--filename=-"), input=objects, text=True, check=True)
        yield "disk"
    finally:
        subprocess.run(
            cluster.kubectl("delete", "pvc/disk", f"--namespace={namespace}", "--ignore-not-found"), check=True
        )
        subprocess.run(cluster.kubectl("delete", f"pv/{namespace}", "--ignore-not-found"), check=True)
        disk.detach(first, namespace, device)


@pytest.fixture(scope="module")
def release(
    helm: Helm,
    cluster: Cluster,
    namespace: str,
    profile: Profile,
    claim: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Installation:
    """Not installed yet. It compiles its model, as engines on GPUs do."""
    folder: Path = tmp_path_factory.mktemp("deep")
    grown_model.grow(profile.folders["model-san-francisco"], folder, HIDDEN, LAYERS)
    create = ("create", "configmap", "model-deep", f"--from-file={folder}", f"--namespace={namespace}")
    subprocess.run(cluster.kubectl(*create), check=True)
    values = {
        "model": {"id": MODEL, "servedModelName": [SERVED]},
        "engine": {"args": {"enforce-eager": False, "max-model-len": 512, "max-num-batched-tokens": 512}},
        "gpu": {"count": 0},
        "replicaCount": 1,
        "volumes": [{"name": "model", "configMap": {"name": "model-deep"}}],
        "volumeMounts": [{"name": "model", "mountPath": MODEL, "readOnly": True}],
        "env": {},  # nothing is in its cache beforehand
        "persistence": {"enabled": True, "existingClaim": claim, "accessModes": ["ReadWriteOnce"]},
    }
    model = dataclasses.replace(profile.article, values={**profile.article.values, **values})
    return Installation(helm, cluster, profile, namespace, "llm", model, (SHORT_STOP,))


@dataclasses.dataclass(frozen=True)
class Start:
    """Seconds to the first token, whether the compiled model was there, and what the log says of both."""

    seconds: float
    cache: str
    address: str
    told: str


def start(release: Installation, node: str) -> Start:
    """Install it on a node, with a pod and an address of its own, and uninstall it."""

    def install() -> None:
        release.install(rf"nodeSelector.kubernetes\.io/hostname={node}", wait=False)

    try:
        seconds = first_token(release.cluster, release.namespace, release.service, SERVED, install)
        said = re.findall(r"^.*(?:AOT|torch\.compile|init engine).*$", log(release), re.MULTILINE)
        told = "\n".join([f"{node}: {seconds:.1f} s ({stages_told(release)})", *said])
        print(told)
        (pod,) = release.engines()
        return Start(seconds, compile_cache(release), address(pod), told)
    finally:
        release.uninstall()


def address(pod: V1Pod) -> str:
    assert pod.status
    return str(pod.status.pod_ip)


def test_a_start_finds_what_was_compiled_before_on_the_same_node_and_on_another(
    release: Installation, profile: Profile
) -> None:
    here, there = min(profile.gpu_nodes), max(profile.gpu_nodes)
    assert here != there, "two nodes"
    cold, warm, moved = (start(release, node) for node in (here, here, there))
    told = [each.told for each in (cold, warm, moved)]
    assert [cold.cache, warm.cache, moved.cache] == ["missed", FOUND, FOUND], told
    assert len({each.address for each in (cold, warm, moved)}) == 3, "no part of the key"
    print(f"warm ÷ cold: {warm.seconds / cold.seconds:.2f}, on another node {moved.seconds / cold.seconds:.2f}")
    assert warm.seconds <= WARM_AT_MOST * cold.seconds
    assert moved.seconds <= WARM_AT_MOST * cold.seconds


def test_a_replica_that_is_added_finds_it_too(release: Installation, profile: Profile) -> None:
    """On the node that has the disk, whose pods may share it."""
    placed = rf"nodeSelector.kubernetes\.io/hostname={max(profile.gpu_nodes)}"
    shared = "persistence.accessModes={ReadWriteMany}"
    release.install(placed, shared)
    try:
        release.upgrade(placed, shared, "replicaCount=2")
        engines = release.engines()
        assert len({address(pod) for pod in engines}) == 2
        assert [stages.compile_cache(log_of(release, pod)) for pod in engines] == [FOUND, FOUND]
    finally:
        release.uninstall()
