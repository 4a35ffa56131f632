"""What the nodes that may run the pods are like: processor, GPU, driver."""

import dataclasses
import re
from collections.abc import Iterator

from vllm_chart.cluster import nodes, scheduling
from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered.pods import engines
from vllm_chart.sizing import check as sizing
from vllm_chart.sizing.memory import nodes as gpu_nodes

ARCHITECTURE = "kubernetes.io/arch"
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""A part of an image's tag, and the label of the nodes that can run it."""


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """What the image or the model cannot do on the nodes that may run them."""
    yield from _processor(wanted, snapshot)
    yield from _model(wanted, snapshot)
    yield from _shared_gpus(wanted, snapshot)
    yield from _driver(wanted, snapshot)


def _image(wanted: Wanted) -> str:
    return next(str(container["image"]) for _, container in engines(wanted.manifests))


def _processor(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    image = _image(wanted)
    tag = image.rpartition("/")[2].partition(":")[2]
    built = next((label for part, label in ARCHITECTURES.items() if tag.endswith(part)), None)
    candidates = [node for node in snapshot.nodes or () if nodes.welcomes(wanted.spec, node)]
    others = {there for node in candidates if (there := nodes.labels(node).get(ARCHITECTURE)) not in (built, None)}
    if built and others:
        runnable = any(nodes.labels(node).get(ARCHITECTURE) == built for node in candidates)
        yield Finding(
            "processor",
            "image.tag",
            f"{tag} is built for {built}, and nodes that may run it are {', '.join(sorted(map(str, others)))}",
            f"write nodeSelector: {{{ARCHITECTURE}: {built}}}" if runnable else "write the tag of their architecture",
            "warning" if runnable else "error",
        )


def _model(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """Hold the model against the smallest GPU that it may come to run on."""
    if not scheduling.devices(wanted.spec) or snapshot.nodes is None:
        return
    candidates = [node for node in snapshot.nodes if nodes.welcomes(wanted.spec, node)]
    try:
        gpu = gpu_nodes.smallest(candidates, wanted.values)
    except UnavailableError:
        return
    for finding in sizing.check(wanted.manifests, wanted.values, wanted.app_version, gpu):
        if finding.severity != "info":
            yield dataclasses.replace(finding, message=f"on {gpu.product}: {finding.message}")


def _shared_gpus(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """Several GPUs of a node that hands out each GPU several times, by the label of NVIDIA's feature discovery."""
    devices = scheduling.devices(wanted.spec)
    asked = sum(amount for resource, amount in devices.items() if resource.startswith("nvidia.com/"))
    for node in snapshot.nodes or ():
        labels = nodes.labels(node)
        if asked > 1 and nodes.welcomes(wanted.spec, node) and labels.get("nvidia.com/gpu.replicas", "1") > "1":
            yield Finding(
                "nodes",
                f"Node/{nodes.name(node)}",
                f"it hands out each GPU {labels['nvidia.com/gpu.replicas']} times, so that a pod's {asked:f} may be "
                "one",
                "write gpu.count: 1, or choose nodes that share no GPUs with nodeSelector",
            )


#: The first driver of NVIDIA's for CUDA 13.0, on which the images of vLLM 0.32 and 0.33 stand (vllm/envs.py,
#: VLLM_MAIN_CUDA_VERSION). Source: https://docs.nvidia.com/deploy/cuda-compatibility/
DRIVER = 580
DRIVER_LABELS = ("nvidia.com/cuda.driver-version.major", "nvidia.com/cuda.driver.major")


def _driver(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """A driver that is older than vLLM's own image, by the labels of NVIDIA's feature discovery."""
    image = _image(wanted)
    known = re.search(r"(?:^|/)vllm/vllm-openai:v0\.(?:3[23])\.\d+$", image)
    compatible = "VLLM_ENABLE_CUDA_COMPATIBILITY" in (wanted.values.get("env") or {})
    if not known or compatible or not any(name.startswith("nvidia.com/") for name in scheduling.devices(wanted.spec)):
        return
    for node in snapshot.nodes or ():
        major = next((found for label in DRIVER_LABELS if (found := nodes.labels(node).get(label))), "")
        if nodes.welcomes(wanted.spec, node) and major.isdigit() and int(major) < DRIVER:
            yield Finding(
                "driver",
                f"Node/{nodes.name(node)}",
                f"its driver is R{major}, and the CUDA of {image} needs R{DRIVER}",
                "upgrade it, choose other nodes with nodeSelector, write the image.tag of an older CUDA, or on GPUs of "
                'data centres env: {VLLM_ENABLE_CUDA_COMPATIBILITY: "1"}',
            )
