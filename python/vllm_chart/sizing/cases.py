"""Start-up logs of vLLM as collected: what each says of its model, GPU, release and arguments.

What a log doesn't name outright is read from what it does say, by rules that are vLLM's own: the release from the
wording of its lines, else from its day; an argument that isn't there has vLLM's default.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from vllm_chart.sizing import architecture, drafts, plan, sources
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.engine import Engine
from vllm_chart.sizing.gpus import Gpu, UnknownGpuError, find, of_memory
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.releases import Release
from vllm_chart.sizing.weights import Split

RELEASED = {
    "2025-01-27": (0, 7, 0), "2025-03-18": (0, 8, 0), "2025-05-28": (0, 9, 0), "2025-07-25": (0, 10, 0),
    "2025-10-04": (0, 11, 0), "2025-12-03": (0, 12, 0), "2025-12-19": (0, 13, 0), "2026-01-20": (0, 14, 0),
    "2026-01-29": (0, 15, 0), "2026-02-26": (0, 16, 0), "2026-03-07": (0, 17, 0), "2026-03-20": (0, 18, 0),
    "2026-04-03": (0, 19, 0), "2026-04-27": (0, 20, 0), "2026-05-15": (0, 21, 0), "2026-05-29": (0, 22, 0),
    "2026-06-15": (0, 23, 0), "2026-06-30": (0, 24, 0), "2026-07-11": (0, 25, 0), "2026-07-25": (0, 26, 0),
    "2026-08-10": (0, 27, 0), "2026-08-26": (0, 28, 0), "2026-09-09": (0, 29, 0), "2026-09-22": (0, 30, 0),
    "2026-10-05": (0, 31, 0), "2026-10-18": (0, 32, 0), "2026-11-02": (0, 33, 0),
}  # fmt: skip
"""Days of vLLM's minor releases on PyPI."""

WORDED = {
    r"Model loading took [\d.]+ GiB and ": (0, 11, 0),  # since: "GiB memory and" (v1/worker/gpu_model_runner.py:3050)
}
"""Lines that a later release words otherwise, with the last release that still has them."""

GPUS_OF_A_NODE = 8
"""GPUs of a node at most; more are several nodes."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One start-up log: its facts as collected (`raw`), and the plan for it where the inputs suffice."""

    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its name in the collection."""
        return str(self.raw["id"])

    @property
    def addition(self) -> int:
        """0 for the logs that the formulas were made with; 1 and 2 for those that were looked up afterwards, before and
        after the formulas were mended, so that they tested them on what they had not seen."""
        return int(self.raw.get("addition") or 0)

    @property
    def outcome(self) -> str:
        """ "started" or "refused"."""
        return str(self.raw["outcome"])

    @property
    def gpus(self) -> str:
        """The GPUs as the log names them."""
        return str(self.raw.get("gpu_model") or "")

    def logged(self, key: str) -> float | None:
        """A number that the log shows."""
        return (self.raw.get("parsed") or {}).get(key)

    def flag(self, key: str) -> Any:
        """An argument that the log shows."""
        return (self.raw.get("flags") or {}).get(key)

    @property
    def dated(self) -> bool:
        """Whether the release is not in the log."""
        return not re.match(r"v?0\.\d+", str(self.raw.get("vllm_version") or ""))

    @property
    def release(self) -> Release | None:
        """The release of the log, or the newest that its day and its wording allow."""
        version = str(self.raw.get("vllm_version") or "")
        if not self.dated and (found := Release.parse(version)):
            return found
        day = str(self.raw.get("date") or "")[:10]
        before = [number for released, number in RELEASED.items() if len(day) >= 7 and released <= f"{day}-01"[:10]]
        lines = "\n".join(self.raw.get("log_lines") or ())
        bounds = [number for wording, number in WORDED.items() if re.search(wording, lines)]
        return Release(min([*before[-1:], *bounds])) if before or bounds else None

    @property
    def source(self) -> sources.Source | None:
        """The model's config, where it is among the known ones."""
        name = re.sub(r" \(.*(not given|says).*", "", str(self.raw.get("model") or ""))
        known = sources.shipped()
        return known.get(name) or next((known[k] for k in sorted(known) if k.rpartition("/")[2] == name), None)

    @property
    def gpu(self) -> Gpu | None:
        """The GPU: its memory as logged, else as the table has it."""
        named = re.sub(r"[ (]*\(.*", "", self.gpus)
        memory = self.raw.get("gpu_memory_gib")
        stated = re.match(r"(\d+) ?Gi?B", str(self.raw.get("gpu_memory_stated") or ""))
        for name in (f"{named} {stated[1]}GB" if stated else "", named):
            try:
                gpu = find(name)
            except UnknownGpuError:
                continue
            # nvidia-smi counts what CUDA doesn't; the table has CUDA's figure.
            if memory and "nvidia-smi" not in str(self.raw.get("gpu_memory_stated")):
                return dataclasses.replace(gpu, memory=round(memory * GIB))
            return gpu
        return of_memory(round(memory * GIB)) if memory else None

    @property
    def engine(self) -> Engine:
        """The engine's arguments."""
        context = re.search(r"decode-context-parallel-size (\d+)", str(self.flag("other") or ""))
        return Engine(
            model=str(self.raw.get("model") or ""),
            release=self.release or Release((0, 11, 0)),
            split=Split(
                self.raw.get("tensor_parallel") or 1,
                self.raw.get("pipeline_parallel") or 1,
                self.raw.get("data_parallel") or 1,
                bool(self.flag("enable_expert_parallel")),
            ),
            context=int(context[1]) if context else 1,
            dtype={"half": "float16"}.get(str(self.raw.get("dtype")), self.raw.get("dtype") or "auto"),
            kv_dtype=self.raw.get("kv_cache_dtype") or "auto",
            block_size=self.flag("block_size"),
            max_length=self.flag("max_model_len"),
            requests=self.flag("max_num_seqs"),
            batch_tokens=self.flag("max_num_batched_tokens"),
            utilization=self.flag("gpu_memory_utilization"),
            eager=bool(self.flag("enforce_eager")),
            offload=self.flag("cpu_offload_gb") or 0.0,
            prefix_caching=self.flag("enable_prefix_caching"),
            speculative=self.flag("speculative_config") or {},
            encoder_tokens=self.raw.get("encoder_tokens"),
            compiled=bool(self.raw.get("compiled")),
            loras=(self.flag("max_loras") or 1) if self.flag("enable_lora") else 0,
            lora_rank=self.flag("max_lora_rank") or 16,
        )

    def lacks(self) -> list[str]:
        """The inputs of a prediction of memory that the log lacks."""
        lacks = {
            "the model": self.source is None,
            "the GPU": self.gpu is None,
            "vLLM's release": self.release is None,
            "the GPU's other users": bool(re.search("other processes", str(self.raw.get("note")))),
            **dict.fromkeys(self.raw.get("unknown") or (), True),
        }
        return [name for name, lacking in lacks.items() if lacking]

    def beyond(self) -> list[str]:
        """What of a case whose inputs are there has no formula here, so that its memory is not predicted."""
        beyond = {
            "GPUs of several kinds": " + " in self.gpus,
            "memory that the host shares": "unified" in self.gpus or "Spark" in self.gpus,
            "the checkpoint's quantization": self._guessed,
            "the draft's layers": self._drafted_unknown,
        }
        return [name for name, unknown in beyond.items() if unknown]

    @property
    def scattered(self) -> bool:
        """Whether the workers may have unequal memory, of which the log shows one's: unlike GPUs, or several nodes."""
        nodes = (self.raw.get("num_gpus") or 1) > (1 if "Spark" in self.gpus else GPUS_OF_A_NODE)
        return nodes or " + " in self.gpus

    @property
    def _guessed(self) -> bool:
        """Whether the config's quantization is put together from what others do, not read."""
        source = self.source
        if source is None or source.confidence != "derived":
            return False
        config = source.config.get("quantization_config", {})
        if "modules not read" in source.note:
            return True
        return not config.get("config_groups") and config.get("quant_method", "awq") not in ("awq", "fp8")

    @property
    def _drafted_unknown(self) -> bool:
        speculative = self.flag("speculative_config") or {}
        if self.source is None or not speculative or speculative.get("method") in drafts.ON_HOST:
            return False
        return drafts.read(speculative, architecture.read(self.source.config)) is None

    def plan(self) -> Plan | None:
        """The plan for this case, whether or not its memory can be predicted; None without model."""
        if self.source is None:
            return None
        model = architecture.read(self.source.config)
        return plan.make(self.engine, model, self.source, self.gpu or of_memory(0))
