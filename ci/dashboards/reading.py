"""The dashboards as they stand in the charts, read without Grafana's library, and their expressions with values for
Grafana's variables."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CHARTS = Path(__file__).parents[2] / "charts"
#: The charts that have dashboards.
NAMES = ("vllm", "vllm-endpoint")
Board = Mapping[str, Any]
Panel = Mapping[str, Any]

#: As Grafana finds them in a text: `$name` or `${name}`.
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def folder(chart: str = "vllm") -> Path:
    """Where the dashboards of a chart lie."""
    return CHARTS / chart / "files" / "dashboards"


def boards(*charts: str) -> dict[str, Board]:
    """The dashboards of these charts, else of all, by the names of their files."""
    files = [path for chart in charts or NAMES for path in sorted(folder(chart).glob("*.json"))]
    return {path.stem: json.loads(path.read_text()) for path in files}


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
