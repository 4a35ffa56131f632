"""What a load's records come to: latencies, failures by kind, and how often at most a request may fail."""

import collections
import dataclasses
import json
import math
import time
from collections.abc import Sequence

from vllm_chart.findings import Finding, Severity, has_errors
from vllm_chart.load import asker
from vllm_chart.load.asker import Options, Record

CONFIDENCE = 0.95
PERCENTILES = (50, 90, 99, 100)
_BISECTIONS = 60

_MEANINGS = {
    asker.REFUSED: (
        "connections refused",
        "nothing listens behind the service: `vllm-chart diagnose` says why no pod is ready",
    ),
    asker.UNREACHABLE: ("connections not established", "look at the name, the network policies, and the nodes"),
    asker.RESET_IDLE: (
        "kept-alive connections reset as the next request came: it was not begun, and a client may send it again",
        "the server's keep-alive timeout is to be longer than that of whatever is in front of it",
    ),
    asker.RESET: (
        "requests reset before the answer began",
        "a pod went with requests on it: its grace period has to hold the longest answer (shutdown.drainSeconds)",
    ),
    asker.RESET_MID_ANSWER: (
        "answers cut by a reset",
        "a pod was killed at its work: its grace period has to hold the longest answer (shutdown.drainSeconds)",
    ),
    asker.TRUNCATED: (
        "answers that ended too early",
        "a pod was killed at its work: its grace period has to hold the longest answer (shutdown.drainSeconds)",
    ),
    asker.TIMEOUT: ("answers not whole in time", "give --timeout more, or the service less to do"),
    asker.WRONG: ("answers other than those asked for", "the engine's log says more"),
    "http-401": ("answers HTTP 401", f"write the API key in the environment variable {asker.API_KEY_VARIABLE}"),
    "http-404": ("answers HTTP 404", "name a model that is served with --model"),
    "http-503": ("answers HTTP 503", "the queue is full: more replicas, or fewer requests at a time"),
}
_OTHER_STATUS = "the engine's log says more"


@dataclasses.dataclass(frozen=True)
class Report:
    """A load and what became of it. `whole` is false where it was interrupted."""

    options: Options
    records: Sequence[Record]
    whole: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """How many requests ended in each kind, most frequent first; `ok` is one."""
        return dict(collections.Counter(record.kind for record in self.records).most_common())

    @property
    def failed(self) -> int:
        """Requests without a whole and right answer; `reset-idle` apart, which the service never saw."""
        return sum(count for kind, count in self.counts.items() if kind not in (asker.OK, asker.RESET_IDLE))

    @property
    def findings(self) -> list[Finding]:
        """One for each kind of failure."""
        return [self._finding(kind, count) for kind, count in self.counts.items() if kind != asker.OK]

    @property
    def latencies(self) -> dict[str, dict[int, float]]:
        """Seconds by percentile, of whole answers: `first_token` of those that were streamed, `total` of all."""
        whole = [record for record in self.records if record.kind == asker.OK]
        first = [record.first_token_seconds for record in whole if record.first_token_seconds is not None]
        latencies = {"first_token": first, "total": [record.seconds for record in whole]}
        return {name: percentiles(seconds) for name, seconds in latencies.items() if seconds}

    def _finding(self, kind: str, count: int) -> Finding:
        meaning, remedy = _MEANINGS.get(kind, (f"answers {kind.upper().replace('-', ' ')}", _OTHER_STATUS))
        first = next(record for record in self.records if record.kind == kind)
        when = time.strftime("%H:%M:%S", time.gmtime(first.ended))
        message = f"{count} {meaning}; the first at {when} UTC after {first.seconds:.1f} s: {first.detail}"
        severity: Severity = "warning" if kind == asker.RESET_IDLE else "error"
        return Finding(f"load-{kind}", self.options.url, message, remedy, severity)


def percentiles(seconds: Sequence[float]) -> dict[int, float]:
    """The nearest-rank percentiles, 100 being the maximum."""
    ordered = sorted(seconds)
    return {percent: ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in PERCENTILES}


def upper_bound(failed: int, requests: int) -> float:
    """The failure rate (0 to 1) that is not exceeded with a confidence of 95 %: Clopper and Pearson's, one-sided.

    It is the rate at which so few failures come up once in twenty times. Without failures that is about 3 / requests.
    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934), p. 404.
    """
    if failed >= requests:
        return 1.0
    low, high = failed / requests, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _at_most(failed, requests, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(failed: int, requests: int, rate: float) -> float:
    """The binomial distribution's probability of so many failures or fewer; 0 < rate < 1."""
    logs = (
        math.lgamma(requests + 1)
        - math.lgamma(count + 1)
        - math.lgamma(requests - count + 1)
        + count * math.log(rate)
        + (requests - count) * math.log1p(-rate)
        for count in range(failed + 1)
    )
    return math.fsum(map(math.exp, logs))


def to_human(report: Report) -> str:
    """The report for a person: what was asked, the latencies, the failures."""
    requests = len(report.records)
    if not requests:
        return "no request came to its end"
    first, last = (pick([r.started if pick is min else r.ended for r in report.records]) for pick in (min, max))
    reused = sum(record.reused for record in report.records)
    closed = sum(record.asked_to_close for record in report.records)
    lines = [
        f"{requests} requests in {last - first:.0f} s, {sum(record.streamed for record in report.records)} streamed, "
        f"{reused} over a connection that was kept alive; {closed} times the server asked to close it",
        "",
        f"{'seconds':<12}" + "".join(f"{f'p{percent}' if percent < 100 else 'max':>9}" for percent in PERCENTILES),
    ]
    for name, latencies in report.latencies.items():
        lines.append(f"{name.replace('_', ' '):<12}" + "".join(f"{value:9.2f}" for value in latencies.values()))
    bound = upper_bound(report.failed, requests)
    lines += ["", f"failed: {report.failed} of {requests}; with 95 % confidence, at most {bound:.2%} of requests fail"]
    lines += [f"  {count:>6}  {kind}" for kind, count in report.counts.items() if kind != asker.OK]
    if not report.whole:
        lines.append("interrupted: what was under way is not counted")
    return "\n".join([*lines, *map(str, report.findings)])


def to_json(report: Report) -> str:
    """The report for a machine: ok, whole, requests, failed, upper_bound, counts, latencies, options, findings."""
    requests = len(report.records)
    document = {
        "ok": not has_errors(report.findings),
        "whole": report.whole,
        "requests": requests,
        "failed": report.failed,
        "failure_rate_upper_bound": upper_bound(report.failed, requests) if requests else None,
        "counts": report.counts,
        "latencies": report.latencies,
        "options": dataclasses.asdict(report.options),
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
