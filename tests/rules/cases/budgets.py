"""Does it keep its promises? The alerts on budgets: a case for each window and branch, from what is recorded.

What is recorded is given, so that one window can be high and all others low. recorded.py has the cases that compute it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.rules.scenario import JOB, NAMESPACE, Case, Firing, elsewhere, fires, replica, written

SCOPE = {"namespace": NAMESPACE, "job": JOB}
STAGING = {"namespace": "staging", "job": JOB}
OTHER = {"namespace": NAMESPACE, "job": f"{NAMESPACE}/other-vllm"}
UP = {written("up", {**SCOPE, "pod": "a", "instance": "a:8000"}): "1"}
MIN_REQUESTS = 20
MANY: dict[str, str] = {}
NOTHING: dict[str, str] = {}


@dataclass(frozen=True)
class Budget:
    """A promise: what records its share of bad ones and how many there were, and how many may be bad."""

    name: str
    share: str
    requests: str
    budget: float


@dataclass(frozen=True)
class Branch:
    """A burn: both windows above so many times the budget, and enough requests in the long one."""

    alert: str
    long: str
    short: str
    times: float
    minutes: int  # of `for`

    def of(self, budget: Budget) -> str:
        return self.alert.replace("X", budget.name)


BUDGETS = [
    Budget("Error", "http_errors", "http_requests", 0.001),
    Budget("TTFT", "ttft_slow", "first_tokens", 0.05),
    Budget("ITL", "itl_slow", "first_tokens", 0.01),
]
BRANCHES = [
    Branch("VLLMXBudgetBurn", "1h", "5m", 14.4, 2),
    Branch("VLLMXBudgetBurn", "6h", "30m", 6, 2),
    Branch("VLLMXBudgetBurnSlow", "1d", "2h", 3, 15),
    Branch("VLLMXBudgetBurnSlow", "3d", "6h", 1, 15),
]
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def recorded(budget: Budget, shares: dict[str, str], requests: dict[str, str], scope: dict[str, str]) -> dict[str, str]:
    """Recorded series: shares of the windows named, none of the others; requests likewise, many in the others."""
    series = {window: shares.get(window, "0") for window in WINDOWS}
    counts = {window: requests.get(window, "1000") for window in ("1h", "6h", "1d", "3d")}
    return {
        **{written(f"vllm_release:{budget.share}:ratio_rate{window}", scope): of for window, of in series.items()},
        **{written(f"vllm_release:{budget.requests}:increase{window}", scope): of for window, of in counts.items()},
    }


def of_branch(budget: Budget, branch: Branch) -> Iterator[Case]:
    """Both windows high, each just too low, too few requests, as long as `for` and a little less, and elsewhere."""
    alert, minutes, limit = branch.of(budget), branch.minutes, branch.times * budget.budget
    high, low = f"{1.1 * limit:.6g}", f"{0.9 * limit:.6g}"
    both = {branch.long: high, branch.short: high}

    def case(
        name: str,
        shares: dict[str, str],
        firing: Firing | None = None,
        requests: dict[str, str] = MANY,
        beside: dict[str, str] = NOTHING,
    ) -> Case:
        extra = UP | recorded(budget, shares, requests, SCOPE) | beside
        title = f"{budget.name}, {branch.long} and {branch.short}: {name}"
        expected = ([firing], []) if firing else ([], [alert])
        return Case(title, [], *expected, extra, lasts=f"{minutes + 10}m")

    always = f"{minutes}m"
    yield case("high", both, fires(alert, always, value=float(high)))
    for lasts, firing in (("", None), ("30s", fires(alert, f"{5 + minutes}m to {5 + minutes}m30s"))):
        burst = f"0 for 5m, {high} for {minutes}m{lasts}, 0"
        yield case(f"high for {minutes}m{lasts}", {**both, branch.short: burst}, firing)
    yield case("the long window just too low", {**both, branch.long: low})
    yield case("the short window just too low", {**both, branch.short: low})
    yield case("high, of too few requests", both, requests={branch.long: f"{MIN_REQUESTS - 2}"})
    yield case("high, of just enough", both, fires(alert, always), requests={branch.long: f"{MIN_REQUESTS}"})
    others = [recorded(budget, both, MANY, scope) for scope in (STAGING, OTHER)]
    yield case("high elsewhere", {}, beside=others[0] | others[1])
    yield case("high, beside others that are not", both, fires(alert, always), beside=well(budget))


def well(budget: Budget) -> dict[str, str]:
    return recorded(budget, {}, MANY, STAGING) | recorded(budget, {}, MANY, OTHER)


GIVEN = [case for budget in BUDGETS for branch in BRANCHES for case in of_branch(budget, branch)]

#: The same from what is scraped: what is recorded comes to what the alerts ask for.
FAST = ["VLLMErrorBudgetBurn", "VLLMTTFTBudgetBurn", "VLLMITLBudgetBurn"]
SLOW = [f"{alert}Slow" for alert in FAST]
SERVING = "serving for 40m"
SCRAPED = [
    Case(
        "all is well",
        [
            replica(
                "a",
                SERVING,
                http_2xx="+1/s",
                stopped="+1/s",
                ttft="+1/s",
                ttft_slow="+0.04/s",
                itl="+40/s",
                itl_slow="+0.3/s",
            )
        ],
        silent=FAST + SLOW,
    ),
    Case(
        "two in a hundred are answered 5xx",
        [replica("a", SERVING, http_2xx="+0.98/s", http_5xx="+0.02/s")],
        [fires("VLLMErrorBudgetBurn", "2m30s", value=0.02), fires("VLLMErrorBudgetBurnSlow", "15m30s", value=0.02)],
    ),
    Case(
        "no first token comes in time, for a few requests",
        [replica("a", SERVING, stopped="+18/h", ttft="+18/h", ttft_slow="+18/h")],
        silent=FAST + SLOW,
    ),
    Case(
        "no first token comes in time",
        [
            replica("a", SERVING, stopped="+1/s", ttft="+1/s", ttft_slow="+1/s"),
            *elsewhere(replica("a", SERVING, ttft="+9/s")),
        ],
        [fires("VLLMTTFTBudgetBurn", "2m30s", value=1), fires("VLLMTTFTBudgetBurnSlow", "15m30s", value=1)],
    ),
    Case(
        "a fifth of the tokens is late",
        [replica("a", SERVING, stopped="+1/s", ttft="+1/s", itl="+50/s", itl_slow="+10/s")],
        [fires("VLLMITLBudgetBurn", "2m30s", value=0.2), fires("VLLMITLBudgetBurnSlow", "15m30s", value=0.2)],
    ),
    Case(
        "health checks fail, requests do not",
        [replica("a", SERVING, http_2xx="+1/s", http_4xx="+1/s", health_5xx="+1/s")],
        silent=["VLLMErrorBudgetBurn"],
    ),
]

CASES = [*GIVEN, *SCRAPED]
