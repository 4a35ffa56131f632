"""Start-up logs of vLLM as collected: what each says of its model, GPU, release and arguments.

What a log doesn't name outright is read from what it does say, by rules that are vLLM's own: the release from the
wording of its lines, else from its day; an argument that isn't there has vLLM's default.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from vllm_chart.sizing import checkpoint, plan, sources
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory.gpus import Gpu, UnknownGpuError, find, of_memory
from vllm_chart.sizing.model import architecture, drafts
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import Engine, Offload
from vllm_chart.sizing.vllm_releases import Release

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
    # The first runner: four digits until 0.14, "GiB memory and" since 0.11.1 (v1/worker/gpu_model_runner.py:2653 of
    # 0.11). The second: two digits, and "GiB and" until 0.28 (v1/worker/gpu/model_runner.py:330 of 0.27.1).
    r"Model loading took \d+\.\d{4} GiB": (0, 13, 0),
    r"Model loading took \d+\.\d{4} GiB and ": (0, 11, 0),
    r"Model loading took \d+(\.\d{1,2})? GiB and ": (0, 27, 1),
}
"""Lines that a later release words otherwise, with the last release that still has them."""

NAMES_OF_DTYPES = {
    "half": "float16", "fp16": "float16", "float16": "float16", "bf16": "bfloat16", "bfloat16": "bfloat16",
    "float": "float32", "float32": "float32",
}  # fmt: skip

ON_LOADING = ("fp8", "bitsandbytes")
"""What `--quantization` makes of a checkpoint that is not quantized."""

UNSURE = (
    r"[Uu]tili[sz]ation\b(?:[^;.]|\.\d)*"
    r"(cut[- ]off|another value|not (in|given|shown|stated|seen|visible|known)|unknown)"
)
"""What notes say where neither an argument nor the default is sure to have been the share."""

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
            # nvidia-smi counts what CUDA doesn't, and a whole number is the data sheet's; the table has CUDA's figure.
            if memory and memory % 1 and "nvidia-smi" not in str(self.raw.get("gpu_memory_stated")):
                return dataclasses.replace(gpu, memory=round(memory * GIB))
            return gpu
        return of_memory(round(memory * GIB)) if memory else None

    @property
    def engine(self) -> Engine:
        """The engine's arguments."""
        limits = self._limits
        return Engine(
            model=str(self.raw.get("model") or ""),
            release=self.release or Release((0, 11, 0)),
            split=Split(
                self.raw.get("tensor_parallel") or 1,
                self.raw.get("pipeline_parallel") or 1,
                self.raw.get("data_parallel") or 1,
                bool(self.flag("enable_expert_parallel")),
            ),
            context=self._number("decode-context-parallel-size") or 1,
            dtype=NAMES_OF_DTYPES.get(str(self.raw.get("dtype")).removeprefix("torch."), "auto"),
            kv_dtype=self.raw.get("kv_cache_dtype") or "auto",
            block_size=self.flag("block_size"),
            max_length=self.flag("max_model_len"),
            requests=self.flag("max_num_seqs"),
            batch_tokens=self.flag("max_num_batched_tokens"),
            utilization=self._utilization,
            eager=bool(self.flag("enforce_eager")),
            offload=Offload((self.flag("cpu_offload_gb") or 0.0) * GIB),
            prefix_caching=self.flag("enable_prefix_caching"),
            quantization=self.raw.get("quantization") if self.raw.get("quantization") in ON_LOADING else None,
            speculative=self._speculative,
            encoder_tokens=self.raw.get("encoder_tokens"),
            language_only=limits.get("image") == 0 and not any(limits.values()),
            videos=limits.get("video") != 0,
            compiled=bool(self.raw.get("compiled")),
            loras=(self.flag("max_loras") or self._number("max-loras") or 1) if self._adapted else 0,
            lora_rank=self.flag("max_lora_rank") or self._number("max-lora-rank") or 16,
        )

    @property
    def note(self) -> str:
        """What whoever collected the log says of it."""
        return str(self.raw.get("note") or "")

    @property
    def _utilization(self) -> float | None:
        """The share: what the log's own parts add up to, where the collector has added them up, else the argument."""
        summed = re.search(r"add up to [\d.]+ GiB = (0?\.\d+) x", self.note)
        return float(summed[1]) if summed else self.flag("gpu_memory_utilization")

    @property
    def other(self) -> str:
        """What the log shows of arguments besides, in its own words."""
        return str(self.flag("other") or "")

    def _number(self, name: str) -> int | None:
        """A whole number among the other arguments, as `--some-flag 8` or `some_flag=8`."""
        found = re.search(name.replace("-", "[-_]") + r"[\"']?[ =:]+(\d+)", self.other)
        return int(found[1]) if found else None

    @property
    def _adapted(self) -> bool:
        return bool(self.flag("enable_lora") or re.search(r"lora", self.other, re.IGNORECASE))

    @property
    def _limits(self) -> Mapping[str, int]:
        """`--limit-mm-per-prompt`, by modality."""
        found = re.search(r"limit[-_]mm[-_]per[-_]prompt\W*?(\{[^}]*\})", self.other)
        return {name: int(count) for name, count in re.findall(r"(\w+)\W+(\d+)", found[1])} if found else {}

    @property
    def _speculative(self) -> Mapping[str, Any]:
        """`--speculative-config`: as a flag, else what the other arguments say of it."""
        if given := self.flag("speculative_config"):
            return dict(given)
        method = re.search(r"eagle3|eagle|\w*mtp|ngram|suffix|medusa", self.other, re.IGNORECASE)
        named = re.search(r"speculative|draft", self.other, re.IGNORECASE)
        if not method and not named:
            return {}
        tokens = self._number("num-speculative-tokens")
        return {
            "method": method[0].lower() if method else "unknown",
            **({"num_speculative_tokens": tokens} if tokens else {}),
        }

    def lacks(self) -> list[str]:
        """The inputs of a prediction of memory that the log lacks."""
        lacks = {
            "the model": self.source is None,
            "the GPU": self.gpu is None,
            "vLLM's release": self.release is None,
            "LoRA's slots and rank": self._adapted and not (self.flag("enable_lora") or self._number("max-loras")),
            "the utilization": self.flag("gpu_memory_utilization") is None and bool(re.search(UNSURE, self.note)),
            "the number of GPUs": bool(re.search(r"\d+ nodes\b", self.note)) and not self.scattered,
            "the GPU's other users": bool(re.search("other processes", self.note)),
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
        """Whether the quantization isn't the config's, or the config's is put together after others, not read."""
        source = self.source
        if source is None:
            return False
        config = source.config.get("quantization_config") or {}
        if not config and self.raw.get("quantization") not in (None, *ON_LOADING):
            return True
        if source.confidence != "derived":
            return False
        if "modules not read" in source.note:
            return True
        read = "config_groups" in config or "dynamic" in config
        return not read and config.get("quant_method", "awq") not in ("awq", "fp8")

    @property
    def _drafted_unknown(self) -> bool:
        speculative = self._speculative
        if self.source is None or not speculative or speculative.get("method") in drafts.ON_HOST:
            return False
        return drafts.read(speculative, architecture.read(self.source.config)) is None

    def plan(self) -> Plan | None:
        """The plan for this case, whether or not its memory can be predicted; None without model."""
        if self.source is None:
            return None
        return plan.make(self.engine, checkpoint.read(self.engine, self.source), self.gpu or of_memory(0))
