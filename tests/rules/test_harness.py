"""The tests' own parts: timelines, and a promtool whose warnings fail."""

from pathlib import Path

import pytest

from tests.rules import promtool, trial
from tests.rules.ruleset import Rule, RuleSet
from tests.rules.scenario import Case, fires, replica
from tests.rules.timeline import duration, notation, samples, seconds

UP_IS_ZERO = Rule("group", {"alert": "VLLMDown", "expr": "sum by (namespace, job) (up) == 0", "for": "1m"})
SILENT = Case("it serves", [replica("a", "serving for 5m")], silent=["VLLMDown"])
DOWN = Case("it is down", [replica("a", "serving for 2m, down for 5m")], [fires("VLLMDown", "3m")])


@pytest.mark.parametrize(
    ("timeline", "alive", "written"),
    [
        ("3", "1111", "3x3"),
        ("0 for 1m, 3 for 1m", "1111", "0x1 3x1"),
        ("0 for 30s, 3", "1111", "0+3x1 3x1"),
        ("+2/s", "1111", "0+60x3"),
        ("+2/s for 1m, +0/s", "11111", "0+60x2 120x1"),
        ("+6/m", "11011", "0+3x1 stale 0+3x1"),
        ("5", "0011", "_ _x1 5x1"),
        ("5 for 30s, gone for 1m, 5", "1111", "5 stale _x1 5"),
        ("0.1", "1", "0.1"),
    ],
)
def test_a_timeline_becomes_samples(timeline: str, alive: str, written: str) -> None:
    assert notation(samples(timeline, [flag == "1" for flag in alive], 30)) == written


@pytest.mark.parametrize("timeline", ["", "3 for ever", "3 for 45s", "3 for 5m", "three", "3 for 0s"])
def test_a_timeline_that_is_none_is_refused(timeline: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        samples(timeline, [True] * 4, 30)


@pytest.mark.parametrize(("text", "number"), [("90s", 90), ("1h30m", 5400), ("4d", 345600)])
def test_a_duration_is_read_and_written(text: str, number: int) -> None:
    assert seconds(text) == number
    assert seconds(duration(number)) == number


def test_an_alert_that_fires_when_it_should_passes(tmp_path: Path) -> None:
    assert verdict(tmp_path, UP_IS_ZERO, DOWN, SILENT) == ""


@pytest.mark.parametrize(
    "wrong", [{"for": "30s"}, {"for": "2m"}, {"expr": "up == 0"}, {"labels": {"severity": "none"}}]
)
def test_one_that_fires_otherwise_fails(tmp_path: Path, wrong: dict[str, object]) -> None:
    assert "it is down: VLLMDown" in trial.summary(verdict(tmp_path, UP_IS_ZERO.changed(**wrong), DOWN, SILENT))


def test_a_rule_file_that_is_not_there_fails(tmp_path: Path) -> None:
    """promtool warns, and passes a case where all is silent."""
    asked = trial.of_alert("VLLMDown", RuleSet((UP_IS_ZERO,)), [SILENT], {})
    file = asked.write(tmp_path / "trial", RuleSet((UP_IS_ZERO,)))
    assert promtool.test([file]) == {file: ""}
    (tmp_path / "trial" / trial.RULES).unlink()
    assert "WARNING" in promtool.test([file])[file]


def test_a_rule_twice_in_a_file_fails(tmp_path: Path) -> None:
    once = promtool.write(tmp_path, "once.json", RuleSet((UP_IS_ZERO,)).file())
    twice = promtool.write(tmp_path, "twice.json", RuleSet((UP_IS_ZERO, UP_IS_ZERO)).file())
    assert promtool.check(once) == ""
    assert "duplicate" in promtool.check(twice)


def verdict(folder: Path, rule: Rule, *cases: Case) -> str:
    rules = RuleSet((rule,))
    file = trial.of_alert(rule.name, rules, cases, {}).write(folder / "trial", rules)
    return promtool.test([file])[file]
