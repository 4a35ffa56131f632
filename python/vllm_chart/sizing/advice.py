"""What to write instead, or besides: GPUs, context, host memory, /dev/shm, startup budget."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.facts import LOAD_SHARE
from vllm_chart.sizing import delivery, host, plan, refusals
from vllm_chart.sizing.arithmetic import GIB, MIB
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.model import divisibility
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import Engine
from vllm_chart.vllm_args import host_memory

DOWNLOAD_RATE = 100 * MIB
"""Bytes per second that a download is expected to reach at least: most of a gigabit."""
VOLUME_RATE = 125 * MIB
"""Bytes per second that a volume is expected to be read with at least: what a gp3 volume has that nobody paid more for
(https://docs.aws.amazon.com/emr/latest/APIReference/API_VolumeSpecification.html)."""
TYPICAL_TOKENS = 2048
"""Of a request, prompt and answer, whose lengths a plan can't know."""
WARM_UP_SECONDS = 600
"""Import, compilation, profiling and graph capture of a large model."""


@dataclasses.dataclass(frozen=True)
class Advice:
    """One piece of advice: the key to write, its value, and why."""

    key: str
    value: str
    why: str


def advise(planned: Plan, values: Mapping[str, Any]) -> list[Advice]:
    """What the plan suggests for these values."""
    return list(_advise(planned, values))


def _advise(planned: Plan, values: Mapping[str, Any]) -> Iterator[Advice]:
    engine = planned.engine
    if engine.device == "cuda":
        count = smallest_count(planned)
        split = values.get("resourceClaims") or not engine.accelerator.worker
        key = "parallelism.tensorParallelSize" if split else "gpu.count"
        if count is None:
            yield Advice(key, "-", f"no tensor-parallel size up to 16 fits on {planned.gpu.product}")
        elif count != engine.workers:
            fewest = "such workers" if not engine.accelerator.worker else planned.gpu.product
            yield Advice(key, str(count), f"the fewest {fewest} that hold it at {planned.length:,} tokens")
        longest = planned.longest
        if longest not in (0, planned.length):
            fits = "is all that fits" if longest < planned.length else "would fit too"
            yield Advice(
                "engine.args.max-model-len", str(longest), f"{fits}; the model allows {planned.model.max_length:,}"
            )
    yield from _requests(planned, values)
    weights = sum(stage.weights + stage.offloaded for stage in planned.stages) * engine.split.tensor
    parts, shm = host.needed(planned), host.shm_bytes(engine)
    yield Advice(
        "resources.requests.memory", f"{math.ceil(host.total(planned) / GIB)}Gi",
        host.listed(parts),
    )  # fmt: skip
    kept = f", and {host_memory.total(engine.host_memory, 'shared') / GIB:.4g} GiB that settings keep there"
    said = "160 MiB, 240 MiB a worker, NCCL's segments" + (kept if shm > (1 + engine.workers) * GIB else "")
    yield Advice("shm.sizeLimit", f"{math.ceil(shm / GIB)}Gi", said)
    yield from _download(planned, values)
    rate, way = _weights_source(values)
    seconds = startup_seconds(weights, rate)
    given = int((values.get("startup") or {}).get("budgetSeconds") or 0)
    if seconds > given:
        yield Advice(
            "startup.budgetSeconds",
            str(seconds),
            f"{weights / GIB:.0f} GiB to {way} at {rate // MIB} MiB/s, and 10 minutes to warm up",
        )


def _download(planned: Plan, values: Mapping[str, Any]) -> Iterator[Advice]:
    """A budget for the Job that downloads, in which every file is read once more to be compared."""
    given, delivered = values.get("download") or {}, delivery.of(planned, values)
    if not given.get("enabled") or delivered is None:
        return
    seconds = delivered.bytes / DOWNLOAD_RATE + (delivered.bytes / VOLUME_RATE if given.get("verify") else 0)
    if seconds > int(given.get("budgetSeconds") or 0):
        why = f"{delivered.bytes / GIB:.0f} GiB at {DOWNLOAD_RATE // MIB} MiB/s, and read once more to be compared"
        yield Advice("download.budgetSeconds", str(math.ceil(seconds / 300) * 300), why)


def _requests(planned: Plan, values: Mapping[str, Any]) -> Iterator[Advice]:
    """What an autoscaler should have a replica do: what runs and fits at once, and room to spare while another starts.

    0.75 x min(max-num-seqs, KV cache / typical request), for each data-parallel rank.
    """
    if not (values.get("autoscaling") or {}).get("enabled") or not planned.stage.cache.groups:
        return
    length = min(planned.length, TYPICAL_TOKENS)
    fit = planned.stage.cache.concurrency(max(0, planned.available), length)
    runs, ranks = min(planned.batch.requests, int(fit)), planned.engine.split.data
    if runs < 1:
        return
    limit = f"max-num-seqs, {runs:,}" if planned.batch.requests <= fit else f"{runs:,} requests of {length:,} tokens"
    each = f", for each of {ranks} ranks" if ranks > 1 else ""
    target = max(1, int(LOAD_SHARE * runs)) * ranks
    yield Advice("autoscaling.requestsPerReplica", str(target), f"three quarters of {limit}{each}; a load measures it")


def smallest_count(planned: Plan) -> int | None:
    """The fewest GPUs, up to 16 and split by tensor, on which the expected sizes fit; None where none do."""
    engine = planned.engine
    for count in divisibility.tensor_sizes(planned.model, engine.split, planned.checkpoint.quantized):
        if count > 16:
            return None
        split = dataclasses.replace(engine.split, tensor=count, pipeline=1, data=1)
        candidate = dataclasses.replace(engine, split=split, context=1, max_length=planned.length)
        if refusals.fits(plan.make(candidate, planned.checkpoint, planned.gpu)):
            return count
    return None


def fitting(engine: Engine, planned: Plan, gpus: tuple[Gpu, ...]) -> list[tuple[Gpu, int]]:
    """The GPUs on which the model fits, each with the fewest of them, as `planned` is configured."""
    counts = ((gpu, smallest_count(plan.make(engine, planned.checkpoint, gpu))) for gpu in gpus)
    return [(gpu, count) for gpu, count in counts if count]


def startup_seconds(weights: int, rate: int) -> int:
    """Seconds to allow for a first start, rounded up to five minutes.

    weights: bytes; rate: bytes per second at which they come.
    """
    return math.ceil((weights / rate + WARM_UP_SECONDS) / 300) * 300


def _weights_source(values: Mapping[str, Any]) -> tuple[int, str]:
    """Where a first start has its weights from: bytes per second, and what is done with them."""
    is_path = str((values.get("model") or {}).get("id") or "").startswith("/")
    fetched = (values.get("hub") or {}).get("offline") or (values.get("download") or {}).get("enabled")
    if is_path or fetched:
        return VOLUME_RATE, "read from a volume"
    return DOWNLOAD_RATE, "download"
