"""What the live tests install, which follows from what the cluster offers.

With real GPUs: small public models on the GPU image. Without, or with GPUs that are only advertised (the local
kind cluster): the CPU image, and tiny models of our own, whose answers are known word for word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes.client import V1DeleteOptions, V1Node, V1Pod

from ci import versions
from ci.images import models
from vllm_chart.cluster.api import Cluster

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/vllm"
ARTICLE = ROOT / "values/llama3.yaml"
ON_KIND = ROOT / "ci/kind/llama3.yaml"

#: Where the engine image that ci/images builds has a part of vLLM's cache (its Dockerfile): in another image, nothing.
CACHE_SEED = "/opt/cache-seed"

GPU = "nvidia.com/gpu"
GPU_LABEL = "doks.digitalocean.com/gpu-brand"
PULL_ERRORS = ("ErrImagePull", "ImagePullBackOff")
PROBE_SECONDS = 180


@dataclass(frozen=True)
class Model:
    """What a release serves: the values, the name for clients, and the answers.

    The answers are None where they are not known word for word. Without chat answers it has no chat template.
    """

    served: str
    values: Mapping[str, Any]
    completions: Mapping[str, str | None]
    chat: Mapping[str, str | None]


@dataclass(frozen=True)
class Profile:
    """What is run on a cluster."""

    values_files: tuple[Path, ...]
    article: Model
    other: Model
    gpu_nodes: frozenset[str]
    """Nodes that advertise GPUs, whether there are any or not."""
    no_gpu: str
    """Why no real GPU is used; empty if they are."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Models that travel in a ConfigMap, by its name."""

    @property
    def replicas(self) -> int:
        """Engines at a time; the article has two, each on its own GPU node."""
        return min(2, len(self.gpu_nodes)) or 1


def choose(cluster: Cluster) -> Profile:
    """Look at the nodes, and into a container that was given a GPU, if any is advertised."""
    nodes = cluster.core.list_node().items
    gpu_nodes = frozenset(node.metadata.name or "" for node in nodes if node.metadata and _advertises_gpus(node))
    no_gpu = _looks_in_vain(cluster) if gpu_nodes else f"no node advertises {GPU}"
    return _on_cpus(gpu_nodes, no_gpu) if no_gpu else _on_gpus(gpu_nodes)


def _advertises_gpus(node: V1Node) -> bool:
    allocatable: Mapping[str, Any] = (node.status.allocatable if node.status else None) or {}
    return int(allocatable.get(GPU, "0")) > 0


def _looks_in_vain(cluster: Cluster) -> str:
    """Why a container with a GPU sees none; empty if it sees one."""
    device = "/dev/nvidia[0-9]*"  # what the container runtime adds for a GPU, whatever the image holds
    look = f"import glob, sys; sys.exit(not glob.glob({device!r}))"
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "vllm-e2e-gpu-"},
        "spec": {
            "restartPolicy": "Never",
            "tolerations": [{"key": GPU, "operator": "Exists"}],
            "containers": [
                {
                    "name": "look",
                    "image": versions.CLIENT_IMAGE,
                    "command": ["python3", "-c", look],
                    "resources": {"limits": {GPU: "1"}},
                }
            ],
        },
    }

    def decided(pod: V1Pod) -> bool:
        return (pod.status.phase if pod.status else None) in ("Succeeded", "Failed") or bool(_pull_error(pod))

    created = cluster.core.create_namespaced_pod("default", V1Pod.model_validate(probe))
    assert created.metadata
    assert created.metadata.name
    name = created.metadata.name
    try:
        pod: V1Pod = cluster.wait_for(
            cluster.core.list_namespaced_pod,
            "default",
            field_selector=f"metadata.name={name}",
            until=decided,
            timeout_seconds=PROBE_SECONDS,
        )
    except TimeoutError:
        return f"no pod with a {GPU} started in {PROBE_SECONDS} s: are they all in use?"
    finally:
        cluster.core.delete_namespaced_pod(name, "default", body=V1DeleteOptions(grace_period_seconds=0))
    if error := _pull_error(pod):
        return f"can't look for one: {error}"
    if pod.status and pod.status.phase == "Succeeded":
        return ""
    return f"{GPU} is advertised, but a container that is given one sees no {device}"


def _pull_error(pod: V1Pod) -> str:
    for status in (pod.status.container_statuses if pod.status else None) or []:
        waiting = status.state.waiting if status.state else None
        if waiting and waiting.reason in PULL_ERRORS:
            return f"{status.image}: {waiting.message}"
    return ""


def _on_gpus(gpu_nodes: frozenset[str]) -> Profile:
    def model(name: str) -> Model:
        values = {
            "model": {"id": name},
            "hub": {"tokenSecretRef": {"name": ""}},
            "replicaCount": min(2, len(gpu_nodes)),
            # The label is that of the article's cloud; the request for a GPU finds the nodes of any.
            "nodeSelector": {GPU_LABEL: None},
            "resources": {"requests": {"cpu": "1", "memory": "6Gi"}, "limits": {"cpu": "4", "memory": "16Gi"}},
            "shm": {"sizeLimit": "2Gi"},
            "engine": {"args": {"max-model-len": 2048}},
        }
        return Model(name, values, {"San Francisco is a": None}, {"Where is the Golden Gate Bridge?": None})

    article, other = model("Qwen/Qwen2.5-0.5B-Instruct"), model("HuggingFaceTB/SmolLM2-135M-Instruct")
    return Profile((ARTICLE,), article, other, gpu_nodes, no_gpu="")


def _on_cpus(gpu_nodes: frozenset[str], no_gpu: str) -> Profile:
    anywhere: dict[str, Any] = {"nodeSelector": {GPU_LABEL: None}, "gpu": {"count": 0}, "replicaCount": 1}
    base = {"env": {"CACHE_SEED": CACHE_SEED}} | ({} if gpu_nodes else anywhere)
    san_francisco, paris = models.MODELS["san-francisco"], models.MODELS["paris"]
    paris_values = {
        "model": {"id": "/models/paris", "servedModelName": ["paris"]},
        "volumes": [{"name": "model", "configMap": {"name": "model-paris"}}],
        "volumeMounts": [{"name": "model", "mountPath": "/models/paris", "readOnly": True}],
        "test": {"expect": paris.completions[models.SHARED_PROMPT]},
    }
    return Profile(
        (ARTICLE, ON_KIND),
        Model("san-francisco", base, san_francisco.completions, san_francisco.chat),
        Model("paris", base | paris_values, paris.completions, paris.chat),
        gpu_nodes,
        no_gpu,
        {f"model-{name}": models.ensure(name) for name in models.MODELS},
    )
