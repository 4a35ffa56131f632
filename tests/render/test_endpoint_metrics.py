"""Every PromQL expression of the endpoint asks for what a real Envoy says, as charts/vllm-endpoint configures it.

And a page in which something is renamed that one asks for makes that fail: a name, a label, a label's value, a type.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ci.dashboards import reading
from tests.promql import contract, endpoint_page, sources
from tests.promql.contract import ProblemError
from tests.promql.series import OPEN, Scrape, World, world
from tests.promql.sources import Found, Rule
from tests.render.test_endpoint import LEAST
from tests.render.test_metrics_contract import with_rules
from tests.rules.endpoint_cases import CASES, RECORDINGS, Proxy
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint.alerts import ALERTS

ON = {"enabled": True}
#: Of the labels that Envoy and the chart add, those whose values are of a deployment.
OF_A_DEPLOYMENT = ("client", "model", "code", "envoy_cluster_name", "envoy_listener_address")


@functools.cache
def rules() -> list[Rule]:
    manifests = helm.render(chart=ENDPOINT.folder, values={**LEAST, "prometheusRule": ON})
    return list(sources.rules_of(manifests.one("PrometheusRule")["spec"], "prometheusRule"))


def expressions() -> Iterator[Found]:
    """All but the rules."""
    keda = {"enabled": True, "kind": "KEDA", "maxReplicas": 3, "prometheus": {"address": "http://prometheus:9090"}}
    manifests = helm.render(chart=ENDPOINT.folder, values={**LEAST, "autoscaling": keda})
    for trigger in manifests.one("ScaledObject")["spec"]["triggers"]:
        yield Found(f"trigger {trigger['name']}", trigger["metadata"]["query"])
    for name, board in reading.boards(ENDPOINT.name).items():
        yield from sources.dashboard(board, name)


def world_of(scrape: Scrape) -> World:
    """What there is beside a page, with what the rules record out of it."""
    there = {
        name: replace(series, values={key: known for key, known in series.values.items() if key not in OF_A_DEPLOYMENT})
        for name, series in world(scrape, ()).items()
    }
    return with_rules(there, rules())


def problems(scrape: Scrape) -> list[str]:
    try:
        there = world_of(scrape)
    except ProblemError as problem:  # a rule that records asks for what is not there
        return [str(problem)]
    found = []
    for each in (*rules(), *expressions()):
        try:
            contract.check(each.text, there, each.mention)
        except ProblemError as problem:
            found.append(f"{each.where}: {problem}")
    return found


def test_every_expression_holds() -> None:
    assert problems(endpoint_page.scrape()) == []


def test_every_alert_is_among_the_rules() -> None:
    assert {rule.alert for rule in rules() if rule.alert} == set(ALERTS)


def test_the_page_shows_all_that_it_is_to_show() -> None:
    assert [said for said, is_shown in endpoint_page.SHOWN.items() if not is_shown(endpoint_page.scrape().page)] == []


def used() -> list[tuple[str, str]]:
    """Every series of Envoy's that is asked for, and with each label that is."""
    found = set()
    for each in (*rules(), *expressions()):
        for selector in contract.selectors(contract.parse(each.text)):
            if endpoint_page.scrape().page.of(str(selector.name)):
                found.add((str(selector.name), ""))
                labels = {matcher.name for matcher in selector.matchers.matchers} - OPEN
                found |= {(str(selector.name), label) for label in labels}
    return sorted(found)


@pytest.mark.parametrize(("name", "label"), used())
def test_what_is_renamed_in_the_page_is_noticed(name: str, label: str) -> None:
    scrape = endpoint_page.scrape()
    line = rf"^({re.escape(name)}" + (rf"{{.*\b{label})(?==)" if label else r")(?=[{ ])")
    text = re.sub(line, r"\1_renamed", scrape.text, flags=re.MULTILINE)

    assert text != scrape.text
    assert problems(replace(scrape, text=text))


@pytest.mark.parametrize("name", sorted({name for name, _ in used()}))
def test_another_type_in_the_page_is_noticed(name: str) -> None:
    scrape = endpoint_page.scrape()
    family = next(one for one in (name, re.sub("_(bucket|sum|count)$", "", name)) if one in scrape.page.types)
    other = "counter" if scrape.page.types[family] == "gauge" else "gauge"
    text = re.sub(rf"^(# TYPE {family}) \w+$", rf"\1 {other}", scrape.text, flags=re.MULTILINE)

    assert text != scrape.text
    assert problems(replace(scrape, text=text))


def test_what_the_rules_cases_make_up_is_as_envoy_has_it() -> None:
    there = world(endpoint_page.scrape(), ())
    lives = [*(each.replicas for each in CASES), *(each.replicas for each in RECORDINGS)]
    made_up = {series for life in lives for proxy in life if isinstance(proxy, Proxy) for series in proxy.scraped}

    assert made_up
    for name, labels in made_up:
        own = there[name].labels - {"namespace", "job", "pod", "instance"}
        assert {key for key, _ in labels} in ({*own}, {*own} - {"model"}), name
