"""`vllm-chart plan` and the engine agree on the KV cache, to the token."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_helm_charts.clusters import Cluster as KubeCluster

from ci import versions
from tests.e2e.clients import run_to_end
from tests.e2e.profiles import GPU, Profile
from tests.shapes import SHAPES, Shape
from vllm_chart import helm
from vllm_chart.cluster.api import Cluster

PROGRAM = Path(__file__).parent / "programs/kv_cache.py"
SECONDS = 600
# Engines side by side, each on a core of its own.
ENVIRONMENT = {"HOME": "/tmp", "USER": "vllm", "OMP_NUM_THREADS": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


def _model(name: str, shape: Shape) -> dict[str, Any]:
    """What the program is told: the arguments that the chart renders, less those of the HTTP server's middleware."""
    deployment = helm.render(values=shape.values("random/weights")).one("Deployment")
    (engine,) = deployment["spec"]["template"]["spec"]["containers"]
    args = [argument for argument in engine["args"][1:] if not argument.startswith("--middleware=")]
    return {"name": name, "config": shape.config, "args": ["--skip-tokenizer-init", *args]}


def test_the_engine_has_the_kv_cache_that_was_planned(
    cluster: Cluster, kube_cluster: KubeCluster, namespace: str, profile: Profile, tmp_path: Path
) -> None:
    if not profile.no_gpu:
        pytest.skip("these shapes are planned for the CPU engine")
    models = tmp_path / "models.json"
    models.write_text(json.dumps([_model(name, shape) for name, shape in SHAPES.items()]))
    files = f"--from-file={PROGRAM} --from-file={models}"
    kube_cluster.kubectl(f"create configmap kv-cache {files}", namespace=namespace)
    container = {
        "image": versions.ENGINE_IMAGE,
        "command": ["python3", "/asked/kv_cache.py", "/asked/models.json"],
        "env": [{"name": name, "value": value} for name, value in ENVIRONMENT.items()],
        "resources": {"limits": {"memory": "6Gi"}},
        "volumeMounts": [{"name": "asked", "mountPath": "/asked"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {
        "tolerations": [{"key": GPU, "operator": "Exists"}],
        "volumes": [{"name": "asked", "configMap": {"name": "kv-cache"}}, {"name": "tmp", "emptyDir": {}}],
    }
    if profile.gpu_nodes:  # they have the engine's image
        spec["nodeName"] = min(profile.gpu_nodes)
    log = run_to_end(cluster, namespace, "kv-cache", container, spec, SECONDS)

    said = dict(line.split("\t")[1:] for line in log.splitlines() if line.startswith("kv-cache\t"))
    assert said == {name: shape.plan().sentence for name, shape in SHAPES.items()}
