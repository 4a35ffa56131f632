"""A case: what replicas live through and export, and which alerts fire from when until when. All others are silent.

Every alert is asked at every evaluation, so that "from 12m" means: not at 11m30s.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from tests.rules.engine_page import Labels, Page, page
from tests.rules.timeline import Sample, duration, notation, phases, samples, seconds

NAMESPACE, FULLNAME = "prod", "llm-vllm"
JOB = f"{NAMESPACE}/{FULLNAME}"
STEP = 30

#: States of a replica and its `up`: Prometheus can't tell a model that loads from an engine that is dead.
UP = {"loading": 0.0, "down": 0.0, "serving": 1.0, "gone": None}


class Scraped(Protocol):
    """What lives through a case, and is scraped."""

    def steps(self, step: int) -> int:
        """How many scrapes it lasts."""
        ...

    def series(self, steps: int, step: int) -> Iterator[tuple[str, Labels, list[Sample]]]:
        """Metric, labels and samples of all that is scraped of it."""
        ...


@dataclass(frozen=True)
class Replica:
    """One pod: `life` has the words of UP; `signals` those of engine_page, by data-parallel rank if there are several.

    The life of a shorter replica is `gone` to the end of the case.
    """

    pod: str
    life: str
    ranks: Sequence[Page]
    namespace: str = NAMESPACE
    job: str = JOB

    def steps(self, step: int) -> int:
        return sum(phase.steps for phase in phases(self.life, step))

    def series(self, steps: int, step: int) -> Iterator[tuple[str, Labels, list[Sample]]]:
        """Metric, labels and samples of all that is scraped of it."""
        target = {
            "namespace": self.namespace,
            "job": self.job,
            "pod": self.pod,
            "instance": f"{self.pod}:8000",
            "container": "vllm",
        }
        states = [phase.word for phase in phases(self.life, step) for _ in range(phase.steps)]
        states += ["gone"] * (steps - len(states))
        yield "up", target, [UP[state] for state in states]
        serving = [state == "serving" for state in states]
        for rank, signals in enumerate(self.ranks):
            for metric, labels, values in page(signals, rank, serving, step):
                yield metric, {**target, **labels}, values


def replica(pod: str, life: str, **signals: str) -> Replica:
    """A replica of one engine."""
    return Replica(pod, life, [signals])


def two_ranks(pod: str, life: str, first: Page, second: Page) -> Replica:
    """A replica of two data-parallel ranks, which export the same names with another `engine`."""
    return Replica(pod, life, [first, second])


def elsewhere(other: Replica) -> list[Replica]:
    """The same in another release of the namespace, and in a namespace that has releases of the same name.

    No `job` of another namespace is the same as ours; that one is made so, so that each label is needed.
    """
    beside = Replica(other.pod, other.life, other.ranks, NAMESPACE, f"{NAMESPACE}/other-vllm")
    away = Replica(other.pod, other.life, other.ranks, "staging", JOB)
    return [beside, away]


@dataclass(frozen=True)
class Firing:
    """An alert that fires at each evaluation from `since` on and before `until`, in seconds."""

    alert: str
    since: int
    until: int | None
    labels: Labels
    #: What the expression comes to when it begins to fire, which the description tells.
    value: float | None = None

    def at(self, time: int) -> bool:
        return self.since <= time and (self.until is None or time < self.until)


def fires(alert: str, when: str, value: float | None = None, **labels: str) -> Firing:
    """`fires("VLLMDown", "12m to 20m")`, or `"12m"` to the end; `labels` beside namespace, job (unless empty)
    and the rule's own."""
    since, _, until = when.partition(" to ")
    return Firing(alert, seconds(since), seconds(until) if until else None, labels, value)


@dataclass(frozen=True)
class Case:
    """What happens, the alerts that fire, and those that come near to it and have to be silent all the time."""

    name: str
    replicas: Sequence[Scraped]
    firing: Sequence[Firing] = ()
    silent: Collection[str] = ()
    #: Series that no engine exports, recorded ones among them, and their timelines.
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Seconds between two scrapes, and two evaluations.
    step: int = STEP
    lasts: str = ""

    def __post_init__(self) -> None:
        both = {firing.alert for firing in self.firing} & set(self.silent)
        if both:
            raise ValueError(f"{self.name}: {', '.join(both)} can't both fire and be silent")

    @property
    def steps(self) -> int:
        longest = max((replica.steps(self.step) for replica in self.replicas), default=0)
        return max(longest, seconds(self.lasts) // self.step if self.lasts else 0)

    @cached_property
    def scraped(self) -> dict[str, str]:
        """Series and samples, as promtool reads them."""
        found = {}
        for replica in self.replicas:
            for metric, labels, values in replica.series(self.steps, self.step):
                if any(value is not None for value in values):
                    found[written(metric, labels)] = notation(values)
        always = [True] * self.steps
        for series, timeline in self.extra.items():
            found[series] = notation(samples(timeline, always, self.step))
        return found

    def input_series(self, metrics: Collection[str]) -> list[dict[str, str]]:
        """The series of these metrics."""
        return [
            {"series": series, "values": values}
            for series, values in self.scraped.items()
            if series.partition("{")[0] in metrics
        ]

    def group(self, alert: str, own: Labels, expression: str, metrics: Collection[str]) -> dict[str, Any]:
        """What promtool asks of an alert that adds the labels `own`, with the series of these metrics."""
        scope = {"namespace": NAMESPACE, "job": JOB, **own}
        firing = [one for one in self.firing if one.alert == alert]
        asked = []
        for time in range(0, self.steps * self.step, self.step):
            labels = [{"exp_labels": _filled({**scope, **one.labels})} for one in firing if one.at(time)]
            asked.append({"eval_time": duration(time), "alertname": alert, "exp_alerts": labels})
        return {
            "name": self.name,
            "interval": duration(self.step),
            "input_series": self.input_series(metrics),
            "alert_rule_test": asked,
            "promql_expr_test": list(_values(firing, expression)),
        }


def _values(firing: Sequence[Firing], expression: str) -> Iterator[dict[str, Any]]:
    """The expression's values, wherever all that fire at a time have one."""
    for since in {one.since for one in firing}:
        now = [one for one in firing if one.at(since)]
        samples = [(one.labels, one.value) for one in now if one.value is not None]
        if len(samples) == len(now):
            yield query(expression, since, samples)


def query(expression: str, time: int, values: Iterable[tuple[Labels, float]]) -> dict[str, Any]:
    """An expression and the values that it has to come to, for a label set each beside the release's."""
    scope = {"namespace": NAMESPACE, "job": JOB}
    labelled = [(written("", _filled({**scope, **labels})), value) for labels, value in values]
    return {
        "expr": f"round({expression}, 0.0001)",
        "eval_time": duration(time),
        "exp_samples": [{"labels": labels, "value": _rounded(value)} for labels, value in labelled],
    }


def _filled(labels: Labels) -> dict[str, str]:
    """Without those that are empty, which to Prometheus are none."""
    return {name: value for name, value in labels.items() if value}


def _rounded(value: float) -> float:
    """As PromQL's round(value, 0.0001) does it, which promtool compares to the last bit."""
    return math.floor(value * (1 / 0.0001) + 0.5) / (1 / 0.0001)


@dataclass(frozen=True)
class Recording:
    """What happens, and what recorded series come to `at` a time: of each its labels and values.

    Rules are evaluated every `evaluated_every`, which may be rare in a case of days: `at` is a multiple of it.
    """

    name: str
    replicas: Sequence[Scraped]
    at: str
    values: Mapping[str, Sequence[tuple[Labels, float]]]
    step: int = STEP
    evaluated_every: str = "30s"

    def group(self, record: str, metrics: Collection[str]) -> dict[str, Any]:
        """What promtool asks of one of the series."""
        happens = Case(self.name, self.replicas, step=self.step)
        return {
            "name": self.name,
            "interval": duration(self.step),
            "input_series": happens.input_series(metrics),
            "promql_expr_test": [query(record, seconds(self.at), self.values[record])],
        }


def written(metric: str, labels: Labels) -> str:
    """`up{job="a"}`"""
    inner = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
    return f"{metric}{{{inner}}}"
