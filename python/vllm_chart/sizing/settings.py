"""The engine's settings that sizes depend on, as a rendered release hands them to vLLM, and vLLM's own choices."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from vllm_chart.facts import VOLUMES
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Container, engines
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory.estimate import Batch
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.vllm_releases import DEFAULT, Release
from vllm_chart.vllm_args import devices, host_memory, repositories
from vllm_chart.vllm_args.argv import ArgvError
from vllm_chart.vllm_args.container import Told, read, tag_of, version_for
from vllm_chart.vllm_args.devices import Device
from vllm_chart.vllm_args.host_memory import Taken
from vllm_chart.vllm_args.images import named_version

DRAFTED_ON_HOST = ("ngram", "suffix", "medusa", "mlp_speculator", "custom_class")
"""Methods of speculative decoding that don't go with asynchronous scheduling (config/vllm.py:1599-1604)."""


class SettingError(Exception):
    """A setting that can't be read: `where` is its key in the values, the text says what is wrong with it.

    is_argument: whether it is an argument that vLLM refuses, which the check of arguments tells of.
    """

    def __init__(self, where: str, message: str, *, is_argument: bool = False) -> None:
        super().__init__(message)
        self.where = where
        self.is_argument = is_argument


@dataclasses.dataclass(frozen=True)
class Offload:
    """Weights that are kept in host memory (config/offload.py): up to `budget` bytes per GPU, or in each `group` of
    layers the last `in_group`, which are fetched `ahead` layers before their turn. `some`: only parameters that a list
    names.
    """

    budget: float = 0
    group: int = 0
    in_group: int = 1
    ahead: int = 1
    some: bool = False

    def __bool__(self) -> bool:
        return bool(self.budget or self.group)


@dataclasses.dataclass(frozen=True)
class Engine:
    """What vLLM is told; None: it decides by itself."""

    model: str
    revision: str = ""
    device: str = "cuda"
    resource: str = ""
    """What is asked for of each node (`nvidia.com/gpu`, `google.com/tpu`); "" where that is not known."""
    release: Release = DEFAULT
    assumed: bool = False
    """Whether the image names no release, so that the chart's own is assumed."""
    read_as: str = ""
    """The version of vLLM by whose arguments these were read, where the image's own are not known; else ""."""
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
    offload: Offload = dataclasses.field(default_factory=Offload)
    hybrid: bool = True
    prefix_caching: bool | None = None
    state_dtype: str = "auto"
    speculative: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    host_memory: tuple[Taken, ...] = ()
    """What settings keep in host memory, for the whole pod."""
    unsized: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What takes host memory, too, whose size no setting says: the setting, and what it takes."""
    fetched: tuple[tuple[str, str], ...] = ()
    """Repositories beside the model that a start downloads: where each is named, and its name."""
    memory_limit: int = 0
    """Bytes of host memory that the container may take; 0: there is no limit."""
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
    def accelerator(self) -> Device:
        """What messages call the devices."""
        return devices.device(self.resource or "nvidia.com/gpu")

    @property
    def unit(self) -> str:
        """What sizes are those of: a GPU, or a worker where one has none or shares it."""
        return "GPU" if self.device == "cuda" and self.accelerator.one == "GPU" else "worker"

    @property
    def device_word(self) -> str:
        """What vLLM's line about the KV cache begins with; plugins of other devices have their own."""
        return "CPU" if self.device == "cpu" else self.unit if self.unit == "GPU" else "Device"

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


def from_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> Engine:
    """The engine's settings, as the rendered container hands them to vLLM.

    values: the chart's merged values. app_version: the chart's, which is vLLM's where image.tag is empty.

    Raises SettingError for arguments that vLLM refuses, and where no container of the engine was rendered.
    """
    _, container = next(engines(manifests), (None, None))
    if container is None:
        raise SettingError("", "no container of the engine is rendered")
    tag = tag_of(values, app_version)
    try:
        told = read(container, tag)
    except ArgvError as error:
        where = f"engine.args.{error.argument.lstrip('-')}".rstrip(".")
        raise SettingError(where, f"vLLM {version_for(tag)} refuses: {error}", is_argument=True) from error
    return _engine(told, container, values, tag)


def _engine(told: Told, container: Container, values: Mapping[str, Any], tag: str) -> Engine:
    given = told.arguments
    device = values["engine"]["device"]
    limits = _limits(given.get("limit_mm_per_prompt"))
    kv_memory = given.get("kv_cache_memory_bytes")
    if device == "cpu":
        kv_memory = _cpu_cache(told.environment) or kv_memory
    named = named_version(values["image"]["repository"] or "", tag)
    split = Split(
        given.get("tensor_parallel_size", 1),
        given.get("pipeline_parallel_size", 1),
        given.get("data_parallel_size", 1),
        given.get("enable_expert_parallel", False),
    )
    taken = tuple(host_memory.taken(given, told.environment, host_memory.pod_of(given, values)))
    old_flags = {word.lstrip("-").partition("=")[0].partition(".")[0].replace("_", "-") for word in told.ignored}
    return Engine(
        model=_model(given, values),
        revision=given.get("revision") or "",
        device=device,
        resource=str(values["gpu"]["resourceName"] or "") if device == "cuda" else "",
        release=(Release.parse(named) if named else None) or DEFAULT,
        assumed=not named,
        read_as=told.version if told.stands_in else "",
        split=split,
        context=given.get("decode_context_parallel_size") or 1,
        dtype=given.get("dtype", "auto"),
        kv_dtype=given.get("kv_cache_dtype", "auto"),
        block_size=given.get("block_size"),
        max_length=given.get("max_model_len"),
        requests=given.get("max_num_seqs"),
        batch_tokens=given.get("max_num_batched_tokens"),
        utilization=given.get("gpu_memory_utilization"),
        kv_memory=kv_memory,
        blocks_override=given.get("num_gpu_blocks_override"),
        eager=given.get("enforce_eager", False),
        quantization=given.get("quantization"),
        offload=_offload(given),
        hybrid=not given.get("disable_hybrid_kv_cache_manager"),
        prefix_caching=given.get("enable_prefix_caching"),
        state_dtype=given.get("mamba_ssm_cache_dtype", "auto"),
        speculative=_speculative(given),
        host_memory=taken,
        unsized=host_memory.unsized(given, told.environment),
        # What a Job downloads is no part of a start.
        fetched=_fetched(told, offline=bool(values["hub"]["offline"] or (values.get("download") or {}).get("enabled"))),
        memory_limit=_limit(container),
        loras=given.get("max_loras", 1) if given.get("enable_lora") else 0,
        lora_rank=given.get("max_lora_rank", 16),
        stretched=bool(given.get("hf_overrides") or old_flags & {"rope-scaling", "rope-theta", "rope-parameters"}),
        chunked=given.get("enable_chunked_prefill") is not False,
        asynchronous=given.get("async_scheduling") is not False,
        longer_allowed=told.environment.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "0").lower() in ("1", "true"),
        language_only=given.get("language_model_only", False)
        or (limits.get("image") == 0 and not any(limits.values())),
        videos=limits.get("video") != 0,
        published=device == "cuda"
        and bool(re.search(r"(^|/)vllm/vllm-openai$", values["image"]["repository"] or STOCK)),
    )


def _fetched(told: Told, *, offline: bool) -> tuple[tuple[str, str], ...]:
    """Tokenizers, adapters and drafts of the Hub; none where the Hub is left out."""
    found = repositories.named(told.arguments, told.environment)
    others = {name.text: name.place.where for name in found if name.is_repository}
    return tuple(
        (where, text) for text, where in others.items() if not offline and text != told.arguments.get("model_tag")
    )


def _offload(given: Mapping[str, Any]) -> Offload:
    """As config/offload.py and model_executor/offloader/base.py (`create_offloader`) choose between the two ways."""
    backend, group = given.get("offload_backend", "auto"), int(given.get("offload_group_size") or 0)
    if backend != "uva" and group:
        in_group, ahead = given.get("offload_num_in_group", 1), given.get("offload_prefetch_step", 1)
        return Offload(0, group, in_group, ahead, bool(given.get("offload_params")))
    budget = 0.0 if backend == "prefetch" else given.get("cpu_offload_gb") or 0.0
    return Offload(budget * GIB, some=bool(given.get("cpu_offload_params")))


def _limit(container: Container) -> int:
    """Bytes of the container's memory limit, 0 for none."""
    limit = container.resources("limits").get("memory")
    return round(parse_quantity(limit)) if limit is not None else 0


STOCK = "vllm/vllm-openai"
"""The image that an empty `image.repository` stands for, for CUDA."""

CPU_CACHE = "VLLM_CPU_KVCACHE_SPACE"


def _model(given: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The model that is planned for: of one that is mounted as an image the name says more than the path."""
    model = values["model"]
    mounted = (model.get("image") or {}).get("reference") and given.get("model_tag") == VOLUMES["model-image"]["path"]
    return str(model["id"] if mounted else given.get("model_tag") or model["id"])


def _cpu_cache(environment: Mapping[str, str]) -> int | None:
    """Bytes of the CPU engine's cache by its variable (GiB), which goes before the argument (platforms/cpu.py:323)."""
    space = environment.get(CPU_CACHE, "")
    try:
        return int(space or 0) * GIB or None
    except ValueError:
        raise SettingError(f"env.{CPU_CACHE}", f"{space!r} is not a whole number of GiB") from None


def _speculative(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`--speculative-config`, with what the arguments that stand for its keys say (`create_speculative_config` of
    engine/arg_utils.py)."""
    config = given.get("speculative_config")
    single = {
        "method": given.get("spec_method"), "model": given.get("spec_model"),
        "num_speculative_tokens": given.get("spec_tokens"),
    }  # fmt: skip
    return {**(config if isinstance(config, Mapping) else {}), **{key: v for key, v in single.items() if v is not None}}


def _limits(limits: object) -> dict[str, int]:
    """`--limit-mm-per-prompt` by modality; one with options has its count there (config/multimodal.py)."""
    if not isinstance(limits, Mapping):
        return {}
    counts = {name: value.get("count") if isinstance(value, Mapping) else value for name, value in limits.items()}
    return {name: int(str(count)) for name, count in counts.items() if str(count).isdigit()}
