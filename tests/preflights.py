"""A release against a cluster that is made up: what preflight says."""

from collections.abc import Callable
from typing import Any

from helm_python import values_from_yaml
from kubernetes.client import V1Namespace, V1Pod

from tests.cluster_objects import GPU_LABEL, GPU_TAINT, node
from vllm_chart.findings import Finding
from vllm_chart.helm import app_version, merged_values, render
from vllm_chart.live.preflight import Snapshot, explain
from vllm_chart.rendered.manifests import Manifests

TOLERANT = "tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]\n"
NODES = [node(f"gpu-{n}", labels=GPU_LABEL, taints=[GPU_TAINT], gpu="1") for n in (1, 2)]
MODEL = "model: {id: org/name}\n"

OWN = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}
"""The labels of the release's own pods."""


def preflight(
    text: str, autoscaled: bool = False, change: Callable[[Manifests], Manifests] | None = None, **cluster: Any
) -> list[Finding]:
    """What is said of these values. change: made to what they render. cluster: fields of a Snapshot."""
    prefix = "" if "model:" in text else MODEL
    values = values_from_yaml(prefix + (text if "tolerations" in text else TOLERANT + text))
    manifests = render(values=values)
    if change:
        manifests = change(manifests)
    there = {"namespace": V1Namespace(), "nodes": NODES, **cluster}
    return explain(manifests, merged_values(values=values), app_version(), Snapshot(**there), autoscaled=autoscaled)


def said(findings: list[Finding]) -> str:
    return "\n".join(str(finding) for finding in findings)


def running(name: str, labels: dict[str, str] | None = None) -> V1Pod:
    """A pod with one GPU on a node."""
    container = {"name": "a", "resources": {"requests": {"nvidia.com/gpu": "1"}}}
    return V1Pod.model_validate(
        {
            "metadata": {"name": "a", "namespace": "default", "labels": labels or {}},
            "spec": {"nodeName": name, "containers": [container]},
            "status": {"phase": "Running"},
        }
    )
