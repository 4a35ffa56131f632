"""What an engine's counters say between two looks at them: rates, shares and times of the last moments.

Nothing is computed over an engine's whole life: an average since yesterday says nothing of now. A counter that went
down belongs to a process that began anew, and what it has is what it has counted since, as Prometheus takes it
(https://prometheus.io/docs/prometheus/latest/querying/functions/#rate).
"""

import collections
import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

from vllm_chart.observe import metrics, page

#: Seconds over which tokens are counted, and over which times to the first token and prefix hits are told: those have
#: too few events in a moment.
RATE_SECONDS, WINDOW_SECONDS = 10.0, 60.0

#: What is read of a page. The second name of a gauge is that of vLLM before 0.11.
KV_USE = (metrics.KV_USE.name, metrics.KV_USE_FORMERLY)
GAUGES = (metrics.RUNNING.name, metrics.WAITING.name)
PROMPTS, GENERATED = metrics.PROMPT_TOKENS.name, metrics.GENERATION_TOKENS.name
COUNTERS = (metrics.PREFIX_QUERIES.name, metrics.PREFIX_HITS.name, PROMPTS, GENERATED)
FIRST_TOKEN = f"{metrics.TIME_TO_FIRST_TOKEN.name}_bucket"
READ = frozenset((*GAUGES, *KV_USE, *COUNTERS, FIRST_TOKEN))

Counts = Mapping[str, float]
"""Counters by their names, and the buckets of the time to first token by theirs: "2.5" is the requests that took no
longer."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """What an engine said at a moment, its ranks and API servers taken together."""

    at: float
    """Seconds of a clock that only goes on."""
    running: float
    waiting: float
    kv_use: float | None
    """Share of the KV cache in use, 0 to 1: the mean of the ranks, each of which has a cache of its own."""
    counts: Counts


def read(text: str, at: float) -> Reading:
    """A reading of an engine's page. Raises `page.PageError` for what is none."""
    totals: dict[str, float] = collections.defaultdict(float)
    uses = []
    for sample in page.read(text, READ).samples:
        if sample.name in KV_USE:
            uses.append(sample.value)
        else:
            totals[sample.labels["le"] if sample.name == FIRST_TOKEN else sample.name] += sample.value
    if metrics.RUNNING.name not in totals:
        raise page.PageError(f"no {metrics.RUNNING.name} is on it: the engine's statistics are off, or it is not vLLM")
    running, waiting = (totals.pop(name, 0.0) for name in GAUGES)
    return Reading(at, running, waiting, sum(uses) / len(uses) if uses else None, dict(totals))


def increase(before: Counts, after: Counts) -> dict[str, float]:
    """What was counted between two readings of one pod."""
    if any(after.get(name, 0.0) < count for name, count in before.items()):
        before = {}
    return {name: count - before.get(name, 0.0) for name, count in after.items()}


def added(every: Iterable[Counts]) -> dict[str, float]:
    """Counts of several pods together."""
    total: dict[str, float] = collections.defaultdict(float)
    for counts in every:
        for name, count in counts.items():
            total[name] += count
    return dict(total)


class Window:
    """What one pod counted in the last minute."""

    def __init__(self) -> None:
        self._last: Reading | None = None
        self._spans: collections.deque[tuple[float, float, Counts]] = collections.deque()
        self._total: collections.defaultdict[str, float] = collections.defaultdict(float)
        """Over all spans, kept as they come and go: whole numbers, so that nothing is lost on the way."""

    def add(self, reading: Reading) -> None:
        """Take in the newest reading."""
        if self._last is not None and reading.at > self._last.at:
            counted = increase(self._last.counts, reading.counts)
            self._spans.append((reading.at, reading.at - self._last.at, counted))
            self._keep(counted, 1)
        self._last = reading
        while self._spans and self._spans[0][0] <= reading.at - WINDOW_SECONDS:
            self._keep(self._spans.popleft()[2], -1)

    def _keep(self, counts: Counts, sign: int) -> None:
        for name, count in counts.items():
            self._total[name] += sign * count

    def counted(self) -> dict[str, float]:
        """What was counted in it; nothing before there are two readings."""
        return dict(self._total) if self._spans else {}

    def rate(self, name: str) -> float | None:
        """A counter's increase per second over the last seconds (RATE_SECONDS); None before there are two readings."""
        spans = [*self._recent()]
        seconds = sum(length for _, length, _ in spans)
        return sum(counts.get(name, 0.0) for _, _, counts in spans) / seconds if seconds else None

    def _recent(self) -> Iterator[tuple[float, float, Counts]]:
        if self._spans:
            newest = self._spans[-1]
            yield newest  # however long it is
            for span in itertools.islice(reversed(self._spans), 1, None):
                if span[0] <= newest[0] - RATE_SECONDS:
                    break
                yield span


def hits(counted: Counts) -> float | None:
    """Share of the prompt tokens looked up that the prefix cache had, 0 to 1; None where none were."""
    asked = counted.get(metrics.PREFIX_QUERIES.name, 0.0)
    return counted.get(metrics.PREFIX_HITS.name, 0.0) / asked if asked else None


def requests(counted: Counts) -> float:
    """Requests that had their first token."""
    return counted.get("+Inf", 0.0)


def quantile(share: float, counted: Counts) -> float | None:
    """Seconds to the first token that this share of the requests did not exceed; None where there were none.

    As Prometheus' histogram_quantile: evenly spread within a bucket; the largest boundary for what lies beyond it.
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    buckets = sorted((float(bound), count) for bound, count in counted.items() if _is_bound(bound))
    total = requests(counted)
    if total <= 0 or len(buckets) < 2:
        return None
    rank, below, lower = share * total, 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            if math.isinf(bound):
                return lower
            within = (rank - below) / (count - below) if count > below else 1.0
            return lower + (bound - lower) * within
        below, lower = count, bound
    return lower


def _is_bound(name: str) -> bool:
    return name[0].isdigit() or name == "+Inf"
