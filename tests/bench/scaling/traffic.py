"""What is asked of a fleet of releases in a day, and how long each of them takes to start."""

import dataclasses
import functools
import math
from dataclasses import dataclass

import numpy as np

from tests.bench.scaling.hpa import SYNC_SECONDS, Floats, Ints
from tests.bench.scaling.policies import SLOTS

#: The length of a step: eight are a scrape's interval, twelve a round of the HPA.
STEP_SECONDS = 1.25
#: How long an answer takes, in the mean.
ANSWER_SECONDS = 20.0
STARTS = (60, 900)
#: Requests a replica is to have at a time: three quarters of what it can.
TARGET = 0.75 * SLOTS


@dataclass(frozen=True)
class Fleet:
    """Releases and what is asked of them."""

    arrivals: Ints
    """Requests, by step and release."""
    starts: Ints
    """Seconds from a new pod to its first request, by release."""
    need: Ints
    """Replicas that the busiest minutes need, by release."""
    counted_from: int
    """The first step that counts."""

    @functools.cached_property
    def come(self) -> Floats:
        """Requests that have come until the end of each step."""
        return np.cumsum(self.arrivals, axis=0, dtype=np.float64)

    @property
    def most(self) -> Ints:
        """The most replicas: three times what is ever needed, so that no policy is short of GPUs."""
        return np.asarray(3 * self.need)

    @property
    def steps(self) -> int:
        return len(self.arrivals)

    @property
    def releases(self) -> int:
        return len(self.starts)

    def of_need(self, least: int, most: int) -> "Fleet":
        """The releases whose busiest minutes need so many replicas, from the least to the most."""
        these = (self.need >= least) & (self.need <= most)
        arrivals = np.asarray(self.arrivals[:, these])
        return dataclasses.replace(self, arrivals=arrivals, starts=self.starts[these], need=self.need[these])


def _starts(random: np.random.Generator, releases: int) -> Ints:
    """Between a small model with warm caches and a large one that is fetched: log-uniform, in whole rounds."""
    seconds = np.exp(random.uniform(math.log(STARTS[0]), math.log(STARTS[1]), size=releases))
    return np.asarray(np.round(seconds / SYNC_SECONDS) * SYNC_SECONDS, dtype=np.int64)


def _fleet(random: np.random.Generator, rates: Floats, counted_from: int) -> Fleet:
    """rates: requests a second, by step and release."""
    need = np.ceil(rates.max(axis=0) * ANSWER_SECONDS / TARGET).astype(np.int64)
    arrivals = random.poisson(rates * STEP_SECONDS)
    return Fleet(arrivals, _starts(random, rates.shape[1]), need, counted_from)


def day(seed: int, releases: int, hours: float = 24) -> Fleet:
    """A working day: quiet nights, and bursts of 5 to 30 minutes that come at once, about six a day each.

    What a release's busiest hour asks for takes between a third of a replica and eight of them.
    """
    random = np.random.default_rng(seed)
    steps = int(hours * 3600 / STEP_SECONDS)
    peak = np.exp(random.uniform(math.log(0.3), math.log(8), size=releases)) * TARGET / ANSWER_SECONDS
    middle = random.uniform(11, 17, size=releases)
    hour = (np.arange(steps) * STEP_SECONDS / 3600)[:, None]
    rates = peak * (0.1 + 0.9 * np.exp(-(((hour - middle) / 4) ** 2)))
    for release in range(releases):
        for _ in range(random.poisson(6 * hours / 24)):
            begin, seconds = random.integers(0, steps), random.uniform(300, 1800)
            rates[begin : begin + int(seconds / STEP_SECONDS), release] *= random.uniform(1.5, 4)
    return _fleet(random, rates, 0)


def constant(seed: int, releases: int, hours: float = 8) -> Fleet:
    """The same load all the time. The first three hours, in which replicas are found, do not count."""
    random = np.random.default_rng(seed)
    steps = int(hours * 3600 / STEP_SECONDS)
    rate = np.exp(random.uniform(math.log(0.3), math.log(8), size=releases)) * TARGET / ANSWER_SECONDS
    return _fleet(random, np.broadcast_to(rate, (steps, releases)), int(min(3, hours / 2) * 3600 / STEP_SECONDS))
