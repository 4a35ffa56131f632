"""Draws the panels of a dashboard with what a Prometheus answered, each where it is in Grafana."""

import datetime
import io
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from ci.dashboards.asking import Series, Shown, Span
from ci.dashboards.reading import Board

#: Inches of a column and of a line of Grafana's grid, which has 24 columns; of what stands around a panel.
COLUMN, LINE, MARGIN = 0.72, 0.36, 0.5
DOTS = 72
COLOURS = ("#3274d9", "#56a64b", "#ff9830", "#a352cc", "#37872d", "#e0b400", "#8ab8ff", "#c4162a", "#6e9fff", "#b877d9")
REFERENCES = ("SLO", "target")
MOST_NAMES = 6
UTC = datetime.UTC


def draw(board: Board, shown: Sequence[Shown], span: Span, what: str, file: Path) -> None:
    """Write a picture of the dashboard. what: which release it is of. Raises OSError where it can't be written."""
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = bottom * LINE + 2 * MARGIN
    figure = Figure(figsize=(24 * COLUMN, height), dpi=DOTS)
    figure.text(0.01, 1 - 0.3 / height, f"{board['title']} {what}", size=15, weight="bold", va="center")
    begin, end = (datetime.datetime.fromtimestamp(when, UTC) for when in (span.start, span.end))
    text = f"answers of Prometheus, {begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC, drawn by ci/dashboards: not Grafana"
    figure.text(0.99, 1 - 0.3 / height, text, size=9, color="#666666", va="center", ha="right")
    for panel in board["panels"]:
        if panel["type"] == "row":
            _heading(figure, panel["title"], 1 - (panel["gridPos"]["y"] + 0.6) * LINE / height - MARGIN / height)
    for one in shown:
        place = one.panel["gridPos"]
        left, width = (place["x"] + 0.9) / 24, (place["w"] - 1.2) / 24
        low = 1 - (MARGIN + (place["y"] + place["h"]) * LINE) / height
        inner = 0.5 if one.panel["type"] == "stat" else 1.3
        tall = (place["h"] - 1.4 - inner) * LINE / height
        axes = figure.add_axes((left, low + inner * LINE / height, width, tall))
        axes.set_title(one.panel["title"], size=9, loc="left", weight="bold", pad=4)
        KINDS[one.panel["type"]](axes, one, span)
    _write(figure, file)


def _heading(figure: Figure, title: str, at: float) -> None:
    figure.text(0.01, at, title, size=12, weight="bold", color="#1f60c4", va="center")


def _write(figure: Figure, file: Path) -> None:
    """As a PNG of few colours, which is a third of the size."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.open(picture).convert("RGB").quantize(96).save(file, optimize=True)


# -- kinds of panels ---------------------------------------------------------------------------------------


def _lines(axes: Axes, one: Shown, span: Span) -> None:
    custom = one.panel["fieldConfig"]["defaults"].get("custom", {})
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    steps = custom.get("lineInterpolation") == "stepAfter"
    times = np.arange(span.start, span.end + 1, span.step)
    plain = [series for series in one.series if series.name not in REFERENCES]
    if stacked and plain:
        heights = [np.nan_to_num(_on(series, times, span.step)) for series in plain]
        colours = [COLOURS[place % len(COLOURS)] for place in range(len(plain))]
        axes.stackplot(_dates(times), heights, labels=[series.name for series in plain], colors=colours, alpha=0.7)
    for place, series in enumerate([] if stacked else plain):
        style = "steps-post" if steps else "default"
        colour = COLOURS[place % len(COLOURS)]
        values = _on(series, times, span.step)
        axes.plot(_dates(times), values, label=series.name, lw=1.2, drawstyle=style, color=colour)
    for series in (series for series in one.series if series.name in REFERENCES):
        axes.plot(_dates(times), _on(series, times, span.step), label=series.name, lw=1.2, ls="--", color="red")
    _time_axis(axes, span)
    axes.set_ylim(bottom=0, top=None if axes.get_ylim()[1] > 0 else 1)
    unit = one.panel["fieldConfig"]["defaults"]["unit"]
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: text(number, unit)))
    _legend(axes)


def _legend(axes: Axes) -> None:
    lines, names = axes.get_legend_handles_labels()
    if names:
        more = [f"… {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
        shown = [name[-34:] for name in names[:MOST_NAMES]]
        axes.legend(
            lines[: len(shown)], shown, title=" ".join(more), fontsize=6.5, title_fontsize=6.5, loc="upper left"
        )


def _numbers(axes: Axes, one: Shown, span: Span) -> None:
    axes.set_axis_off()
    unit = one.panel["fieldConfig"]["defaults"]["unit"]
    values = [(series.name, text(series.points[-1][1], unit)) for series in one.series]
    for place, (name, value) in enumerate(values or [("", "-")]):
        middle = (place + 0.5) / max(len(values), 1)
        size = 18 if len(values) < 3 and len(value) < 12 else 9
        axes.text(middle, 0.6, value, size=size, ha="center", va="center", transform=axes.transAxes)
        axes.text(middle, 0.1, name[-24:], size=6.5, ha="center", va="center", transform=axes.transAxes)


def _heat(axes: Axes, one: Shown, span: Span) -> None:
    """What fell into each bucket; a bucket of Prometheus' holds the smaller ones."""
    times = np.arange(span.start, span.end + 1, span.step)
    buckets = sorted(one.series, key=lambda series: float(series.labels["le"]))
    sums = np.array([np.nan_to_num(_on(series, times, span.step)) for series in buckets])
    if len(buckets):
        each = np.diff(sums, axis=0, prepend=0)
        axes.pcolormesh(_dates(times), np.arange(len(buckets)), each, cmap="Oranges", shading="nearest")
        axes.set_yticks(range(0, len(buckets), 3), [one.labels["le"] for one in buckets[::3]])
    _time_axis(axes, span)


def _states(axes: Axes, one: Shown, span: Span) -> None:
    (mapping,) = one.panel["fieldConfig"]["defaults"]["mappings"]
    day = 86400
    for line, series in enumerate(one.series):
        for value, run in groupby(series.points, key=lambda point: point[1]):
            times = [when for when, _ in run]
            state = mapping["options"].get(f"{value:g}", {"color": "grey"})
            axes.broken_barh(
                [(times[0] / day, (times[-1] - times[0] + span.step) / day)], (line, 0.8), color=state["color"]
            )
        axes.text(
            0.01, line + 0.4, series.name, size=7, color="white", va="center", transform=axes.get_yaxis_transform()
        )
    axes.set_yticks([])
    _time_axis(axes, span)


KINDS: dict[str, Callable[[Axes, Shown, Span], None]] = {
    "timeseries": _lines,
    "stat": _numbers,
    "heatmap": _heat,
    "state-timeline": _states,
}

# -- numbers and times -------------------------------------------------------------------------------------


def _on(series: Series, times: "np.ndarray[tuple[int], np.dtype[np.float64]]", step: int) -> "np.ndarray":
    """The values at these times, not a number where there is none."""
    values = np.full(len(times), np.nan)
    for when, number in series.points:
        values[min(round((when - times[0]) / step), len(times) - 1)] = number
    return values


def _dates(times: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> "np.ndarray":
    return times / 86400


def _time_axis(axes: Axes, span: Span) -> None:
    axes.set_xlim(span.start / 86400, span.end / 86400)
    locator = AutoDateLocator(maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.tick_params(labelsize=6.5)
    axes.grid(alpha=0.3)


def text(number: float, unit: str) -> str:
    """A number as Grafana shows it in a unit."""
    if unit == "dateTimeAsIso":
        return f"{datetime.datetime.fromtimestamp(number / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    if unit == "percentunit":
        return f"{number * 100:.3g}%" if abs(number) < 10 else f"{number * 100:,.0f}%"
    if unit == "bytes":
        return _scaled(number, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))
    if unit == "s":
        return f"{number * 1000:.3g} ms" if 0 < abs(number) < 1 else f"{number:.3g} s"
    return _scaled(number, 1000, ("", "K", "M", "G")) + {"reqps": " req/s", "ops": " /s"}.get(unit, "")


def _scaled(number: float, base: int, names: Sequence[str]) -> str:
    for name in names[:-1]:
        if abs(number) < base:
            return f"{number:.3g} {name}".strip()
        number /= base
    return f"{number:.3g} {names[-1]}".strip()
