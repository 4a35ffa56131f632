"""Sizes that have to divide one another, with those that would work.

vLLM finds most of these only when it builds the model on the GPU, some with a bare assertion.
"""

import dataclasses
from collections.abc import Iterator

from vllm_chart.findings import Finding
from vllm_chart.sizing.arithmetic import round_up
from vllm_chart.sizing.model.architecture import (
    Attention,
    Dense,
    Experts,
    GatedDeltaNet,
    LatentAttention,
    Mamba2,
    Model,
)
from vllm_chart.sizing.model.quantization import Quantization
from vllm_chart.sizing.model.weights import VOCABULARY_PADDING, Split

CANDIDATES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
"""Tensor-parallel sizes worth naming."""


def check(model: Model, split: Split, quantized: Quantization | None) -> list[Finding]:
    """What doesn't divide in this layout of the model; every finding names the sizes that would work."""
    problems = list(dict.fromkeys(_tensor(model, split, quantized)))
    works = ", ".join(map(str, tensor_sizes(model, split, quantized)))
    findings = [
        Finding("divisibility", "parallelism.tensorParallelSize", problem, f"tensor-parallel sizes that work: {works}")
        for problem in problems
    ]
    if split.pipeline > len(model.layers):
        message = f"{len(model.layers)} layers can't make {split.pipeline} pipeline stages"
        findings.append(Finding("divisibility", "parallelism.pipelineParallelSize", message, "write a smaller size"))
    return findings


def tensor_sizes(model: Model, split: Split, quantized: Quantization | None) -> list[int]:
    """The tensor-parallel sizes that this model can be split by, everything else being as it is."""
    sizes = (dataclasses.replace(split, tensor=size) for size in CANDIDATES)
    return [size.tensor for size in sizes if not any(_tensor(model, size, quantized))]


def _tensor(model: Model, split: Split, quantized: Quantization | None) -> Iterator[str]:
    ranks = split.tensor
    vocabulary = round_up(model.vocabulary, VOCABULARY_PADDING)
    if vocabulary % ranks:  # vocab_parallel_embedding.py:304
        yield f"the vocabulary, padded to {vocabulary}, is not divisible by {ranks}"
    for layer in model.layers:
        yield from _mixer(layer.mixer, ranks)
        if isinstance(layer.feed_forward, Dense):
            yield from _width(
                "feed-forward width", layer.feed_forward.width, ranks, quantized, "layers.0.mlp.down_proj"
            )
        elif isinstance(layer.feed_forward, Experts):
            experts, name = layer.feed_forward, "layers.0.mlp.experts.down_proj"
            yield from _width("expert width", experts.width, split.expert_width, quantized, name)
            if experts.shared_width:
                shared = "layers.0.mlp.shared_experts.down_proj"
                yield from _width("shared expert's width", experts.shared_width, ranks, quantized, shared)


def _mixer(mixer: object, ranks: int) -> Iterator[str]:
    if isinstance(mixer, Attention | LatentAttention) and mixer.heads % ranks:  # config/model.py:1557
        yield f"{mixer.heads} attention heads are not divisible by {ranks}"
    if isinstance(mixer, Attention) and mixer.kv_heads % ranks and ranks % mixer.kv_heads:  # linear.py:1052-1057
        yield f"{mixer.kv_heads} KV heads neither divide {ranks} nor are divisible by it"
    if isinstance(mixer, Mamba2) and (mixer.heads % ranks or (mixer.groups % ranks and mixer.groups != 1)):
        yield f"{mixer.heads} Mamba heads in {mixer.groups} groups are not divisible by {ranks}"  # mamba_mixer2.py:315
    if isinstance(mixer, GatedDeltaNet) and (mixer.key_heads % ranks or mixer.value_heads % ranks):
        yield f"{mixer.key_heads} and {mixer.value_heads} linear-attention heads are not divisible by {ranks}"


def _width(what: str, width: int, ranks: int, quantized: Quantization | None, name: str) -> Iterator[str]:
    """Row-parallel layers cut their input, which also has to keep the quantization's groups whole
    (quantization/utils/fp8_utils.py:1318-1375, marlin_utils.py:173)."""
    if width % ranks:
        yield f"the {what} of {width} is not divisible by {ranks}"
        return
    scheme = quantized.scheme(name) if quantized else None
    padded = quantized is not None and quantized.method in ("mxfp4", "gpt_oss_mxfp4", "modelopt")
    # Experts of whole numbers have kernels that halve the group until it fits (quantization/moe_wna16.py).
    halved = ".experts." in name and scheme is not None and scheme.bits < 8
    if scheme and scheme.group and not (padded or halved) and ranks > 1 and width // ranks % scheme.group:
        yield f"the {what} of {width} in {ranks} parts cuts the quantization's groups of {scheme.group}"
