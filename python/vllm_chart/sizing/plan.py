"""Will it fit, and how much will it serve: everything put together for one engine on one kind of GPU."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

from vllm_chart.sizing import offloading
from vllm_chart.sizing.checkpoint import Checkpoint
from vllm_chart.sizing.memory import estimate as memory
from vllm_chart.sizing.memory import kvcache
from vllm_chart.sizing.memory.estimate import Batch, Estimate
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.memory.kvcache import Cache, CacheError
from vllm_chart.sizing.model import adapters, architecture, drafts, quantization, vision, weights
from vllm_chart.sizing.model.architecture import Model
from vllm_chart.sizing.model.quantization import UnknownQuantizationError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine

NO_FORMULA = (architecture.ConfigError, UnknownQuantizationError, CacheError)
"""What a model ends with of which there is no plan: that isn't the model's fault, and so no refusal."""

_LORA = "LoRA"

Scenario = Literal["expected", "worst", "best"]
"""Every estimate as it is, at its high end, or at its low end."""


@dataclasses.dataclass(frozen=True)
class Part:
    """Bytes of one part of the weights on a GPU."""

    name: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class Stage:
    """One GPU of a pipeline stage; all in bytes."""

    share: int
    """What vLLM claims of the GPU."""
    parts: tuple[Part, ...]
    estimates: tuple[Estimate, ...]
    cache: Cache
    offloaded: int = 0
    perhaps: int = 0
    """What may be offloaded besides: a list of names says which."""
    spread: int = 0
    """How far the weights may be off."""
    given: int | None = None
    """The cache's memory where `--kv-cache-memory-bytes` sets it."""
    graphs: Estimate | None = None
    """CUDA graphs, where the share has no place for them."""
    beside: Estimate | None = None
    """What is left for them beside the share, and within it once the activations are gone."""

    @property
    def weights(self) -> int:
        """Weights that stay on the GPU, with the buffers for adapters."""
        return max(0, sum(part.bytes for part in self.parts) - self.offloaded)

    @property
    def lora(self) -> int:
        """Of those, the buffers for adapters, which no option offloads."""
        return sum(part.bytes for part in self.parts if part.name == _LORA)

    def available(self, scenario: Scenario = "expected") -> int:
        """Memory for the KV cache: expected, or with every estimate at its "worst" or its "best"."""
        if self.given is not None:
            return self.given
        reserve: int = {
            "expected": sum(estimate.bytes for estimate in self.estimates),
            "worst": sum(estimate.high for estimate in self.estimates) + self.spread,
            "best": sum(estimate.low for estimate in self.estimates) - self.spread - self.perhaps,
        }[scenario]
        return self.share - self.weights - reserve

    def captures(self, scenario: Scenario = "expected") -> bool:
        """Whether the graphs have room."""
        if self.graphs is None or self.beside is None:
            return True
        graphs, room = self.graphs, self.beside
        return {
            "expected": graphs.bytes <= room.bytes, "worst": graphs.high <= room.low, "best": graphs.low <= room.high,
        }[scenario]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Plan:
    """A model on a kind of GPU, as one engine would be started; sizes per GPU."""

    checkpoint: Checkpoint
    engine: Engine
    gpu: Gpu
    length: int
    batch: Batch
    stages: tuple[Stage, ...]

    @property
    def model(self) -> Model:
        return self.checkpoint.model

    @property
    def stage(self) -> Stage:
        """The stage with the least room, by which all others go (v1/core/kv_cache_utils.py:2655)."""
        return min(
            self.stages, key=lambda stage: stage.cache.blocks(stage.available()) if stage.cache.groups else 1 << 62
        )

    @property
    def available(self) -> int:
        """Memory for the KV cache on one GPU."""
        return self.stage.available()

    @property
    def tokens(self) -> int:
        """Tokens of KV cache, as vLLM logs them."""
        return self.stage.cache.tokens(max(0, self.available), self.length)

    @property
    def concurrency(self) -> float:
        """Requests of full length at once."""
        return self.stage.cache.concurrency(max(0, self.available), self.length)

    @property
    def longest(self) -> int:
        """The longest request that fits, up to the model's own limit."""
        return self.stage.cache.longest(self.available, max(self.model.limit, self.length))

    @property
    def holds_weights(self) -> bool:
        """Whether the weights may fit on the GPU, at their low end."""
        return all(stage.weights - stage.spread <= self.gpu.memory for stage in self.stages)

    @property
    def holds_request(self) -> bool:
        """Whether a request of full length is expected to fit."""
        return not self.stage.cache.groups or self.stage.cache.fits(self.available, self.length)

    def starts(self, scenario: Scenario = "expected") -> bool:
        """Whether the memory suffices: for the weights, a request of full length, a state for each request where there
        are states, and the graphs."""
        stage, available = self.stage, self.stage.available(scenario)
        stateful = self.model.recurrent and not self.batch.eager
        return (
            self.holds_weights
            and stage.cache.fits(available, self.length)
            and not (stateful and self.batch.requests > stage.cache.blocks(available))
            and stage.captures(scenario)
        )

    @property
    def sentence(self) -> str:
        """The line that vLLM will log."""
        return self.stage.cache.sentence(max(0, self.available), self.length, self.engine.device_word)


def make(engine: Engine, checkpoint: Checkpoint, gpu: Gpu) -> Plan:
    """Plan one engine on one kind of GPU.

    Raises UnknownQuantizationError and CacheError where there is no formula, ConfigError for sizes that are absurd.
    """
    with architecture.reading():
        model = checkpoint.model
        length = min(engine.max_length or model.max_length, 1 << 40)
        length = model.max_length if length < 0 else length
        batch = engine.batch(gpu, length)
        multiples = quantization.expert_multiples(checkpoint.quantized, gpu.capability, engine.release)
        split = dataclasses.replace(engine.split, expert_multiples=multiples)
        stages = tuple(_stage(engine, checkpoint, gpu, split, batch, index) for index in range(split.pipeline))
        if any(group.page < 1 for stage in stages for group in stage.cache.groups):
            raise architecture.ConfigError("by its config, a token takes nothing of the KV cache")
        plan = Plan(checkpoint, engine, gpu, length, batch, stages)
        if engine.max_length == -1 and plan.longest:  # "auto": v1/core/kv_cache_utils.py:2414
            return dataclasses.replace(plan, length=plan.longest)
        return plan


def _stage(engine: Engine, checkpoint: Checkpoint, gpu: Gpu, split: Split, batch: Batch, index: int) -> Stage:
    model, factor = checkpoint.model, checkpoint.factor or 1.0
    parts = tuple(Part(name, round(size * factor)) for name, size in _parts(checkpoint, split, index))
    parts += tuple(_additions(engine, checkpoint, split, index))
    total = sum(part.bytes for part in parts)
    moved = offloading.moved(engine.offload, checkpoint, split, index)
    cache = kvcache.lay_out(model, _setting(engine, model, gpu, split, batch), index, checkpoint.draft)
    share = memory.requested(gpu.memory, engine.share())
    estimates = tuple(memory.estimates(model, split, batch, engine.release, index))
    outside = not batch.on_cpu and not memory.counts_graphs(model, engine.release)
    return Stage(
        share=share,
        parts=parts,
        estimates=estimates,
        graphs=memory.graphs(model, split, batch, engine.release) if outside else None,
        beside=memory.beside(gpu.memory - share, estimates, engine.release) if outside else None,
        cache=cache,
        offloaded=max(0, moved.bytes - moved.buffers) if moved.sure else 0,
        perhaps=0 if moved.sure else moved.bytes,
        spread=round(total * checkpoint.spread),
        given=engine.blocks_override * cache.block_bytes if engine.blocks_override else engine.kv_memory,
    )


def _setting(engine: Engine, model: Model, gpu: Gpu, split: Split, batch: Batch) -> kvcache.Setting:
    return kvcache.Setting(
        tensor=split.tensor,
        pipeline=split.pipeline,
        context=engine.context,
        dtype=engine.kv_dtype,
        block_size=engine.block_size or default_block(engine, model, gpu),
        max_length=batch.length,
        batch_tokens=batch.tokens,
        overlapped=engine.overlapped,
        hybrid=engine.hybrid,
        prefix_caching=engine.prefix_caching,
        state_dtype=engine.state_dtype,
        speculative_tokens=engine.drafted_tokens,
        release=engine.release,
    )


def _additions(engine: Engine, checkpoint: Checkpoint, split: Split, index: int) -> Iterator[Part]:
    """What is beside the model's own weights: a draft's, and buffers for adapters."""
    model, draft = checkpoint.model, checkpoint.draft
    if draft and (drafted := drafts.size(draft, model, split, index, checkpoint.quantized)):
        yield Part("draft", drafted)
    if engine.loras:
        yield Part(_LORA, adapters.size(model, split, index, engine.loras, engine.lora_rank, engine.release))


def default_block(engine: Engine, model: Model, gpu: Gpu) -> int:
    """Tokens of a block where `--block-size` is open: 16 (config/cache.py:74), on CPU 128 (platforms/cpu.py:293), for
    MLA on Hopper and Blackwell 64, because their kernels take no other (v1/attention/backends/mla/flashmla.py:58)."""
    if engine.device == "cpu":
        return 16 if model.latent else 128
    return 64 if model.latent and (gpu.capability or 0) >= 9 else 16


def _parts(checkpoint: Checkpoint, split: Split, stage: int) -> Iterator[tuple[str, int]]:
    """The bytes of the model's weights on one GPU by what they are for."""
    model, kinds = checkpoint.model, dict[str, int]()
    for weight in weights.language_weights(model, split, stage):
        kind = _kind(weight.name)
        kinds[kind] = kinds.get(kind, 0) + weights.size(weight, model.dtype, checkpoint.quantized)
    for weight in vision.weights(model, split, stage):
        kinds["vision"] = kinds.get("vision", 0) + weights.size(weight, model.dtype, None)
    kinds["rotations"] = weights.rope_cache(model)
    yield from ((name, size) for name, size in kinds.items() if size)


KINDS = (
    (".experts.", "experts"), (".mlp.", "feed-forward"), ("_attn", "attention"), ("embed", "embeddings"),
    ("lm_head", "embeddings"),
)  # fmt: skip
"""What a weight is for, by a part of its name; the first that matches holds."""


def _kind(name: str) -> str:
    return next((kind for part, kind in KINDS if part in name), "norms")
