"""Releases under a policy, step by step: requests come, run in the slots of ready pods, or wait; pods come and go.

What it leaves out: KV caches that are full before the slots are, answers that slow each other down, the routing of
requests to pods, and pods that end later than at once, with what they run.
"""

import collections
from dataclasses import dataclass

import numpy as np

from tests.bench.scaling.hpa import SYNC_SECONDS, Autoscalers, Floats, Ints, wanted
from tests.bench.scaling.policies import SLOTS, Policy
from tests.bench.scaling.traffic import ANSWER_SECONDS, STEP_SECONDS, Fleet

#: A request that waits longer is over the limit: slo.ttft.seconds.
LIMIT_SECONDS = 2.5
#: How old a number is when an HPA reads it: the interval of a scrape.
AGE_SECONDS = 10
_STEPS_A_ROUND = int(SYNC_SECONDS / STEP_SECONDS)


@dataclass(frozen=True)
class Outcome:
    """What became of a fleet under a policy, over all releases."""

    requests: float
    late: float
    """Requests that waited longer than the limit."""
    replica_hours: float
    scale_ups: int
    scale_downs: int
    hours: float
    """Of each release, as far as it counts."""
    beyond: float
    """The most replicas at a time, beside those that are needed in the busiest minutes: the mean of the releases."""

    @property
    def share_late(self) -> float:
        return self.late / self.requests if self.requests else 0.0


def run(policy: Policy, fleet: Fleet) -> Outcome:
    """A fleet under a policy."""
    rounds = fleet.steps // _STEPS_A_ROUND + 1
    age = round(AGE_SECONDS / STEP_SECONDS)
    state = _State(fleet, age)
    pods = _Pods(policy, fleet, rounds)
    late = requests = replica_seconds = 0.0
    ups = downs = 0
    peak = pods.replicas.copy()
    lag = round(LIMIT_SECONDS / STEP_SECONDS)
    come = fleet.come
    for step in range(fleet.steps):
        if step % _STEPS_A_ROUND == 0:
            before = pods.replicas
            pods.round(*state.seen())
            peak = np.maximum(peak, pods.replicas)
            if step >= fleet.counted_from:
                ups += int((pods.replicas > before).sum())
                downs += int((pods.replicas < before).sum())
                replica_seconds += float(pods.replicas.sum()) * SYNC_SECONDS
        begun, ended = state.step(step, pods.slots)
        if step >= fleet.counted_from:
            # In their order: of those that were let in now, the ones that had come before the limit.
            old = come[step - lag] if step >= lag else 0.0
            late += float(np.clip(np.minimum(ended, old) - begun, 0, None).sum())
            requests += float(fleet.arrivals[step].sum())
    late += float(np.clip(come[-1 - lag] - ended, 0, None).sum())
    hours = (fleet.steps - fleet.counted_from) * STEP_SECONDS / 3600
    return Outcome(requests, late, replica_seconds / 3600, ups, downs, hours, float((peak / fleet.need).mean()))


class _State:
    """The requests of each release."""

    def __init__(self, fleet: Fleet, age: int) -> None:
        """age: how many steps ago what is seen was."""
        self._arrivals = fleet.arrivals
        self._running = np.zeros(fleet.releases)
        self._waiting = np.zeros(fleet.releases)
        self._begun = np.zeros(fleet.releases)
        self._past = collections.deque([(self._running.copy(), self._waiting.copy())], maxlen=age + 1)

    def step(self, step: int, slots: Floats) -> tuple[Floats, Floats]:
        """Let requests come, begin and end; how many had begun before it, and after it."""
        self._running *= 1 - STEP_SECONDS / ANSWER_SECONDS
        self._waiting += self._arrivals[step]
        let_in = np.minimum(self._waiting, np.maximum(slots - self._running, 0))
        self._waiting -= let_in
        self._running += let_in
        before = self._begun
        self._begun = before + let_in
        self._past.append((self._running.copy(), self._waiting.copy()))
        return before, self._begun

    def seen(self) -> tuple[Floats, Floats]:
        """What ran and what waited when it was last looked at."""
        return self._past[0]


class _Pods:
    """The pods of each release, and what counts them.

    Of pods that go, those that are not ready go first, and of these the youngest: pkg/controller/controller_utils.go of
    Kubernetes 1.37, ActivePodsWithRanks. So as many are ready as there were at the least since a start ago.
    """

    def __init__(self, policy: Policy, fleet: Fleet, rounds: int) -> None:
        self._policy = policy
        self._start_rounds = fleet.starts // SYNC_SECONDS
        self._longest = int(self._start_rounds.max())
        least = fleet.need if policy.fixed else np.ones(fleet.releases, dtype=np.int64)
        behaviors = policy.behaviors if len(policy.behaviors) > 1 else [*policy.behaviors] * fleet.releases
        self._autoscalers = Autoscalers(behaviors, least, np.maximum(fleet.most, least), rounds)
        # The newest last; at the beginning all have been there for long.
        self._history = np.repeat(least[None], self._longest + 1, axis=0)
        self._ages = np.arange(self._longest, -1, -1)[:, None]
        self._ready = least.copy()

    @property
    def replicas(self) -> Ints:
        return self._autoscalers.replicas

    @property
    def slots(self) -> Floats:
        return np.asarray(self._ready * SLOTS, dtype=np.float64)

    def round(self, running: Floats, waiting: Floats) -> None:
        """A round of the autoscalers, with what was seen."""
        asked = [self._asked(name, target, running, waiting) for name, target in self._policy.signals]
        self._autoscalers.round(np.max(asked, axis=0) if asked else self.replicas)
        self._history = np.roll(self._history, -1, axis=0)
        self._history[-1] = self.replicas
        within = self._ages <= self._start_rounds
        self._ready = np.where(within, self._history, np.iinfo(np.int64).max).min(axis=0)

    def _asked(self, name: str, target: float, running: Floats, waiting: Floats) -> Ints:
        if name == "busy":
            # Of a pod that does anything nearly all is in use; one that loads uses nothing.
            return wanted(0.95 * np.minimum(self._ready, np.ceil(running)), target, self.replicas)
        sums = {"demand": running + waiting, "running": running, "waiting": waiting}
        return wanted(sums[name], target, self.replicas)
