"""The GPUs that a pod asks for, beside those that its engine uses."""

from collections.abc import Iterator
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.rendered import claims
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Container, Pod
from vllm_chart.vllm_args.argv import ArgvError
from vllm_chart.vllm_args.container import read

NAME = "gpu"

SIZES = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")


def check(manifests: Manifests, pod: Pod, container: Container, tag: str) -> Iterator[Finding]:
    """What is wrong with the devices of a pod that runs vLLM's CUDA build. tag: of its image.

    Warnings only: where NVIDIA's runtime is the node's default, it hands all GPUs to whoever asks for none.
    """
    counted = sum(_whole(amount) for name, amount in container.resources("limits").items() if "/" in name)
    if not counted and not (container.get("resources") or {}).get("claims"):
        yield _without(pod)
        return
    claimed, workers = claims.gpus(manifests, pod, container), _workers(container, tag)
    if workers is None or claimed.unknown or not (claimed.count or claimed.every):
        return
    where, gpus = "parallelism.tensorParallelSize", counted + claimed.count
    if claimed.every and workers == 1:
        said = "the pod claims every GPU of its node (allocationMode: All), of which vLLM uses one"
        yield Finding(NAME, where, said, "write how many a node has, or claim one by ExactCount", "warning")
    elif not claimed.every and workers < gpus:
        sizes = str(gpus) if workers == 1 else f"sizes whose product is {gpus}"
        said = f"the pod claims {gpus} GPUs, and vLLM uses {workers} of them: gpu.count knows no claims"
        yield Finding(NAME, where, said, f"write {sizes}, or claim {workers}", "warning")
    elif not claimed.every and workers > gpus:
        said = f"the parallel sizes are {workers} workers, each with a GPU of its own, and the pod claims {gpus}"
        yield Finding(NAME, where, said, f"claim {workers}, or write sizes whose product is {gpus}", "warning")


def _without(pod: Pod) -> Finding:
    if pod.all("resourceClaims"):
        said = "the engine's container gets none of the pod's claims, without a GPU of which vLLM does not start"
        return Finding(NAME, "resources.claims", said, "name the claim: resources.claims: [{name: …}]", "warning")
    said = "the pod asks for no GPU, without which vLLM's CUDA build does not start"
    return Finding(NAME, "gpu.count", said, "write how many, or engine.device: cpu", "warning")


def _workers(container: Container, tag: str) -> int | None:
    """Workers of the pod's engine by its parallel sizes; None for arguments that can't be read."""
    try:
        arguments = read(container, tag).arguments
    except ArgvError:
        return None
    if arguments.get("data_parallel_size_local") or (arguments.get("nnodes") or 1) > 1:
        return None  # the rest is on other nodes
    tensor, pipeline, data = (int(arguments.get(size, 1)) for size in SIZES)
    return tensor * pipeline * data


def _whole(amount: Any) -> int:
    return int(amount) if str(amount).isdigit() else 0
