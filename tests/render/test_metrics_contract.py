"""Every PromQL expression of the project asks for what every supported vLLM really says, in every situation.

And a page in which something is renamed that an expression asks for makes that fail: a name, a label, a label's value,
a type, a bucket's boundary.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import promql_parser as promql
import pytest

from tests.promql import contract, sources
from tests.promql.contract import ProblemError
from tests.promql.series import GAUGE, HAVE, OPEN, OTHERS, TARGET, Scrape, Series, World, scrapes, world
from tests.promql.sources import Found, Rule
from tests.rules import engine_page
from vllm_chart.observe import alerts, metrics

rules = functools.cache(sources.rules)
expressions = functools.cache(sources.expressions)


@functools.cache
def world_of(scrape: Scrape) -> World:
    """What there is beside a page, with what the chart's rules record out of it."""
    return with_rules(world(scrape, scrapes()), rules())


def with_rules(there: World, recorded: list[Rule]) -> World:
    """A world with the series that rules record, each from the earlier ones, and the names of the alerts."""
    named = frozenset(rule.alert for rule in recorded if rule.alert)
    made = {**there, "ALERTS": replace(there["ALERTS"], values={**there["ALERTS"].values, "alertname": named})}
    for rule in recorded:
        if rule.record:
            labels = contract.labels_of(contract.parse(rule.text), made) or frozenset()
            made[rule.record] = Series(GAUGE, labels | rule.labels)
    return made


def problems(found: Found) -> Iterator[str]:
    """What is wrong with an expression: each thing once, with the pages that show it."""
    wrong: dict[str, list[str]] = {}
    for scrape in scrapes():
        try:
            contract.check(found.text, world_of(scrape), found.mention)
        except ProblemError as problem:
            wrong.setdefault(str(problem), []).append(str(scrape))
    for said, pages in wrong.items():
        yield f"{found.where}: {' '.join(found.text.split())}: {said} ({'; '.join(pages)})"


def test_every_alert_is_among_the_rules() -> None:
    assert {rule.alert for rule in rules() if rule.alert} == set(alerts.ALERTS)


def test_every_rule_holds() -> None:
    assert [problem for rule in rules() for problem in problems(rule)] == []


def test_every_expression_holds() -> None:
    assert [problem for found in expressions() for problem in problems(found)] == []


def test_every_name_is_one() -> None:
    """Also where no expression stands: in programs, descriptions and prose."""
    known = (
        {name for scrape in scrapes() for name in world_of(scrape)} | set(metrics.METRICS) | {metrics.KV_USE_FORMERLY}
    )
    assert [f"{where}: {name}" for where, name in sources.names() if name not in known] == []


def test_what_the_rules_cases_make_up_is_as_engines_have_it() -> None:
    signals = dict.fromkeys({*engine_page.SIGNALS, *engine_page.SERVER_SIGNALS, *engine_page.HISTOGRAMS}, "0")
    for name, labels, _ in engine_page.page(signals, 0, [True, True], 30):
        for scrape in scrapes():
            series = world_of(scrape)[name]
            assert series.labels == {*TARGET, *labels}
            # Not of which route: cases have some that no page was asked for, which rules have to leave out.
            for label in (labels.keys() & series.values.keys()) - {"handler", "method"}:
                assert labels[label] in series.values[label], f"{name} {label}"


# Pages in which something is different


@dataclass(frozen=True)
class Used:
    """Something on a page that an expression asks for: a series, and perhaps a label of it and the label's value."""

    name: str
    label: str = ""
    value: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.label, self.value)))


def used() -> list[Used]:
    """Everything of vLLM's that is asked for anywhere."""
    found: set[Used] = set()
    for each in (*rules(), *expressions()):
        if not each.mention:
            for selector in contract.selectors(contract.parse(each.text)):
                found |= set(_of_selector(selector))
    return sorted(found, key=str)


def _of_selector(selector: promql.VectorSelector) -> Iterator[Used]:
    name = str(selector.name)
    page = next((scrape.page for scrape in scrapes() if scrape.page.of(name)), None)
    if page is None:
        return  # of others, or recorded
    yield Used(name)
    for matcher in selector.matchers.matchers:
        if matcher.name in OPEN:
            continue
        yield Used(name, matcher.name)
        if matcher.op == promql.MatchOp.Equal:
            yield Used(name, matcher.name, matcher.value)


def of_page(part: Used) -> Scrape:
    """A page that has it, of the newest release."""
    having = [scrape for scrape in scrapes() if scrape.page.of(part.name)]
    return having[-1]


def is_noticed(scrape: Scrape, text: str, name: str = "") -> bool:
    """Whether some expression fails once a page says something else of a name, or of any."""
    assert text != scrape.text
    changed = replace(scrape, text=text)
    try:
        there = with_rules(world(changed, scrapes()), rules())
        for found in (*rules(), *expressions()):
            if name in found.text:
                contract.check(found.text, there, found.mention)
    except ProblemError:
        return True
    return False


def renamed(part: Used) -> tuple[Scrape, str]:
    """A page, and what it says once the part has another name."""
    scrape = of_page(part)
    lines = rf"^{re.escape(part.name)}(?=[{{ ])"
    if part.value:
        before, after = rf'({lines}.*\b{part.label}="{re.escape(part.value)})(?=")', r"\1_"
        after = r"\g<1>1" if part.label == "le" else after
    elif part.label:
        before, after = rf"({lines}.*\b{part.label})(?==)", r"\1_"
    else:
        before, after = f"({lines})", r"\1_renamed"
    return scrape, re.sub(before, after, scrape.text, flags=re.MULTILINE)


def of_another_type(name: str) -> tuple[Scrape, str]:
    """A page, and what it says once a series has another type."""
    scrape = of_page(Used(name))
    family = next(family for family in (name, re.sub("_(bucket|sum|count)$", "", name)) if family in scrape.page.types)
    other = "counter" if scrape.page.types[family] == "gauge" else "gauge"
    line = rf"^(# TYPE {re.escape(family)}) \w+$"
    return scrape, re.sub(line, rf"\1 {other}", scrape.text, flags=re.MULTILINE)


def test_what_is_renamed_in_a_page_is_noticed() -> None:
    parts = used()
    assert {bool(part.label) + bool(part.value) for part in parts} == {0, 1, 2}
    assert [str(part) for part in parts if not is_noticed(*renamed(part), part.name)] == []


def test_another_type_in_a_page_is_noticed() -> None:
    assert [name for name in {part.name for part in used()} if not is_noticed(*of_another_type(name), name)] == []


@pytest.mark.parametrize("label", ["engine", "model_name"])
def test_a_label_of_every_series_that_is_renamed_is_noticed(label: str) -> None:
    scrape = next(scrape for scrape in scrapes() if scrape.situation == "ranks")
    assert is_noticed(scrape, scrape.text.replace(f'{label}="', f'{label}_="'))


def test_only_a_situation_that_lacks_a_metric_borrows_it() -> None:
    for scrape in scrapes():
        there = world(scrape, scrapes())
        for metric in metrics.METRICS.values():
            assert set(metric.samples) <= set(there)
            if scrape.situation in HAVE[metric.only]:
                assert scrape.page.of(metric.samples[0])


def test_no_page_has_what_others_say() -> None:
    for scrape in scrapes():
        assert not {sample.name for sample in scrape.page.samples} & set(OTHERS)
