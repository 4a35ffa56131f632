"""Weights that leave the GPU for pinned host memory: by a budget (`--cpu-offload-gb`), or of some layers in each group
(`--offload-group-size`).

Only the layers of the language model are wrapped (model_executor/models/utils.py, `make_layers`).
"""

import dataclasses
from collections.abc import Sequence

from vllm_chart.sizing.checkpoint import Checkpoint
from vllm_chart.sizing.model import weights
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Offload
from vllm_chart.vllm_args import host_memory

FUSED = {"q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "gate_proj": "gate_up", "up_proj": "gate_up"}
"""Matrices that vLLM keeps as one parameter (`packed_modules_mapping` of model_executor/models)."""

Layer = dict[str, int]
"""Bytes of the parameters of a layer on one GPU, by name, in their order."""


@dataclasses.dataclass(frozen=True)
class Moved:
    """Parameters of one GPU that are kept in host memory, in bytes each; `buffers`: what they take of the GPU instead.

    sure: whether it is these; False where a list of names chooses among them.
    """

    sizes: Sequence[int] = ()
    buffers: int = 0
    sure: bool = True

    @property
    def bytes(self) -> int:
        return sum(self.sizes)

    @property
    def pinned(self) -> int:
        """Bytes that torch pins for them, each rounded up to a power of two."""
        return sum(map(host_memory.pinned_bytes, self.sizes))


def moved(offload: Offload, checkpoint: Checkpoint, split: Split, stage: int) -> Moved:
    """What leaves one GPU of a pipeline stage."""
    if not offload:
        return Moved()
    layers = _layers(checkpoint, split, stage)
    if offload.group:
        return _by_group(offload, layers)
    return Moved(_within(offload.budget, [size for layer in layers for size in layer.values()]), 0, not offload.some)


def _within(budget: float, sizes: Sequence[int]) -> list[int]:
    """Parameter by parameter, until the budget is spent (model_executor/offloader/uva.py:95)."""
    taken: list[int] = []
    for size in sizes:
        if sum(taken) >= budget:
            break
        taken.append(size)
    return taken


def _by_group(offload: Offload, layers: Sequence[Layer]) -> Moved:
    """The last layers of each group (model_executor/offloader/prefetch.py:190), with a buffer on the GPU for as many
    layers as are fetched ahead (prefetch.py:94)."""
    chosen = [layer for index, layer in enumerate(layers) if index % offload.group >= offload.group - offload.in_group]
    largest: Layer = {}
    for layer in chosen:
        largest |= {name: max(size, largest.get(name, 0)) for name, size in layer.items()}
    buffers = offload.ahead * sum(largest.values())
    return Moved([size for layer in chosen for size in layer.values()], buffers, not offload.some)


def _layers(checkpoint: Checkpoint, split: Split, stage: int) -> list[Layer]:
    layers: dict[str, Layer] = {}
    for weight in weights.language_weights(checkpoint.model, split, stage):
        if weight.name.startswith("layers."):
            _, index, rest = weight.name.split(".", 2)
            parent, _, last = rest.rpartition(".")
            name, layer = f"{parent}.{FUSED.get(last, last)}", layers.setdefault(index, {})
            size = weights.size(weight, checkpoint.model.dtype, checkpoint.quantized)
            layer[name] = layer.get(name, 0) + round(size * (checkpoint.factor or 1.0))
    return list(layers.values())
