"""What is known of vLLM's arguments against vLLM's own parser in the engine's image: thousands of lists, asked now."""

import base64

import pytest
from kubernetes.client import V1ConfigMap, V1Pod

from ci import versions
from tests.e2e.clients import RESTRICTED_CONTAINER, execute, is_ready
from tests.e2e.profiles import ROOT, Profile
from tests.verdicts import disagreement, read
from vllm_chart.cluster.api import Cluster

ENGINE = ROOT / "python" / "vllm_chart" / "vllm_args"
CATALOGUE = ROOT / "ci" / "catalogue"
NAME = "parser"
VERSION = versions.VLLM
#: Half a minute of one core, of which most is vLLM's import.
ASKING_SECONDS = 300

# Importing vLLM takes longest, so one process asks both.
_ASK = """
import signal, sys
from ci.catalogue import extract, record
for module in (extract, record):
    sys.argv = [module.__name__, "/tmp"]
    if module.main():
        sys.exit(f"{module.__name__} failed")
open("/tmp/asked", "w").close()
signal.pause()
"""


@pytest.fixture(scope="module")
def pod(cluster: Cluster, namespace: str, profile: Profile) -> str:
    """A pod of the engine's image that has asked its vLLM, and runs no engine."""
    files = {"vllm_chart/vllm_args": [*ENGINE.glob("*.py")]}
    files["ci/catalogue"] = [CATALOGUE / "extract.py", CATALOGUE / "record.py"]
    files["vllm_chart/vllm_args/catalogues"] = [ENGINE / "catalogues" / f"{VERSION}.json"]
    data = {path.name: path.read_text() for paths in files.values() for path in paths}
    config_map = V1ConfigMap.model_validate({"metadata": {"name": NAME}, "data": data})
    cluster.core.create_namespaced_config_map(namespace, config_map)
    items = [{"key": path.name, "path": f"{folder}/{path.name}"} for folder, paths in files.items() for path in paths]
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": sorted(profile.gpu_nodes)}
    spec = {
        # The local cluster has the engine's image on the nodes that pose as GPU nodes.
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "preference": {"matchExpressions": [there]}}
                ]
            }
        }
        if profile.gpu_nodes
        else None,
        "tolerations": [{"operator": "Exists"}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": NAME, "configMap": {"name": NAME, "items": items}}],
        "containers": [
            {
                "name": NAME,
                "image": versions.ENGINE_IMAGE,
                "command": ["python3", "-c", _ASK],
                "readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/asked"]}, "periodSeconds": 1},
                "env": [
                    {"name": "PYTHONPATH", "value": "/code"},
                    {"name": "VLLM_TARGET_DEVICE", "value": "cpu"},
                ],
                "volumeMounts": [{"name": NAME, "mountPath": "/code"}],
                "securityContext": RESTRICTED_CONTAINER,
            }
        ],
    }
    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate({"metadata": {"name": NAME}, "spec": spec}))
    cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={NAME}",
        until=is_ready,
        timeout_seconds=ASKING_SECONDS,
    )
    return NAME


def test_vllm_says_the_same_to_every_argument_list(cluster: Cluster, namespace: str, pod: str) -> None:
    recorded = execute(cluster, namespace, pod, "base64", f"/tmp/{VERSION}.jsonl.gz")
    told = [disagreement(words, verdict, VERSION) for words, verdict in read(base64.b64decode(recorded))]
    assert len(told) > 30_000
    assert [text for text in told if text] == []


def test_what_is_known_of_this_version_is_what_it_says_now(cluster: Cluster, namespace: str, pod: str) -> None:
    assert execute(cluster, namespace, pod, "cat", f"/tmp/{VERSION}.json") == (
        (ENGINE / "catalogues" / f"{VERSION}.json").read_text()
    ), f"extract again: ci/run catalogue -- {VERSION}"
