"""What a Prometheus answers to the queries of the dashboards: what `draw` draws, and which of them are empty."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import requests

from ci.dashboards.reading import Board, Panel, filled, panels, variables

#: Grafana's `$__rate_interval` is this many scrapes, so that a failed one leaves no hole:
#: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
SCRAPES = 4
POINTS = 240
TIMEOUT_SECONDS = 30

#: Queries that may be empty on a live release under load, and why: board, panel, name of the series.
MAY_BE_EMPTY: Mapping[tuple[str, str, str], str] = {
    ("service", "Replicas over time", "desired"): "only kube-state-metrics knows",
    ("service", "Prefix cache hits", "external"): "only engines with a KV connector look elsewhere",
    ("endpoint", "Certificate", "left"): "only an endpoint with TLS, to clients or engines, has one",
    ("endpoint", "Certificate refused", "{{pod}}"): "only an endpoint with TLS, to clients or engines, takes one",
    ("endpoint", "Connecting, p99", "{{model}}"): "connections are kept, and maybe none began",
    ("endpoint", "Processor by replica", "{{pod}}"): "only cAdvisor knows",
    ("replica", "Started", "{{pod}}"): "several API servers don't export it, and then only cAdvisor knows",
    ("replica", "Resident memory", "{{pod}} container"): "only cAdvisor knows",
    ("replica", "Resident memory", "{{pod}} API server"): "several API servers don't export it",
}


@dataclass(frozen=True)
class Span:
    """The time that is shown. end: seconds since 1970; seconds: how long; scrape: seconds between two scrapes."""

    end: float
    seconds: int
    scrape: int = 10

    @property
    def start(self) -> float:
        return self.end - self.seconds

    @property
    def step(self) -> int:
        return max(self.seconds // POINTS, 1)

    @property
    def interval(self) -> str:
        return f"{max(self.step + self.scrape, SCRAPES * self.scrape)}s"


@dataclass(frozen=True)
class Series:
    """A line, or with one point a number: its name in the legend, its labels, and its points, which are numbers."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Shown:
    """A panel and the series of each of its queries, in their order."""

    panel: Panel
    answers: Sequence[Sequence[Series]]

    @property
    def series(self) -> list[Series]:
        return [one for answer in self.answers for one in answer]


class Prometheus:
    """The HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def range(self, expression: str, span: Span) -> list[Mapping[str, object]]:
        """The values of an expression over a time. Raises OSError where none comes, ValueError for a wrong one."""
        asked = {"query": expression, "start": span.start, "end": span.end, "step": span.step}
        return self._ask("query_range", asked)

    def now(self, expression: str, span: Span) -> list[Mapping[str, object]]:
        """Its values at the end of a time. Raises as `range`."""
        return self._ask("query", {"query": expression, "time": span.end})

    def _ask(self, what: str, asked: Mapping[str, object]) -> list[Mapping[str, object]]:
        answer = requests.post(f"{self._address}/api/v1/{what}", data=asked, timeout=TIMEOUT_SECONDS)
        document = answer.json()
        if document.get("status") != "success":
            raise ValueError(f"{asked['query']}: {document.get('error')}")
        found: list[Mapping[str, object]] = document["data"]["result"]
        return found


def show(prometheus: Prometheus, board: Board, span: Span, namespace: str, release: str) -> list[Shown]:
    """Every panel of a dashboard with what is to be seen on it. Raises as `Prometheus.range`."""
    values = variables(board, namespace=namespace, release=release, interval=span.interval, span=f"{span.seconds}s")
    return [
        Shown(panel, [_answer(prometheus, target, values, span) for target in panel["targets"]])
        for panel in panels(board)
    ]


def _answer(
    prometheus: Prometheus, target: Mapping[str, str], values: Mapping[str, str], span: Span
) -> Sequence[Series]:
    expression = filled(target["expr"], values)
    found = prometheus.now(expression, span) if target.get("instant") else prometheus.range(expression, span)
    return [one for result in found if (one := _series(result, target["legendFormat"])).points]


def _series(result: Mapping[str, object], legend: str) -> Series:
    labels = result["metric"]
    assert isinstance(labels, Mapping)
    name = re.sub(r"{{(\w+)}}", lambda label: str(labels.get(label[1], "")), legend)
    return Series(name, labels, [*_numbers(result.get("values") or [result["value"]])])


def _numbers(values: object) -> Iterator[tuple[float, float]]:
    """The points that are numbers: a quantile of nothing is none."""
    assert isinstance(values, Iterable)
    for when, text in values:
        if math.isfinite(number := float(text)):
            yield float(when), number


def empty(name: str, shown: Iterable[Shown]) -> list[str]:
    """The queries of a dashboard that say nothing and should: `panel: series`, each with what it asks for."""
    return [
        f"{name}: {one.panel['title']}: {target['legendFormat']}: {target['expr']}"
        for one in shown
        for target, answer in zip(one.panel["targets"], one.answers, strict=True)
        if not answer and (name, one.panel["title"], target["legendFormat"]) not in MAY_BE_EMPTY
    ]
