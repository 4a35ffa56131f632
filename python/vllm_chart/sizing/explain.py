"""Where every number of a plan comes from."""

from collections.abc import Iterator

from vllm_chart.sizing.arithmetic import gib
from vllm_chart.sizing.memory.kvcache import element_bytes
from vllm_chart.sizing.model import weights
from vllm_chart.sizing.model.architecture import Attention, Dense, Experts, GatedDeltaNet, LatentAttention, Mamba2
from vllm_chart.sizing.plan import Plan


def explain(planned: Plan) -> str:
    """The arithmetic, line by line."""
    return "\n".join(_lines(planned))


def _lines(planned: Plan) -> Iterator[str]:
    stage, model, engine = planned.stage, planned.model, planned.engine
    yield "Parameters"
    parameters = weights.parameters(model)
    yield f"  {parameters:,} in the language model: {len(model.layers)} layers, hidden size {model.hidden}"
    counts: dict[str, int] = {}
    for layer in model.layers:
        for half in (layer.mixer, layer.feed_forward):
            if half is not None:
                counts[_describe(half)] = counts.get(_describe(half), 0) + 1
    yield from (f"    {count} x {what}" for what, count in counts.items())
    tied = "one matrix for input and output" if model.tied else "one matrix each for input and output"
    yield f"    vocabulary {model.vocabulary:,}, {tied}"
    yield f"Weights per {engine.unit} (exact for a known family; model_executor/layers/linear.py splits them)"
    method = planned.checkpoint.quantized.method if planned.checkpoint.quantized else model.dtype
    yield f"  stored as {method}; {engine.split.tensor} ranks by tensor, {engine.split.pipeline} stages"
    yield from (f"    {part.name:<13}{gib(part.bytes)}" for part in stage.parts)
    if stage.offloaded:
        flag = "offload-group-size" if engine.offload.group else "cpu-offload-gb"
        yield f"    offloaded    -{gib(stage.offloaded)} ({flag})"
    if stage.spread:
        yield f"  may be off by {gib(stage.spread)}: the config or the family is not known for sure"
    yield "KV cache (exact; v1/core/kv_cache_utils.py)"
    yield f"  {element_bytes(model, engine.kv_dtype)} bytes per value ({engine.kv_dtype})"
    for group in stage.cache.groups:
        window = f", window {group.spec.window}" if group.spec.window else ""
        yield (
            f"    group of {group.layers} {group.spec.kind} layers{window}: {group.spec.block_size} tokens a block,"
            f" {group.spec.page:,} bytes a layer"
        )
    blocks = stage.cache.blocks(max(0, planned.available))
    yield f"  {stage.cache.block_bytes:,} bytes a block of the pool, {blocks:,} blocks"
    yield f"  a request of {planned.length:,} tokens takes {stage.cache.request_blocks(planned.length):,} blocks"
    if stage.given is not None:
        yield f"  memory: {gib(stage.given)}, as given"
        return
    yield "Memory (v1/worker/gpu_worker.py, determine_available_memory)"
    yield f"  memory of {planned.gpu.product}: {gib(planned.gpu.memory)} ({planned.gpu.source})"
    yield f"  share: ceil({gib(planned.gpu.memory)} x {engine.share():g}) = {gib(stage.share)}"
    for estimate in stage.estimates:
        span = f"{gib(estimate.low)} to {gib(estimate.high)}"
        yield f"  - {estimate.name}: {gib(estimate.bytes)} (estimate, {span}): {estimate.why}"
    yield f"  = {gib(stage.available())}, between {gib(stage.available('worst'))} and {gib(stage.available('best'))}"
    if stage.graphs and stage.beside:
        graphs, room = stage.graphs, stage.beside
        yield f"  beside the share: CUDA graphs of {gib(graphs.bytes)} to {gib(graphs.high)}, an estimate: {graphs.why}"
        yield f"  room for them: {gib(max(0, room.bytes))}, at least {gib(max(0, room.low))}"


def _describe(part: object) -> str:
    if isinstance(part, Attention):
        span = f"window {part.window}" if part.window else f"chunks of {part.chunk}" if part.chunk else "full"
        shared = ", sharing a cache" if part.shares_cache else ""
        return f"attention, {part.heads} heads, {part.kv_heads} KV heads of {part.head_dim}, {span}{shared}"
    if isinstance(part, LatentAttention):
        return f"latent attention, {part.heads} heads, latent {part.latent} + {part.rope_dim}"
    if isinstance(part, Mamba2):
        return f"Mamba 2, {part.heads} heads of {part.head_dim}, state {part.state}"
    if isinstance(part, GatedDeltaNet):
        return f"gated delta net, {part.key_heads} and {part.value_heads} heads"
    if isinstance(part, Dense):
        return f"feed-forward of {part.width}"
    assert isinstance(part, Experts)
    shared = f", shared {part.shared_width}" if part.shared_width else ""
    return f"{part.count} experts of {part.width}, {part.per_token} a token{shared}"
