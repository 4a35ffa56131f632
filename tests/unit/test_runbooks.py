"""Every alert has a page that says what it means and what to do, with commands and values that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vllm_chart import helm, support
from vllm_chart.charts import ENDPOINT, VLLM
from vllm_chart.cli.main import main
from vllm_chart.endpoint import alerts as endpoint_alerts
from vllm_chart.observe.alerts import ALERTS, BUCKETS
from vllm_chart.vllm_args import catalogue

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "runbooks"
PAGES = sorted(FOLDER.glob("*.md"))
TABLE = (ROOT / "docs" / "alerts.md").read_text()
VALUES = {
    "model": {"id": "org/name"},
    "prometheusRule": {"enabled": True},
    "autoscaling": {"enabled": True, "kind": "HPA", "maxReplicas": 2},
}
ENDPOINT_VALUES = {
    "models": {"llama3": {"service": "llm"}},
    "clients": {"secretName": "keys"},
    "prometheusRule": {"enabled": True},
}
SCHEMA = helm.values_schema()
ENDPOINT_SCHEMA = helm.values_schema(ENDPOINT.folder)
FLAGS = {argument.name for argument in catalogue.load(support.VLLM_DEFAULT).arguments}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def is_of_the_endpoint(page: Path) -> bool:
    return page.stem in endpoint_alerts.ALERTS


def schema_of(page: Path) -> Any:
    """What values there are in the chart that a page is about."""
    return ENDPOINT_SCHEMA if is_of_the_endpoint(page) else SCHEMA


@pytest.mark.parametrize(
    ("chart", "values", "alerts"),
    [(None, VALUES, ALERTS), (ENDPOINT.folder, ENDPOINT_VALUES, endpoint_alerts.ALERTS)],
    ids=["vllm", "vllm-endpoint"],
)
def test_every_alert_leads_to_a_page_of_its_own(
    chart: Path | None, values: dict[str, Any], alerts: dict[str, Any]
) -> None:
    groups = helm.render(chart=chart, values=values).one("PrometheusRule")["spec"]["groups"]
    urls = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in groups[-1]["rules"]}

    assert list(urls) == list(alerts)
    assert urls == {name: f"docs/runbooks/{name}.md" for name in alerts}


def test_every_page_is_about_an_alert() -> None:
    assert [page.stem for page in PAGES] == sorted({**ALERTS, **endpoint_alerts.ALERTS})


@by_page
def test_a_page_has_its_sections(page: Path) -> None:
    title, *sections = re.split(r"^#+ ", page.read_text(), flags=re.MULTILINE)[1:]

    assert title.splitlines()[0] == page.stem
    assert [section.splitlines()[0] for section in sections] == ["Meaning", "Impact", "Diagnose", "Mitigate"]
    assert all(len(section.split()) > 8 for section in sections)


@by_page
def test_a_page_leads_to_pages_that_there_are(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in linked if not (FOLDER / link).exists()] == []


def commands(text: str) -> Iterator[list[str]]:
    """The calls of vllm-chart, in blocks and between back quotes."""
    for line in re.findall(r"^ {4,}(vllm-chart .*)$|`(vllm-chart [^`\n]+ -[^`\n]+)`", text, re.MULTILINE):
        yield shlex.split(next(filter(None, line)).partition(">")[0].partition("|")[0], comments=True)[1:]


@by_page
def test_a_page_begins_with_a_command_of_ours(page: Path) -> None:
    diagnose = page.read_text().partition("## Diagnose")[2].partition("## Mitigate")[0]

    release = "llm-endpoint" if is_of_the_endpoint(page) else "llm"
    assert next(commands(diagnose)) == ["diagnose", "--release", release, "--namespace", "models"]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "alerts.md"], ids=lambda page: page.stem)
def test_every_command_of_ours_is_called_rightly(page: Path) -> None:
    for name, *arguments in commands(page.read_text()):
        main.commands[name].make_context(name, arguments, resilient_parsing=True)  # raises for an unknown option


@by_page
def test_a_page_calls_the_releases_objects_by_the_names_that_they_have(page: Path) -> None:
    chart, values, release = ENDPOINT, ENDPOINT_VALUES, "llm-endpoint"
    if not is_of_the_endpoint(page):
        chart, values, release = VLLM, VALUES, "llm"
    rendered = helm.render(chart=chart.folder, values=values, release=release, namespace="models")
    there = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in rendered}

    asked = re.findall(r"kubectl -n models [^\n`]*?\b((?:deployment|service)/[\w-]+)", page.read_text())
    assert {*asked} <= there


def values_named(text: str, schema: Any = SCHEMA) -> Iterator[tuple[str, ...]]:
    """The keys of values between back quotes: those whose first step is one."""
    for key in re.findall(r"`([a-z][A-Za-z0-9]*(?:\.[A-Za-z0-9-]+)*)(?::[^`]*)?`", re.sub(r"\s+", " ", text)):
        path = tuple(key.split("."))
        if path[0] in schema["properties"] and (len(path) > 1 or path[0] in ("replicaCount", "strategy")):
            yield path


def is_a_value(path: tuple[str, ...], schema: Any = SCHEMA, of: Any = SCHEMA) -> bool:
    """Whether values may have this key; below an object of somebody else's, any. of: where definitions are."""
    if path[:2] == ("engine", "args"):
        return path[2:] == () or path[2] in FLAGS
    while "$ref" in schema:
        schema = of["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    if path and path[0] == "NAME" and "patternProperties" in schema:
        return any(is_a_value(path[1:], named, of) for named in schema["patternProperties"].values())
    if not path or "properties" not in schema:
        return not path or schema.get("additionalProperties") is not False
    below = schema["properties"].get(path[0], {"const": ""})
    return "const" not in below and is_a_value(path[1:], below, of)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "alerts.md"], ids=lambda page: page.stem)
def test_every_value_that_a_page_names_is_there(page: Path) -> None:
    schema = schema_of(page)
    named = [*values_named(page.read_text(), schema)]

    assert [".".join(path) for path in named if not is_a_value(path, schema, schema)] == []


def test_a_page_that_names_no_value_is_found_out() -> None:
    assert [*values_named("`slo.ttft.secnds`, `prometheusRule.alerts.VLLMDown.for: 1m`, `kubectl`")] == [
        ("slo", "ttft", "secnds"),
        ("prometheusRule", "alerts", "VLLMDown", "for"),
    ]
    assert not is_a_value(("slo", "ttft", "secnds"))
    assert not is_a_value(("engine", "args", "max-num-sequences"))
    assert not is_a_value(("replicas",))
    assert is_a_value(("resources", "limits", "memory"))


@by_page
def test_a_page_says_what_to_change(page: Path) -> None:
    """At least one value, among what mitigates."""
    assert [*values_named(page.read_text().partition("## Mitigate")[2], schema_of(page))]


@pytest.mark.parametrize(
    ("page_of_table", "alerts"), [("alerts", ALERTS), ("endpoint", endpoint_alerts.ALERTS)], ids=["vllm", "endpoint"]
)
def test_the_table_of_alerts_has_the_defaults(page_of_table: str, alerts: dict[str, dict[str, Any]]) -> None:
    table = (ROOT / "docs" / f"{page_of_table}.md").read_text()
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \|.*\|(.*)\| (.*) \| (\w+) \|$", table, re.MULTILINE)

    assert [row[0] for row in rows] == list(alerts)
    for name, page, threshold, for_, severity in rows:
        defaults = alerts[name]
        numbers = [float(number) for number in re.findall(r"[\d.]+", threshold)]
        wanted = [defaults.get(key) for key in ("threshold", "longThreshold", "minRequests")]
        if "BudgetBurn" in name:
            wanted.pop()
        assert page == name
        assert numbers == [number for number in wanted if number is not None], name
        assert (for_, severity) == (defaults["for"] or "`startup.budgetSeconds` + 60 s", defaults["severity"]), name


@pytest.mark.parametrize(("key", "family"), [("ttft", "time_to_first_token"), ("itl", "inter_token_latency")])
def test_the_page_lists_the_boundaries(key: str, family: str) -> None:
    (listed,) = re.findall(rf"^\| `slo\.{key}\.seconds` \| (.*) \|$", TABLE, re.MULTILINE)

    assert tuple(float(number) for number in listed.split(", ")) == BUCKETS[family]
