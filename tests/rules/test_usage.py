"""The expression of `vllm-chart usage`, as Prometheus itself reckons it over replicas that come, go and start again."""

from pathlib import Path
from typing import Any

import pytest

from tests.rules import promtool
from vllm_chart.endpoint import usage

JOB = "models/llm-endpoint"
#: Two scrapes a minute, asked after two hours for the last one.
NOW = "2h"

#: What each replica tells: how long it runs, what app asked of m; and how much of that was in the last hour. _xN is N
#: scrapes without it.
CASES: dict[str, tuple[str, str, float]] = {
    "all the time": ("0+30x240", "0+1x240", 120),
    "a first request in the hour": ("0+30x240", "_x180 1x60", 1),
    "several, and then no more": ("0+30x240", "_x180 5+2x10 25x49", 25),
    "nothing in the hour": ("0+30x240", "0+1x100 100x139", 0),
    "a replica that came": ("_x180 10+30x60", "_x190 3+1x50", 53),
    "a replica that went": ("0+30x160", "10+1x160", 40),
    "one that went before": ("0+30x100", "10+1x100", 0),
    # Prometheus was not there: what it told at first was counted nobody knows when.
    "one that was scraped late": ("_x180 100000+30x60", "_x180 1000+1x10 1010x50", 10),
    "one whose container was started again": ("0+30x160 10+30x79", "0+1x160 0+1x79", 119),
}


@pytest.mark.parametrize(("uptime", "requests", "expected"), CASES.values(), ids=CASES.keys())
def test_what_was_used_in_the_last_hour(tmp_path: Path, uptime: str, requests: str, expected: float) -> None:
    assert verdict(tmp_path, [(uptime, requests)], expected) == ""


def test_replicas_are_added_up(tmp_path: Path) -> None:
    replicas = [(uptime, requests) for uptime, requests, _ in CASES.values()]

    assert verdict(tmp_path, replicas, sum(expected for *_, expected in CASES.values())) == ""


def test_increase_alone_would_not_see_a_first_request(tmp_path: Path) -> None:
    """Why the expression is as long as it is."""
    up, requests, _ = CASES["a first request in the hour"]
    simple = f"sum by (client, model) (increase({usage.REQUESTS}{{job='{JOB}'}}[1h]))"

    assert verdict(tmp_path, [(up, requests)], 0, simple) == ""


def verdict(folder: Path, replicas: list[tuple[str, str]], expected: float, text: str = "") -> str:
    """What promtool says: "" where the expression gives this, to a whole number."""
    text = text or usage.expression(usage.REQUESTS, JOB, "1h")
    given: list[dict[str, str]] = []
    for number, (up, requests) in enumerate(replicas):
        target = f'namespace="models", job="{JOB}", pod="pod-{number}", instance="10.0.0.{number}:9090"'
        labels = f'{target}, client="app", model="m", code="200"'
        given += [
            {"series": f"{usage.UPTIME}{{{target}}}", "values": up},
            {"series": f"{usage.REQUESTS}{{{labels}}}", "values": requests},
            {"series": f"{usage.REQUESTS}{{{labels.replace(JOB, 'models/other')}}}", "values": "0+100x240"},
        ]
    wanted: list[dict[str, Any]] = [{"labels": '{client="app", model="m"}', "value": expected}]
    # What is 0 may be told as 0, or not at all.
    asked = {"expr": f"round({text}) > 0", "eval_time": NOW, "exp_samples": wanted if expected else []}
    case = {"interval": "30s", "input_series": given, "promql_expr_test": [asked]}
    file = promtool.write(folder, "usage.json", {"evaluation_interval": "30s", "tests": [case]})
    return promtool.test([file])[file]
