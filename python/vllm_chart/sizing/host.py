"""Host memory of a pod: its processes, /dev/shm, and what the engine's settings keep there beside the GPU."""

import dataclasses
from collections.abc import Iterable, Iterator

from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.model import weights
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import OFFLOADED_WEIGHTS, Engine
from vllm_chart.vllm_args import host_memory

PER_PROCESS = round(2.5 * GIB)
"""Host memory of a worker with its libraries: vLLM's processes take it together with a small model."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Bytes of host memory in the whole pod, and what takes them."""

    name: str
    bytes: int


def needed(plan: Plan) -> list[Part]:
    """What the pod needs of the host's memory, which counts against its limit. Weights pass through the page cache,
    which the kernel takes back when memory is short."""
    return [part for part in _parts(plan) if part.bytes]


def total(plan: Plan) -> int:
    """Bytes of host memory that the pod needs."""
    return sum(part.bytes for part in needed(plan))


def listed(parts: Iterable[Part]) -> str:
    """The parts in words, each with its size."""
    return ", ".join(f"{part.name} {part.bytes / GIB:.3g} GiB" for part in parts)


def _parts(plan: Plan) -> Iterator[Part]:
    engine = plan.engine
    workers = f"{engine.workers} worker{'s' if engine.workers > 1 else ''}"
    if engine.device == "cpu":
        yield Part("the server and its workers", PER_PROCESS)
        yield Part("weights", sum(stage.weights for stage in plan.stages) * engine.split.tensor * engine.split.data)
        yield Part("the KV cache", (engine.kv_memory or 0) * engine.workers)
    else:
        yield Part(f"{workers} and the server", PER_PROCESS * (1 + engine.workers))
        yield Part("offloaded weights (each pinned as a power of two)", pinned_weights(plan))
    yield Part("/dev/shm", shm_bytes(engine))
    for taken in engine.host_memory:
        if taken.memory == "pinned" and taken.where != OFFLOADED_WEIGHTS:
            yield Part(taken.where, taken.bytes)


def shm_bytes(engine: Engine) -> int:
    """/dev/shm: the broadcast ring of 160 MiB, one of 240 MiB per worker (distributed/device_communicators/
    shm_broadcast.py:503, v1/executor/multiproc_executor.py:165), NCCL's segments, and what settings keep there."""
    return (1 + engine.workers) * GIB + host_memory.total(engine.host_memory, "shared")


def pinned_weights(plan: Plan) -> int:
    """Bytes that all workers pin for the weights that `--cpu-offload-gb` takes off the GPU: parameter by parameter, in
    the order of the layers, until the budget is spent (model_executor/offloader/uva.py:95), each rounded up."""
    budget, pinned = round(plan.engine.offload * GIB), 0
    if not budget:
        return 0
    split = plan.engine.split
    for stage in range(split.pipeline):
        left = budget
        for size in _parameters(plan, stage):
            if left <= 0:
                break
            pinned += host_memory.pinned_bytes(size)
            left -= size
    return pinned * split.tensor * split.data


FUSED = {"q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "gate_proj": "gate_up", "up_proj": "gate_up"}
"""Matrices that vLLM keeps as one parameter (`packed_modules_mapping` of model_executor/models)."""


def _parameters(plan: Plan, stage: int) -> list[int]:
    """Bytes of the parameters of the layers of a stage, on one GPU, in their order; only layers are wrapped
    (model_executor/models/utils.py, `make_layers`)."""
    sizes: dict[str, int] = {}
    for weight in weights.language_weights(plan.model, plan.engine.split, stage):
        if weight.name.startswith("layers."):
            parent, _, last = weight.name.rpartition(".")
            name = f"{parent}.{FUSED.get(last, last)}"
            size = weights.size(weight, plan.model.dtype, plan.checkpoint.quantized)
            sizes[name] = sizes.get(name, 0) + size
    return list(sizes.values())
