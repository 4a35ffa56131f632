"""Hold the plan against real start-up logs of vLLM: `python -m ci.logs.report LOGS.json`.

Which inputs a measure needs is decided beforehand (`Case.lacks`, `Case.beyond`): a case whose log lacks one is not
asked; a case whose inputs are there but that has no formula counts as abstained.
"""

import argparse
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.logs.cases import Case
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory.kvcache import CacheError
from vllm_chart.sizing.model.architecture import ConfigError
from vllm_chart.sizing.model.quantization import UnknownQuantizationError
from vllm_chart.sizing.plan import Plan

NO_FORMULA = (ConfigError, UnknownQuantizationError, CacheError)
"""What a plan may end with."""

TOLERANCE = 0.1
"""How far available memory and tokens may be off."""
WEIGHTS_TOLERANCE = 0.02
"""How far the weights may be off."""
ROUNDING = 0.005
"""Half of the last digit, in GiB, that vLLM logs of its memory."""


@dataclasses.dataclass(frozen=True)
class Row:
    """What was predicted and what was logged for one case; a ratio is predicted over logged.

    None: the log doesn't show it, or it was not predicted.
    """

    id: str
    addition: int
    release: str
    outcome: str
    lacks: tuple[str, ...]
    """Inputs that the log lacks."""
    beyond: tuple[str, ...]
    """What has no formula."""
    shown: frozenset[str]
    """The measures that the log has a number for."""
    exact: bool | None = None
    """Whether bytes per token are the log's own: given the logged memory, the tokens come out within its rounding."""
    longest: bool | None = None
    """Whether, given the logged memory, the longest length that fits is the one that vLLM suggests."""
    verdict: bool | None = None
    """Whether, given the logged memory, started or refused comes out as logged."""
    weights: float | None = None
    available: float | None = None
    covered: bool | None = None
    """Whether the available memory is within the plan's spread, from its worst to its best."""
    tokens: float | None = None
    started: bool | None = None
    """Whether the plan expects it to start; None where it can't say."""
    borderline: bool = False
    """Whether the plan's own spread includes both outcomes."""

    @property
    def right(self) -> bool | None:
        """Whether started or refused was predicted rightly."""
        return None if self.started is None else self.started == (self.outcome == "started")

    @property
    def within(self) -> bool | None:
        """Whether the outcome is the predicted one, or within the plan's spread."""
        return None if self.right is None else self.right or self.borderline


def row(case: Case) -> Row:
    """Predict one case and compare."""
    release = f"{case.release}{' (inferred)' if case.dated else ''}" if case.release else "?"
    lacks, beyond = tuple(case.lacks()), tuple(case.beyond())
    try:
        made = case.plan()
    except NO_FORMULA as error:
        made, beyond = None, (*beyond, str(error))
    empty = Row(case.id, case.addition, release, case.outcome, lacks, beyond, _shown(case))
    if made is None:
        return empty
    known = empty
    if "the draft's layers" not in beyond:
        known = dataclasses.replace(
            empty, exact=exact(case, made), longest=longest(case, made), verdict=verdict(case, made)
        )
    weights = case.logged("weights_gib_per_gpu")
    if weights and "the checkpoint's quantization" not in beyond:
        known = dataclasses.replace(known, weights=max(stage.weights for stage in made.stages) / GIB / weights)
    if lacks or beyond:
        return known
    available, tokens = case.logged("available_kv_gib_per_gpu"), case.logged("kv_cache_tokens")
    return dataclasses.replace(
        known,
        available=made.available / GIB / available if available and available > 0 else None,
        covered=_covered(made, available) if available else None,
        tokens=made.tokens / tokens if tokens else None,
        started=made.starts(),
        borderline=made.starts("worst") != made.starts("best"),
    )


def _shown(case: Case) -> frozenset[str]:
    available, tokens = case.logged("available_kv_gib_per_gpu"), case.logged("kv_cache_tokens")
    needed = case.logged("kv_needed_gib") and case.logged("kv_needed_for_tokens")
    numbers = {
        "exact": ((available or 0) > 0 and tokens) or needed,
        "longest": case.logged("estimated_max_model_len") and available,
        "verdict": available and (tokens or needed),
        "weights": case.logged("weights_gib_per_gpu"),
        "available": (available or 0) > 0,
        "covered": available,
        "tokens": tokens,
        "right": True,
        "spread": True,
    }
    return frozenset(name for name, number in numbers.items() if number)


def _covered(made: Plan, available: float) -> bool:
    low, high = _around(available)
    return made.stage.available("worst") <= high and low <= made.stage.available("best")


def _around(gib: float) -> tuple[int, int]:
    """The least and the most bytes that are logged as this many GiB."""
    return round((gib - ROUNDING) * GIB), round((gib + ROUNDING) * GIB)


def exact(case: Case, made: Plan) -> bool | None:
    """Whether the cache's layout is the log's: its tokens from the logged memory, else the memory it says it needs."""
    cache, length = made.stage.cache, made.length
    available, tokens = case.logged("available_kv_gib_per_gpu"), case.logged("kv_cache_tokens")
    if available and tokens and case.scattered:
        return None  # the worker with the least memory decides, and another's may be logged
    if available and tokens and available > 0:
        low, high = _around(available)
        return cache.tokens(low, length) <= tokens <= cache.tokens(high, length)
    needed, at = case.logged("kv_needed_gib"), case.logged("kv_needed_for_tokens")
    windows = any(group.spec.kind in ("sliding", "chunked") for group in cache.groups)
    if windows and case.gpu is None and not case.flag("max_num_batched_tokens"):
        return None  # windows reserve for a batch, whose size is the GPU's
    if needed and at:
        return abs(cache.request_bytes(int(at)) / GIB - needed) <= 0.006
    return None


def longest(case: Case, made: Plan) -> bool | None:
    """Whether the longest length within the logged memory is the one that vLLM's message suggests."""
    suggested, available = case.logged("estimated_max_model_len"), case.logged("available_kv_gib_per_gpu")
    if not suggested or not available:
        return None
    low, high = _around(available)
    cache = made.stage.cache
    return cache.longest(low, made.length) <= suggested <= cache.longest(high, made.length)


def verdict(case: Case, made: Plan) -> bool | None:
    """Whether a request of full length fits in the logged memory just where the engine did not refuse it."""
    if "verdict" not in _shown(case):
        return None
    fits = made.stage.cache.fits(_around(case.logged("available_kv_gib_per_gpu") or 0)[1], made.length)
    return fits == (case.logged("kv_needed_gib") is None)


def report(cases: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Compare every case."""
    return [row(Case(raw)) for raw in cases]


@dataclasses.dataclass(frozen=True)
class Measure:
    """One thing that is compared, over all cases whose logs show it."""

    key: str
    name: str
    hit: Callable[[Row], bool | None]
    needs: Callable[[Row], bool]
    """Whether the inputs that this measure needs are in the log."""


@dataclasses.dataclass(frozen=True)
class Count:
    """How one measure came out."""

    shown: int
    complete: int
    predicted: int
    hits: int

    @property
    def abstained(self) -> int:
        """Cases whose inputs are there, but that were not predicted."""
        return self.complete - self.predicted


def _near(ratio: float | None, tolerance: float = TOLERANCE) -> bool | None:
    return None if ratio is None else abs(ratio - 1) <= tolerance


def _has_model(row: Row) -> bool:
    return "the model" not in row.lacks


def _complete(row: Row) -> bool:
    return not row.lacks


MEASURES = (
    Measure("exact", "bytes per token exact", lambda row: row.exact, _has_model),
    Measure("longest", "longest length as vLLM's, given the memory", lambda row: row.longest, _has_model),
    Measure("verdict", "started or refused, given the memory", lambda row: row.verdict, _has_model),
    Measure("weights", "weights within a fiftieth", lambda row: _near(row.weights, WEIGHTS_TOLERANCE), _has_model),
    Measure("available", "available memory within a tenth", lambda row: _near(row.available), _complete),
    Measure("covered", "available memory within the plan's spread", lambda row: row.covered, _complete),
    Measure("tokens", "tokens within a tenth", lambda row: _near(row.tokens), _complete),
    Measure("right", "started or refused, right", lambda row: row.right, _complete),
    Measure("spread", "right, or borderline", lambda row: row.within, _complete),
)  # fmt: skip


def count(measure: Measure, rows: Iterable[Row]) -> Count:
    """Count one measure over these rows."""
    shown = [row for row in rows if measure.key in row.shown]
    complete = [row for row in shown if measure.needs(row)]
    results = [result for row in complete if (result := measure.hit(row)) is not None]
    return Count(len(shown), len(complete), len(results), sum(results))


def summary(rows: Sequence[Row]) -> dict[str, Count]:
    """Every measure's count by its key."""
    return {measure.key: count(measure, rows) for measure in MEASURES}


ADDITIONS = ("the first logs", "added", "added after mending")
"""The parts of the collection, by `Case.addition`."""


def table(rows: Sequence[Row]) -> str:
    """The comparison as Markdown: the counts, then every case."""
    lines = []
    parts = [(title, [row for row in rows if row.addition == index]) for index, title in enumerate(ADDITIONS)]
    for title, part in (*parts, ("all", rows)):
        lines += [
            f"| {title} ({len(part)}) | logs that show it | inputs complete | predicted | abstained | right |",
            "|---|---|---|---|---|---|",
        ]
        for measure in MEASURES:
            found = count(measure, part)
            share = f" ({found.hits / found.predicted:.0%})" if found.predicted else ""
            cells = (found.shown, found.complete, found.predicted, found.abstained, f"{found.hits}{share}")
            lines.append(f"| {measure.name} | " + " | ".join(str(cell) for cell in cells) + " |")
        lines.append("")
    lines += [
        "| case | vLLM | bytes per token | weights | KV memory | KV tokens | outcome | predicted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(row: Row) -> str:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    exactness = "" if row.exact is None else "exact" if row.exact else "differs"
    said = {None: "", True: "starts", False: "refused"}[row.started] + (" (borderline)" if row.borderline else "")
    if row.lacks:
        said = f"the log lacks {', '.join(row.lacks)}"
    elif row.beyond:
        said = f"no formula for {', '.join(row.beyond)}"
    added = f" ({ADDITIONS[row.addition]})" if row.addition else ""
    cells = (
        row.id + added, row.release, exactness, number(row.weights),
        number(row.available), number(row.tokens), row.outcome, said,
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


MARKED = re.compile(r"(<!-- logs -->\n).*?(\n<!-- /logs -->)", re.DOTALL)
"""Where a document has the comparison."""


def main() -> None:
    """Print the comparison with a file of logs, or write it into a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path)
    parser.add_argument(
        "--write", type=Path, metavar="DOCUMENT", help="between its markers <!-- logs --> and <!-- /logs -->"
    )
    arguments = parser.parse_args()
    document = arguments.write.read_text() if arguments.write else ""
    if arguments.write and not MARKED.search(document):
        parser.error(f"{arguments.write} has no lines <!-- logs --> and <!-- /logs -->: write them where it belongs")
    text = table(report(json.loads(arguments.logs.read_text())))
    if arguments.write:
        arguments.write.write_text(MARKED.sub(lambda found: found[1] + text + found[2], document))
    else:
        print(text)


if __name__ == "__main__":
    main()
