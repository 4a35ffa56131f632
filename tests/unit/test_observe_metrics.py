"""The table of metrics holds for pages of every supported vLLM."""

import re
from pathlib import Path

import pytest

import vllm_chart
from tests.programs import program
from tests.promql.series import HAVE, SITUATIONS, TARGET, Scrape, scrapes, world
from vllm_chart import support
from vllm_chart.observe import alerts, metrics
from vllm_chart.observe.metrics import Metric


def test_every_release_was_asked_in_every_situation() -> None:
    assert {(scrape.version, scrape.situation) for scrape in scrapes()} == {
        (version, situation) for version in support.VLLM for situation in SITUATIONS
    }


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=lambda metric: metric.name)
@pytest.mark.parametrize("scrape", scrapes(), ids=str)
def test_the_page_says_what_the_table_says(scrape: Scrape, metric: Metric) -> None:
    if scrape.situation not in HAVE[metric.only]:
        assert not any(scrape.page.of(name) for name in metric.samples)
        return
    there = world(scrape, ())
    for name in metric.samples:
        series = there[name]
        assert series.type == metric.type
        assert series.labels - set(TARGET) - {"le"} == set(metric.labels)
        assert {key: set(series.values[key]) for key in metric.values} == {
            key: set(values) for key, values in metric.values.items()
        }


def test_the_pages_were_taken_under_load() -> None:
    for scrape in scrapes():
        for metric in (metrics.RUNNING, metrics.WAITING, metrics.REJECTIONS, metrics.PREEMPTIONS, metrics.KV_USE):
            assert scrape.page.total(metric.name), f"{scrape}: {metric.name}"
        for reason, classes in (("length", ("2xx", "4xx", "5xx")),):
            assert scrape.page.total(metrics.FINISHED.name, finished_reason=reason)
            assert all(scrape.page.total(metrics.HTTP_REQUESTS.name, status=status) for status in classes)


def test_a_client_that_hangs_up_is_no_abort() -> None:
    """Clients hung up before each of these pages was taken."""
    for scrape in scrapes():
        assert scrape.page.total(metrics.FINISHED.name, finished_reason="abort") == 0
        begun = scrape.page.total(f"{metrics.TIME_TO_FIRST_TOKEN.name}_count")
        left = [scrape.page.total(metric.name) or 0 for metric in (metrics.FINISHED, metrics.RUNNING, metrics.WAITING)]
        assert begun is not None
        assert begun > sum(left)


@pytest.mark.parametrize("family", alerts.BUCKETS)
def test_an_objective_is_held_to_boundaries_that_there_are(family: str) -> None:
    for scrape in scrapes():
        bounds = {sample.labels["le"] for sample in scrape.page.of(f"vllm:{family}_seconds_bucket")}
        assert bounds == {"+Inf", *map(str, alerts.BUCKETS[family])}


def test_the_package_names_them_in_one_place() -> None:
    root = Path(vllm_chart.__file__).parent
    naming = {path.name for path in root.rglob("*.py") if re.search(r"\bvllm:[a-z]\w+", path.read_text())}
    assert naming == {"metrics.py"}


def test_the_programs_in_the_pod_read_metrics_of_the_table() -> None:
    assert [metrics.METRICS[name].type for name in program("pre_stop").GAUGES] == [metrics.GAUGE] * 2
