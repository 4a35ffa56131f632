"""The command `vllm-chart dashboards`."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vllm_chart.cli.options import EXIT_CODES, namespace_option, output_option, release_option, values_options
from vllm_chart.cli.output import finish, say

#: As `vllm_chart.observe.dashboards.NAMES` has them, which is dear to import.
NAMES = ("service", "replica", "endpoint")


@click.command("dashboards", epilog=EXIT_CODES)
@click.argument("name", type=click.Choice(NAMES), required=False)
@values_options
@release_option
@namespace_option
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write them there, each as NAME.json; made where it isn't there.",
)
@output_option
def command(
    name: str | None,
    chart: Path | None,
    release: str,
    namespace: str,
    directory: Path | None,
    output: str,
    **values: Any,
) -> None:
    """Print a dashboard for Grafana, or write all of a chart into a directory.

    They are those of the chart's ConfigMaps, for a Grafana without the sidecar: import them by hand or by its API.
    With values they are a release's own, with its objectives (slo) and its target; whether dashboards.enabled is true
    doesn't matter. Without values they are for any release, which their variables choose. docs/dashboards.md says what
    is on them, and which Prometheus they need. service and replica are those of charts/vllm, endpoint is that of
    charts/vllm-endpoint.

    \b
    Examples:
      vllm-chart dashboards service > vllm-service.json
      vllm-chart dashboards --directory grafana/
      vllm-chart dashboards -f prod.yaml --release llm -n models --directory grafana/
      vllm-chart dashboards endpoint --chart charts/vllm-endpoint > vllm-endpoint.json
      vllm-chart dashboards replica | jq '{dashboard: ., overwrite: true}' | curl … --data @- GRAFANA/api/dashboards/db
    """
    from vllm_chart.findings import WrongCallError, to_human
    from vllm_chart.observe.dashboards import dashboards

    found = dashboards(chart, release=release, namespace=namespace, **values)
    boards = {key: board for key, board in found.boards.items() if name in (None, key)}
    if found.boards and not boards:
        raise WrongCallError(f"{name}: this chart has {', '.join(found.boards)}: name one of them, or another --chart")
    if directory and boards:
        _write(directory, boards)
    if found.findings and boards and output == "human":
        say(to_human(found.findings))  # so that what is printed is a dashboard and nothing else
    told = [dataclasses.asdict(finding) for finding in found.findings]
    document = {"ok": True, "dashboards": boards, "findings": told}
    finish(
        found.findings,
        output,
        human=(lambda: _told(boards, name, directory)) if boards else None,
        machine=(lambda: json.dumps(document, indent=2, ensure_ascii=False)) if boards else None,
        is_file=name is not None,
    )


def _write(directory: Path, boards: Mapping[str, Any]) -> None:
    """Raises OSError where nothing can be written."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, board in boards.items():
        (directory / f"{name}.json").write_text(_text(board) + "\n", encoding="utf-8")


def _text(board: Any) -> str:
    return json.dumps(board, indent=1, ensure_ascii=False)


def _told(boards: Mapping[str, Any], name: str | None, directory: Path | None) -> str:
    if directory:
        return "\n".join(f"wrote {directory / key}.json: {board['title']}" for key, board in boards.items())
    if name:
        return _text(boards[name])
    lines = [f"{key}: {board['title']}: {board['description']}" for key, board in boards.items()]
    return "\n".join([*lines, "Name one to print it, or a directory for all of a chart: --directory DIR"])
