"""Host memory of a pod: its processes, /dev/shm, and what the engine's settings keep there beside the GPU."""

import dataclasses
from collections.abc import Iterable, Iterator

from vllm_chart.sizing import offloading
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import Engine
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
        if taken.memory == "pinned" and not taken.ceiling:
            yield Part(taken.where, kept(plan, taken))


def shm_bytes(engine: Engine) -> int:
    """/dev/shm: the broadcast ring of 160 MiB, one of 240 MiB per worker (distributed/device_communicators/
    shm_broadcast.py:503, v1/executor/multiproc_executor.py:165), NCCL's segments, and what settings keep there."""
    return (1 + engine.workers) * GIB + host_memory.total(engine.host_memory, "shared")


def pinned_weights(plan: Plan) -> int:
    """Bytes that all workers pin for the weights that leave the GPU; 0 where it is not known which those are."""
    return sum(part.pinned for part in _moved(plan) if part.sure) * plan.engine.split.tensor * plan.engine.split.data


def certain(plan: Plan) -> int:
    """Bytes that settings and offloaded weights take at least, before any process and any rounding."""
    moved = sum(part.bytes for part in _moved(plan) if part.sure) * plan.engine.split.tensor * plan.engine.split.data
    return moved + sum(kept(plan, taken) for taken in plan.engine.host_memory if not taken.ceiling)


def kept(plan: Plan, taken: host_memory.Taken) -> int:
    """Bytes that a setting takes in the whole pod."""
    return taken.bytes * (plan.engine.workers if taken.each and not plan.model.latent else 1)


def _moved(plan: Plan) -> list[offloading.Moved]:
    """What leaves one GPU of each stage."""
    engine = plan.engine
    stages = range(engine.split.pipeline)
    return [offloading.moved(engine.offload, plan.checkpoint, engine.split, stage) for stage in stages]
