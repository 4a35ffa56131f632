"""The command `vllm-chart bench`."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vllm_chart.cli.options import RELEASE, cluster_options, output_option, progress_option
from vllm_chart.cli.output import Progress, finish
from vllm_chart.findings import Exit, has_errors

_COUNT = click.IntRange(min=1)
_SECONDS = click.FloatRange(min=0, min_open=True)


if TYPE_CHECKING:
    Numbers = click.ParamType[Sequence[float]]
else:  # before click 8.4 it took no type
    Numbers = click.ParamType


class _Numbers(Numbers):
    """Numbers above 0, with commas between."""

    name = "NUMBERS"

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Sequence[float]:
        try:
            numbers = [int(text) if self._whole else float(text) for text in str(value).split(",")]
        except ValueError:
            numbers = [0]
        if any(not 0 < number < 1e6 for number in numbers):
            example = "1,8,64" if self._whole else "0.5,1,2"
            self.fail(f"{value!r} are no numbers above 0: write {example}", param, ctx)
        return numbers


@click.command(
    "bench",
    epilog="""\b
Exit codes:
  0  it was measured, and some load keeps the objectives
  1  none does, the release's pods changed meanwhile, or it broke off
  2  the call itself is wrong
  3  something is missing that the call needs: a cluster, a pod that is ready, a tokenizer
  130  ended by Ctrl-C, with the steps until then
""",
)
@click.option("--release", type=RELEASE, metavar="NAME", required=True, help="Name of the release.")
@cluster_options
@click.option("--find-target", is_flag=True, help="Look for the most requests at a time that keep the objectives.")
@click.option(
    "--concurrency", type=_Numbers(whole=True), metavar="N,N,…", help="Try these numbers of requests at a time."
)
@click.option("--rates", type=_Numbers(whole=False), metavar="R,R,…", help="Try these rates, in requests per second.")
@click.option("--most", type=_COUNT, default=1024, show_default=True, help="With --find-target: the most to try.")
@click.option("--input-tokens", type=_COUNT, default=1024, show_default=True, help="Of a prompt, in the mean.")
@click.option("--output-tokens", type=_COUNT, default=256, show_default=True, help="Of an answer, in the mean.")
@click.option(
    "--spread",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="How far both lie around their mean: 0.5 is half to one and a half of it.",
)
@click.option(
    "--step-seconds",
    type=_SECONDS,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="About how long each load lasts.",
)
@click.option("--requests", type=_COUNT, help="How many requests each load has, instead of how long it lasts.")
@click.option("--ttft", type=_SECONDS, metavar="SECONDS", help="The limit of a first token, instead of slo.ttft.")
@click.option("--itl", type=_SECONDS, metavar="SECONDS", help="The limit of a further token, instead of slo.itl.")
@click.option("--tokenizer", default="", help="A folder in a volume of the release, or a Hub id.  [default: its own]")
@click.option("--image", default="", help="An image with this vLLM.  [default: the release's own]")
@click.option("--seed", type=click.IntRange(min=0), help="For the same prompts again.  [default: by the clock]")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that is not there yet, for the results.  [default: bench-RELEASE-TIME]",
)
@progress_option
@output_option
def command(
    release: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    find_target: bool,
    concurrency: Sequence[float] | None,
    rates: Sequence[float] | None,
    most: int,
    input_tokens: int,
    output_tokens: int,
    spread: float,
    step_seconds: float,
    requests: int | None,
    ttft: float | None,
    itl: float | None,
    tokenizer: str,
    image: str,
    seed: int | None,
    directory: Path | None,
    progress: bool | None,
    output: str,
) -> None:
    """Put a load on a release, and say how many requests a replica bears within its objectives (slo).

    The load is that of vLLM's own `vllm bench serve`, with random prompts, in a pod of the release's own image beside
    it, which takes no GPU and is deleted at the end. It is as heavy as it sounds: not for what callers use.

    \b
    Examples:
      vllm-chart bench --release llm -n models --find-target
      vllm-chart bench --release llm -n models --concurrency 8,16,32 --input-tokens 4000
      vllm-chart bench --release llm -n models --rates 0.5,1,2 --output json
    """
    if sum(map(bool, (find_target, concurrency, rates))) != 1:
        raise click.UsageError("name one of --find-target, --concurrency and --rates")
    from vllm_chart.bench import report
    from vllm_chart.bench.measure import Asked, Stand, measure
    from vllm_chart.bench.pod import Load
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live.smoke.reach import Release

    name = "concurrency" if concurrency else "rate"
    load = Load(
        steps=[{name: number} for number in sorted(set(concurrency or rates or ()))],
        most=most,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        spread=spread,
        step_seconds=step_seconds,
        requests=requests or 0,
        # The same prompts would be found in the prefix cache of the last bench.
        seed=int(time.time()) % 1_000_000 * 100 if seed is None else seed,
    )
    folder = directory or Path(f"bench-{release}-{time.strftime('%Y%m%d-%H%M%S')}")
    if folder.exists():
        raise click.UsageError(f"{folder} is there already: name another --directory")
    telling, stand = Progress(progress), Stand()
    with Cluster(kubeconfig, context) as cluster, telling.during(lambda: str(stand)):
        named = Release(release, namespace, kubeconfig, context)
        asked = Asked(tokenizer, image, ttft, itl)
        done = measure(cluster, named, load, asked, folder, stand=stand, tell=telling.tell)
    finish(
        done.findings,
        output,
        human=lambda: report.to_human(done),
        machine=lambda: json.dumps(report.document(done), indent=2, ensure_ascii=False),
        code=None if done.whole or has_errors(done.findings) else Exit.INTERRUPTED,
    )
