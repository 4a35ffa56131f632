"""What the engine takes of a GPU besides weights and KV cache: estimates, each with its spread.

vLLM measures this on start (v1/worker/gpu_worker.py:634, `determine_available_memory`): it runs the largest batch
and the sampler on dummy inputs, and what is left of its share becomes KV cache. Here the same tensors are added up.
The compiler's choices, the allocator's rounding and the driver's own memory can't be known beforehand; the spread
says how far they reach.
"""

import dataclasses
import math
from collections.abc import Sequence

from vllm_chart.sizing.arithmetic import GIB, MIB, ceil_div
from vllm_chart.sizing.model import encoder
from vllm_chart.sizing.model.architecture import (
    Attention,
    Dense,
    Experts,
    GatedDeltaNet,
    LatentAttention,
    Mamba2,
    Model,
)
from vllm_chart.sizing.model.quantization import DTYPE_BYTES
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.vllm_releases import Release


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Bytes, with the range that the true value is expected in, and where they come from."""

    name: str
    bytes: int
    low: int
    high: int
    why: str


@dataclasses.dataclass(frozen=True)
class Batch:
    """The sizes that the engine is profiled with."""

    tokens: int
    """`--max-num-batched-tokens`"""
    requests: int
    """`--max-num-seqs`"""
    length: int
    """`--max-model-len`"""
    eager: bool = False
    on_cpu: bool = False
    switched: bool = False
    """Whether the GPUs talk through an NVSwitch."""
    encoder_tokens: int | None = None
    """Tokens of the largest image or video, 0 where none is accepted; None: by the model's family."""
    videos: bool = True
    """Whether videos are accepted."""
    adapted: bool = False
    """Whether LoRA adapters are served."""
    compiled: bool = False
    """Whether an earlier start left its compiled graphs, so that nothing is compiled while memory is profiled."""


def requested(total: int, utilization: float) -> int:
    """vLLM's share of a GPU: `ceil(total x gpu_memory_utilization)` (v1/worker/utils.py:724)."""
    return math.ceil(total * utilization)


def estimates(model: Model, split: Split, batch: Batch, release: Release, stage: int = 0) -> list[Estimate]:
    """Activations, the engine's buffers, the driver's and NCCL's memory, and CUDA graphs, on one GPU."""
    if batch.on_cpu:
        return [process()]
    found = [activations(model, split, batch, release, stage)]
    if uses_second_runner(model, release):
        found.append(request_state(model, batch))
    found.append(libraries(split, switched=batch.switched))
    if release.counts_whole_device:
        found.append(context())
    if counts_graphs(model, release):
        found.append(graphs(model, split, batch, release))
    return found


def counts_graphs(model: Model, release: Release) -> bool:
    """Whether the graphs are taken from the share; else they have what is beside it."""
    return release.counts_graphs(second_runner=uses_second_runner(model, release))


def uses_second_runner(model: Model, release: Release) -> bool:
    """Whether Model Runner V2 runs this model by default."""
    simple = not (model.recurrent or model.routed)
    return release.runs_second(model.architecture, simple=simple, quantized=bool(model.quantization))


def activations(model: Model, split: Split, batch: Batch, release: Release, stage: int = 0) -> Estimate:
    """The peak of the dummy run: the largest layer's tensors, the sampler's, the vision encoder's, or the compiler's.

    What the encoder returns is held while the rest runs (`profile_run`, v1/worker/gpu/model_runner.py:991 and
    v1/worker/gpu_model_runner.py:6133); the hidden states are held while the sampler runs. The compiler's counts on a
    start without a compile cache only, because compilation happens within the profiled run: so a later start may find
    more memory than the first.
    """
    hidden = batch.tokens * model.hidden * DTYPE_BYTES[model.dtype]
    layer = max(layer_peak(model, index, split, batch.tokens) for index in range(len(model.layers)))
    last = stage == split.pipeline - 1
    item = batch.encoder_tokens
    if item is None:
        item = encoder.item_tokens(model, batch.length if batch.videos else 0, release)
    held, encoding = encoder.peak(model, split, batch.tokens, item, release) if stage == 0 else (0, 0)
    peaks = {
        "the widest layer": held + 2 * hidden + layer,  # the residual and the normed input beside it
        "the sampler": held + hidden + sampler_peak(model, split, batch, release) if last else 0,
        "the vision encoder": encoding,
    }
    warm = max(peaks.values())
    # A model that takes images gets its inputs embedded, so that the embedding is no part of what is compiled
    # (v1/worker/gpu_model_runner.py:6025 and v1/worker/gpu/model_runner.py:1673).
    compiles_embedding = stage == 0 and not encoding
    if compiles_embedding and release.benchmarks_kernels and not batch.eager and not batch.compiled:
        peaks["the compiler's benchmark of the embedding"] = held + 2 * hidden + embedding(model, split)
    which, peak = max(peaks.items(), key=lambda item: item[1])
    why = f"{which}, at {batch.tokens:,} tokens and {batch.requests:,} requests"
    # Below: the compiler reuses some of it. Above: more lives at once, or the allocator keeps the largest block, which
    # some releases then count again: on an RTX 5090, 0.28 counted the copy of the embedding twice, on an L4 once.
    more = max(layer, embedding(model, split)) if release.counts_kept_blocks else layer
    return Estimate("activations", peak, warm * 3 // 4, peak + more, why)


def embedding(model: Model, split: Split) -> int:
    """Bytes of the input embedding on one GPU, of which the compiler's benchmark makes a copy: in vLLM 0.29's logs of
    Qwen3-14B the profiled peak is this and two batches of hidden states, at 2,048 tokens as at 8,192
    (samilazrak/vllm-optimization-lab, results/raw)."""
    return ceil_div(model.vocabulary, split.tensor) * model.hidden * DTYPE_BYTES[model.dtype]


def layer_peak(model: Model, index: int, split: Split, tokens: int) -> int:
    """Bytes alive at once in the larger half of one layer, for a batch of so many tokens."""
    value = DTYPE_BYTES[model.dtype]
    layer = model.layers[index]
    mixer, feed_forward = layer.mixer, layer.feed_forward
    widths = [0]
    if isinstance(mixer, Attention):
        heads, kv_heads = ceil_div(mixer.heads, split.tensor), max(1, mixer.kv_heads // split.tensor)
        # The fused projection, the rotated queries and keys, and the output (layers/attention/attention.py).
        widths.append((3 * heads + 3 * kv_heads) * mixer.head_dim)
    elif isinstance(mixer, LatentAttention):
        # Queries twice, and keys and values unpacked per head, as prefill does (layers/attention/mla_attention.py).
        heads = ceil_div(mixer.heads, split.tensor)
        widths.append(heads * (3 * (mixer.nope_dim + mixer.rope_dim) + 2 * mixer.value_dim) + mixer.latent)
    elif isinstance(mixer, Mamba2):
        widths.append((3 * mixer.heads * mixer.head_dim + 4 * mixer.groups * mixer.state) // split.tensor)
    elif isinstance(mixer, GatedDeltaNet):
        keys, values = mixer.key_heads * mixer.key_dim, mixer.value_heads * mixer.value_dim
        widths.append((4 * keys + 4 * values) // split.tensor)
    if isinstance(feed_forward, Dense):
        # Both projections upwards, and what their product yields (layers/activation.py, `SiluAndMul`).
        widths.append((3 if feed_forward.gated else 2) * ceil_div(feed_forward.width, split.tensor))
    elif isinstance(feed_forward, Experts):
        widths.append(_experts_width(model, feed_forward, split))
    return tokens * max(widths) * value


def _experts_width(model: Model, experts: Experts, split: Split) -> int:
    """Values per token in the two workspaces of the fused experts and their output
    (fused_moe/experts/triton_moe.py:226, `workspace_shapes`); the shared expert runs beside them."""
    width = ceil_div(experts.width, split.expert_width)
    hidden = experts.latent or model.hidden
    up = (2 if experts.gated else 1) * width
    routed = experts.per_token * (max(width, hidden) + max(up, hidden)) + hidden
    return routed + 3 * ceil_div(experts.shared_width, split.tensor)


SORTED_LOGIT = 2 + 4 + 12 + 8 + 12
"""Bytes per logit while V1's sampler sorts: the model's 16-bit logits, their float32 copy, the sorted values with
64-bit indices (v1/sample/ops/topk_topp_sampler.py:494), and in PyTorch's segmented sort the indices with their
segment, and CUB's second buffer of keys and indices (aten/src/ATen/native/cuda/Sort.cu,
`segmented_sort_pairs_by_full_sort`)."""


def sampler_peak(model: Model, split: Split, batch: Batch, release: Release) -> int:
    """Bytes of the dummy sampler run: one row of logits per request.

    V2 skips top-k and top-p (v1/worker/gpu/model_runner.py:972), so that only the logits count: a rank's share and the
    gathered whole. V1 since Triton's top-k and top-p adds their float32 copy.
    """
    rows = min(batch.requests, batch.tokens)
    logits = rows * model.vocabulary
    if uses_second_runner(model, release):
        return logits * DTYPE_BYTES[model.dtype] * (1 if split.tensor == 1 else 2)
    return logits * (SORTED_LOGIT if release.sorts_logits else 2 + 4 + 4)


def request_state(model: Model, batch: Batch) -> Estimate:
    """V2's tables per request on the GPU, of which one is large: a count of each token of the vocabulary, for the
    penalties, and a bit for each in the prompt (v1/worker/gpu/sample/penalties.py:41-48)."""
    counts = batch.requests * (4 * model.vocabulary + 4 * ceil_div(model.vocabulary, 32))
    return Estimate(
        "request state", counts, counts, counts + 256 * MIB, "a counter per request and token of the vocabulary"
    )


def libraries(split: Split, *, switched: bool) -> Estimate:
    """Kernels that the driver loads, and with several GPUs NCCL's and the all-reduce's buffers.

    Not in vLLM's hands: the sizes are those that it logged as "non-torch memory", 0.13 GiB for one H100, 0.54 for two
    (llm-d's published runs), and 1.63 for eight B300 (SemiAnalysis' InferenceX): NCCL's buffers grow with the ranks of
    an NVSwitch.
    """
    ranks = split.tensor * split.pipeline
    if ranks == 1:
        size, high, why = 0.13, 1.0, "the driver's kernels"
    else:
        size, high, why = (
            0.54 + 0.18 * (ranks - 2) * switched,
            2.0 + 0.18 * (ranks - 2),
            "the driver's kernels, and NCCL",
        )
    return Estimate("libraries", round(size * GIB), round(size / 2 * GIB), round(high * GIB), why)


def context() -> Estimate:
    """The driver's context, where it counts: what logs show as used of a GPU before anything is on it, 0.19 GiB of an
    L4's memory, 0.44 to 0.61 of an H100's, an L40S' or an A100's, 0.88 of an RTX 4090's that also draws a screen."""
    return Estimate(
        "context", round(0.5 * GIB), round(0.2 * GIB), round(1.0 * GIB), "all that is in use on the device counts"
    )


def beside(unclaimed: int, estimates: Sequence[Estimate], release: Release) -> Estimate:
    """What is left of a GPU for graphs that the share does not count: what vLLM doesn't claim, less what is in use
    without it, and what the activations took while memory was profiled. The libraries may still grow: NCCL sets up its
    channels when they are first used, which for some is while graphs are captured."""
    active, loaded = (next(each for each in estimates if each.name == name) for name in ("activations", "libraries"))
    used = Estimate("none", 0, 0, 0, "") if release.counts_whole_device else context()
    return Estimate(
        "beside",
        unclaimed - used.bytes + active.bytes,
        unclaimed - used.high + active.low - (loaded.high - loaded.bytes),
        unclaimed - used.low + active.high,
        "what the share leaves",
    )


def process() -> Estimate:
    """On CPU: what a worker's process takes besides the weights when the cache is sized, which nothing profiles
    (v1/worker/cpu_worker.py:222 subtracts the process' resident memory); the other processes are not counted at all."""
    size = round(1.0 * GIB)
    return Estimate("process", size, size * 3 // 4, 2 * size, "libraries and buffers of the worker's process")


GRAPH_FLOOR = 1 * MIB
"""vLLM's own least for a graph: "driver overhead per graph" (v1/worker/gpu/cudagraph_utils.py:868)."""
GRAPH_CEILING = 24 * MIB
"""A full graph of a large hybrid model, measured (vllm-project/vllm#50780)."""
PIECES_CEILING = 34 * MIB
"""The same where pieces are captured at every size: 2.24 GiB for 67 sizes of a Qwen3-8B on an A100 with 0.9.2."""


def graphs(model: Model, split: Split, batch: Batch, release: Release) -> Estimate:
    """CUDA graphs, as vLLM estimates them before it sizes the cache: one pool as large as the largest graph needs, and
    a piece per graph (v1/worker/gpu/cudagraph_utils.py:873). What a piece takes is the driver's affair: between vLLM's
    floor and what was measured for a large one, so their geometric mean."""
    sizes = [] if batch.eager else capture_sizes(batch, release)
    if not sizes:
        return Estimate("CUDA graphs", 0, 0, 0, "none are captured")
    # Piecewise, and full ones for decoding; with adapters and without.
    count = len(sizes) + release.captures_decoding * sum(size <= batch.requests for size in sizes)
    count *= 1 + (batch.adapted and release.captures_adapters)
    value = DTYPE_BYTES[model.dtype]
    layer = max(layer_peak(model, index, split, sizes[-1]) for index in range(len(model.layers)))
    pool = 2 * sizes[-1] * model.hidden * value + layer
    ceiling = GRAPH_CEILING if counts_graphs(model, release) else PIECES_CEILING
    each = round(math.sqrt(GRAPH_FLOOR * ceiling))
    return Estimate(
        "CUDA graphs",
        pool + count * each,
        pool + count * GRAPH_FLOOR,
        pool + count * ceiling,
        f"{count} graphs, the largest of {sizes[-1]} tokens",
    )


def capture_sizes(batch: Batch, release: Release) -> list[int]:
    """Batch sizes that vLLM captures by default (config/vllm.py:2292, `_set_cudagraph_sizes`): in steps of 16 beyond
    256 since 0.11.1 (config/vllm.py:810), and before 0.10 all up to 512 whatever the requests (config.py:4036 of
    0.8.5)."""
    largest = min(512, batch.tokens)
    if release.number >= (0, 10, 0):
        largest = min(largest, 2 * batch.requests)
    step = 16 if release.number >= (0, 11, 1) else 8
    return [size for size in (1, 2, 4, *range(8, 256, 8), *range(256, 513, step)) if size <= largest]
