"""The command `vllm-chart smoke`."""

from pathlib import Path

import click

from vllm_chart.cli.options import (
    EXIT_CODES,
    RELEASE,
    URL,
    cluster_options,
    key_secret_option,
    output_option,
    progress_option,
)
from vllm_chart.cli.output import Progress, finish


@click.command("smoke", epilog=EXIT_CODES)
@click.argument("url", required=False, type=URL)
@click.option(
    "--release",
    type=RELEASE,
    metavar="NAME",
    help="A release in a cluster, instead of a URL; it is reached by a port-forward.",
)
@cluster_options
@key_secret_option
@click.option("--model", default="", help="Name of the model to ask for. Default: the first that is served.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    metavar="SECONDS",
    show_default=True,
    help="How long each answer may take.",
)
@progress_option
@output_option
def command(
    url: str | None,
    release: str | None,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    key_secret: tuple[str, str] | None,
    model: str,
    timeout_seconds: float,
    progress: bool | None,
    output: str,
) -> None:
    """Ask a live service: health, models, completion, chat, embeddings, streaming; with the time of each.

    What the model does not offer is skipped. Nothing is changed in the cluster. The API key is read from
    VLLM_API_KEY, or from the Secret that the release names, or you.

    Of an endpoint for many models: without a key 401, paths of an engine that tell of it not served, and an answer of
    each model, with the key of one of its clients.

    \b
    Examples:
      vllm-chart smoke http://localhost:8000
      vllm-chart smoke --release llm --namespace models
      vllm-chart smoke --release llm-endpoint --namespace models --key-secret app-one/api-key
      VLLM_API_KEY=… vllm-chart smoke https://llm.example.com --model llama3 --output json
    """
    from vllm_chart.live import smoke

    if (url is None) == (release is None):
        raise click.UsageError("name either a URL or a --release")
    if url and key_secret:
        raise click.UsageError("--key-secret is of a --release's namespace: for a URL, write the key in VLLM_API_KEY")
    target: smoke.Target = (
        smoke.Release(release, namespace, kubeconfig, context, key_secret) if release else smoke.Endpoint(str(url))
    )
    asked = ["a way to the release" if release else str(url)]
    with Progress(progress).during(lambda: f"waiting for {asked[-1]}"):
        report = smoke.run(target, model=model, timeout_seconds=timeout_seconds, asking=asked.append)
    finish(report.findings, output, human=lambda: smoke.to_human(report), machine=lambda: smoke.to_json(report))
