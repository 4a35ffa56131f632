"""What is changed of a rule, one thing at a time."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from ci.shell import HarnessError
from tests.rules import mutate
from tests.rules.equivalent import EQUIVALENT
from tests.rules.mutants import expressions, mutants, tokens
from tests.rules.ruleset import Rule, RuleSet
from tests.rules.scenario import JOB, Case, fires, replica
from tests.rules.subjects import Subject

EXPRESSION = 'sum by (job) (rate(a{job="x",status=~"5.."}[5m])) > 0.5 and on (job) (b{job="x"} == 0 or c{job="x"})'
SUBQUERY = 'min by (job) (max_over_time(a{job!="x"}[5m:1m])) < 3'
ALERT = Rule("group", {"alert": "A", "expr": 'up{job="x"} == 0', "for": "2m", "labels": {"severity": "x"}})


@pytest.mark.parametrize(
    "changed",
    [
        EXPRESSION.replace("0.5", "5"),
        EXPRESSION.replace("0.5", "0.4"),
        EXPRESSION.replace("[5m]", "[10m]"),
        EXPRESSION.replace("[5m]", "[30s]"),
        EXPRESSION.replace("> 0.5", "< 0.5"),
        EXPRESSION.replace("> 0.5", "> -1e12 + 0.5"),
        EXPRESSION.replace("== 0", "!= 0"),
        EXPRESSION.replace('job="x",status', "status"),
        EXPRESSION.replace(',status=~"5.."', ""),
        EXPRESSION.replace("=~", "!~"),
        EXPRESSION.replace("sum", "max"),
        EXPRESSION.replace("rate", "increase"),
        EXPRESSION.replace("by (job)", "by ()"),
        EXPRESSION.replace("on (job)", "on ()"),
        EXPRESSION.replace(" or ", " and "),
        EXPRESSION.replace(" and on", " unless on"),
        EXPRESSION.replace('(b{job="x"} == 0 or c{job="x"})', '(b{job="x"} == 0 )'),
        EXPRESSION.replace('(b{job="x"} == 0 or c{job="x"})', '( c{job="x"})'),
        EXPRESSION.partition(" and ")[0] + " ",
        EXPRESSION.partition("on (job) ")[2],
        EXPRESSION.replace('job="x",', "").replace('job="x"', ""),
    ],
)
def test_an_expression_with_one_thing_wrong(changed: str) -> None:
    assert without_spaces(changed) in {without_spaces(text) for _, text in expressions(EXPRESSION)}


@pytest.mark.parametrize(
    "changed",
    [
        SUBQUERY.replace("min(", "max("),
        SUBQUERY.replace("max_over_time", "min_over_time"),
        SUBQUERY.replace("!=", "="),
        SUBQUERY.replace("[5m:", "[50m:"),
        SUBQUERY.replace(":1m]", ":2m]"),
        SUBQUERY.replace("<", "<="),
        SUBQUERY.replace("<", ">"),
        SUBQUERY.replace("<", "< 1e12 +"),
    ],
)
def test_a_subquery_with_one_thing_wrong(changed: str) -> None:
    """Its step is no name that begins with a colon."""
    assert without_spaces(changed) in {without_spaces(text) for _, text in expressions(SUBQUERY)}


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_a_rule_with_one_thing_wrong() -> None:
    changes = {mutant.change for mutant in mutants(ALERT)}
    assert {"gone", "for is 0s", "for is 20m", "for is 2m30s", "for is 1m30s", "label severity is gone"} <= changes


def test_each_change_is_another() -> None:
    changed = [mutant.rule.body for mutant in mutants(ALERT) if mutant.rule]
    assert all(body != ALERT.body for body in changed)
    assert len({str(body) for body in changed}) == len(changed)


@pytest.mark.parametrize(("since", "fails"), [("3m", False), ("4m", True)])
def test_cases_that_fail_already_notice_nothing(since: str, fails: bool, tmp_path: Path) -> None:
    """Each change would be one that they notice."""
    expression = f'sum by (namespace, job) (up{{job="{JOB}"}}) == 0'
    rule = Rule("group", {"alert": "A", "expr": expression, "for": "1m"})
    down = Case("it is down", [replica("a", "serving for 2m, down for 5m")], [fires("A", since)])
    subject = Subject(RuleSet((rule,)), [down], [], {"A": {}})

    with pytest.raises(HarnessError, match="A: its cases fail") if fails else nullcontext():
        mutate.try_rule(rule, subject, tmp_path)


def test_what_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="what is '@ 5'"):
        tokens("up @ 5")


def test_a_judgement_is_about_no_threshold_and_no_window() -> None:
    """Nothing that a case can notice may be judged away."""
    others = ("up#1: 0.05 x10", "up#1: 5m is 10m", "for is 0s", "gone", "everywhere: without job", "up#1: > is <")
    for judgement in EQUIVALENT:
        if "#2" not in judgement.change:  # the fallback that is 0 whatever its window is
            assert not any(re.fullmatch(judgement.change, other) for other in others), judgement
