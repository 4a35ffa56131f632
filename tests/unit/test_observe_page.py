"""A page of metrics is read as the library reads it that writes vLLM's."""

import math
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from tests.promql.series import Scrape, scrapes
from vllm_chart.observe import page


@pytest.mark.parametrize("scrape", scrapes(), ids=str)
def test_a_real_page_is_read_as_the_library_reads_it(scrape: Scrape) -> None:
    families = list(parse(scrape.text))
    expected = [(s.name, s.labels, s.value) for family in families for s in family.samples]
    found = [(s.name, dict(s.labels), s.value) for s in scrape.page.samples]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    for family in families:
        for sample in family.samples:
            assert scrape.page.type_of(sample.name) == family.type


def test_only_what_is_asked_for_is_read() -> None:
    text = 'a{x="1"} 1\nab 2\nb 3\n'
    assert [sample.name for sample in page.read(text, {"a", "b"}).samples] == ["a", "b"]
    assert page.read(text, ()).samples == ()


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("up 1", {}, 1),
        ("up 1 1700000000000", {}, 1),
        ('up{a="b"} 1.5e3', {"a": "b"}, 1500),
        ('up{a="b",} 1', {"a": "b"}, 1),
        ('up { a = "b" } 1', None, None),
        ('up {a="b"} 1', {"a": "b"}, 1),
        ('up{a="b c",d="}"} 2', {"a": "b c", "d": "}"}, 2),
        (r'up{a="q\"q",b="s\\s",c="n\nn"} 2', {"a": 'q"q', "b": r"s\s", "c": "n\nn"}, 2),
        (r'up{a="\\n"} 2', {"a": r"\n"}, 2),
        ("up +Inf", {}, math.inf),
        ("up -Inf", {}, -math.inf),
        ("up{} 1", {}, 1),
    ],
)
def test_a_line(line: str, labels: dict[str, str] | None, value: float | None) -> None:
    if labels is None:
        with pytest.raises(page.PageError):
            page.read(line)
        return
    (sample,) = page.read(line).samples
    assert (sample.name, dict(sample.labels), sample.value) == ("up", labels, value)


def test_no_number_is_one() -> None:
    (sample,) = page.read("up NaN").samples
    assert math.isnan(sample.value)


@pytest.mark.parametrize("text", ["up", "up ", "up one", 'up{a="b" 1', "up{a} 1", "<html><body>"])
def test_what_is_no_page_is_an_error(text: str) -> None:
    with pytest.raises(page.PageError):
        page.read(text)


def test_the_sum_goes_over_ranks_and_reasons() -> None:
    found = page.read('w{engine="0",reason="a"} 1\nw{engine="1",reason="a"} 2\nw{engine="1",reason="b"} 4\n')
    assert (found.total("w"), found.total("w", reason="a"), found.total("w", engine="1")) == (7, 3, 6)
    assert found.total("x") is None
    assert found.total("w", reason="c") is None


def test_types_of_a_histograms_parts() -> None:
    lines = (
        "# TYPE h histogram",
        "# TYPE c_total counter",
        "# TYPE g gauge",
        "# TYPE x_count gauge",
        "# HELP g TYPE h",
    )
    found = page.read("\n".join(lines))
    names = ("h_bucket", "h_sum", "h_count", "c_total", "g", "x_count", "h_total", "nothing")
    assert [found.type_of(name) for name in names] == [
        *("histogram", "histogram", "histogram", "counter", "gauge", "gauge", "", "")
    ]


def test_few_names_of_a_page_are_read_within_5_ms() -> None:
    """`vllm-chart top` reads a page of each replica every two seconds, at most for a hundredth of a core."""
    text = next(scrape.text for scrape in scrapes() if scrape.situation == "ranks")
    names = {"vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:time_to_first_token_seconds_bucket"}
    spent = min(_seconds(text, names) for _ in range(20))
    assert spent < 0.005


def _seconds(text: str, names: set[str]) -> float:
    start = time.process_time()
    page.read(text, names)
    return time.process_time() - start
