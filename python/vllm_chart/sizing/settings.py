"""The engine's settings that sizes depend on, out of a chart's values, with vLLM's defaults for what is left out."""

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory.estimate import Batch
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.vllm_releases import DEFAULT, Release

DRAFTED_ON_HOST = ("ngram", "suffix", "medusa", "mlp_speculator", "custom_class")
"""Methods of speculative decoding that don't go with asynchronous scheduling (config/vllm.py:1599-1604)."""


class SettingError(Exception):
    """A value that can't be read: `where` is its key in the values, the text says what is wrong with it."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where


@dataclasses.dataclass(frozen=True)
class Engine:
    """What vLLM is told; None: it decides by itself."""

    model: str
    revision: str = ""
    device: str = "cuda"
    release: Release = DEFAULT
    split: Split = dataclasses.field(default_factory=Split)
    context: int = 1
    dtype: str = "auto"
    kv_dtype: str = "auto"
    block_size: int | None = None
    max_length: int | None = None
    """None: the model's own. -1: the longest that fits."""
    requests: int | None = None
    batch_tokens: int | None = None
    utilization: float | None = None
    kv_memory: int | None = None
    """`--kv-cache-memory-bytes`: taken as it is, without profiling."""
    blocks_override: int | None = None
    eager: bool = False
    quantization: str | None = None
    offload: float = 0.0
    """`--cpu-offload-gb`: GiB of weights kept in host memory, per GPU."""
    hybrid: bool = True
    prefix_caching: bool | None = None
    state_dtype: str = "auto"
    speculative: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    kv_offload: float = 0.0
    loras: int = 0
    """Adapters that fit in a batch (`--max-loras`), 0 without `--enable-lora`."""
    lora_rank: int = 16
    encoder_tokens: int | None = None
    """Tokens of the largest image or video; None: by the model's family."""
    stretched: bool = False
    """Whether the model's positions are overridden, so that its own limit says nothing."""
    longer_allowed: bool = False
    """Whether the environment lets the length exceed the model's limit."""
    chunked: bool = True
    """Whether a prompt may be spread over several batches."""
    asynchronous: bool = True
    """`--async-scheduling`"""
    language_only: bool = False
    """Whether no image, video or sound is accepted, so that no encoder runs."""
    videos: bool = True
    """Whether videos are accepted, which can be larger than any image."""
    compiled: bool = False
    """Whether the compile cache of an earlier start is there."""
    published: bool = False
    """Whether the image is the one that the vLLM project publishes for CUDA."""

    @property
    def workers(self) -> int:
        """Worker processes, each with a GPU of its own."""
        return self.split.tensor * self.split.pipeline * self.split.data

    @property
    def drafted_tokens(self) -> int:
        """Tokens that are drafted at once; 0 where that is the draft's own affair, or nothing is."""
        tokens = self.speculative.get("num_speculative_tokens")
        return tokens if isinstance(tokens, int) else 0

    @property
    def overlapped(self) -> bool:
        """Whether the next batch is scheduled while one runs: never on CPU (platforms/cpu.py:331), nor with drafts
        that are made on the host (config/vllm.py:1599)."""
        return self.asynchronous and self.device != "cpu" and self.speculative.get("method") not in DRAFTED_ON_HOST

    def share(self) -> float:
        """The part of a GPU that vLLM claims."""
        return self.release.utilization if self.utilization is None else self.utilization

    def batch(self, gpu: Gpu, length: int) -> Batch:
        """The batch that the engine is profiled with: given, or as vLLM chooses by the GPU."""
        tokens, requests = self._default_batch(gpu)
        requests = self.requests or requests
        if self.batch_tokens is None:
            tokens = min(tokens if self.chunked else max(tokens, length), requests * length)
        tokens = self.batch_tokens or tokens
        return Batch(
            tokens,
            min(requests, tokens),
            length,
            eager=self.eager or self.device == "cpu",
            on_cpu=self.device == "cpu",
            switched=gpu.switched,
            encoder_tokens=0 if self.language_only else self.encoder_tokens,
            videos=self.videos,
            adapted=bool(self.loras),
            compiled=self.compiled,
        )

    def _default_batch(self, gpu: Gpu) -> tuple[int, int]:
        """Tokens and requests of a batch by the GPU (engine/arg_utils.py:2894, `get_batch_defaults`, for `vllm serve`;
        before 0.8.5 by the GPU's name, :1648 of 0.8.3, and the A100 is left out since 0.9, :1495; GB10 since 0.33,
        :2963)."""
        number = self.release.number
        if self.device == "cpu":
            ranks = self.split.tensor * self.split.pipeline
            return 2048 * ranks, 128 * ranks
        if number < (0, 8, 5):
            return 8192 if gpu.name.startswith(("h100", "h200")) else 2048, 1024
        if gpu.memory >= 160 * GIB and number >= (0, 28, 0):
            return 16384, 1024
        large = gpu.memory >= 70 * GIB and not (
            (gpu.name.startswith("a100") and number >= (0, 9, 0)) or (gpu.name == "gb10" and number >= (0, 33, 0))
        )
        return (8192, 1024) if large else (2048, 256)


def from_values(values: Mapping[str, Any], app_version: str) -> Engine:
    """The engine's settings in a chart's merged values; `app_version`: the chart's, for an empty image tag.

    Raises SettingError for one that can't be read.
    """
    flags = dict(_flags(values))
    device = values["engine"]["device"]
    parallelism = values["parallelism"]
    pipeline, data = int(parallelism["pipelineParallelSize"] or 1), int(parallelism["dataParallelSize"] or 1)
    count = values["gpu"]["count"]
    gpus = int(count) if count not in ("", None) else 1
    tensor = int(parallelism["tensorParallelSize"] or (1 if device == "cpu" else max(1, gpus // (pipeline * data))))
    length = _integer(flags, "max-model-len", auto=-1)
    blocks = _integer(flags, "num-gpu-blocks-override")
    env = values.get("env") or {}
    kv_memory = _integer(flags, "kv-cache-memory-bytes")
    repository = values["image"]["repository"] or "vllm/vllm-openai"
    if device == "cpu":
        kv_memory = _cpu_cache(values) or kv_memory
    limits = _limits(flags)
    return Engine(
        model=values["model"]["id"],
        revision=values["model"]["revision"],
        device=device,
        release=Release.parse(str(values["image"]["tag"] or app_version)) or DEFAULT,
        split=Split(tensor, pipeline, data, _truth(flags, "enable-expert-parallel")),
        context=_integer(flags, "decode-context-parallel-size") or 1,
        dtype=str(flags.get("dtype", "auto")),
        kv_dtype=str(flags.get("kv-cache-dtype", "auto")),
        block_size=_integer(flags, "block-size"),
        max_length=length,
        requests=_integer(flags, "max-num-seqs"),
        batch_tokens=_integer(flags, "max-num-batched-tokens"),
        utilization=_number(flags, "gpu-memory-utilization", "device-memory-utilization"),
        kv_memory=kv_memory,
        blocks_override=blocks,
        eager=_truth(flags, "enforce-eager"),
        quantization=flags.get("quantization"),
        offload=_number(flags, "cpu-offload-gb") or 0.0,
        hybrid=not _truth(flags, "disable-hybrid-kv-cache-manager"),
        prefix_caching=_truth(flags, "enable-prefix-caching") if "enable-prefix-caching" in flags else None,
        state_dtype=str(flags.get("mamba-ssm-cache-dtype", "auto")),
        speculative=_mapping(flags.get("speculative-config")),
        kv_offload=_number(flags, "kv-offloading-size") or 0.0,
        loras=(_integer(flags, "max-loras") or 1) if _truth(flags, "enable-lora") else 0,
        lora_rank=_integer(flags, "max-lora-rank") or 16,
        stretched=bool({"hf-overrides", "rope-scaling", "rope-parameters"} & {flag.split(".")[0] for flag in flags}),
        chunked=_truth(flags, "enable-chunked-prefill") if "enable-chunked-prefill" in flags else True,
        asynchronous=_truth(flags, "async-scheduling") if "async-scheduling" in flags else True,
        longer_allowed=str(env.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "0")).lower() in ("1", "true"),
        language_only=_truth(flags, "language-model-only") or (limits.get("image") == 0 and not any(limits.values())),
        videos=limits.get("video") != 0,
        published=device == "cuda" and bool(re.search(r"(^|/)vllm/vllm-openai$", repository)),
    )


CPU_CACHE = "VLLM_CPU_KVCACHE_SPACE"


def _cpu_cache(values: Mapping[str, Any]) -> int | None:
    """Bytes of the CPU engine's cache by its variable, which goes before the argument (platforms/cpu.py:323). The chart
    sets it to 4 unless the argument is there (templates/_engine.tpl)."""
    given = "kv-cache-memory-bytes" in (values["engine"]["args"] or {})
    space = {CPU_CACHE: None if given else 4, **(values.get("env") or {})}[CPU_CACHE]
    if space in (None, "") or isinstance(space, Mapping):
        return None
    try:
        return int(str(space)) * GIB
    except ValueError:
        raise SettingError(f"env.{CPU_CACHE}", f"{space!r} is not a whole number of GiB") from None


ALIASES = {"q": "quantization", "dcp": "decode-context-parallel-size", "ep": "enable-expert-parallel"}


def _flags(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Flags by name without dashes, from `engine.args` and then from `engine.extraArgs`."""
    for flag, value in (values["engine"]["args"] or {}).items():
        if value not in (None, ""):
            name = str(flag).replace("_", "-")
            negated = name.startswith("no-") and value is True
            yield (name.removeprefix("no-"), False) if negated else (ALIASES.get(name, name), value)
    words = [str(word) for word in values["engine"]["extraArgs"] or ()]
    for word, following in itertools.pairwise([*words, "-"]):
        match = re.fullmatch(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", word, re.DOTALL)
        if match:
            name, value = match[1].replace("_", "-"), match[2]
            if value is None and not following.startswith("-"):
                value = following
            yield (
                ALIASES.get(name, name.removeprefix("no-")),
                value if value is not None else not name.startswith("no-"),
            )


UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _integer(flags: Mapping[str, Any], name: str, *, auto: int | None = None) -> int | None:
    """An integer flag as vLLM reads it: "8k" is 8000, "8K" is 8192 (engine/arg_utils.py, `human_readable_int`)."""
    value = flags.get(name)
    word = str(value).lower()
    if word in ("none", "auto"):
        return auto if word == "auto" else None
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)([kKmMgGtT]?)(?:i?B)?", str(value).strip())
    if not match:
        raise SettingError(f"engine.args.{name}", f"{value!r} is not a number")
    return round(float(match[1]) * UNITS.get(match[2], 1))


def _number(flags: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        if flags.get(name) is not None:
            try:
                return float(flags[name])
            except (TypeError, ValueError):
                raise SettingError(f"engine.args.{name}", f"{flags[name]!r} is not a number") from None
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    """A JSON-valued flag, as a map or as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _limits(flags: Mapping[str, Any]) -> dict[str, int]:
    """`--limit-mm-per-prompt` by modality; one with options has its count there (config/multimodal.py)."""
    limits = dict(_mapping(flags.get("limit-mm-per-prompt")))
    prefix = "limit-mm-per-prompt."
    limits |= {flag.removeprefix(prefix): value for flag, value in flags.items() if flag.startswith(prefix)}
    counts = {name: value.get("count") if isinstance(value, Mapping) else value for name, value in limits.items()}
    return {name: int(str(count)) for name, count in counts.items() if str(count).isdigit()}


def _truth(flags: Mapping[str, Any], name: str) -> bool:
    return str(flags.get(name, False)).lower() in ("true", "1")
