"""A plan in words and as a document."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vllm_chart.findings import Exit, Finding, exit_code, has_errors, to_human
from vllm_chart.sizing import advice, delivery, picture, plan
from vllm_chart.sizing.arithmetic import GIB, gib
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.plan import Plan


def human(planned: Plan, findings: Sequence[Finding], values: Mapping[str, Any]) -> str:
    """The plan for a person, and what was found of it."""
    stage, settings, unit = planned.stage, planned.engine, planned.engine.unit
    layout = f"tensor {settings.split.tensor} x pipeline {settings.split.pipeline} x data {settings.split.data}"

    def reserve(scenario: plan.Scenario) -> int:
        return stage.share - stage.weights - stage.available(scenario)

    of_lora = f", of which {gib(stage.lora)} for adapters" if stage.lora else ""
    version = f"vLLM {settings.release}{' (assumed)' if settings.assumed else ''}"
    lines = [
        f"{settings.model or planned.model.architecture}: {layout}, {planned.gpu.product}, {version}",
        f"  config            {planned.checkpoint.source.origin} ({planned.checkpoint.source.confidence})",
        f"  {f'weights per {unit}':<17} {gib(stage.weights)}{of_lora}",
        f"  KV per token      {stage.cache.token_bytes:,} bytes per {unit}, in blocks of {_block(planned)} tokens",
    ]
    if stage.cache.fixed_bytes:
        lines.append(f"  state             {stage.cache.fixed_bytes:,} bytes per request and {unit}")
    if stage.given is None:
        lines += [
            f"  vLLM's share      {gib(stage.share)} of {gib(planned.gpu.memory)} ({settings.share():g})",
            f"  reserve           {gib(reserve('expected'))}, an estimate: "
            f"{gib(reserve('best'))} to {gib(reserve('worst'))}",
            f"  KV cache          {gib(max(0, stage.available()))}",
            "",
            picture.bar(planned),
        ]
    if delivered := delivery.of(planned, values):
        lines += ["", *delivered.told()]
    lines += ["", planned.sentence if stage.cache.groups else "no KV cache: the model keeps nothing between steps"]
    lines += [f"  {tip.key}: {tip.value}    # {tip.why}" for tip in advice.advise(planned, values)]
    if findings:
        lines += ["", to_human(findings)]
    return "\n".join(lines)


def _block(planned: Plan) -> int:
    sizes = [group.spec.block_size for group in planned.stage.cache.groups]
    return min(sizes) if sizes else 0


def document(planned: Plan, findings: Sequence[Finding], values: Mapping[str, Any]) -> dict[str, Any]:
    """The plan for a machine; sizes in bytes per GPU."""
    stage, source = planned.stage, planned.checkpoint.source
    return {
        "ok": exit_code(findings) == Exit.OK,
        "fits": planned.holds_request and not has_errors(findings),
        "model": {"id": planned.engine.model, "architecture": planned.model.architecture, "config": source.origin,
                  "confidence": source.confidence},
        "gpu": {"name": planned.gpu.name, "memory": planned.gpu.memory},
        "weights": {"total": stage.weights, "parts": {part.name: part.bytes for part in stage.parts}},
        "estimates": [estimate.__dict__ for estimate in stage.estimates],
        "kvCache": {"bytesPerToken": stage.cache.token_bytes, "bytesPerRequest": stage.cache.fixed_bytes,
                    "blockBytes": stage.cache.block_bytes, "memory": stage.available(),
                    "memoryRange": [stage.available("worst"), stage.available("best")],
                    "tokens": planned.tokens, "maxModelLen": planned.length,
                    "maxConcurrency": round(planned.concurrency, 2), "longest": planned.longest},
        "delivery": delivered.document() if (delivered := delivery.of(planned, values)) else None,
        "sentence": planned.sentence,
        "advice": [tip.__dict__ for tip in advice.advise(planned, values)],
        "findings": [finding.__dict__ for finding in findings],
    }  # fmt: skip


def where_it_fits(planned: Plan, findings: Sequence[Finding], values: Mapping[str, Any], output: str) -> str:
    """The GPUs on which it would fit, where none is named, and what is wrong on any of them."""
    device = planned.engine.accelerator
    products = tuple(gpu for gpu in gpus.products() if device.maker and gpu.product.startswith(device.maker))
    delivered = delivery.of(planned, values)
    fitting = advice.fitting(planned.engine, planned, products)
    if output == "json":
        fits = [{"gpu": gpu.name, "count": count} for gpu, count in fitting]
        listed = [finding.__dict__ for finding in findings]
        document = {
            "ok": exit_code(findings) == Exit.OK,
            "fits": fits,
            "delivery": delivered.document() if delivered else None,
            "findings": listed,
        }
        return json.dumps(document, indent=2)
    rows = [f"  {count:>2} x {gpu.product} ({gpu.memory / GIB:.0f} GiB): --gpu {gpu.name}" for gpu, count in fitting]
    head = f"{planned.engine.model} at {planned.length:,} tokens is expected to fit on"
    text = [head, *sorted(rows)] if rows else [f"{head} none of the known {device.many}, up to 16 of them"]
    if not products:
        size = f"{planned.length:,} tokens"
        text = [
            f"{planned.engine.model} at {size}: of {device.many}, no memory is known: give that of one worker by "
            "--gpu-memory"
        ]
    if delivered:
        text += ["", *delivered.told()]
    return "\n".join([*text, *([to_human(findings)] if findings else [])])
