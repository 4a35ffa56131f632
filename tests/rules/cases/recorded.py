"""What recording rules come to: sums over pods and ranks, shares, and what each window looks back on."""

from collections.abc import Sequence
from itertools import pairwise

from tests.rules.engine_page import MODEL, Labels
from tests.rules.scenario import Recording, elsewhere, replica, two_ranks
from tests.rules.timeline import duration, phases, seconds

OF_MODEL: Labels = {"model_name": MODEL}
ALL: Labels = {}
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
COUNTED = ("1h", "6h", "1d", "3d")
FOUR_DAYS = "serving for 4d1m"
#: Seconds between scrapes in these four days.
STEP = 60

#: How long before the end: requests a second from then on, and how many of them are bad. Both change within each
#: window, and within half and twice of it, so that no other window has the same number or share of them.
CHANGES = {
    "4d": (1, 0.01),
    "3d": (2, 0.05),
    "36h": (1.5, 0.1),
    "1d": (2.5, 0.15),
    "12h": (2, 0.2),
    "6h": (3, 0.3),
    "3h": (2.5, 0.4),
    "2h": (3.5, 0.5),
    "1h": (3, 0.6),
    "30m": (4, 0.8),
    "15m": (3.5, 1),
    "10m": (4.5, 1.3),
    "5m": (4, 1.6),
    "3m": (5, 2),
    "1m": (6, 3),
}


def changing(what: int) -> str:
    """The requests, or the bad ones, as a timeline."""
    lasts = [duration(seconds(age) - seconds(later)) for age, later in pairwise([*CHANGES, "0s"])]
    return ", ".join(f"+{rates[what]}/s for {last}" for rates, last in zip(CHANGES.values(), lasts, strict=True))


REQUESTS, BAD = changing(0), changing(1)


def grown(timeline: str, window: str, end: str = "4d", step: int = STEP) -> float:
    """What Prometheus says that a counter gains in the last `window` before `end`.

    That is the difference between the window's samples, the first of which is a step later than the window begins,
    extrapolated to the window.
    """
    length, last = seconds(window), seconds(end)
    gained, at = 0.0, 0
    parts = phases(timeline, step)
    for number, phase in enumerate(parts):
        until = last if number == len(parts) - 1 else at + phase.steps * step
        rate = float(phase.word.removeprefix("+").removesuffix("/s"))
        gained += rate * max(0, until - max(at, last - length + step))
        at = until
    return gained * length / (length - step)


def one(value: float, labels: Labels = ALL) -> Sequence[tuple[Labels, float]]:
    return [(labels, value)]


def shares(record: str) -> dict[str, Sequence[tuple[Labels, float]]]:
    """In each window, of what three replicas and ranks do, where two have some that are bad."""
    return {f"vllm_release:{record}:ratio_rate{w}": one(2 * grown(BAD, w) / grown(REQUESTS, w) / 3) for w in WINDOWS}


def answered(window: str) -> float:
    """All that three replicas answer, the 5xx of two among them."""
    return 3 * grown(REQUESTS, window) + 2 * grown(BAD, window)


GOOD = {"ttft": REQUESTS, "itl": REQUESTS}
SOME_BAD = {**GOOD, "ttft_slow": BAD, "itl_slow": BAD}
DAYS = [
    Recording(
        "four days of first tokens and of tokens",
        [
            two_ranks("a", FOUR_DAYS, GOOD, SOME_BAD),
            replica("b", FOUR_DAYS, **SOME_BAD),
            *elsewhere(replica("a", FOUR_DAYS, ttft="+5/s", ttft_slow="+5/s", itl="+5/s", itl_slow="+5/s")),
        ],
        "4d",
        {
            **shares("ttft_slow"),
            **shares("itl_slow"),
            **{f"vllm_release:first_tokens:increase{w}": one(3 * grown(REQUESTS, w)) for w in COUNTED},
        },
        step=STEP,
        evaluated_every="12h",
    ),
    Recording(
        "four days of requests",
        [
            replica("a", FOUR_DAYS, http_2xx=REQUESTS),
            replica("b", FOUR_DAYS, http_2xx=REQUESTS, http_5xx=BAD),
            replica("c", FOUR_DAYS, http_4xx=REQUESTS, http_5xx=BAD),
            replica("d", FOUR_DAYS, health_5xx=BAD, models_5xx=BAD, tokenize_5xx=BAD),
            *elsewhere(replica("a", FOUR_DAYS, http_5xx="+5/s")),
        ],
        "4d",
        {
            **{f"vllm_release:http_errors:ratio_rate{w}": one(2 * grown(BAD, w) / answered(w)) for w in WINDOWS},
            **{f"vllm_release:http_requests:increase{w}": one(answered(w)) for w in COUNTED},
        },
        step=STEP,
        evaluated_every="12h",
    ),
]

#: A quarter of an hour, of which the last five minutes are asked for.
UNEVEN = "+{0}/s for 10m, +{1}/s for 2m, +{2}/s for 2m, +{3}/s"
PROMPT, GENERATION = UNEVEN.format(1, 100, 40, 160), UNEVEN.format(2, 10, 4, 30)
QUERIES, HITS = UNEVEN.format(1, 12, 6, 20), UNEVEN.format(1, 3, 2, 1)


def a_second(timeline: str) -> float:
    """What a counter gains, at a quarter past, in the mean of five minutes."""
    return grown(timeline, "5m", "15m", 30) / 300


TOKENS = {"prompt_tokens": "+20/s", "generation_tokens": "+3/s"}
PREFIXES = {"prefix_queries": "+8/s", "prefix_hits": "+2/s"}
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
            replica("a", "serving for 20m", prompt_tokens=PROMPT, generation_tokens=GENERATION),
            two_ranks("b", "serving for 20m", TOKENS | PREFIXES, {"prefix_queries": QUERIES, "prefix_hits": HITS}),
            *elsewhere(replica("a", "serving for 20m", **TOKENS, prefix_queries="+7/s", prefix_hits="+7/s")),
        ],
        "15m",
        {
            "vllm_release:tokens:rate5m": [
                ({**OF_MODEL, "kind": "prompt"}, a_second(PROMPT) + 20),
                ({**OF_MODEL, "kind": "generation"}, a_second(GENERATION) + 3),
            ],
            "vllm_release:prefix_hits:ratio_rate5m": one((a_second(HITS) + 2) / (a_second(QUERIES) + 8), OF_MODEL),
        },
    ),
    Recording(
        "requests, and never a 5xx: none are bad, which is not the same as nothing known",
        [replica("a", "serving for 20m", http_2xx="+1/s")],
        "15m",
        {f"vllm_release:http_errors:ratio_rate{w}": one(0) for w in WINDOWS},
    ),
]

RECORDINGS = [*DAYS, *MINUTES]
