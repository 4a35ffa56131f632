"""The dashboards as they stand in the chart: what Grafana's dashboard-linter asks for, and what vLLM's metrics need."""

import copy
import importlib.util
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ci.dashboards import lint, reading

BOARDS = reading.boards()
NAMES = sorted(BOARDS)
S = 'namespace="$namespace",job="$namespace/$release"'


def test_there_is_one_of_the_service_one_of_its_replicas_and_one_of_an_endpoint() -> None:
    assert NAMES == ["endpoint", "replica", "service"]
    assert {board["uid"] for board in BOARDS.values()} == {"vllm-endpoint", "vllm-replica", "vllm-service"}


@pytest.mark.parametrize("name", NAMES)
def test_no_rule_is_broken(name: str) -> None:
    assert lint.faults(BOARDS[name]) == []


def rows(name: str) -> list[str]:
    return [panel["title"] for panel in BOARDS[name]["panels"] if panel["type"] == "row"]


def test_they_go_from_what_is_felt_to_why() -> None:
    assert rows("service") == [
        "Now",
        "Demand",
        "Latency",
        "Tokens",
        "Saturation",
        "Outcomes",
        "Autoscaling",
        "Cost",
    ]
    assert rows("replica") == ["Pods", "Demand", "Latency, p95", "Tokens", "Saturation", "Outcomes"]
    assert rows("endpoint") == [
        "Now",
        "Demand",
        "Errors and refusals",
        "Latency",
        "Tokens",
        "Engines",
        "Replicas of the endpoint",
        "Configuration",
    ]


@pytest.mark.parametrize("name", ["replica", "service"])
def test_each_leads_to_the_other_of_the_same_release(name: str) -> None:
    (link,) = BOARDS[name]["links"]
    assert link["tags"] == BOARDS[name]["tags"]
    assert link["includeVars"]
    assert link["keepTime"]


def test_an_endpoints_leads_to_those_of_engines_whose_release_is_another() -> None:
    board = BOARDS["endpoint"]
    (link,) = board["links"]
    assert link["tags"] == BOARDS["service"]["tags"] != board["tags"]
    assert not link.get("includeVars")
    assert link["keepTime"]


@pytest.mark.parametrize("name", NAMES)
def test_a_release_is_found_by_its_job_whatever_its_name(name: str) -> None:
    by_name = {one["name"]: one for one in BOARDS[name]["templating"]["list"]}

    assert re.search(r'\{namespace="\$namespace"[,}].*, job\)$', by_name["release"]["query"]["query"])
    assert by_name["release"]["regex"] == "/^[^/]+\\/(.+)$/"


@pytest.mark.parametrize("name", NAMES)
def test_they_work_without_the_charts_recording_rules(name: str) -> None:
    assert "vllm_release:" not in json.dumps(BOARDS[name])


@pytest.mark.parametrize("name", NAMES)
def test_they_follow_from_the_program_that_writes_them(name: str) -> None:
    if importlib.util.find_spec("grafana_foundation_sdk") is None:
        pytest.skip("needs Grafana's library: pip install -e '.[dashboards]'")
    from ci.dashboards import __main__ as program

    (board,) = [board for board in program.BOARDS if board.name == name]
    assert (reading.folder(board.chart) / f"{name}.json").read_text() == program.text(board.build())


def test_the_error_budget_is_that_of_the_alerts() -> None:
    """Which requests count is said twice, in the rules and in the panels."""
    rules = (reading.folder().parent / "rules.yaml").read_text()
    (counted,) = {*re.findall(r"http_requests_total{S,(.*?)(?:,status=\"5xx\")?}", rules)}
    asked = re.findall(r'http_requests_total{[^}]*?(handler=.*?)(?:,status="5xx")?}', texts("service"))

    assert {*asked} == {counted}


def texts(name: str) -> str:
    return "\n".join(target["expr"] for panel in reading.panels(BOARDS[name]) for target in panel["targets"])


@pytest.mark.parametrize("name", NAMES)
def test_they_are_small(name: str) -> None:
    """Helm keeps the chart in the Secret of each revision, whose limit is 1 MiB."""
    assert len(json.dumps(BOARDS[name], separators=(",", ":"))) < 40_000


# -- each rule finds what it is for ------------------------------------------------------------------------


def query(expression: str, legend: str = "all", kind: str = "timeseries") -> Callable[[Any], None]:
    """A change: this query, in the place of the first one of the first panel of a kind."""

    def change(board: Any) -> None:
        panel = next(panel for panel in reading.panels(board) if panel["type"] == kind)
        panel["targets"][0].update(expr=expression, legendFormat=legend)

    return change


def panel(change: Callable[[Any], Any]) -> Callable[[Any], None]:
    return lambda board: change(next(iter(reading.panels(board))))


def setting(*path: Any, to: Any) -> Callable[[Any], None]:
    """A change: another value at a place."""

    def change(node: Any) -> None:
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = to

    return change


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a data source of one Grafana": (panel(setting("datasource", "uid", to="PBFA97CFB590B2093")), "another Grafana's"),
    "the default data source": (panel(lambda one: one.pop("datasource")), "not the data source of the variable"),
    "no variable for it": (lambda board: board["templating"]["list"].pop(0), "the first variable"),
    "a variable that is used nowhere": (
        lambda board: board["templating"]["list"].append({"name": "node", "type": "textbox", "query": "1"}),
        "node is used nowhere",
    ),
    "a variable that there is not": (query(f'sum(up{{{S},node="$node"}})'), "no variable node"),
    "no uid": (lambda board: board.pop("uid"), "the uid"),
    "an id twice": (setting("panels", 1, "id", to=1), "one id"),
    "a title twice": (panel(setting("title", to="TTFT p95")), "one title"),
    "an overlap": (panel(setting("gridPos", "w", to=5)), "overlap"),
    "a hole in the grid": (panel(setting("gridPos", "w", to=3)), "don't fill the width"),
    "no title": (panel(setting("title", to="")), "no title"),
    "no description": (panel(lambda one: one.pop("description")), "no description"),
    "no unit": (panel(lambda one: one["fieldConfig"]["defaults"].pop("unit")), "no unit"),
    "no legend": (panel(setting("targets", 0, "legendFormat", to="")), "no legendFormat"),
    "a hidden legend": (
        lambda board: [
            panel["options"]["legend"].update(showLegend=False)
            for panel in reading.panels(board)
            if panel["title"] == "Tokens"
        ],
        "no legend is shown",
    ),
    "a query twice": (panel(lambda one: one["targets"].append(one["targets"][0])), "no expr of its own"),
    "no line of the objective": (
        lambda board: [
            panel["targets"].pop() for panel in reading.panels(board) if panel["title"] == "Time to first token"
        ],
        "no line of $ttft_slo",
    ),
    "an expression that can't be parsed": (query(f"sum(up{{{S}}}"), "sum(up"),
    "no namespace": (query('sum(up{job="$namespace/$release"})'), "no matcher of the namespace"),
    "no job": (query('sum(up{namespace="$namespace"})'), "no matcher of the job"),
    "a job that only looks like it": (
        query('sum(up{namespace="$namespace",job=~"$namespace/.*"})'),
        "no matcher of the job",
    ),
    "what others know, of all releases": (
        query('max(kube_deployment_spec_replicas{namespace="$namespace"})'),
        "other rel",
    ),
    "a line for each replica": (query(f"vllm:num_requests_running{{{S}}}"), "a series for each pod"),
    "KV use summed up": (query(f"sum(vllm:kv_cache_usage_perc{{{S}}})"), "summed up"),
    "a legend of a label that is gone": (query(f"sum by (pod) (up{{{S}}})", "{{engine}}"), "engine was summed over"),
    "a mean of the whole life": (
        query(f"sum(vllm:iteration_tokens_total_sum{{{S}}}) / sum(vllm:iteration_tokens_total_count{{{S}}})"),
        "since the pod's start",
    ),
    "a fixed window": (query(f"sum(rate(vllm:generation_tokens_total{{{S}}}[5m]))"), "a window of 0:05:00"),
    "the whole range in a graph": (
        query(f"sum(rate(vllm:generation_tokens_total{{{S}}}[$__range]))"),
        "a window of 1:00:07",
    ),
    "a hole until the first 5xx": (
        query(f'sum(rate(http_requests_total{{{S},status="5xx"}}[$__rate_interval]))'),
        "no series until the first",
    ),
    "a hole until the first 429": (
        query(f'sum(rate(envoy_llm_requests{{{S},code="429"}}[$__rate_interval]))'),
        "no series until the first",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_rule_finds_what_it_is_for(name: str) -> None:
    change, fault = CHANGES[name]
    board = copy.deepcopy(BOARDS["service"])
    change(board)

    assert fault in "\n".join(lint.faults(board))


def test_a_replicas_panel_is_of_the_pods_that_were_chosen() -> None:
    board = copy.deepcopy(BOARDS["replica"])
    scoped = f'sum by (pod) (up{{{S},pod=~"$pod"}})'
    query(f"{scoped} / sum by (pod) (up{{{S}}})", "{{pod}}")(board)

    assert "up: no matcher of the pod" in "\n".join(lint.faults(board))
