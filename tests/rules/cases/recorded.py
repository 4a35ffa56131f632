"""What recording rules come to: sums over pods and ranks, shares, and what each window looks back on."""

from collections.abc import Sequence

from tests.rules.engine_page import MODEL, Labels
from tests.rules.scenario import Recording, Replica, elsewhere, replica, two_ranks
from tests.rules.timeline import phases, seconds

OF_MODEL: Labels = {"model_name": MODEL}
ALL: Labels = {}
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
COUNTED = ("1h", "6h", "1d", "3d")
STEP = 60
FOUR_DAYS = "serving for 4d1m"

#: Requests a second, and how many of them were bad: more, the nearer to the end. No two windows have the same share.
BAD = (
    "+0.01/s for 1d, +0.04/s for 2d, +0.08/s for 18h, +0.15/s for 4h, "
    "+0.3/s for 1h, +0.5/s for 30m, +0.6/s for 25m, +0.9/s"
)
#: With the requests changed likewise, no two windows have the same number of them per second.
REQUESTS = "+1/s for 1d, +1.1/s for 2d, +1.3/s for 18h, +1.5/s for 4h, +1.6/s"


def grown(timeline: str, window: str) -> float:
    """What Prometheus says that a counter gains in the last `window` of four days.

    That is the difference between the window's samples, the first of which is a minute later than the window begins,
    extrapolated to the window.
    """
    length, end = seconds(window), seconds("4d")
    gained, at = 0.0, 0
    parts = phases(timeline, STEP)
    for number, phase in enumerate(parts):
        until = end if number == len(parts) - 1 else at + phase.steps * STEP
        rate = float(phase.word.removeprefix("+").removesuffix("/s"))
        gained += rate * max(0, until - max(at, end - length + STEP))
        at = until
    return gained * length / (length - STEP)


def one(value: float, labels: Labels = ALL) -> Sequence[tuple[Labels, float]]:
    return [(labels, value)]


def shares(record: str) -> dict[str, Sequence[tuple[Labels, float]]]:
    """Of each window, of three replicas' and ranks' sum, of which one has all that was bad."""
    return {f"vllm_release:{record}:ratio_rate{w}": one(grown(BAD, w) / grown(REQUESTS, w) / 3) for w in WINDOWS}


def counts(record: str) -> dict[str, Sequence[tuple[Labels, float]]]:
    return {f"vllm_release:{record}:increase{w}": one(3 * grown(REQUESTS, w)) for w in COUNTED}


def three(**bad: str) -> list[Replica]:
    """A replica of two ranks, one of which has all that is bad, another replica, and releases elsewhere."""
    good = {name: REQUESTS for name in bad if not name.endswith(("_slow", "_5xx"))}
    return [two_ranks("a", FOUR_DAYS, good, {**good, **bad}), replica("b", FOUR_DAYS, **good)]


DAYS = [
    Recording(
        "four days of first tokens and of tokens",
        [
            *three(ttft=REQUESTS, ttft_slow=BAD, itl=REQUESTS, itl_slow=BAD),
            *elsewhere(replica("a", FOUR_DAYS, ttft="+5/s", ttft_slow="+5/s", itl="+5/s", itl_slow="+5/s")),
        ],
        "4d",
        {**shares("ttft_slow"), **shares("itl_slow"), **counts("first_tokens")},
        step=STEP,
        evaluated_every="12h",
    ),
    Recording(
        "four days of requests",
        [
            replica("a", FOUR_DAYS, http_2xx=REQUESTS),
            replica("b", FOUR_DAYS, http_2xx=REQUESTS),
            replica("c", FOUR_DAYS, http_4xx=REQUESTS, http_5xx=BAD, health_5xx="+3/s", models="+3/s"),
            *elsewhere(replica("a", FOUR_DAYS, http_5xx="+5/s")),
        ],
        "4d",
        {
            **{
                f"vllm_release:http_errors:ratio_rate{w}": one(grown(BAD, w) / (3 * grown(REQUESTS, w) + grown(BAD, w)))
                for w in WINDOWS
            },
            **{f"vllm_release:http_requests:increase{w}": one(3 * grown(REQUESTS, w) + grown(BAD, w)) for w in COUNTED},
        },
        step=STEP,
        evaluated_every="12h",
    ),
]

MINUTES = [
    Recording(
        "requests of two replicas, of which one has two ranks",
        [
            replica("a", "serving for 10m", running="8", waiting="3", deferred="2"),
            two_ranks("b", "serving for 10m", {"running": "4", "waiting": "1"}, {"running": "5"}),
            *elsewhere(replica("a", "serving for 10m", running="100", waiting="100")),
        ],
        "9m",
        {"vllm_release:requests_in_flight:sum": one(23, OF_MODEL)},
    ),
    Recording(
        "tokens and prefixes of two replicas, of which one has two ranks",
        [
            replica(
                "a", "serving for 20m", prompt_tokens="+1/s for 10m, +100/s", generation_tokens="+2/s for 10m, +10/s"
            ),
            two_ranks(
                "b",
                "serving for 20m",
                {
                    "prompt_tokens": "+20/s",
                    "generation_tokens": "+3/s",
                    "prefix_queries": "+8/s",
                    "prefix_hits": "+2/s",
                },
                {"prefix_queries": "+1/s for 10m, +12/s", "prefix_hits": "+1/s for 10m, +3/s"},
            ),
            *elsewhere(
                replica(
                    "a",
                    "serving for 20m",
                    prompt_tokens="+7/s",
                    generation_tokens="+7/s",
                    prefix_queries="+7/s",
                    prefix_hits="+7/s",
                )
            ),
        ],
        "15m",
        {
            "vllm_release:tokens:rate5m": [
                ({**OF_MODEL, "kind": "prompt"}, 120),
                ({**OF_MODEL, "kind": "generation"}, 13),
            ],
            "vllm_release:prefix_hits:ratio_rate5m": one(0.25, OF_MODEL),
        },
    ),
    Recording(
        "requests, and never a 5xx: none are bad, which is not the same as nothing known",
        [replica("a", "serving for 20m", http_2xx="+1/s")],
        "15m",
        {"vllm_release:http_errors:ratio_rate5m": one(0)},
    ),
]

RECORDINGS = [*DAYS, *MINUTES]
