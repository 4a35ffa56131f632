"""Which GPU a cluster's nodes have, by the labels that operators and clouds put on them."""

from collections.abc import Iterable, Mapping
from typing import Any

from vllm_chart.findings import UnavailableError
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.sizing.arithmetic import MIB
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.gpus import Gpu, UnknownGpuError

PRODUCT_LABELS = (
    "nvidia.com/gpu.product",  # NVIDIA's GPU feature discovery
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "eks.amazonaws.com/instance-gpu-name",
    "doks.digitalocean.com/gpu-model",
    "amd.com/gpu.product-name",
)
MEMORY_LABELS = (
    "nvidia.com/gpu.memory",
    "karpenter.k8s.aws/instance-gpu-memory",
    "eks.amazonaws.com/instance-gpu-memory",
)
"""Labels with a GPU's memory in MiB, as nvidia-smi counts it: a little more than CUDA sees."""


def smallest(nodes: Iterable[Any], values: Mapping[str, Any]) -> Gpu:
    """The smallest GPU among the nodes that may run these values' pods.

    nodes: V1Node objects; `nodeSelector` and `gpu.resourceName` of the values pick among them.
    Raises UnavailableError where none has a GPU whose product or memory its labels tell.
    """
    resource = values["gpu"]["resourceName"]
    selector: Mapping[str, str] = values.get("nodeSelector") or {}
    labels = [
        node.metadata.labels or {}
        for node in nodes
        if parse_quantity((node.status.allocatable or {}).get(resource, 0)) > 0
        and selector.items() <= (node.metadata.labels or {}).items()
    ]
    found = [gpu for each in labels if (gpu := of_labels(each))]
    if not found:
        seen = (
            f"of {len(labels)} nodes with {resource} none"
            if labels
            else f"no node with {resource} fits nodeSelector and"
        )
        raise UnavailableError(f"{seen} tells its GPU by a label: name it with --gpu or --gpu-memory")
    return min(found, key=lambda gpu: gpu.memory)


def of_labels(labels: Mapping[str, str]) -> Gpu | None:
    """The GPU of a node with these labels, None where they don't tell."""
    for label in PRODUCT_LABELS:
        try:
            return gpus.find(labels.get(label, ""))
        except UnknownGpuError:
            continue
    memory = next((labels[label] for label in MEMORY_LABELS if labels.get(label, "").isdigit()), None)
    return gpus.of_memory(int(memory) * MIB) if memory else None
