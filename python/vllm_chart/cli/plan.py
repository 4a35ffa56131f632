"""The command `vllm-chart plan`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from vllm_chart import checks, helm
from vllm_chart.cli.options import EXIT_CODES, kubeconfig_options, output_option, values_options
from vllm_chart.findings import Finding, UnavailableError, exit_code, has_errors, to_human, to_json
from vllm_chart.sizing import picture, plan, refusals, show, sources
from vllm_chart.sizing import settings as engine
from vllm_chart.sizing.arithmetic import quantity
from vllm_chart.sizing.explain import explain
from vllm_chart.sizing.memory import gpus, kvcache, nodes
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.model import architecture, quantization
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.sources import Source

NO_FORMULA = (architecture.ConfigError, quantization.UnknownQuantizationError, kvcache.CacheError)
"""What is said of a model for which there is no plan: that isn't the model's fault, and so no refusal."""

_LEAST = 2**30
"""A smaller number of bytes is one whose unit was forgotten."""


def _memory(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    size = quantity(text) if text else None
    if text and (not size or size < _LEAST):
        raise click.BadParameter(f"{text!r} is not the size of a GPU: write 80GiB")
    return size


@click.command("plan", epilog=EXIT_CODES)
@values_options
@click.option("--gpu", metavar="NAME", help="The GPU: h100-80gb, l40s, or as a node's label has it.")
@click.option("--gpu-memory", callback=_memory, metavar="SIZE", help="Memory of the GPU as CUDA sees it: 44.39GiB.")
@click.option("--cluster", is_flag=True, help="Take the GPU from the labels of a cluster's nodes.")
@kubeconfig_options
@click.option(
    "--config",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="The model's config.json, or its directory.",
)
@click.option("--offline", is_flag=True, help="Don't ask the Hub.")
@click.option("--explain", "explained", is_flag=True, help="Say where every number comes from.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the GPU's memory into this file.")
@output_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    chart: Path | None,
    gpu: str | None,
    gpu_memory: int | None,
    cluster: bool,
    kubeconfig: Path | None,
    context: str | None,
    config: Path | None,
    offline: bool,
    explained: bool,
    svg: Path | None,
    output: str,
    **given: Any,
) -> None:  # fmt: skip
    """Will the model fit the GPUs, and how much will it serve? No GPU is needed to ask.

    The config comes from --config, the Hub (HF_TOKEN opens gated models) or the models that are known offline.
    Weights and bytes per token are exact; what the engine needs besides is an estimate with its spread, and only
    what does not fit at its low end is refused. Without a GPU, those are listed on which the model would fit.

    \b
    Examples:
      vllm-chart plan -f prod.yaml --gpu h100-80gb
      vllm-chart plan -f prod.yaml --gpu-memory 44.39GiB --config ./model --explain
      vllm-chart plan -f prod.yaml --cluster --svg memory.svg
      vllm-chart plan -f prod.yaml --output json | jq .kvCache.tokens
    """
    if has_errors(wrong := checks.validate(chart, **given)):
        _end(ctx, wrong, output)
    values = helm.merged_values(chart, **given)
    try:
        settings = engine.from_values(values, helm.app_version(chart))
        hub = values["hub"]
        source = sources.find(
            settings.model,
            path=config,
            revision=settings.revision,
            endpoint=hub["endpoint"],
            offline=offline or hub["offline"],
        )
        with architecture.reading():
            model = architecture.read(source.config)
            refused = plan.refused_quantization(settings, model)
        if refused:
            _end(ctx, [refused], output)
        product = _gpu(gpu, gpu_memory, values)
        if product is None and cluster:
            product = _gpu_of(kubeconfig, context, values)
        draft = _draft(settings, hub, offline)
        with architecture.reading():
            made = plan.make(settings, model, source, product or gpus.products()[0], draft)
    except engine.SettingError as error:
        _end(ctx, [Finding("plan", error.where, str(error))], output)
    except (gpus.UnknownGpuError, sources.UnreadableConfigError) as error:
        raise click.UsageError(str(error)) from error
    except sources.UnknownModelError as error:
        _end(ctx, [Finding("plan", "model.id", str(error))], output)
    except NO_FORMULA as error:
        _end(ctx, [Finding("plan", "model.id", f"no plan: {error}", severity="warning")], output)
    if product is None:
        findings = [finding for finding in made.findings if finding.check not in refusals.OF_GPU]
        click.echo(show.where_it_fits(made, findings, output))
        ctx.exit(exit_code(findings))
    if svg:
        svg.write_text(picture.svg(made))
    click.echo(_shown(made, values, output, explained))
    ctx.exit(exit_code(made.findings))


def _draft(settings: engine.Engine, hub: Mapping[str, Any], offline: bool) -> Source | None:
    """The config of a draft that is named; None where nothing has it: the plan then says that it is left out."""
    name = settings.speculative.get("model")
    if not isinstance(name, str) or name == settings.model:
        return None
    try:
        return sources.find(name, endpoint=hub["endpoint"], offline=offline or hub["offline"])
    except (UnavailableError, sources.UnknownModelError, sources.UnreadableConfigError):
        return None


def _shown(made: Plan, values: Mapping[str, Any], output: str, explained: bool) -> str:
    if output == "json":
        return json.dumps(show.document(made, values), indent=2)
    return f"{show.human(made, values)}\n\n{explain(made)}" if explained else show.human(made, values)


def _gpu(name: str | None, memory: int | None, values: Mapping[str, Any]) -> Gpu | None:
    """The GPU that the call names; for the CPU engine, the container in its place."""
    if values["engine"]["device"] == "cpu":
        resources = values["resources"] or {}
        limit = (resources.get("limits") or {}).get("memory") or (resources.get("requests") or {}).get("memory")
        return gpus.host(quantity(str(limit or "")) or 0)
    if memory:
        return gpus.of_memory(memory)
    return gpus.find(name) if name else None


def _gpu_of(kubeconfig: Path | None, context: str | None, values: Mapping[str, Any]) -> Gpu:
    from vllm_chart.cluster.api import Cluster, asking_the_api_server  # half a second of the Kubernetes client's models

    with Cluster(kubeconfig, context) as cluster, asking_the_api_server():
        return nodes.smallest(cluster.core.list_node().items, values)


def _end(ctx: click.Context, findings: Sequence[Finding], output: str) -> NoReturn:
    click.echo(to_json(findings) if output == "json" else to_human(findings))
    ctx.exit(exit_code(findings))
