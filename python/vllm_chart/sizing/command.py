"""The command `vllm-chart plan`."""

import json
import re
from pathlib import Path
from typing import Any, NoReturn

import click

from vllm_chart import helm
from vllm_chart.findings import Exit, Finding, exit_code, to_human
from vllm_chart.sizing import advice, architecture, engine, gpus, kvcache, picture, plan, quantization, sources
from vllm_chart.sizing.arithmetic import GIB, gib
from vllm_chart.sizing.explain import explain
from vllm_chart.sizing.plan import Plan

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": GIB, "Ti": 1 << 40}
"""Kubernetes' suffixes of a quantity."""


def _memory(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    size = _bytes(text)
    if size is None:
        raise click.BadParameter(f"{text!r} is not a size: write 80GiB")
    return size


def _bytes(text: str) -> int | None:
    """A size as Kubernetes or a person writes it ("80Gi", "80GiB", "85e9"), None where it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:[eE]\d+)?)\s*([kMGT]?i?)B?", text.strip())
    return round(float(match[1]) * UNITS[match[2]]) if match and match[2] in UNITS else None


@click.command("plan")
@click.option("-f", "--values", "values_files", multiple=True, metavar="FILE", required=True,
              type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
              help="A values file; may be repeated, later files win.")  # fmt: skip
@click.option("--set", "set_", multiple=True, metavar="KEY=VALUE", help="As helm's --set.")
@click.option("--set-string", multiple=True, metavar="KEY=VALUE", help="As helm's --set-string.")
@click.option("--chart", type=click.Path(exists=True, path_type=Path), help="Another chart than the built-in one.")
@click.option("--gpu", "gpu_name", metavar="NAME", help="The GPU: h100-80gb, l40s, or as in a node's label.")
@click.option("--gpu-memory", callback=_memory, metavar="SIZE", help="Memory of the GPU as CUDA sees it: 80GiB.")
@click.option(
    "--config", type=click.Path(exists=True, path_type=Path), help="The model's config.json, or its directory."
)
@click.option("--offline", is_flag=True, help="Don't ask the Hub.")
@click.option("--explain", "explained", is_flag=True, help="Say where every number comes from.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the GPU's memory into this file.")
@click.option("-o", "--output", type=click.Choice(["human", "json"]), default="human", show_default=True)
@click.pass_context
def command(
    ctx: click.Context,
    values_files: tuple[Path, ...],
    set_: tuple[str, ...],
    set_string: tuple[str, ...],
    chart: Path | None,
    gpu_name: str | None,
    gpu_memory: int | None,
    config: Path | None,
    offline: bool,
    explained: bool,
    svg: Path | None,
    output: str,
) -> None:
    """Will the model fit the GPUs, and how much will it serve? No GPU is needed to ask.

    The config comes from --config, the Hub (HF_TOKEN opens gated models) or the models that are known offline.
    Weights and bytes per token are exact, what the engine needs besides is an estimate with its spread.

    \b
    Examples:
      vllm-chart plan -f prod.yaml --gpu h100-80gb
      vllm-chart plan -f prod.yaml --gpu-memory 44.39GiB --config ./model --explain
      vllm-chart plan -f prod.yaml                       on which GPUs would it fit?
    """
    values = helm.merged_values(chart, values_files=values_files, set_=set_, set_string=set_string)
    try:
        settings = engine.from_values(values, _app_version(chart))
        source = sources.find(
            settings.model,
            path=config,
            revision=settings.revision,
            endpoint=values["hub"]["endpoint"],
            offline=offline or bool(values["hub"]["offline"]),
        )
        model = architecture.read(source.config)
        gpu = gpus.of_memory(gpu_memory) if gpu_memory else gpus.find(gpu_name) if gpu_name else None
        if settings.device == "cpu":
            gpu = gpus.host(_limit(values))
        made = plan.make(settings, model, source, gpu or gpus.products()[0])
    except engine.SettingError as error:
        _refuse(ctx, Finding("plan", error.where, str(error)), output)
    except gpus.UnknownGpuError as error:
        raise click.UsageError(str(error)) from error
    except (
        architecture.ConfigError,
        sources.UnknownModelError,
        quantization.UnknownQuantizationError,
        kvcache.CacheError,
    ) as error:
        _refuse(ctx, Finding("plan", "model.id", str(error), "give the model's config.json with --config"), output)
    if gpu is None:
        findings = [finding for finding in made.findings if finding.check not in OF_MEMORY]
        click.echo(_where_it_fits(made, findings, output))
        ctx.exit(exit_code(findings))
    if svg:
        svg.write_text(picture.svg(made))
    click.echo(json.dumps(document(made, values), indent=2) if output == "json" else human(made, values))
    if explained and output == "human":
        click.echo("\n" + explain(made))
    ctx.exit(exit_code(made.findings))


def _limit(values: dict[str, Any]) -> int:
    """Bytes of the container's memory limit, 0 without one."""
    resources = values.get("resources") or {}
    limit = (resources.get("limits") or {}).get("memory") or (resources.get("requests") or {}).get("memory") or 0
    return _bytes(str(limit)) or 0


def _app_version(chart: Path | None) -> str:
    """The chart's appVersion, which is vLLM's where image.tag is empty."""
    text = ((chart or helm.default_chart()) / "Chart.yaml").read_text()
    match = re.search(r"^appVersion:\s*[\"']?([^\"'\s]+)", text, re.MULTILINE)
    return match[1] if match else ""


def _refuse(ctx: click.Context, finding: Finding, output: str) -> NoReturn:
    if output == "json":
        click.echo(json.dumps({"ok": False, "findings": [finding.__dict__]}, indent=2))
    else:
        click.echo(to_human([finding]))
    ctx.exit(Exit.REFUSED)


def human(made: Plan, values: dict[str, Any]) -> str:
    """The plan for a person."""
    stage, settings = made.stage, made.engine
    layout = f"tensor {settings.split.tensor} x pipeline {settings.split.pipeline} x data {settings.split.data}"

    def reserve(scenario: plan.Scenario) -> int:
        return stage.share - stage.weights - stage.available(scenario)

    lines = [
        f"{settings.model or made.model.architecture}: {layout}, {made.gpu.product}, vLLM {settings.release}",
        f"  config            {made.source.origin} ({made.source.confidence})",
        f"  weights per GPU   {gib(stage.weights)}",
        f"  KV per token      {stage.cache.token_bytes:,} bytes per GPU, in blocks of {_block(made)} tokens",
    ]
    if stage.cache.fixed_bytes:
        lines.append(f"  state             {stage.cache.fixed_bytes:,} bytes per request and GPU")
    if stage.given is None:
        lines += [
            f"  vLLM's share      {gib(stage.share)} of {gib(made.gpu.memory)} ({settings.share():g})",
            f"  reserve           {gib(reserve('expected'))}, an estimate: "
            f"{gib(reserve('best'))} to {gib(reserve('worst'))}",
            f"  KV cache          {gib(max(0, stage.available()))}",
            "",
            picture.bar(made),
        ]
    lines += ["", made.sentence]
    lines += [f"  {each.key}: {each.value}    # {each.why}" for each in advice.advise(made, values)]
    if made.findings:
        lines += ["", to_human(made.findings)]
    return "\n".join(lines)


def _block(made: Plan) -> int:
    sizes = [group.spec.block_size for group in made.stage.cache.groups]
    return min(sizes) if sizes else 0


def document(made: Plan, values: dict[str, Any]) -> dict[str, Any]:
    """The plan for a machine; sizes in bytes per GPU."""
    stage = made.stage
    return {
        "ok": exit_code(made.findings) == Exit.OK,
        "fits": made.fits,
        "model": {"id": made.engine.model, "architecture": made.model.architecture, "config": made.source.origin,
                  "confidence": made.source.confidence},
        "gpu": {"name": made.gpu.name, "memory": made.gpu.memory},
        "weights": {"total": stage.weights, "parts": {part.name: part.bytes for part in stage.parts}},
        "estimates": [estimate.__dict__ for estimate in stage.estimates],
        "kvCache": {"bytesPerToken": stage.cache.token_bytes, "bytesPerRequest": stage.cache.fixed_bytes,
                    "blockBytes": stage.cache.block_bytes, "memory": stage.available(),
                    "memoryRange": [stage.available("worst"), stage.available("best")],
                    "tokens": made.tokens, "maxModelLen": made.length, "maxConcurrency": round(made.concurrency, 2),
                    "longest": made.longest},
        "sentence": made.sentence,
        "advice": [each.__dict__ for each in advice.advise(made, values)],
        "findings": [finding.__dict__ for finding in made.findings],
    }  # fmt: skip


OF_MEMORY = ("weights", "kv-cache")
"""The checks that ask for a GPU."""


def _where_it_fits(made: Plan, findings: list[Finding], output: str) -> str:
    """The GPUs on which it would fit, where none is named, and what is wrong on any of them."""
    fitting = advice.fitting(made.engine, made, gpus.products())
    if output == "json":
        fits = [{"gpu": gpu.name, "count": count} for gpu, count in fitting]
        listed = [finding.__dict__ for finding in findings]
        return json.dumps({"ok": exit_code(findings) == Exit.OK, "fits": fits, "findings": listed}, indent=2)
    rows = [f"  {count:>2} x {gpu.product} ({gpu.memory / GIB:.0f} GiB): --gpu {gpu.name}" for gpu, count in fitting]
    head = f"{made.engine.model} at {made.length:,} tokens is expected to fit on"
    text = [head, *sorted(rows)] if rows else [f"{head} none of the known GPUs, up to 16 of them"]
    return "\n".join([*text, *([to_human(findings)] if findings else [])])
