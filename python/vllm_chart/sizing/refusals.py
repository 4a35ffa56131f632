"""What a plan refuses, and what it warns of: only what does not fit at the low end of the estimates is refused."""

import math
from collections.abc import Iterator

from vllm_chart.findings import Finding, Severity, has_errors
from vllm_chart.sizing import host
from vllm_chart.sizing.arithmetic import GIB, gib
from vllm_chart.sizing.checkpoint import Checkpoint
from vllm_chart.sizing.memory import kvcache
from vllm_chart.sizing.model import divisibility, quantization, weights
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.settings import Engine

OF_GPU = ("weights", "kv-cache", "capability")
"""The checks that ask for a GPU."""

OF_HOST = "host-memory"
"""The check of the host's memory, which asks for no GPU."""

FREE_SHARE = 0.97
"""What is free of a GPU on start at least: logs show 0.978 (RTX 3090) to 0.992 (H100) beside the driver's own."""

UNIFIED_SHARE = 0.85
"""The same of a host's memory that is the GPU's too, where what is free is what the whole system has available
(`is_integrated_gpu`, utils/mem_utils.py:144): what vLLM's own guide takes, https://vllm.ai/blog/2026-06-01-vllm-dgx-spark."""


def of_checkpoint(checkpoint: Checkpoint) -> list[Finding]:
    """What stands before any plan: a quantization that the checkpoint has not."""
    if not checkpoint.refused:
        return []
    remedy = "leave it out: the checkpoint says its own; fp8_per_tensor quantizes one that is not as it is loaded"
    return [Finding("quantization", "engine.args.quantization", checkpoint.refused, remedy)]


def fits(plan: Plan) -> bool:
    """Whether vLLM is expected to start: the expected sizes fit and nothing refuses."""
    return plan.holds_request and not has_errors(list(check(plan)))


def check(plan: Plan) -> Iterator[Finding]:
    """Everything that is to be said of a plan."""
    yield from divisibility.check(plan.model, plan.engine.split, plan.checkpoint.quantized)
    yield from _uncertainties(plan)
    yield from _lengths(plan)
    yield from _share(plan)
    yield from _unified(plan)
    yield from _host(plan)
    if plan.engine.device == "cpu" and not plan.gpu.memory:
        yield Finding(
            "plan", "resources.limits.memory", "without a limit, whether it fits is up to the node",
            "write a limit", "info",
        )  # fmt: skip
        return
    yield from _capability(plan)
    yield from _memory(plan)


def _uncertainties(plan: Plan) -> Iterator[Finding]:
    """What the plan takes for granted, or leaves out."""
    engine, model, source = plan.engine, plan.model, plan.checkpoint.source
    if engine.assumed:
        yield Finding(
            "plan", "image.tag",
            f"the image's tag, or its digest alone, names no version of vLLM: it is planned as {engine.release}",
            "expect what other versions do otherwise to be off", "info",
        )  # fmt: skip
    elif engine.read_as:
        yield Finding(
            "plan", "image.tag",
            f"the arguments of this version are not known: they are read as vLLM {engine.read_as}'s",
            "expect what other versions read otherwise to be off", "info",
        )  # fmt: skip
    if source.confidence != "config":
        yield Finding(
            "plan", "model.id",
            f"its architecture is {source.confidence}, not read from its config.json: {source.origin}",
            "give its config.json with --config to be sure", "info",
        )  # fmt: skip
    if engine.speculative.get("model") and plan.checkpoint.draft is None:
        yield Finding(
            "plan", "engine.args.speculative-config",
            f"the weights of {engine.speculative['model']} are not counted", "leave room for them", "warning",
        )  # fmt: skip
    if plan.checkpoint.factor is not None:
        yield Finding(
            "plan", "model.id", "the weights are those of the checkpoint's files, divided as Llama's would be",
            "expect them to be off by some percent", "info",
        )  # fmt: skip
    elif not weights.known(model):
        yield Finding(
            "plan", "model.id", f"the weights of {model.architecture or model.type} are counted as Llama's",
            "expect the weights to be off by a tenth", "warning",
        )  # fmt: skip
    for where, text in engine.fetched:
        yield Finding(
            "plan", where, f"{text} is downloaded as well, whose size is not counted in the time of a start",
            "leave time for it in startup.budgetSeconds", "info",
        )  # fmt: skip
    if engine.kv_dtype in kvcache.ESTIMATED:
        yield Finding(
            "plan", "engine.args.kv-cache-dtype", f"{engine.kv_dtype} is counted for all layers, but some keep another",
            "expect somewhat fewer tokens", "info",
        )  # fmt: skip


def _lengths(plan: Plan) -> Iterator[Finding]:
    """Numbers that go with the length, and the share, whatever the GPU."""
    engine, model = plan.engine, plan.model
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


def _share(plan: Plan) -> Iterator[Finding]:
    """A share of the GPU that may not be free when vLLM starts, which it then refuses (v1/worker/utils.py:757)."""
    engine, gpu = plan.engine, plan.gpu
    where = "engine.args.gpu-memory-utilization"
    most = math.floor(100 * UNIFIED_SHARE * max(gpu.host, gpu.memory) / gpu.memory) / 100 if gpu.host else FREE_SHARE
    if engine.device != "cuda" or engine.share() <= most:
        return
    if not gpu.host:
        yield Finding(
            "memory-share", where,
            f"{engine.share():g} of the GPU may be more than is free when vLLM starts, which it then refuses",
            f"write {most} or less", "warning",
        )  # fmt: skip
        return
    idle = f" ({gib(gpu.idle_free[0])} to {gib(gpu.idle_free[1])} where nothing else runs)" if gpu.idle_free else ""
    default = "" if engine.utilization is not None else ", the default,"
    yield Finding(
        "memory-share", where,
        f"{engine.share():g}{default} is {gib(plan.stage.share)} of memory that {gpu.product} shares with the "
        f"operating system and vLLM's own processes, and vLLM refuses to start unless so much is free{idle}",
        f"write {most} or less", "warning",
    )  # fmt: skip


def _unified(plan: Plan) -> Iterator[Finding]:
    """What Kubernetes doesn't know of a GPU whose memory is the host's: what the driver allocates is not charged to the
    container, as the table of https://github.com/vllm-project/vllm/issues/56824 shows."""
    if plan.gpu.host:
        yield Finding(
            "plan", "resources.requests.memory",
            f"the GPU's {gib(plan.stage.share)} are the node's own memory, which no request or limit counts",
            "keep pods that need the rest off the node", "info",
        )  # fmt: skip


def _host(plan: Plan) -> Iterator[Finding]:
    """Host memory beside the container's limit, and what takes some that is not counted."""
    limit, needed = plan.engine.memory_limit, host.total(plan)
    certain = host.certain(plan)
    if plan.engine.device != "cpu" and 0 < limit <= certain:
        yield Finding(
            "host-memory", "resources.limits.memory",
            f"{gib(certain)} of host memory are kept by what is offloaded and by settings, and the limit is "
            f"{gib(limit)}: {host.listed(host.needed(plan))}",
            f"write {math.ceil(needed / GIB)}Gi or more, or offload less",
        )  # fmt: skip
    elif plan.engine.device != "cpu" and 0 < limit < needed:
        yield Finding(
            "host-memory", "resources.limits.memory",
            f"about {gib(needed)} of host memory are needed, and the limit is {gib(limit)}: "
            f"{host.listed(host.needed(plan))}",
            f"write {math.ceil(needed / GIB)}Gi or more", "warning",
        )  # fmt: skip
    asleep = sum(stage.weights for stage in plan.stages) * plan.engine.split.tensor * plan.engine.split.data
    for setting, takes in plan.engine.unsized.items():
        if setting == "enable-sleep-mode" and 0 < limit < needed + asleep:
            yield Finding(
                "host-memory", "engine.args.enable-sleep-mode",
                f"asleep at level 1, the engine keeps {gib(asleep)} of weights in host memory besides "
                f"{gib(needed)}, and the limit is {gib(limit)}",
                f"write {math.ceil((needed + asleep) / GIB)}Gi or more, or sleep at level 2 only", "warning",
            )  # fmt: skip
            continue
        flag = setting.partition(":")[0]
        where = f"engine.args.{flag if '-' in flag else 'kv-transfer-config'}"
        yield Finding(
            "host-memory", "lora" if flag == "enable-lora" else where,
            f"{setting} takes host memory that is not counted: {takes.rpartition(': ')[0]}",
            "leave room for it in resources.limits.memory", "info",
        )  # fmt: skip


def of_unknown_weights(engine: Engine) -> Iterator[Finding]:
    """What may not fit beside the limit where it is not known how large the model is."""
    more = sum(taken.bytes for taken in engine.host_memory if taken.ceiling)
    others = sum(taken.bytes for taken in engine.host_memory if not taken.ceiling)
    if more and 0 < engine.memory_limit < others + 2 * more:
        yield Finding(
            "host-memory", "engine.args.cpu-offload-gb",
            "torch pins each block of offloaded weights in the next power of two, up to "
            f"{2 * more / GIB:g} GiB of them if the model is that large, and the memory limit is "
            f"{gib(engine.memory_limit)}",
            "write a larger resources.limits.memory, or fewer GiB", "warning",
        )  # fmt: skip


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
    method = plan.checkpoint.quantized.method if plan.checkpoint.quantized else engine.quantization or ""
    needed = quantization.OLDEST_CAPABILITY.get(method, 0.0)
    if gpu.capability < needed:
        yield Finding(
            "capability", "model.id", f"{has}, and {method} needs {needed}", "another checkpoint, or newer GPUs"
        )  # fmt: skip


def _memory(plan: Plan) -> Iterator[Finding]:
    stage = plan.stage
    where = "engine.args"
    more = "more memory" if plan.engine.device == "cpu" else f"more {plan.engine.accelerator.many}"
    for index, each in enumerate(plan.stages):
        if each.weights - each.spread - each.perhaps > plan.gpu.memory:
            stage_name = f" of stage {index}" if len(plan.stages) > 1 else ""
            message = (
                f"the weights{stage_name} take {gib(each.weights)} on each {plan.engine.unit}, "
                f"but {plan.gpu.product} has {gib(plan.gpu.memory)}"
            )
            yield Finding("weights", "gpu.count", message, f"{more}, a quantized checkpoint, or larger ones")
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
        yield Finding("kv-cache", where, message, f"{more}, a quantized checkpoint, or a higher gpu-memory-utilization")
        return
    needed = stage.cache.request_bytes(plan.length)
    if not stage.cache.fits(best, plan.length):
        length = stage.cache.longest(max(0, expected), plan.length)
        message = (
            f"one request of {plan.length:,} tokens needs {gib(needed)} of KV cache, and at most {gib(best)} is left "
            f"(expected: {gib(expected)})"
        )
        remedy = f"max-model-len: {length} fits" if length > 0 else f"{more}, or a quantized checkpoint"
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
            else f"leave more room: {more}, or a lower max-num-seqs"
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
