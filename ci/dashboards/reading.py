"""The dashboards as they stand in the chart, read without Grafana's library, and their expressions with values for
Grafana's variables."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "charts/vllm/files/dashboards"
Board = Mapping[str, Any]
Panel = Mapping[str, Any]

#: As Grafana finds them in a text: `$name` or `${name}`.
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def boards() -> dict[str, Board]:
    """The dashboards by the names of their files."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(board: Board) -> Iterator[Panel]:
    """The panels that show something: no headings of rows."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def variables(board: Board, *, namespace: str, release: str, interval: str = "1m", span: str = "1h") -> dict[str, str]:
    """A value of every variable that the board's expressions may have: all pods, the numbers as they are preset.

    interval: what stands for `$__rate_interval`; span: for `$__range`; both as PromQL writes durations.
    """
    preset = {one["name"]: one["query"] for one in board["templating"]["list"] if one["type"] == "textbox"}
    found = {"namespace": namespace, "release": release, "pod": ".*"}
    return {**preset, **found, "__rate_interval": interval, "__range": span}


def filled(expression: str, values: Mapping[str, str]) -> str:
    """An expression that Prometheus understands. Raises KeyError for a variable without a value."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], expression)
