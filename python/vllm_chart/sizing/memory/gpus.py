"""GPU products and the memory that CUDA, and so vLLM, sees of each: less than the data sheet says."""

import dataclasses
import functools
import json
import re
from importlib import resources

from vllm_chart.sizing.arithmetic import GIB


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A GPU; `memory` in bytes, as `torch.cuda.get_device_properties` gives it."""

    name: str
    product: str
    memory: int
    confidence: str
    """"log": read in a log; "nominal": after the data sheet."""
    source: str
    capability: float | None = None
    aliases: tuple[str, ...] = ()
    host: int = 0
    """Bytes of the host's memory where the GPU's is a part or all of it, which other processes use too; else 0."""
    idle_free: tuple[int, int] | None = None
    """Bytes that are free of a unified memory where nothing runs: the least and the most that was reported."""

    @property
    def switched(self) -> bool:
        """Whether it sits behind an NVSwitch, as Hopper's and Blackwell's server modules do."""
        return self.capability in (9.0, 10.0, 10.3) and self.name not in ("h100-pcie", "h100-nvl", "gh200-96gb")


class UnknownGpuError(Exception):
    """A GPU that isn't in the table; the text lists those that are."""


@functools.cache
def products() -> tuple[Gpu, ...]:
    """The products in the table, `vllm_chart/data/gpus.json`."""
    rows = json.loads((resources.files("vllm_chart") / "data" / "gpus.json").read_text(encoding="utf-8"))
    return tuple(
        Gpu(
            row["name"],
            row["product"],
            round(row["memoryGiB"] * GIB),
            row["confidence"],
            row["source"],
            row.get("computeCapability"),
            tuple(row["aliases"]),
            round(row.get("hostGiB", 0) * GIB),
            _span(row.get("idleFreeGiB")),
        )
        for row in rows
    )


def _span(gib: tuple[float, float] | None) -> tuple[int, int] | None:
    return (round(gib[0] * GIB), round(gib[1] * GIB)) if gib else None


def find(name: str) -> Gpu:
    """The product of this name: "h100-80gb", "NVIDIA-H100-80GB-HBM3" (a node label's form), "L40S".

    Raises UnknownGpuError.
    """
    wanted = _plain(name)
    for gpu in products():
        if wanted in {_plain(gpu.name), _plain(gpu.product), *(_plain(alias) for alias in gpu.aliases)}:
            return gpu
    known = ", ".join(gpu.name for gpu in products())
    raise UnknownGpuError(f"no GPU {name!r} in the table: name one of {known}, or give --gpu-memory")


SLICE = re.compile(r"/mig-\d+g\.(\d+)gb(\.|$)")
SLICE_SHARE = 0.99
"""Of what a slice's name says, what CUDA sees of it at most: 9.75 GiB of 10, 39.5 GiB of 40
(https://docs.nvidia.com/datacenter/tesla/mig-user-guide/supported-mig-profiles.html)."""


def sliced(gpu: Gpu, resource: str) -> Gpu:
    """The slice of a GPU that a resource such as `nvidia.com/mig-3g.40gb` stands for; of another, the GPU itself."""
    if not (match := SLICE.search(resource)):
        return gpu
    memory = min(gpu.memory, round(int(match[1]) * SLICE_SHARE * GIB))
    product = f"a slice of {match[1]} GB of {gpu.product}"
    return dataclasses.replace(gpu, product=product, memory=memory, confidence="nominal", source="its resource")


def of_memory(memory: int, product: str = "a GPU") -> Gpu:
    """A GPU, or what `product` calls it, of which only the memory is known, in bytes."""
    return Gpu("gpu", product, memory, "given", "--gpu-memory")


def host(memory: int) -> Gpu:
    """The host in a GPU's place, for the CPU engine: its memory is the container's limit, as vLLM takes it
    (utils/cpu_resource_utils.py:226)."""
    return Gpu("cpu", "the container", memory, "given", "resources.limits.memory")


def _plain(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    for vendor in ("nvidia-", "tesla-", "amd-", "instinct-", "intel-"):
        words = words.removeprefix(vendor)
    return re.sub(r"-?(gb)-hbm\d\w?$", "gb", words)
