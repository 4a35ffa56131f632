"""The command `vllm-chart`: the group of its commands, each of which is a module beside this.

A module is imported when its command is called, and imports what it needs when it runs.
"""

import gc
import importlib
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping

import click

from vllm_chart.cli.options import EXIT_CODES
from vllm_chart.cli.output import Commands, FaultError, ends, wants_json
from vllm_chart.findings import Exit

NAMES = (
    *("import", "validate", "check", "plan", "rules", "dashboards", "preflight"),
    *("smoke", "diagnose", "top", "load", "bench"),
    *("clients", "usage", "endpoint"),
)

#: The module of a command whose name is none that Python can import.
_MODULES = {"import": "import_values"}


#: Objects between two collections of cycles, where Python has 700. A command reads large trees, all of which stay:
#: to look through them again and again was an eighth of `check`.
_COLLECT_AFTER = 200_000


class Modules(Mapping[str, click.Command]):
    """The commands by name, each out of its module: `check` need not import the HTTP client of `load`."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in NAMES:
            raise KeyError(name)
        command: click.Command = importlib.import_module(f"vllm_chart.cli.{_MODULES.get(name, name)}").command
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


@click.group(
    cls=Commands, commands=Modules(), epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="vllm-chart")
def main() -> None:
    """Prove what the vLLM chart promises: before an install, and on the live service.

    \b
    Before an install:
      vllm-chart import deployment.yaml           values out of what runs today
      vllm-chart validate -f prod.yaml            would Helm take these values?
      vllm-chart check -f prod.yaml               … and would a cluster take what they render?
      vllm-chart plan -f prod.yaml --gpu l40s     does the model fit, and how much will it serve?
      vllm-chart rules -f prod.yaml -n models     which alerts would watch it?
      vllm-chart dashboards --directory grafana   what would Grafana show of it?
      vllm-chart preflight -f prod.yaml -n models has this cluster what the release needs?
    \b
    After it:
      vllm-chart smoke --release llm -n models    does it answer, and with the right model?
      vllm-chart diagnose --release llm -n models why is it not ready?
      vllm-chart top --release llm -n models      what does each replica do now?
      vllm-chart load --release llm -n models     is an answer lost while it is changed?
      vllm-chart bench --release llm -n models    how much does it bear?
    \b
    Of an endpoint in front of many:
      vllm-chart endpoint values -n models        the values of one, out of the releases that there are
      vllm-chart clients add app-one -n models    a key for a client; list, rotate, revoke
      vllm-chart usage -n models --since 1d       who used how much of which model?
    """


def run() -> None:
    """The program: `main`, and an exit code of its own for a fault that is neither the values' nor the call's."""
    gc.set_threshold(_COLLECT_AFTER)
    # As Ctrl-C does, so that port-forwards and pods go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.TERMINATED))
    try:
        main(prog_name="vllm-chart")
    except Exception:
        with ends(json_wanted=wants_json(sys.argv[1:])):
            raise FaultError(traceback.format_exc()) from None
