"""The simulation of a fleet that scales: an HPA's arithmetic, what becomes of requests, and the bench as a whole."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from tests.bench import bench_scaling  # noqa: E402
from tests.bench.scaling import bears, policies, simulation, traffic  # noqa: E402
from tests.bench.scaling.hpa import Autoscalers, wanted  # noqa: E402
from tests.bench.scaling.policies import Policy  # noqa: E402

ROOT = Path(__file__).parents[2]


def through(behavior: Mapping[str, Any], desired: Sequence[int], most: int = 100) -> list[int]:
    """The replicas after each round of an HPA that has these answers."""
    scaled = Autoscalers([behavior], np.array([1]), np.array([most]), len(desired))
    replicas = []
    for each in desired:
        scaled.round(np.array([each]))
        replicas.append(int(scaled.replicas[0]))
    return replicas


def policy(type_: str, value: int, seconds: int) -> dict[str, Any]:
    return {"type": type_, "value": value, "periodSeconds": seconds}


@pytest.mark.parametrize(
    ("metric", "replicas", "expected"),
    [(48, 1, 1), (52.8, 1, 1), (53, 1, 2), (90, 2, 2), (86, 2, 2), (47, 2, 1), (480, 2, 10), (0, 3, 0)],
)
def test_a_sum_asks_for_as_many_as_it_is_of_the_target(metric: float, replicas: int, expected: int) -> None:
    assert wanted(np.array([float(metric)]), 48, np.array([replicas])).tolist() == [expected]


@pytest.mark.parametrize(
    ("behavior", "desired", "replicas"),
    [
        # HPA's own: 4 pods or as many as there are, every 15 s.
        ({}, [50] * 4, [5, 10, 20, 40]),
        # At most double in 60 s: what was added in the three rounds before counts.
        (
            {"scaleUp": {"policies": [policy("Percent", 100, 60), policy("Pods", 1, 60)]}},
            [50] * 9,
            [2, 2, 2, 2, 4, 4, 4, 4, 8],
        ),
        # A window on the way up waits until all of it has asked.
        ({"scaleUp": {"stabilizationWindowSeconds": 45}}, [1, 1, 5, 5, 5], [1, 1, 1, 1, 5]),
        # Down after a window in which fewer would have done, a pod at a time.
        (
            {"scaleDown": {"stabilizationWindowSeconds": 30, "policies": [policy("Pods", 1, 30)]}},
            [5, 1, 1, 1, 1, 1, 1],
            [5, 5, 4, 4, 3, 3, 2],
        ),
        # HPA's own, after 300 s all at once.
        ({}, [5, *[1] * 21], [5] * 20 + [1] * 2),
    ],
)
def test_replicas_follow_as_fast_as_they_may(
    behavior: Mapping[str, Any], desired: list[int], replicas: list[int]
) -> None:
    assert through(behavior, desired) == replicas


def test_never_more_than_the_most() -> None:
    assert through({}, [50, 50], most=7) == [5, 7]


def test_this_charts_policy_is_what_it_renders() -> None:
    ours = policies.ours([60, 300])
    assert ours.signals == [("demand", 48.0)]
    assert [each["scaleUp"]["policies"][0]["periodSeconds"] for each in ours.behaviors] == [60, 300]
    assert through(ours.behaviors[0], [3] * 5) == [2, 2, 2, 2, 3]


def fleet(rates: Sequence[float], start: int = 60, hours: float = 1.0) -> traffic.Fleet:
    """Releases that are asked so often a second, evenly."""
    steps = int(hours * 3600 / traffic.STEP_SECONDS)
    arrivals = np.broadcast_to(np.array(rates) * traffic.STEP_SECONDS, (steps, len(rates)))
    need = np.ceil(np.array(rates) * traffic.ANSWER_SECONDS / traffic.TARGET).astype(int)
    return traffic.Fleet(arrivals, np.full(len(rates), start), need, 0)


FIXED = Policy("fixed", "", [], [{}], fixed=True)
DEMAND = Policy("demand", "", [("demand", 48)], [{}])


def test_a_release_with_enough_replicas_lets_nobody_wait() -> None:
    done = simulation.run(FIXED, fleet([2.4, 4.8]))
    assert done.late == 0
    assert done.requests == pytest.approx(7.2 * 3600)
    assert done.replica_hours == pytest.approx(3, rel=0.01)
    assert (done.scale_ups, done.scale_downs) == (0, 0)


def test_requests_wait_until_the_replica_that_they_need_has_started() -> None:
    """3.2 a second are what a replica of 64 slots can; of 4.8 a third waits, and the longer the later it starts."""
    late = [simulation.run(DEMAND, fleet([4.8], start)).late for start in (60, 300, 900)]
    assert late[0] > 0
    assert late == sorted(late)
    assert late[2] > 4.8 * 800


def test_a_number_that_is_zero_until_it_is_too_late_flaps() -> None:
    waiting = Policy("waiting", "", [("waiting", 5)], [{}])
    steady = fleet([4.8], hours=6)
    assert simulation.run(waiting, steady).scale_downs > 3
    assert simulation.run(DEMAND, steady).scale_downs <= 1


def test_a_load_that_is_seen_in_full_is_counted_in_full() -> None:
    day = traffic.day(1, 3, hours=1)
    assert simulation.run(FIXED, day).requests == day.arrivals.sum()


def test_what_there_is_to_bear_grows_with_the_fleet() -> None:
    one, ten = bears.of(1, 2), bears.of(10, 20)
    assert ten.scraped == pytest.approx(10 * one.scraped)
    assert 300 < one.scraped * 10 / 2 < 600  # samples of a page
    kept = {each.who: each for each in ten.askers}
    assert kept["KEDA"].queries == pytest.approx(10 * 2 * (1 / 15 + 1 / 30))
    assert kept["rules"].samples > 1000 * kept["KEDA"].samples


def test_sizes_leave_no_release_out() -> None:
    day = traffic.day(1, 40, hours=1)
    parts = [day.of_need(least, most) for least, most in bench_scaling.SIZES]
    assert sum(part.releases for part in parts) == day.releases
    assert sum(part.arrivals.sum() for part in parts) == day.arrivals.sum()
    for part, (least, most) in zip(parts, bench_scaling.SIZES, strict=True):
        assert all(least <= need <= most for need in part.need)


def test_the_bench_runs_in_its_short_form() -> None:
    session = (ROOT / "noxfile.py").read_text()
    assert 'session.run("python", "-m", "tests.bench.bench_scaling", *session.posargs)' in session
    command = [sys.executable, "-m", "tests.bench.bench_scaling", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line in (
        r"\| this chart \| [\d.]+% \| 1.0 \|",
        r"\| waiting ÷ 5 \|",
        r"\| rules \| [\d.]+ \|",
        r"samples scraped",
        r"\| 1 to \d+ \| \d+ \| [\d.]+% \|",
    ):
        assert re.search(line, done.stdout), done.stdout
