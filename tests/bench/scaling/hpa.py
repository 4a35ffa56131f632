"""What an HPA makes of a number: replicas, by Kubernetes' own arithmetic, for many autoscalers at once.

Sources are files of Kubernetes 1.37 in pkg/controller/podautoscaler: horizontal.go
(normalizeDesiredReplicasWithBehaviors, stabilizeRecommendationWithBehaviors, calculateScaleUpLimitWithScalingRules,
calculateScaleDownLimitWithBehaviors, getReplicasChangePerPeriod), replica_calculator.go
(GetExternalPerPodMetricReplicas).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Seconds between two rounds, and how far a number may be from its target: the controller's defaults
#: (pkg/controller/podautoscaler/config/v1alpha1/defaults.go).
SYNC_SECONDS = 15
TOLERANCE = 0.1
#: Where an HPA says nothing else (pkg/apis/autoscaling/v2/defaults.go).
DEFAULTS: Mapping[str, Any] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}


@dataclass(frozen=True)
class Limit:
    """One of the policies of a direction: how much may change in a period. An entry for each autoscaler."""

    percent: bool
    value: Floats
    rounds: Ints
    """How many rounds before this one are within the period."""


@dataclass(frozen=True)
class Direction:
    """How replicas may change in one direction."""

    window: Ints
    """Rounds that are looked back on, this one included."""
    limits: Sequence[Limit]


def direction(behaviors: Sequence[Mapping[str, Any]], name: str) -> Direction:
    """The rules of many HPAs, which differ in numbers alone. name: scaleUp or scaleDown."""
    rules = [{**DEFAULTS[name], **(behavior.get(name) or {})} for behavior in behaviors]
    # What is as old as the window does not count any more, nor does an event as old as its period: `timestamp.After`.
    windows = np.maximum(_rounds([rule["stabilizationWindowSeconds"] for rule in rules]), 1)
    limits = []
    for position, first in enumerate(rules[0]["policies"]):
        policies = [rule["policies"][position] for rule in rules]
        value = np.array([policy["value"] for policy in policies], dtype=float)
        rounds = _rounds([policy["periodSeconds"] for policy in policies]) - 1
        limits.append(Limit(first["type"] == "Percent", value, rounds))
    return Direction(windows, limits)


def _rounds(seconds: Sequence[int]) -> Ints:
    return np.asarray(-(-np.array(seconds) // SYNC_SECONDS), dtype=np.int64)


def wanted(metric: Floats, target: float, replicas: Ints) -> Ints:
    """The replicas that a sum of all pods asks for, by its AverageValue: as many as there are where it is near."""
    near = np.abs(metric / (target * np.maximum(replicas, 1)) - 1) <= TOLERANCE
    return np.where(near, replicas, np.ceil(metric / target)).astype(np.int64)


class Autoscalers:
    """Many HPAs of the same kind, through time."""

    def __init__(self, behaviors: Sequence[Mapping[str, Any]], least: Ints, most: Ints, rounds: int) -> None:
        """rounds: how many there will be."""
        self.replicas = least.copy()
        self._least, self._most = least, most
        self._up, self._down = direction(behaviors, "scaleUp"), direction(behaviors, "scaleDown")
        self._columns = np.arange(len(least))
        self._round = 0
        # The first row is for what lies before the beginning.
        self._recommended = np.zeros((rounds + 1, len(least)), dtype=np.int64)
        self._added = np.zeros((rounds + 1, len(least)), dtype=np.int64)
        self._removed = np.zeros((rounds + 1, len(least)), dtype=np.int64)

    def round(self, desired: Ints) -> None:
        """One round, with what the numbers ask for."""
        desired = np.clip(desired, self._least, self._most)
        self._round += 1
        self._recommended[self._round] = desired
        now = self.replicas
        lowest = self._over(self._up.window, np.min)
        highest = self._over(self._down.window, np.max)
        stable = np.minimum(np.maximum(now, lowest), highest)
        limited = np.where(
            stable > now,
            np.minimum(stable, self._upper()),
            np.where(stable < now, np.maximum(stable, self._lower()), stable),
        )
        following = np.clip(limited, self._least, self._most)
        self._added[self._round] = self._added[self._round - 1] + np.maximum(following - now, 0)
        self._removed[self._round] = self._removed[self._round - 1] + np.maximum(now - following, 0)
        self.replicas = following

    def _over(self, windows: Ints, of: Any) -> Ints:
        """The least or largest recommendation of the last rounds, as many as each looks back on."""
        found = np.empty_like(self.replicas)
        for window in np.unique(windows):
            begin = max(1, self._round - int(window) + 1)
            chosen = windows == window
            found[chosen] = of(self._recommended[begin : self._round + 1][:, chosen], axis=0)
        return found

    def _changed(self, rounds: Ints) -> Ints:
        """By how much replicas grew in the rounds before this one that are within a period, less what they shrank."""
        before = np.maximum(self._round - 1 - rounds, 0)
        last = self._round - 1
        added = self._added[last] - self._added[before, self._columns]
        removed = self._removed[last] - self._removed[before, self._columns]
        return np.asarray(added - removed)

    def _upper(self) -> Ints:
        proposals = []
        for limit in self._up.limits:
            begun = self.replicas - self._changed(limit.rounds)
            grown = np.ceil(begun * (1 + limit.value / 100)) if limit.percent else begun + limit.value
            proposals.append(grown)
        return np.asarray(np.max(proposals, axis=0), dtype=np.int64)

    def _lower(self) -> Ints:
        proposals = []
        for limit in self._down.limits:
            begun = self.replicas - self._changed(limit.rounds)
            shrunk = np.trunc(begun * (1 - limit.value / 100)) if limit.percent else begun - limit.value
            proposals.append(shrunk)
        return np.asarray(np.min(proposals, axis=0), dtype=np.int64)
