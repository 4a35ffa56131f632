"""What the cases notice: each rule with one thing wrong has to fail, or is judged to mean the same.

python -m tests.rules.mutate [NAME…]     # all rules, or those whose names begin so
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.shell import HarnessError, main, say
from tests.rules import subjects, trial
from tests.rules.complaints import complaints
from tests.rules.equivalent import EQUIVALENT, Judgement
from tests.rules.mutants import Mutant, mutants
from tests.rules.ruleset import Rule, RuleSet
from tests.rules.subjects import Subject
from tests.rules.trial import Trial

#: Test files that one promtool gets: it starts in 30 ms.
AT_ONCE = 8


@dataclass(frozen=True)
class Result:
    """Of one rule: how many changes there were, and those that no case notices."""

    rule: Rule
    changes: int
    unnoticed: Sequence[Mutant]

    def judged(self) -> dict[str, Judgement]:
        """By change, why it means the same."""
        found = {}
        for mutant in self.unnoticed:
            for judgement in EQUIVALENT:
                if judgement.covers(self.rule.title, mutant.change):
                    found[mutant.change] = judgement
        return found

    def missed(self) -> list[str]:
        """Changes that no case notices, and that nobody has judged."""
        judged = self.judged()
        return [mutant.change for mutant in self.unnoticed if mutant.change not in judged]


def try_rule(rule: Rule, subject: Subject, folder: Path) -> Result:
    """Change a rule in all ways, and try each against the cases that name it.

    Raises HarnessError: they fail for the rule as it is, and so would notice any change.
    """
    trials = _trials(rule, subject)
    if not any(_unnoticed([Mutant(rule, "none", rule)], trials, subject.rules, folder / "as-it-is")):
        raise HarnessError(f"{rule.title}: its cases fail without a change: nox -s rules -- -k {rule.name}")
    changed = list(mutants(rule))
    left = [mutant for mutant in changed if not (mutant.rule and any(complaints(mutant.rule, subject.alerts)))]
    return Result(rule, len(changed), list(_unnoticed(left, trials, subject.rules, folder)))


def _trials(rule: Rule, subject: Subject) -> list[Trial]:
    name = rule.name
    if not rule.is_alert:
        return trial.of_recording(name, subject.rules, subject.recordings)
    near = [case for case in subject.cases if name in case.silent or name in {one.alert for one in case.firing}]
    return [trial.of_alert(name, subject.rules, near, subject.alerts[name])]


def _unnoticed(left: Iterable[Mutant], trials: Sequence[Trial], rules: RuleSet, folder: Path) -> Iterator[Mutant]:
    """The mutants that promtool finds nothing against."""
    files: dict[Path, Mutant] = {}
    for number, mutant in enumerate(left):
        for part, one in enumerate(trials):
            changed = rules.closure({one.name}).exchanged(mutant.of, mutant.rule)
            files[one.write(folder / f"{number}-{part}", changed)] = mutant
    said = trial.verdicts(list(files), AT_ONCE)
    if broken := [said[file] for file in files if "could not parse" in said[file]]:
        raise ValueError(f"a mutant is no PromQL: {broken[0]}")
    noticed = {files[file] for file in files if said[file]}
    return (mutant for mutant in dict.fromkeys(files.values()) if mutant not in noticed)


def report(results: Sequence[Result]) -> bool:
    """Print why which changes mean the same, and how many of the others were noticed; True if all were."""
    for judgement in EQUIVALENT:
        count = sum(1 for result in results for one in result.judged().values() if one is judgement)
        print(f"means the same, {count} times: {judgement.change} of {judgement.rule}: {judgement.reason}")
    changes = sum(result.changes for result in results)
    same = sum(len(result.judged()) for result in results)
    missed = sum(len(result.missed()) for result in results)
    noticed = changes - same - missed
    share = noticed / (changes - same) if changes > same else 1
    print(f"{changes} changes, of which {same} mean the same; {noticed} of the others noticed: {share:.1%}")
    return not missed


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.rules.mutate", description=__doc__)
    parser.add_argument("name", nargs="*", default=[""])
    names = tuple(parser.parse_args().name)
    found = [(rule, subject) for subject in (subjects.engine(), subjects.endpoint()) for rule in subject.rules.rules]
    results = []
    for rule, subject in ((rule, subject) for rule, subject in found if rule.name.startswith(names)):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            result = try_rule(rule, subject, Path(folder))
        results.append(result)
        took = time.monotonic() - started
        say(f"{rule.title}: {result.changes - len(result.unnoticed)} of {result.changes} noticed ({took:.0f} s)")
        for change in result.missed():
            say(f"  no case notices: {change}")
    if not report(results):
        sys.exit(1)


if __name__ == "__main__":
    main(_command)
