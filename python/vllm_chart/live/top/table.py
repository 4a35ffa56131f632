"""A look at a release as a table for a person, and as a document for a program."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from vllm_chart.live.top import pods, readings
from vllm_chart.live.top.look import Look, Row
from vllm_chart.live.top.readings import Counts

SHARES = {"p50": 0.5, "p95": 0.95}
#: Lines below the table, at most: why engines did not answer.
ERRORS = 3


class Figures(NamedTuple):
    """What a replica does, or all of them together. What is not known is None."""

    running: float | None
    waiting: float | None
    kv_use: float | None
    tokens_in: float | None
    tokens_out: float | None
    counted: Counts
    restarts: int


def figures(row: Row) -> Figures:
    """Those of one replica."""
    reading = row.reading
    return Figures(
        running=reading.running if reading else None,
        waiting=reading.waiting if reading else None,
        kv_use=reading.kv_use if reading else None,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        counted=row.counted,
        restarts=row.replica.restarts,
    )


def together(every: Sequence[Figures]) -> Figures:
    """Those of all replicas: sums, but the mean of the KV caches, of which each has its own."""
    uses = [one.kv_use for one in every if one.kv_use is not None]
    return Figures(
        running=_sum(one.running for one in every),
        waiting=_sum(one.waiting for one in every),
        kv_use=sum(uses) / len(uses) if uses else None,
        tokens_in=_sum(one.tokens_in for one in every),
        tokens_out=_sum(one.tokens_out for one in every),
        counted=readings.added(one.counted for one in every),
        restarts=sum(one.restarts for one in every),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


# -- for a person -------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A line of the table: a replica's, or that of all."""

    name: str
    phase: str
    figures: Figures


class Column(NamedTuple):
    title: str
    cell: Callable[[Line], str]
    keep: int
    """Where the terminal is too narrow, the columns with the least go first."""
    is_text: bool = False
    """Texts stand to the left, numbers to the right."""


def _time(line: Line, share: float) -> str:
    return _seconds(readings.quantile(share, line.figures.counted))


COLUMNS = (
    Column("PHASE", lambda line: line.phase, 9, is_text=True),
    Column("RUN", lambda line: _count(line.figures.running), 8),
    Column("WAIT", lambda line: _count(line.figures.waiting), 8),
    Column("KV", lambda line: _percent(line.figures.kv_use), 6),
    Column("HITS", lambda line: _percent(readings.hits(line.figures.counted)), 3),
    Column("TTFT P50", lambda line: _time(line, SHARES["p50"]), 2),
    Column("TTFT P95", lambda line: _time(line, SHARES["p95"]), 5),
    Column("IN/S", lambda line: _count(line.figures.tokens_in), 4),
    Column("OUT/S", lambda line: _count(line.figures.tokens_out), 7),
    Column("RESTARTS", lambda line: str(line.figures.restarts), 1),
)
#: Characters of a pod's name at least, for which columns go.
LEAST_NAME = 12
GAP = "  "


def to_human(look: Look, width: int | None = None, height: int | None = None) -> str:
    """The table. width, height: of the terminal, None for any; columns and lines are left out for them."""
    at = look.at.astimezone().strftime("%H:%M:%S")
    lines = [f"{look.release} in {look.namespace}: {_ready(look.rows)} of {len(look.rows)} ready, {at}"]
    below = [*([look.error] if look.error else []), *_errors(look.rows)]
    shown = [*look.rows]
    if height is not None and len(shown) > (space := max(1, height - 4 - len(below))):
        shown = shown[:space]
        below.insert(0, f"… and {len(look.rows) - space} more")
    if shown:
        lines += _table([Line(row.replica.name, _phase(row), figures(row)) for row in shown], look.rows, width)
    else:
        lines.append("there are no pods: it is scaled to 0, or they are refused (`vllm-chart diagnose` says why)")
    return "\n".join(line if width is None else _cut(line, width) for line in [*lines, *below])


def _ready(rows: Sequence[Row]) -> int:
    return sum(row.replica.ready for row in rows)


def _table(lines: Sequence[Line], every: Sequence[Row], width: int | None) -> list[str]:
    if len(every) > 1:
        lines = [*lines, Line("all", "", together([figures(row) for row in every]))]
    columns = [*COLUMNS]
    while True:
        cells = [[column.title, *map(column.cell, lines)] for column in columns]
        widths = [max(map(len, column)) for column in cells]
        names = ["POD", *(line.name for line in lines)]
        longest = max(map(len, names))
        space = longest if width is None else width - sum(widths) - len(GAP) * len(columns)
        if space >= min(longest, LEAST_NAME) or not columns:
            break
        columns.remove(min(columns, key=lambda column: column.keep))
    texts = [_column([_tail(name, space) for name in names], min(space, longest), is_text=True)]
    texts += [
        _column(column, width, is_text=of.is_text) for of, column, width in zip(columns, cells, widths, strict=True)
    ]
    return [GAP.join(line).rstrip() for line in zip(*texts, strict=True)]


def _column(cells: Sequence[str], width: int, *, is_text: bool) -> list[str]:
    return [cell.ljust(width) if is_text else cell.rjust(width) for cell in cells]


def _tail(name: str, width: int) -> str:
    """Pods of one workload differ in the ends of their names."""
    return name if len(name) <= width else f"…{name[len(name) - max(0, width - 1) :]}"


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(0, width - 1)]}…"


def _errors(rows: Sequence[Row]) -> list[str]:
    lines = [f"{row.replica.name}: {row.error}" for row in rows if row.error]
    more = [f"… and {len(lines) - ERRORS} more do not answer"] if len(lines) > ERRORS else []
    return [*lines[:ERRORS], *more]


def _phase(row: Row) -> str:
    if row.error and row.replica.phase == pods.SERVING:
        return "no answer"
    if not row.stage:
        return row.replica.phase
    return f"{row.replica.phase}: {row.stage}, {row.stage_seconds or 0:.0f} s"


def _count(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 9_999.5:
        return f"{value / 1000:.1f}k" if value < 999_950 else f"{value / 1_000_000:.1f}M"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}%"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{1000 * value:.0f} ms" if value < 0.9995 else f"{value:.1f} s"


# -- for a program ------------------------------------------------------------------------------------------


def to_json(look: Look) -> str:
    """The document, in one line: numbers as they are (seconds, shares of 1, tokens per second), null for unknown."""
    errors = [look.error] if look.error else []
    errors += [f"{row.replica.name}: {row.error}" for row in look.rows if row.error]
    rows = [(row, figures(row)) for row in look.rows]
    document = {
        "ok": not errors,
        "release": look.release,
        "namespace": look.namespace,
        "at": look.at.isoformat(timespec="milliseconds"),
        "replicas": [_replica(row, numbers) for row, numbers in rows],
        "total": {
            "pods": len(rows),
            "ready": _ready(look.rows),
            **_numbers(together([numbers for _, numbers in rows])),
        },
        "errors": errors,
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _replica(row: Row, numbers: Figures) -> Mapping[str, Any]:
    return {
        "pod": row.replica.name,
        "phase": row.replica.phase,
        "stage": row.stage or None,
        "stageSeconds": _rounded(row.stage_seconds),
        "ready": row.replica.ready,
        **_numbers(numbers),
    }


def _numbers(of: Figures) -> Mapping[str, Any]:
    return {
        "running": _rounded(of.running),
        "waiting": _rounded(of.waiting),
        "kvCacheUsage": _rounded(of.kv_use),
        "prefixHits": _rounded(readings.hits(of.counted)),
        "firstTokens": _rounded(readings.requests(of.counted)) if of.counted else None,
        "ttftSeconds": {name: _rounded(readings.quantile(share, of.counted)) for name, share in SHARES.items()},
        "tokensPerSecond": {"in": _rounded(of.tokens_in), "out": _rounded(of.tokens_out)},
        "restarts": of.restarts,
    }


def _rounded(value: float | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else round(value, 6)
