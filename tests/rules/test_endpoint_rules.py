"""Each alert of the endpoint fires when it should and is silent when it should be; so do recorded series."""

from functools import cache
from pathlib import Path

import pytest

from tests.rules import promtool, subjects, trial
from tests.rules.complaints import complaints
from tests.rules.endpoint_cases import CASES, RECORDINGS
from tests.rules.engine_page import Labels
from tests.rules.ruleset import RuleSet
from tests.rules.subjects import Subject
from tests.rules.test_rules import said
from vllm_chart.endpoint.alerts import ALERTS

RECORDED = sorted({record for recording in RECORDINGS for record in recording.values})


@cache
def subject() -> Subject:
    return subjects.endpoint()


def rules() -> RuleSet:
    return subject().rules


def labels(alert: str) -> Labels:
    """What an alert's rule adds to the labels of what it found."""
    return subject().alerts[alert]


def test_promtool_finds_nothing_in_the_file(tmp_path: Path) -> None:
    assert promtool.check(promtool.write(tmp_path, "rules.json", rules().file())) == ""


def test_these_are_all_the_rules() -> None:
    assert [rule.name for rule in rules().alerts] == list(ALERTS)
    assert sorted({rule.name for rule in rules().records}) == RECORDED


@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_tells(alert: str) -> None:
    (rule,) = rules().closure({alert}).alerts
    assert list(complaints(rule, {alert: labels(alert)})) == []


@pytest.mark.parametrize("alert", ALERTS)
def test_a_case_fires_each_alert_and_a_case_just_does_not(alert: str) -> None:
    assert any(firing.alert == alert for case in CASES for firing in case.firing), "no case fires it"
    assert any(alert in case.silent for case in CASES), "no case names it as silent"


def test_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("alert", ALERTS)
def test_alert(alert: str, tmp_path: Path) -> None:
    """In all cases, those of other alerts too."""
    needed = rules().closure({alert})
    assert said(tmp_path, needed, [trial.of_alert(alert, needed, CASES, labels(alert))]) == ""


@pytest.mark.parametrize("record", RECORDED)
def test_recording(record: str, tmp_path: Path) -> None:
    needed = rules().closure({record})
    assert said(tmp_path, needed, trial.of_recording(record, needed, RECORDINGS)) == ""
