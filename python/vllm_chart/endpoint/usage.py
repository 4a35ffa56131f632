"""What each client of an endpoint used of each model, out of the counters that Prometheus has of its replicas.

The counters are Envoy's, a series for each client, model, code and replica. One begins with its first request and not
with 0, so that `increase` alone would not see a client's first request at a replica. Here what a series began with
counts where it is known that there was nothing before: its replica was scraped at the beginning, or was young then.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from vllm_chart.findings import Finding, UnavailableError

REQUESTS, INPUT, OUTPUT = "envoy_llm_requests", "envoy_llm_input_tokens", "envoy_llm_output_tokens"
UPTIME = "envoy_server_uptime"
#: How long Prometheus takes a sample for the present (`--query.lookback-delta`), and how young a replica is.
LOOKBACK, YOUNG_SECONDS = "5m", 300
#: What answers without a failure.
FINE = "[23].."

Labels = Mapping[str, str]
Query = Callable[[str], Sequence[tuple[Labels, float]]]
"""Asks Prometheus, and gives the labels and the number of each series."""


@dataclasses.dataclass(frozen=True)
class Row:
    """What a client used of a model. A client without a name had no key; a model without one was asked for by none."""

    client: str
    model: str
    requests: float = 0
    errors: float = 0
    """Requests that were answered with 4xx or 5xx, or cut off by their client before an answer began."""
    input_tokens: float = 0
    output_tokens: float = 0


@dataclasses.dataclass(frozen=True)
class Usage:
    """Who used how much until a moment, and what is to say of it."""

    since: str
    at: datetime
    prometheus: str
    rows: Sequence[Row]
    findings: Sequence[Finding] = ()


def seconds(duration: str) -> int:
    """A duration as Prometheus writes it, "90m", "6h", "1d". Raises ValueError."""
    found = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", duration)
    if not found:
        raise ValueError(f"{duration!r} is no duration: write 30m, 6h, 1d or 2w")
    return int(found[1]) * {"m": 60, "h": 3600, "d": 86400, "w": 604800}[found[2]]


def expression(counter: str, job: str, since: str, more: str = "") -> str:
    """PromQL: how much a counter of an endpoint grew since then, by client and model.

    It is exact where no container was started again meanwhile, and what `increase` estimates where one was.

    job: "<namespace>/<fullname>". more: another matcher.
    """
    series = f"{counter}{{{', '.join(filter(None, (_of(job), more)))}}}"
    last, start = f"last_over_time({series}[{since}])", f"last_over_time({series}[{LOOKBACK}] offset {since})"
    fresh = f"{last} * 0 and on (namespace, pod, instance) ({_seen(job, since)})"
    began_anew = f"resets({series}[{seconds(since) + seconds(LOOKBACK)}s]) > 0"
    exact = f"({last} unless {began_anew}) - ({start} or {fresh})"
    return f"sum by (client, model) ({exact} or increase({series}[{since}]))"


def _of(job: str) -> str:
    return f"job={json.dumps(job)}"


def _seen(job: str, since: str) -> str:
    """The replicas of which it is known that a counter without a series was at 0: there then, or young when they were
    seen first."""
    uptime = f"{UPTIME}{{{_of(job)}}}"
    return f"last_over_time({uptime}[{LOOKBACK}] offset {since}) or min_over_time({uptime}[{since}]) < {YOUNG_SECONDS}"


def read(query: Query, job: str, since: str, prometheus: str, now: datetime | None = None) -> Usage:
    """Ask for the usage until now. prometheus: its name, for a person.

    Raises UnavailableError where Prometheus knows nothing of the endpoint; the text says why.
    """
    counters = {
        "requests": expression(REQUESTS, job, since),
        "errors": expression(REQUESTS, job, since, f'code!~"{FINE}"'),
        "input_tokens": expression(INPUT, job, since),
        "output_tokens": expression(OUTPUT, job, since),
    }
    found: dict[tuple[str, str], dict[str, float]] = {}
    for name, text in counters.items():
        for labels, value in query(text):
            if value > 0:
                found.setdefault((labels.get("client", ""), labels.get("model", "")), {})[name] = value
    rows = [Row(client, model, **numbers) for (client, model), numbers in sorted(found.items())]
    findings = [] if rows else _nothing(query, job, since, prometheus)
    if not query(_seen(job, since)) and rows:
        message = f"{prometheus} began to scrape the endpoint after {since} ago: what was before is not counted"
        findings.append(Finding("usage-whole", job, message, "", "warning"))
    findings += _without_tokens(rows)
    return Usage(since, now or datetime.now(UTC), prometheus, rows, findings)


def targets(job: str, since: str) -> str:
    """PromQL: the targets of an endpoint that Prometheus had since then; 1 where one answered."""
    return f"max_over_time(up{{{_of(job)}}}[{since}])"


def _nothing(query: Query, job: str, since: str, prometheus: str) -> list[Finding]:
    """Why there is no usage: nobody asked, or nobody scraped. Raises UnavailableError for the latter."""
    up = query(targets(job, since))
    if not up:
        raise UnavailableError(
            f"{prometheus} has no target with {_of(job)}: switch serviceMonitor, podMonitor "
            "or scrapeAnnotations on (docs/endpoint.md); --job names another one"
        )
    if not any(value for _, value in up):
        raise UnavailableError(f"{prometheus} can't scrape the endpoint: its page of targets says why, for {_of(job)}")
    return [Finding("usage-whole", job, f"nobody asked anything in the last {since}", "", "info")]


def _without_tokens(rows: Sequence[Row]) -> list[Finding]:
    """Models of which answers say no usage."""
    silent = {row.model for row in rows if row.model and row.requests > row.errors and not row.input_tokens}
    remedy = "write engine.args.enable-force-include-usage: true in its release, so that streams say their tokens too"
    message = "no answer to some clients said its tokens"
    return [Finding("usage-whole", f"models.{name}", message, remedy, "warning") for name in sorted(silent)]


# What is shown


def total(rows: Sequence[Row]) -> Row:
    """All rows together."""
    sums = {
        field.name: sum(getattr(row, field.name) for row in rows)
        for field in dataclasses.fields(Row)
        if field.name not in ("client", "model")
    }
    return Row("all", "", **sums)


def to_human(usage: Usage) -> str:
    """A table, by client and model, and what is to say of it."""
    lines = [f"{usage.since} until {usage.at:%Y-%m-%d %H:%M} UTC, by {usage.prometheus}", ""]
    if usage.rows:
        head = ("CLIENT", "MODEL", "REQUESTS", "ERRORS", "INPUT TOKENS", "OUTPUT TOKENS")
        told = [(row.client or "(no key)", row.model or "(none)", *_numbers(row)) for row in usage.rows]
        table = [head, *told, ("all", "", *_numbers(total(usage.rows)))]
        widths = [max(len(row[column]) for row in table) for column in range(len(head))]
        for row in table:
            cells = [
                text.ljust(width) if column < 2 else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    lines += [str(finding) for finding in usage.findings]
    return "\n".join(lines).rstrip()


def _numbers(row: Row) -> tuple[str, ...]:
    return tuple(f"{round(n):,}" for n in (row.requests, row.errors, row.input_tokens, row.output_tokens))


def to_json(usage: Usage) -> str:
    """One document."""
    document: dict[str, Any] = {
        "ok": True,
        "since": usage.since,
        "at": usage.at.isoformat(timespec="seconds"),
        "prometheus": usage.prometheus,
        "usage": [{"client": row.client, "model": row.model} | _plain(row) for row in usage.rows],
        "total": _plain(total(usage.rows)),
        "findings": [dataclasses.asdict(finding) for finding in usage.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _plain(row: Row) -> dict[str, int]:
    return {
        "requests": round(row.requests),
        "errors": round(row.errors),
        "inputTokens": round(row.input_tokens),
        "outputTokens": round(row.output_tokens),
    }
