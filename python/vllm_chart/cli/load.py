"""The command `vllm-chart load`."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from vllm_chart.cli.options import RELEASE, URL, cluster_options, key_secret_option, output_option, progress_option
from vllm_chart.cli.output import Progress, finish
from vllm_chart.findings import Exit, UnavailableError, has_errors
from vllm_chart.load import asker, report
from vllm_chart.load.asker import Options, Record

_THREADS = 4000
_DEFAULTS = Options(url="")
_SHARE = click.FloatRange(0, 1)
_COUNT = click.IntRange(min=1)
_SECONDS = click.FloatRange(min=0, min_open=True)


@click.command(
    "load",
    epilog="""\b
Exit codes:
  0  every request was answered whole and right
  1  at least one was not
  2  the call itself is wrong
  3  something is missing that the call needs: a cluster, a pod that is ready, an answer
  130  ended by Ctrl-C, and until then every answer was whole and right
""",
)
@click.argument("url", required=False, type=URL)
@click.option(
    "--release",
    type=RELEASE,
    metavar="NAME",
    help="A release in a cluster, instead of a URL; it is reached by a port-forward to one pod.",
)
@click.option("--in-cluster", is_flag=True, help="Ask from a pod inside the cluster, through the Service.")
@click.option("--image", help="With --in-cluster: an image that has python3.  [default: python:3.13-slim]")
@cluster_options
@key_secret_option
@click.option("--model", default="", help="Name of the model to ask for. Default: the first that is served.")
@click.option("--clients", type=_COUNT, help=f"Closed loop: so many ask in turn.  [default: {_DEFAULTS.clients}]")
@click.option("--rate", type=_SECONDS, metavar="PER_SECOND", help="Open loop: ask at this rate, whatever comes back.")
@click.option("--duration", type=_SECONDS, metavar="SECONDS", help="How long to ask.  [default: 60]")
@click.option("--requests", type=_COUNT, help="How many to ask, instead of how long.")
@click.option(
    "--streaming", type=_SHARE, default=_DEFAULTS.streaming, show_default=True, help="Share that is streamed."
)
@click.option("--fresh", type=_SHARE, default=_DEFAULTS.fresh, show_default=True, help="Share with a new connection.")
@click.option(
    "--prompt-words", type=click.IntRange(min=0), default=0, help="Words put before each question, for a long prefill."
)
@click.option("--max-tokens", type=_COUNT, default=_DEFAULTS.max_tokens, show_default=True, help="Tokens per answer.")
@click.option(
    "--answer-seconds",
    type=_SECONDS,
    metavar="SECONDS",
    help="Give answers as many tokens as take so long; --max-tokens is where that begins.",
)
@click.option("--think", type=_SECONDS, metavar="SECONDS", help="Closed loop: pause between answer and question.")
@click.option(
    "--timeout",
    type=_SECONDS,
    metavar="SECONDS",
    default=_DEFAULTS.timeout_seconds,
    show_default=True,
    help="How long each answer may take.",
)
@progress_option
@output_option
def command(
    url: str | None,
    release: str | None,
    in_cluster: bool,
    image: str | None,
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
    key_secret: tuple[str, str] | None,
    model: str,
    clients: int | None,
    rate: float | None,
    duration: float | None,
    requests: int | None,
    streaming: float,
    fresh: float,
    prompt_words: int,
    max_tokens: int,
    answer_seconds: float | None,
    think: float | None,
    timeout: float,
    progress: bool | None,
    output: str,
) -> None:
    """Put load on a live service, and count every answer that was lost, by how it was. Nothing is retried.

    An answer counts if it came to its end with all of its tokens. A kept-alive connection that is reset just as the
    next request comes is counted by itself: HTTP/1.1 cannot exclude that. Ctrl-C ends it and shows what there is.

    \b
    Examples:
      vllm-chart load http://localhost:8000 --clients 4 --duration 30
      vllm-chart load --release llm -n models --in-cluster --clients 12 --max-tokens 900 --duration 600
      vllm-chart load --release llm-endpoint -n models --in-cluster --key-secret app-one --model llama3 --rate 5
      vllm-chart load http://llama-3.default.svc --in-cluster --rate 2 --requests 1000 --output json
    """
    if (url is None) == (release is None):
        raise click.UsageError("name either a URL or a --release")
    if url and key_secret:
        raise click.UsageError("--key-secret is of a --release's namespace: for a URL, write the key in VLLM_API_KEY")
    for one, other, names in (
        (clients, rate, "--clients or --rate"),
        (duration, requests, "--duration or --requests"),
        (think, rate, "--think, which is for a closed loop, or --rate"),
    ):
        if one is not None and other is not None:
            raise click.UsageError(f"name either {names}")
    if rate and rate * timeout > _THREADS:
        raise click.UsageError(
            f"a service that hangs would leave {rate * timeout:.0f} requests open: "
            f"lower --rate or --timeout, to {_THREADS} at most"
        )
    options = Options(
        url=url or "",
        model=model,
        clients=clients or _DEFAULTS.clients,
        rate=rate or 0,
        duration_seconds=duration or (24 * 3600 if requests else _DEFAULTS.duration_seconds),
        requests=requests or 0,
        streaming=streaming,
        fresh=fresh,
        prompt_words=prompt_words,
        max_tokens=max_tokens,
        answer_seconds=answer_seconds or 0,
        timeout_seconds=timeout,
        think_seconds=think or 0,
    )
    telling = Progress(progress)
    with contextlib.ExitStack() as stack:
        if release or in_cluster:
            from vllm_chart.cluster.api import Cluster
            from vllm_chart.live import smoke  # these take half a second of the Kubernetes client's models
            from vllm_chart.load.pod import IMAGE, LoadPod, Placement

            named = smoke.Release(release or "", namespace, kubeconfig, context, key_secret)
        if in_cluster:
            cluster = stack.enter_context(Cluster(kubeconfig, context))
            placement = Placement(namespace, image or IMAGE)
            if release:
                front = smoke.inside(cluster, named)
                options = dataclasses.replace(options, url=front.url, verify_tls=False)
                placement = dataclasses.replace(placement, away_from=front.labels, key_secret=front.api_key_secret)
            pod = stack.enter_context(LoadPod(cluster, placement, options))
            telling.tell(f"pod {pod.name} asks {options.url}")
            records = pod.records()
        elif release:
            address, key, _ = stack.enter_context(smoke.forwarded(named))
            options = dataclasses.replace(options, url=address, verify_tls=False)
            records = asker.Asker(options, key).records()
        else:
            records = asker.Asker(options, asker.given_key()).records()
        done = _collect(options, records, telling)
    finish(
        done.findings,
        output,
        human=lambda: report.to_human(done),
        machine=lambda: report.to_json(done),
        code=None if done.whole or has_errors(done.findings) else Exit.INTERRUPTED,
    )


def _collect(options: Options, records: Iterator[Record], progress: Progress) -> report.Report:
    """Gather the records until they end or the user ends them."""
    got: list[Record] = []

    def describe() -> str:
        done = report.Report(options, list(got))
        return f"{len(done.records)} ended, {done.failed} failed"

    try:
        with progress.during(describe):
            got.extend(records)
    except KeyboardInterrupt:
        return report.Report(options, got, whole=False)
    except asker.NoAnswerError as error:
        raise UnavailableError(
            f"{error}; `vllm-chart smoke` looks closer. An API key is read from {asker.API_KEY_VARIABLE}."
        ) from error
    return report.Report(options, got)
