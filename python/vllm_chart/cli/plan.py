"""The command `vllm-chart plan`."""

from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, kubeconfig_options, output_option, progress_option, values_options
from vllm_chart.cli.output import Progress, finish
from vllm_chart.sizing.arithmetic import quantity

_LEAST = 2**30
"""A smaller number of bytes is one whose unit was forgotten."""


def _memory(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    size = quantity(text) if text else None
    if text and (not size or size < _LEAST):
        raise click.BadParameter(f"{text!r} is not the size of a GPU: write 80GiB")
    return size


@click.command("plan", epilog=EXIT_CODES)
@values_options
@click.option("--gpu", "gpu_name", metavar="NAME", help="The GPU: h100-80gb, l40s, or as a node's label has it.")
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
@progress_option
@output_option
def command(
    chart: Path | None,
    gpu_name: str | None,
    gpu_memory: int | None,
    cluster: bool,
    kubeconfig: Path | None,
    context: str | None,
    config: Path | None,
    offline: bool,
    explained: bool,
    svg: Path | None,
    progress: bool | None,
    output: str,
    **values: Any,
) -> None:
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
    from vllm_chart.cli.planning import Device, answer

    device = Device(gpu_name, gpu_memory, cluster, kubeconfig, context)
    with Progress(progress).during(lambda: "asking for the model's config" + (", and a cluster" if cluster else "")):
        planned = answer(chart, values, device, config=config, offline=offline, explained=explained, svg=svg)
    finish(planned.findings, output, human=planned.human, machine=planned.machine)
