"""The command `vllm-chart top`."""

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vllm_chart.cli.options import EXIT_CODES, RELEASE, cluster_options, output_option, progress_option
from vllm_chart.cli.output import Progress, finish, goes_on

if TYPE_CHECKING:
    from vllm_chart.live.top import Look, Watcher


@click.command("top", epilog=EXIT_CODES)
@click.option("--release", type=RELEASE, metavar="NAME", required=True, help="Name of the release.")
@cluster_options
@click.option(
    "--interval",
    "interval_seconds",
    type=click.FloatRange(min=0.5),
    default=2.0,
    metavar="SECONDS",
    show_default=True,
    help="Between two looks.",
)
@click.option("--once", is_flag=True, help="Look twice, an interval apart, and print one table.")
@progress_option
@output_option
def command(
    release: str,
    namespace: str,
    kubeconfig: Path | None,
    context: str | None,
    interval_seconds: float,
    once: bool,
    progress: bool | None,
    output: str,
) -> None:
    """Show what each replica of a release does now: requests, KV cache, time to first token, tokens per second.

    Tokens per second are of the last 10 seconds, prefix hits and times to first token of the last minute. Engines are
    asked through the API server (pods/proxy), or where it refuses by a port-forward of kubectl. With --output json each
    look is a document in a line of its own. Ctrl-C ends it. Progress is told with --once: else the table is it.

    \b
    Examples:
      vllm-chart top --release llm --namespace models
      vllm-chart top --release llm -n models --once --interval 10 --output json
    """
    from vllm_chart.cluster.api import Cluster
    from vllm_chart.live import top

    # No answer is waited for much longer than the next look is due.
    with (
        Cluster(kubeconfig, context) as cluster,
        top.Watcher(cluster, release, namespace, timeout_seconds=max(2.0, min(interval_seconds, 10.0))) as watcher,
    ):
        if once:
            with Progress(progress).during(lambda: f"two looks, {interval_seconds:g} s apart"):
                watcher.look()
                time.sleep(interval_seconds)
                look = watcher.look()
            finish([], output, human=lambda: top.to_human(look, _width()), machine=lambda: top.to_json(look))
        # Ctrl-C is how a person ends it, and no failure.
        with contextlib.suppress(KeyboardInterrupt), _shown(output) as show:
            for look in _looks(watcher, interval_seconds):
                if not show(look):
                    break
    finish([], output, human=lambda: "", machine=lambda: "")


def _looks(watcher: "Watcher", interval_seconds: float) -> "Iterator[Look]":
    due = time.monotonic()
    while True:
        yield watcher.look()
        # A look that took longer than an interval is followed by the next at once, and by no others to make up for it.
        due = max(due + interval_seconds, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


@contextlib.contextmanager
def _shown(output: str) -> "Iterator[Callable[[Look], bool]]":
    """Yield what shows a look, and says whether anybody still reads it.

    A terminal is drawn on in place, in a screen of its own; what is last stays on the one below. Elsewhere one look
    follows the other, without a sign that is no text.
    """
    from vllm_chart.live import top

    if output == "json":
        yield lambda look: goes_on(top.to_json(look) + "\n")
    elif not sys.stdout.isatty():
        yield lambda look: goes_on(top.to_human(look) + "\n\n")
    else:
        last: list[Look] = []
        enter, leave = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # the other screen, without a cursor; and back

        def draw(look: "Look") -> bool:
            last[:] = [look]
            size = shutil.get_terminal_size()
            lines = top.to_human(look, size.columns, size.lines - 1).split("\n")
            # Home, each line and the end of it, and nothing below: without a flicker.
            return goes_on("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")

        goes_on(enter)
        try:
            yield draw
        finally:
            goes_on(leave)
            for look in last:
                goes_on(top.to_human(look, _width()) + "\n")


def _width() -> int | None:
    """Of the terminal; None where nobody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
