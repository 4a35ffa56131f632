"""Will it fit, and how much will it serve: everything put together for one engine on one kind of GPU."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

from vllm_chart.findings import Finding, has_errors
from vllm_chart.sizing import refusals
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import estimate as memory
from vllm_chart.sizing.memory import kvcache
from vllm_chart.sizing.memory.estimate import Batch, Estimate
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.memory.kvcache import Cache
from vllm_chart.sizing.model import adapters, drafts, quantization, vision, weights
from vllm_chart.sizing.model.architecture import Model
from vllm_chart.sizing.model.drafts import Draft
from vllm_chart.sizing.model.quantization import Quantization, UnknownQuantizationError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine
from vllm_chart.sizing.sources import Source

Scenario = Literal["expected", "worst", "best"]
"""Every estimate as it is, at its high end, or at its low end."""

UNKNOWN_SPREAD = 0.1
"""How far the weights may be off where the family's weights or the quantization are not known for sure."""
MEASURED_SPREAD = 0.03
"""The same where the checkpoint's own size stands in: what vLLM doesn't load, or adds."""


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
        """Weights that stay on the GPU."""
        return max(0, sum(part.bytes for part in self.parts) - self.offloaded)

    def available(self, scenario: Scenario = "expected") -> int:
        """Memory for the KV cache: expected, or with every estimate at its "worst" or its "best"."""
        if self.given is not None:
            return self.given
        reserve: int = {
            "expected": sum(estimate.bytes for estimate in self.estimates),
            "worst": sum(estimate.high for estimate in self.estimates) + self.spread,
            "best": sum(estimate.low for estimate in self.estimates) - self.spread,
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

    model: Model
    source: Source
    engine: Engine
    gpu: Gpu
    quantized: Quantization | None
    length: int
    batch: Batch
    stages: tuple[Stage, ...]
    findings: tuple[Finding, ...]
    draft: Draft | None = None
    """The draft for speculative decoding, where its layers are known."""
    draft_source: Source | None = None

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
    def fits(self) -> bool:
        """Whether vLLM is expected to start: the expected sizes fit and nothing refuses."""
        return not has_errors(self.findings) and (
            not self.stage.cache.groups or self.stage.cache.fits(self.available, self.length)
        )

    def starts(self, scenario: Scenario = "expected") -> bool:
        """Whether the memory suffices: for the weights, a request of full length, a state for each request where there
        are states, and the graphs."""
        stage = self.stage
        if any(found.check == "weights" for found in self.findings):
            return False
        available = stage.available(scenario)
        stateful = self.model.recurrent and not self.batch.eager
        return (
            stage.cache.fits(available, self.length)
            and not (stateful and self.batch.requests > stage.cache.blocks(available))
            and stage.captures(scenario)
        )

    @property
    def by_files(self) -> bool:
        """Whether the size of the checkpoint's files stands in for the weights' formulas."""
        return measured(self.model, self.source, self.quantized) is not None

    @property
    def sentence(self) -> str:
        """The line that vLLM will log."""
        return self.stage.cache.sentence(
            max(0, self.available), self.length, "GPU" if self.engine.device == "cuda" else self.engine.device.upper()
        )


def make(engine: Engine, model: Model, source: Source, gpu: Gpu, draft_source: Source | None = None) -> Plan:
    """Plan one engine on one kind of GPU; `draft_source`: the config of its draft, where it has one of its own.

    Raises UnknownQuantizationError and CacheError where there is no formula.
    """
    model = with_dtype(model, engine)
    quantized = _quantization(engine, model, source)
    length = min(engine.max_length or model.max_length, 1 << 40)
    length = model.max_length if length < 0 else length
    batch = engine.batch(gpu, length)
    split = dataclasses.replace(
        engine.split, expert_multiples=quantization.expert_multiples(quantized, gpu.capability, engine.release)
    )
    draft = drafts.read(engine.speculative, model, draft_source)
    stages = tuple(_stage(engine, model, source, gpu, quantized, split, batch, draft, i) for i in range(split.pipeline))
    plan = Plan(model, source, engine, gpu, quantized, length, batch, stages, (), draft, draft_source)
    if engine.max_length == -1 and plan.longest:  # "auto": v1/core/kv_cache_utils.py:2414
        plan = dataclasses.replace(plan, length=plan.longest)
    return dataclasses.replace(plan, findings=tuple(refusals.check(plan)))


def refused_quantization(engine: Engine, model: Model) -> Finding | None:
    """A quantization that the checkpoint has not, of which there is no plan."""
    if why := quantization.refusal(engine.quantization, model.quantization, engine.model):
        remedy = "leave it out: the checkpoint says its own; fp8_per_tensor quantizes one that is not as it is loaded"
        return Finding("quantization", "engine.args.quantization", why, remedy)
    return None


def _quantization(engine: Engine, model: Model, source: Source) -> Quantization | None:
    """The checkpoint's quantization, or the one that a flag applies on loading; None for none, and for one without a
    formula where the checkpoint's size stands in for it."""
    try:
        quantized = quantization.read(model.quantization, model.dtype)
    except UnknownQuantizationError:
        if source.weight_bytes is None:
            raise
        return None
    if quantized is None and engine.quantization:
        return quantization.by_flag(engine.quantization, model.dtype)
    return quantized


def measured(model: Model, source: Source, quantized: Quantization | None) -> float | None:
    """By what the computed weights have to be multiplied to be the checkpoint's, where its size is known and the
    formulas don't hold for sure: another family, or a quantization without a formula. Else None."""
    if source.weight_bytes is None or (weights.known(model) and (quantized or not model.quantization)):
        return None
    computed = sum(
        weights.size(weight, model.dtype, quantized)
        for weight in (*weights.language_weights(model), *vision.weights(model, Split()))
        if not weight.derived
    )
    return source.weight_bytes / computed


def with_dtype(model: Model, engine: Engine) -> Model:
    """The model in the dtype that the engine serves it in (`--dtype`)."""
    named = {"half": "float16", "float": "float32"}.get(engine.dtype, engine.dtype)
    return model if named == "auto" else dataclasses.replace(model, dtype=named)


def _stage(
    engine: Engine,
    model: Model,
    source: Source,
    gpu: Gpu,
    quantized: Quantization | None,
    split: Split,
    batch: Batch,
    draft: Draft | None,
    index: int,
) -> Stage:
    factor = measured(model, source, quantized)
    parts = tuple(
        Part(part.name, round(part.bytes * (factor or 1.0))) for part in _parts(model, split, quantized, index)
    )
    if draft and (drafted := drafts.size(draft, model, split, index, quantized)):
        parts += (Part("draft", drafted),)
    if engine.loras:
        buffers = adapters.size(model, split, index, engine.loras, engine.lora_rank, engine.release)
        parts += (Part("LoRA", buffers),)
    total = sum(part.bytes for part in parts)
    certain = source.confidence == "config" and weights.known(model) and factor is None
    spread = 0.0 if certain else MEASURED_SPREAD if factor else UNKNOWN_SPREAD
    setting = kvcache.Setting(
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
    cache = kvcache.lay_out(model, setting, index, draft)
    given = engine.kv_memory
    if engine.blocks_override:
        given = engine.blocks_override * cache.block_bytes
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
        offloaded=min(total, round(engine.offload * GIB)),
        spread=round(total * spread),
        given=given,
    )


def default_block(engine: Engine, model: Model, gpu: Gpu) -> int:
    """Tokens of a block where `--block-size` is open: 16 (config/cache.py:74), on CPU 128 (platforms/cpu.py:293), for
    MLA on Hopper and Blackwell 64, because their kernels take no other (v1/attention/backends/mla/flashmla.py:58)."""
    if engine.device == "cpu":
        return 16 if model.latent else 128
    return 64 if model.latent and (gpu.capability or 0) >= 9 else 16


def _parts(model: Model, split: Split, quantized: Quantization | None, stage: int) -> Iterator[Part]:
    """The weights of one GPU by what they are for."""
    kinds: dict[str, int] = {}
    for weight in weights.language_weights(model, split, stage):
        kind = (
            "experts"
            if ".experts." in weight.name
            else "feed-forward"
            if ".mlp." in weight.name
            else "attention"
            if "_attn" in weight.name
            else "embeddings"
            if weight.name.startswith(("embed", "lm_head"))
            else "norms"
        )
        kinds[kind] = kinds.get(kind, 0) + weights.size(weight, model.dtype, quantized)
    for weight in vision.weights(model, split, stage):
        kinds["vision"] = kinds.get("vision", 0) + weights.size(weight, model.dtype, None)
    kinds["rotations"] = weights.rope_cache(model)
    yield from (Part(name, size) for name, size in kinds.items() if size)
