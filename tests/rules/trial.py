"""Rules against cases: which files promtool gets, and what it says, in few words.

An alert is tried with the rules that it is computed from and with the series that those ask for, and nothing else. Of
cases that look the same to it one is enough. So 19 alerts meet 200 cases, at each evaluation, in seconds.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rules import promtool
from tests.rules.engine_page import Labels
from tests.rules.ruleset import Rule, RuleSet
from tests.rules.scenario import Case, Recording
from tests.rules.timeline import seconds

RULES = "rules.json"
FAILURE = re.compile(r"name: (?P<case>.+),\s+alertname: (?P<alert>\S+), time: (?P<time>\S+), *\s+exp:(?P<expected>.)")
NOTHING = re.compile(r"exp:\[\]")


@dataclass(frozen=True)
class Trial:
    """A test file of promtool: what is asked of one alert or recorded series."""

    name: str
    interval: str
    groups: Sequence[Mapping[str, Any]]

    def write(self, folder: Path, rules: RuleSet) -> Path:
        """Rules and tests, in a folder of their own: a test file finds its rules beside it."""
        folder.mkdir(parents=True)
        promtool.write(folder, RULES, rules.file(annotations=False))
        content = {
            "rule_files": [RULES],
            # Without this promtool evaluates the groups in any order.
            "group_eval_order": rules.groups,
            "evaluation_interval": self.interval,
            "tests": self.groups,
        }
        return promtool.write(folder, "test.json", content)


def of_alert(rule: Rule, rules: RuleSet, cases: Iterable[Case], labels: Labels) -> Trial:
    """All that these cases ask of an alert, which adds these labels."""
    metrics = rules.closure({rule.name}).names
    different: dict[str, dict[str, Any]] = {}
    for case in cases:
        group = case.group(rule.name, labels, rule.body["expr"], metrics)
        what = json.dumps([group["input_series"], group["alert_rule_test"]])
        different.setdefault(what, group)
    return Trial(rule.name, "30s", list(different.values()))


def of_recording(record: str, rules: RuleSet, recordings: Iterable[Recording]) -> list[Trial]:
    """What is asked of a recorded series."""
    metrics = rules.closure({record}).names
    return [
        Trial(f"{record}, {recording.name}", recording.evaluated_every, [recording.group(record, metrics)])
        for recording in recordings
        if record in recording.values
    ]


def verdicts(files: Sequence[Path], at_once: int = 1) -> dict[Path, str]:
    """What promtool says against each test file, "" if nothing. `at_once` files are given to one process."""
    batches = [files[start : start + at_once] for start in range(0, len(files), at_once)]
    with ThreadPoolExecutor() as pool:
        answers = pool.map(promtool.test, batches)
    return {file: said for answer in answers for file, said in answer.items()}


def summary(said: str) -> str:
    """promtool's complaints, a line for each alert of a case in the place of one for each evaluation."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for match in re.finditer(FAILURE, said):
        silent = NOTHING.match(said, match.start("expected") - len("exp:"))
        wrong = "fires" if silent else "is silent, or fires with other labels,"
        found.setdefault((match["case"], match["alert"], wrong), []).append(match["time"])
    lines = [
        f"{case}: {alert} {wrong} at {min(times, key=seconds)} … {max(times, key=seconds)}: {len(times)} times"
        for (case, alert, wrong), times in found.items()
    ]
    others = [line.strip() for line in said.splitlines() if re.match(r"\s+(expr: |rule: |group |.*error)", line)]
    return "\n".join([*lines, *others]) or said
