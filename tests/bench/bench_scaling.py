"""What callers wait for, and what it costs, by the policy that counts replicas: a day of a fleet, simulated.

python -m tests.bench.bench_scaling [--short]
"""

import argparse
import time
from collections.abc import Sequence

from tests.bench.scaling import bears, policies, simulation, traffic
from tests.bench.scaling.policies import Policy
from tests.bench.scaling.simulation import Outcome
from tests.bench.scaling.traffic import Fleet

RELEASES = 200
SEED = 13
#: Replicas that the busiest minutes of a release need, from and to.
SIZES = ((1, 4), (5, 8), (9, 16), (17, 1000))


def compare(releases: int, hours: float) -> list[tuple[Policy, Outcome, Outcome]]:
    """Each policy in a day with bursts, and under a load that does not change."""
    day = traffic.day(SEED, releases, hours)
    steady = traffic.constant(SEED, releases, hours / 3)
    rows = []
    for quarters in (False, True):
        of_day, of_steady = (policies.ours([*map(int, each.starts)], quarters) for each in (day, steady))
        rows.append((of_day, simulation.run(of_day, day), simulation.run(of_steady, steady)))
    for policy in policies.PUBLISHED:
        rows.append((policy, simulation.run(policy, day), simulation.run(policy, steady)))
    return rows


def by_size(day: Fleet) -> str:
    """In Markdown: down a replica at a time beside a quarter of them, for small releases and large ones."""
    lines = [
        "| needs | releases | over 2.5 s | by a quarter | replica-hours | by a quarter |",
        "|---|---|---|---|---|---|",
    ]
    for least, most in SIZES:
        part = day.of_need(least, most)
        if part.releases:
            starts = [*map(int, part.starts)]
            one, quarter = (simulation.run(policies.ours(starts, quarters), part) for quarters in (False, True))
            lines.append(
                f"| {least} to {part.need.max()} | {part.releases} | {one.share_late:.2%} | {quarter.share_late:.2%} | "
                f"{one.replica_hours:.0f} | {quarter.replica_hours:.0f} |"
            )
    return "\n".join(lines)


def table(rows: Sequence[tuple[Policy, Outcome, Outcome]], releases: int) -> str:
    """In Markdown. Ratios are beside the first row. Flaps are a release's scale-downs under a load that is constant."""
    first = rows[0][1]
    lines = [
        "| what counts | over 2.5 s | beside ours | replica-hours | beside ours | most, beside need | flaps a day |",
        "|---|---|---|---|---|---|---|",
    ]
    for policy, day, steady in rows:
        late = day.share_late / first.share_late if first.share_late else 0
        flaps = steady.scale_downs / steady.hours * 24 / releases
        lines.append(
            f"| {policy.name} | {day.share_late:.2%} | {late:.1f} | {day.replica_hours:.0f} | "
            f"{day.replica_hours / first.replica_hours:.2f} | {day.beyond:.1f} | {flaps:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="an hour of few releases: shows that it works")
    short = parser.parse_args().short
    releases, hours = (6, 1.0) if short else (RELEASES, 24.0)
    begun = time.monotonic()
    rows = compare(releases, hours)
    print(f"{releases} releases, {hours:g} hours, starts of {traffic.STARTS[0]} to {traffic.STARTS[1]} s")
    print(table(rows, releases))
    ours = rows[0][1]
    print()
    print(by_size(traffic.day(SEED, releases, hours)))
    print()
    print(bears.table(bears.of(releases, ours.replica_hours / ours.hours)))
    print(f"\nin {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
