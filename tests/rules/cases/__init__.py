"""The cases of all alerts, by topic."""

from tests.rules.cases import autoscaling, availability, budgets, load, outcomes
from tests.rules.scenario import Case

CASES: list[Case] = [
    *availability.CASES,
    *load.CASES,
    *outcomes.CASES,
    *budgets.CASES,
    *autoscaling.CASES,
]
