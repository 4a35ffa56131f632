"""Changes of a rule that no case can notice, because the rule means the same with them; and why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Judgement:
    """Changes, as mutants.py names them, of rules: both are patterns of the whole text."""

    rule: str
    change: str
    reason: str

    def covers(self, rule: str, change: str) -> bool:
        return bool(re.fullmatch(self.rule, rule) and re.fullmatch(self.change, change))


EQUIVALENT: list[Judgement] = []
