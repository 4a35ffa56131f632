"""Each alert fires when it should and is silent when it should be, and recorded series come to what they should."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.rules import promtool, trial
from tests.rules.cases import CASES
from tests.rules.cases.recorded import RECORDINGS
from tests.rules.complaints import complaints
from tests.rules.expected import ALERTS
from tests.rules.ruleset import RuleSet, rendered
from tests.rules.trial import Trial

RECORDED = sorted({record for recording in RECORDINGS for record in recording.values})


@cache
def rules() -> RuleSet:
    return rendered()


def test_promtool_finds_nothing_in_the_file(tmp_path: Path) -> None:
    assert promtool.check(promtool.write(tmp_path, "rules.json", rules().file())) == ""


def test_these_are_all_the_rules() -> None:
    assert [rule.name for rule in rules().alerts] == list(ALERTS)
    assert sorted({rule.name for rule in rules().records}) == RECORDED


@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_tells(alert: str) -> None:
    (rule,) = rules().closure({alert}).alerts
    assert list(complaints(rule)) == []


@pytest.mark.parametrize("alert", ALERTS)
def test_a_case_fires_each_alert_and_a_case_just_does_not(alert: str) -> None:
    """Cases where it is far from firing are no proof that it is silent."""
    assert any(firing.alert == alert for case in CASES for firing in case.firing), "no case fires it"
    assert any(alert in case.silent for case in CASES), "no case names it as silent"


def test_cases_name_alerts_that_there_are_and_have_names_of_their_own() -> None:
    named = {firing.alert for case in CASES for firing in case.firing} | {one for case in CASES for one in case.silent}
    assert named <= set(ALERTS)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("alert", ALERTS)
def test_alert(alert: str, tmp_path: Path) -> None:
    """In all cases, those of other alerts too."""
    needed = rules().closure({alert})
    assert said(tmp_path, needed, [trial.of_alert(alert, needed, CASES, ALERTS[alert])]) == ""


@pytest.mark.parametrize("record", RECORDED)
def test_recording(record: str, tmp_path: Path) -> None:
    needed = rules().closure({record})
    assert said(tmp_path, needed, trial.of_recording(record, needed, RECORDINGS)) == ""


def said(folder: Path, needed: RuleSet, trials: Iterable[Trial]) -> str:
    """What promtool says against the rules."""
    files = [one.write(folder / str(number), needed) for number, one in enumerate(trials)]
    assert files
    return "\n".join(trial.summary(verdict) for verdict in promtool.test(files).values() if verdict)
