"""Rules against cases: which files promtool gets, and what it says, in few words.

An alert is tried with the rules that it is computed from and with the series that those ask for, and nothing else. Of
cases that look the same to it one is enough. So 21 alerts meet 200 cases, at each evaluation, in a minute.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.rules import promtool
from tests.rules.engine_page import Labels
from tests.rules.ruleset import RuleSet
from tests.rules.scenario import Case, Recording
from tests.rules.timeline import seconds

RULES = "rules.json"
EXPRESSION = "@expression@"
FAILURE = re.compile(r"name: (?P<case>.+),\s+alertname: (?P<alert>\S+), time: (?P<time>\S+), *\s+exp:(?P<expected>.)")
NOTHING = re.compile(r"exp:\[\]")


@dataclass(frozen=True)
class Trial:
    """A test file of promtool: what is asked of one alert or recorded series, which is its name.

    EXPRESSION stands for the expression of the rules that are tried, where the alert's value is asked for.
    """

    name: str
    interval: str
    order: Sequence[str]
    groups: Sequence[Mapping[str, Any]]

    def write(self, folder: Path, rules: RuleSet) -> Path:
        """Rules and tests, in a folder of their own: a test file finds its rules beside it."""
        folder.mkdir(parents=True)
        promtool.write(folder, RULES, rules.file(annotations=False))
        path = folder / "test.json"
        path.write_text(self._text.replace(EXPRESSION, _inner_json(rules.expressions.get(self.name, "vector(0)"))))
        return path

    @cached_property
    def _text(self) -> str:
        content = {
            "rule_files": [RULES],
            # Without this promtool evaluates the groups in any order.
            "group_eval_order": self.order,
            "evaluation_interval": self.interval,
            "tests": self.groups,
        }
        return json.dumps(content)


def _inner_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def of_alert(alert: str, rules: RuleSet, cases: Iterable[Case], labels: Labels) -> Trial:
    """All that these cases ask of an alert, which adds these labels."""
    needed = rules.closure({alert})
    different: dict[str, dict[str, Any]] = {}
    for case in cases:
        group = case.group(alert, labels, EXPRESSION, needed.names)
        what = json.dumps([group["input_series"], group["alert_rule_test"]])
        different.setdefault(what, group)
    return Trial(alert, "30s", needed.groups, list(different.values()))


def of_recording(record: str, rules: RuleSet, recordings: Iterable[Recording]) -> list[Trial]:
    """What is asked of a recorded series."""
    needed = rules.closure({record})
    return [
        Trial(record, recording.evaluated_every, needed.groups, [recording.group(record, needed.names)])
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
