"""The rules that a dashboard is held to: those of Grafana's dashboard-linter, and those that vLLM's metrics need.

https://github.com/grafana/dashboard-linter/tree/main/docs
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, MatrixSelector, SubqueryExpr, VectorSelector

from ci.dashboards.reading import VARIABLE, Board, Panel, filled, panels, variables

SAMPLE = {"namespace": "models", "release": "llm"}
#: Seconds that stand for Grafana's two windows, and for no other one.
INTERVAL, RANGE = 61, 3607
JOB = f"{SAMPLE['namespace']}/{SAMPLE['release']}"
#: Of others than vLLM, for what vLLM can't know. They have a job of their own.
OTHERS = ("kube_", "container_")
#: Envoy has a gauge, membership_total, that is named like one.
COUNTER = re.compile("(?<!membership)_(total|sum|count|bucket)$")
WIDTH = 24


def faults(board: Board) -> list[str]:
    """What is wrong with a dashboard, each as `panel: fault`."""
    found = [fault for rule in OF_BOARDS for fault in rule(board)]
    for panel in panels(board):
        found += [f"{panel.get('title')}: {fault}" for rule in OF_PANELS for fault in rule(panel)]
        values = variables(board, **SAMPLE, interval=f"{INTERVAL}s", span=f"{RANGE}s")
        for target in panel["targets"]:
            try:
                expression = promql_parser.parse(filled(target["expr"], values))
            except (KeyError, ValueError) as error:
                found.append(f"{panel.get('title')}: {target['expr']}: {error!r}")
                continue
            of_query = (fault for rule in OF_QUERIES for fault in rule(expression, panel, target))
            found += [f"{panel.get('title')}: {fault}" for fault in of_query]
    return found


# -- of a dashboard ----------------------------------------------------------------------------------------


def _is_found_by_its_variables(board: Board) -> Iterator[str]:
    by_name = {one["name"]: one for one in board["templating"]["list"]}
    first = board["templating"]["list"][0]
    if (first["name"], first["type"], first["query"]) != ("datasource", "datasource", "prometheus"):
        yield "the first variable is not the data source, a Prometheus"
    text = json.dumps(board)
    used = {match[1] or match[2] for match in VARIABLE.finditer(text)}
    for name in by_name.keys() - used:
        yield f"the variable {name} is used nowhere"
    for name in {name for name in used if not name.startswith("__")} - by_name.keys():
        yield f"there is no variable {name}"
    for uid in re.findall(r'"datasource": {[^}]*"uid": "([^"]*)"', text):
        if uid != "${datasource}":
            yield f"the data source {uid} is another Grafana's"


def _has_a_stable_identity(board: Board) -> Iterator[str]:
    if not re.fullmatch("[a-z-]{8,23}", board.get("uid", "")):
        yield "the uid is none, or too long for a release's hash behind it"
    if len({panel["id"] for panel in board["panels"]}) < len(board["panels"]):
        yield "two panels have one id"
    if len({panel["title"] for panel in panels(board)}) < len([*panels(board)]):
        yield "two panels have one title"


def _fills_the_grid(board: Board) -> Iterator[str]:
    places = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
    for (title, one), (other_title, other) in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        if not apart:
            yield f"{title} and {other_title} overlap"
    for line in {place["y"] for _, place in places}:
        if sum(place["w"] for _, place in places if place["y"] == line) != WIDTH:
            yield f"the panels at {line} don't fill the width"


# -- of a panel --------------------------------------------------------------------------------------------


def _explains_itself(panel: Panel) -> Iterator[str]:
    if not panel.get("title"):
        yield "no title"
    if not str(panel.get("description", "")).endswith("."):
        yield "no description in sentences"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "no unit"
    if panel.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
        yield "not the data source of the variable"


def _names_its_series(panel: Panel) -> Iterator[str]:
    for key in ("refId", "legendFormat", "expr"):
        texts = [target.get(key, "") for target in panel["targets"]]
        if "" in texts or len({*texts}) < len(texts):
            yield f"a query has no {key} of its own"
    if panel["type"] == "timeseries" and not panel.get("options", {}).get("legend", {}).get("showLegend"):
        yield "no legend is shown"


def _is_compared_with_its_objective(panel: Panel) -> Iterator[str]:
    text = json.dumps(panel["targets"])
    for metric, slo in (("time_to_first_token", "$ttft_slo"), ("inter_token_latency", "$itl_slo")):
        if panel["type"] == "timeseries" and f"{metric}_seconds_bucket" in text and f"vector({slo})" not in text:
            yield f"no line of {slo}"


# -- of a query --------------------------------------------------------------------------------------------

Expression = object
Path = tuple[Expression, ...]


def walk(node: Expression, above: Path = ()) -> Iterator[tuple[Expression, Path]]:
    """Every part of an expression, with the parts that it stands in, outermost first."""
    yield node, above
    for name in ("lhs", "rhs", "expr", "param", "vector_selector", "args"):
        below = getattr(node, name, None)
        for child in below if isinstance(below, list) else [below]:
            if child is not None and not isinstance(child, str | float | int):
                yield from walk(child, (*above, node))


def selectors(expression: Expression) -> Iterator[tuple[VectorSelector, Path]]:
    return ((node, above) for node, above in walk(expression) if isinstance(node, VectorSelector))


def matchers(selector: VectorSelector) -> dict[str, tuple[str, str]]:
    return {one.name: (str(one.op).rpartition(".")[2], one.value) for one in selector.matchers.matchers}


def _is_scoped(expression: Expression, panel: Panel, target: Panel) -> Iterator[str]:
    for selector, above in selectors(expression):
        found = matchers(selector)
        if found.get("namespace") != ("Equal", SAMPLE["namespace"]):
            yield f"{selector.name}: no matcher of the namespace"
        if str(selector.name).startswith(OTHERS):
            named = any(SAMPLE["release"] in text for _, text in found.values())
            if not named and not any(_keeps_to_the_release(node) for node in above):
                yield f"{selector.name}: of other releases too"
        elif found.get("job") != ("Equal", JOB):
            yield f"{selector.name}: no matcher of the job"
        if _is_of_chosen_pods(panel) and "pod" not in found and not str(selector.name).startswith(OTHERS):
            yield f"{selector.name}: no matcher of the pod"


def _is_of_chosen_pods(panel: Panel) -> bool:
    """Whether a panel shows the pods that were chosen."""
    return "$pod" in json.dumps(panel["targets"])


def _keeps_to_the_release(node: Expression) -> bool:
    """Whether this keeps, of the series of others, those of the release's pods: `… and on (namespace, pod) up{…}`."""
    if not isinstance(node, BinaryExpr) or str(node.op) != "and":
        return False
    return any(matchers(one).get("job") == ("Equal", JOB) for one, _ in selectors(node.rhs))


def _is_right_at_two_replicas(expression: Expression, panel: Panel, target: Panel) -> Iterator[str]:
    for selector, above in selectors(expression):
        filters = any(
            isinstance(node, BinaryExpr) and str(node.op) == "and" and node.rhs is below
            for node, below in pairwise((*above, selector))
        )
        aggregates = [node for node in above if isinstance(node, AggregateExpr)]
        if not aggregates and not filters:
            yield f"{selector.name}: a series for each pod and engine"
        if "usage_perc" in str(selector.name) and any(str(node.op).startswith("sum") for node in aggregates):
            yield f"{selector.name}: shares of different caches, summed up"
    for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
        if not any(label in _labels(node) for node, _ in walk(expression)):
            yield f"the legend's {label} was summed over"


def _labels(node: Expression) -> list[str]:
    modifier = node.modifier if isinstance(node, AggregateExpr) else None
    return list(modifier.labels) if modifier else []


def _is_about_its_time(expression: Expression, panel: Panel, target: Panel) -> Iterator[str]:
    for selector, above in selectors(expression):
        if COUNTER.search(str(selector.name)) and not any(isinstance(node, MatrixSelector) for node in above):
            yield f"{selector.name}: since the pod's start, and not of the time shown"
    allowed = {INTERVAL, RANGE} if panel["type"] == "stat" else {INTERVAL}
    for node, _ in walk(expression):
        window = node.range if isinstance(node, MatrixSelector | SubqueryExpr) else None
        if window is not None and window.total_seconds() not in allowed:
            yield f"a window of {window}, and not $__rate_interval"


def _has_no_hole(expression: Expression, panel: Panel, target: Panel) -> Iterator[str]:
    """What vLLM and Envoy export from its first occurrence on is zero until then."""
    for selector, above in selectors(expression):
        has_zero = any(isinstance(node, BinaryExpr) and str(node.op) == "or" for node in above)
        if not has_zero and {"status", "code"} & matchers(selector).keys():
            yield f"{selector.name}: no series until the first answer of this status"


OF_BOARDS: tuple[Callable[[Board], Iterator[str]], ...] = (
    _is_found_by_its_variables,
    _has_a_stable_identity,
    _fills_the_grid,
)
OF_PANELS: tuple[Callable[[Panel], Iterator[str]], ...] = (
    _explains_itself,
    _names_its_series,
    _is_compared_with_its_objective,
)
OF_QUERIES: tuple[Callable[[Expression, Panel, Panel], Iterator[str]], ...] = (
    _is_scoped,
    _is_right_at_two_replicas,
    _is_about_its_time,
    _has_no_hole,
)
