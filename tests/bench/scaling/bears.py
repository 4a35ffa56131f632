"""What Prometheus and KEDA have to bear for a fleet: samples, series, and questions by whom they are asked.

All of it is counted: the series on pages of real engines, the questions in what the chart renders. What stands on no
page (`up`, kube-state-metrics) counts as a series for each pod.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as promql

from tests.promql import contract, series, sources
from vllm_chart.helm import default_chart, render

#: Seconds between two rounds of an HPA, and between two looks of KEDA at whether anything is asked (keda 2.21,
#: pkg/scaling/scale_handler.go: the pollingInterval, of which the chart says nothing).
HPA_SECONDS, POLLING_SECONDS = 15, 30
#: People who look at a dashboard, each as often as it says.
VIEWERS = 10
PAGE = ("0.33.0", "one")


@dataclass(frozen=True)
class Askers:
    """What some asker asks a second, of all releases."""

    who: str
    queries: float
    series: float
    """Series that are looked at."""
    samples: float
    """Samples of them that are read, of all the time that a query looks back on."""


@dataclass(frozen=True)
class Bears:
    """What there is to bear, of all releases."""

    pods: float
    series: float
    """At a time: the engines' own, and what rules record."""
    scraped: float
    """Samples a second."""
    askers: tuple[Askers, ...]


@functools.cache
def _rendered() -> tuple[Mapping[str, Any], ...]:
    return tuple(dict(item) for item in render(values=dict(sources.VARIANTS["defaults"])))


def _one(kind: str) -> Mapping[str, Any]:
    (item,) = (item for item in _rendered() if item["kind"] == kind)
    return item


@functools.cache
def _samples() -> tuple[Any, ...]:
    (scrape,) = (each for each in series.scrapes() if (each.version, each.situation) == PAGE)
    return tuple(scrape.page.samples)


def of(releases: int, pods: float) -> Bears:
    """What so many releases with so many pods in all make."""
    interval = _seconds(_one("ServiceMonitor")["spec"]["endpoints"][0]["interval"])
    each = pods / releases
    recorded = sum("record" in rule for group in _groups() for rule in group["rules"])
    return Bears(
        pods,
        pods * len(_samples()) + releases * recorded,
        pods * len(_samples()) / interval,
        tuple(_all(releases, each, interval)),
    )


def _all(releases: int, pods: float, interval: float) -> Iterator[Askers]:
    rules = [(rule["expr"], releases / _seconds(group["interval"])) for group in _groups() for rule in group["rules"]]
    yield _asked("rules", rules, pods, interval)
    triggers = [trigger["metadata"]["query"] for trigger in _one("ScaledObject")["spec"]["triggers"]]
    rate = releases * (1 / HPA_SECONDS + 1 / POLLING_SECONDS)
    yield _asked("KEDA", [(query, rate) for query in triggers], pods, interval)
    for path in sorted((default_chart() / "files" / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        refresh = _seconds(board["refresh"])
        panels = [found.text for found in sources.dashboard(board, path.stem)]
        asked = [(text, VIEWERS / refresh) for text in panels]
        yield _asked(f"dashboard {path.stem}, {VIEWERS} people", asked, pods, interval)


def _groups() -> list[Mapping[str, Any]]:
    groups: list[Mapping[str, Any]] = _one("PrometheusRule")["spec"]["groups"]
    return groups


def _asked(who: str, expressions: Iterable[tuple[str, float]], pods: float, interval: float) -> Askers:
    """expressions: each with how often a second it is asked."""
    queries = looked = read = 0.0
    for text, rate in expressions:
        queries += rate
        for count, seconds in _selected(text, pods):
            looked += rate * count
            read += rate * count * max(1.0, seconds / interval)
    return Askers(who, queries, looked, read)


@functools.cache
def _selected(text: str, pods: float) -> list[tuple[float, float]]:
    """Of each selector of an expression: how many series it finds for a release, and the seconds that it looks back."""
    return [(_matching(selector, pods), seconds) for selector, seconds in _selectors(contract.parse(text), 0.0)]


def _selectors(node: promql.Expr, seconds: float) -> Iterator[tuple[promql.VectorSelector, float]]:
    """The selectors in an expression, each with the seconds that it looks back, in subqueries and ranges together."""
    if isinstance(node, promql.VectorSelector):
        yield node, seconds
    elif isinstance(node, promql.MatrixSelector):
        yield node.vector_selector, seconds + (node.range or timedelta()).total_seconds()
    elif isinstance(node, promql.SubqueryExpr):
        yield from _selectors(node.expr, seconds + (node.range or timedelta()).total_seconds())
    else:
        inner = [getattr(node, name, None) for name in ("expr", "lhs", "rhs")]
        for each in (*inner, *getattr(node, "args", ())):
            if each is not None:
                yield from _selectors(each, seconds)


def _matching(selector: promql.VectorSelector, pods: float) -> float:
    """Series that a selector finds: of those on the page that have such labels, as many as there are pods."""
    matchers = [each for each in selector.matchers.matchers if each.name not in (*series.TARGET, "__name__")]
    names = [each.value for each in selector.matchers.matchers if each.name == "__name__"]
    (name,) = [selector.name] if selector.name else names
    named = [sample for sample in _samples() if sample.name == name]
    if not named:
        return 1.0 if str(name).startswith("vllm_release:") else pods
    return pods * sum(all(_takes(matcher, sample.labels) for matcher in matchers) for sample in named)


def _takes(matcher: promql.Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    exact = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual)
    meets = value == matcher.value if exact else re.fullmatch(matcher.value, value) is not None
    # A variable of a dashboard stands for what there is.
    return "$" in matcher.value or meets == (matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re))


def _seconds(duration: str) -> float:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h|d)", duration))


def table(bears: Bears) -> str:
    """In Markdown."""
    lines = [
        f"{bears.pods:.0f} pods in the mean: {bears.series:,.0f} series, {bears.scraped:,.0f} samples scraped a second",
        "",
        "| who asks | queries a second | series looked at a second | samples read a second |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each.who} | {each.queries:.1f} | {each.series:,.0f} | {each.samples:,.0f} |" for each in bears.askers
    ]
    return "\n".join(lines)
