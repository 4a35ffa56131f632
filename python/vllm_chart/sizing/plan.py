"""Will it fit, and how much will it serve: everything put together for one engine on one kind of GPU."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

from vllm_chart.findings import Finding, Severity, has_errors
from vllm_chart.sizing import adapters, divisibility, drafts, kvcache, memory, quantization, vision, weights
from vllm_chart.sizing.architecture import Model
from vllm_chart.sizing.arithmetic import GIB, gib
from vllm_chart.sizing.drafts import Draft
from vllm_chart.sizing.engine import Engine
from vllm_chart.sizing.gpus import Gpu
from vllm_chart.sizing.kvcache import Cache
from vllm_chart.sizing.memory import Batch, Estimate
from vllm_chart.sizing.quantization import Quantization, UnknownQuantizationError
from vllm_chart.sizing.sources import Source
from vllm_chart.sizing.weights import Split

Scenario = Literal["expected", "worst", "best"]
"""Every estimate as it is, at its high end, or at its low end."""

OF_GPU = ("weights", "kv-cache", "capability")
"""The checks that ask for a GPU."""

FREE_SHARE = 0.97
"""What is free of a GPU on start at least: logs show 0.978 (RTX 3090) to 0.992 (H100) beside the driver's own."""

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
    return dataclasses.replace(plan, findings=tuple(_findings(plan)))


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


# Findings


def _findings(plan: Plan) -> Iterator[Finding]:
    engine, model = plan.engine, plan.model
    yield from divisibility.check(model, engine.split, plan.quantized)
    if plan.source.confidence != "config":
        yield Finding(
            "plan", "model.id",
            f"its architecture is {plan.source.confidence}, not read from its config.json: {plan.source.origin}",
            "give its config.json with --config to be sure", "info",
        )  # fmt: skip
    if engine.speculative.get("model") and plan.draft is None:
        yield Finding(
            "plan", "engine.args.speculative-config",
            f"the weights of {engine.speculative['model']} are not counted", "leave room for them", "warning",
        )  # fmt: skip
    if measured(model, plan.source, plan.quantized) is not None:
        yield Finding(
            "plan", "model.id", "the weights are those of the checkpoint's files, divided as Llama's would be",
            "expect them to be off by some percent", "info",
        )  # fmt: skip
    elif not weights.known(model):
        yield Finding(
            "plan", "model.id", f"the weights of {model.architecture or model.type} are counted as Llama's",
            "expect the weights to be off by a tenth", "warning",
        )  # fmt: skip
    if engine.kv_dtype in kvcache.ESTIMATED:
        yield Finding(
            "plan", "engine.args.kv-cache-dtype", f"{engine.kv_dtype} is counted for all layers, but some keep another",
            "expect somewhat fewer tokens", "info",
        )  # fmt: skip
    if plan.length > model.limit and not engine.stretched:
        # Allowed or not, positions that the model never saw yield nonsense or a crash (config/model.py:2647).
        severity: Severity = "warning" if engine.longer_allowed else "error"
        yield Finding(
            "max-model-len", "engine.args.max-model-len",
            f"{plan.length} is longer than the {model.limit} that the model was made for",
            f"write {model.limit} or less, or override the model's positions with hf-overrides", severity,
        )  # fmt: skip
    if not engine.chunked and engine.batch_tokens and engine.batch_tokens < plan.length:  # config/scheduler.py
        yield Finding(
            "batch", "engine.args.max-num-batched-tokens",
            f"{engine.batch_tokens} is less than max-model-len, {plan.length}, but chunked prefill is off",
            f"write {plan.length} or more, or leave chunked prefill on",
        )  # fmt: skip
    if engine.share() > FREE_SHARE and engine.device == "cuda":
        yield Finding(
            "memory-share", "engine.args.gpu-memory-utilization",
            f"{engine.share():g} of the GPU may be more than is free when vLLM starts, which it then refuses",
            f"write {FREE_SHARE} or less", "warning",
        )  # fmt: skip
    if engine.device == "cpu" and not plan.gpu.memory:
        yield Finding(
            "plan", "resources.limits.memory", "without a limit, whether it fits is up to the node",
            "write a limit", "info",
        )  # fmt: skip
        return
    yield from _capability(plan)
    yield from _memory(plan)


def _capability(plan: Plan) -> Iterator[Finding]:
    """What the GPU's generation can't do. https://developer.nvidia.com/cuda-gpus has their compute capabilities."""
    engine, gpu = plan.engine, plan.gpu
    if gpu.capability is None:
        return
    has = f"{gpu.product} has compute capability {gpu.capability}"
    oldest = engine.release.oldest_capability
    if engine.published and gpu.capability < oldest:
        yield Finding(
            "capability", "image.repository",
            f"{has}, and vLLM's own image of {engine.release} is built for {oldest} and later",
            "newer GPUs, or an image that is built for these",
        )  # fmt: skip
    if engine.dtype == "bfloat16" and gpu.capability < 8.0:  # platforms/cuda.py:638, `check_if_supports_dtype`
        yield Finding(
            "capability", "engine.args.dtype", f"{has}, and bfloat16 needs 8.0", "write half, or leave it out"
        )
    method = plan.quantized.method if plan.quantized else engine.quantization or ""
    needed = quantization.OLDEST_CAPABILITY.get(method, 0.0)
    if gpu.capability < needed:
        yield Finding(
            "capability", "model.id", f"{has}, and {method} needs {needed}", "another checkpoint, or newer GPUs"
        )  # fmt: skip


def _memory(plan: Plan) -> Iterator[Finding]:
    stage = plan.stage
    where = "engine.args"
    for index, each in enumerate(plan.stages):
        if each.weights - each.spread > plan.gpu.memory:
            stage_name = f" of stage {index}" if len(plan.stages) > 1 else ""
            message = (
                f"the weights{stage_name} take {gib(each.weights)} on each GPU, "
                f"but {plan.gpu.product} has {gib(plan.gpu.memory)}"
            )
            yield Finding("weights", "gpu.count", message, "more GPUs, a quantized checkpoint, or a larger GPU")
            return
    if not stage.cache.groups:
        return
    best, expected, worst = stage.available("best"), stage.available("expected"), stage.available("worst")
    if best <= 0:
        message = (
            f"no memory is left for the KV cache: {gib(stage.weights)} of weights and "
            f"{gib(stage.share - stage.weights - expected)} of activations and reserves exceed the share of "
            f"{gib(stage.share)}"
        )
        yield Finding(
            "kv-cache", where, message, "more GPUs, a quantized checkpoint, or a higher gpu-memory-utilization"
        )
        return
    needed = stage.cache.request_bytes(plan.length)
    if not stage.cache.fits(best, plan.length):
        length = stage.cache.longest(max(0, expected), plan.length)
        message = (
            f"one request of {plan.length:,} tokens needs {gib(needed)} of KV cache, and at most {gib(best)} is left "
            f"(expected: {gib(expected)})"
        )
        remedy = f"max-model-len: {length} fits" if length > 0 else "more GPUs, or a quantized checkpoint"
        yield Finding("kv-cache", f"{where}.max-model-len", message, remedy)
    elif not stage.cache.fits(worst, plan.length):
        expectation = "is expected to fit" if stage.cache.fits(expected, plan.length) else "is not expected to fit"
        message = (
            f"one request of {plan.length:,} tokens needs {gib(needed)} of KV cache, which {expectation}: between "
            f"{gib(max(0, worst))} and {gib(best)} is left"
        )
        safe = stage.cache.longest(max(0, worst), plan.length)
        remedy = (
            f"max-model-len: {safe} fits in any case"
            if safe > 0
            else "leave more room: more GPUs, or a lower max-num-seqs"
        )
        yield Finding("kv-cache", f"{where}.max-model-len", message, remedy, "warning")
    requests, states = plan.batch.requests, stage.cache.blocks(max(0, expected))
    if plan.model.recurrent and not plan.batch.eager and requests > states:  # compilation.py:1518
        message = f"max-num-seqs {requests} exceeds the {states} blocks that are there for states"
        safe = max(1, stage.cache.blocks(max(0, worst)))
        severity: Severity = "error" if requests > stage.cache.blocks(best) else "warning"
        yield Finding("kv-cache", f"{where}.max-num-seqs", message, f"write {safe} or less", severity)
    if stage.graphs and stage.beside and not stage.captures():
        message = (
            f"the CUDA graphs take about {gib(stage.graphs.bytes)}, which {plan.engine.release} does not budget, and "
            f"about {gib(max(0, stage.beside.bytes))} is left beside its share"
        )
        yield Finding("memory-share", f"{where}.gpu-memory-utilization", message, "write less", "warning")
