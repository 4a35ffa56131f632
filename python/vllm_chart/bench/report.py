"""What a bench's steps come to: the most that keeps the objectives, and how many requests a replica is to have."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vllm_chart.bench import driver
from vllm_chart.bench.subject import Objectives
from vllm_chart.facts import LOAD_SHARE
from vllm_chart.findings import Finding, has_errors

Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Step:
    """One load, and what came of it. Times are seconds, rates per second."""

    asked: Mapping[str, float]
    """`{"concurrency": 8}` or `{"rate": 2.5}`."""
    missed: Sequence[str]
    """The objectives that were not kept: of "errors", "ttft" and "itl"."""
    result: Json
    """What the tool wrote (vllm/benchmarks/serve.py)."""

    @property
    def keeps(self) -> bool:
        return not self.missed

    @property
    def concurrency(self) -> float:
        """Requests that the release had at a time, in the mean: what came in a second times how long each stayed.

        J. D. C. Little, A Proof for the Queuing Formula L = λW, Operations Research 9 (1961), p. 383. It is below
        what was asked for where clients had to begin one after the other.
        """
        return float(self.result["request_throughput"] * self.result["mean_e2el_ms"] / 1000)

    @property
    def load(self) -> float:
        """The concurrency that was asked for; at a rate, the one that came about."""
        return float(self.asked["concurrency"]) if "concurrency" in self.asked else self.concurrency

    @property
    def requests(self) -> int:
        return int(self.result["completed"] + self.result["failed"])

    def seconds(self, metric: str, share: float) -> float:
        """The time that this share of the requests (ttft) or tokens (itl) did not exceed."""
        return float(self.result[driver.percentile(metric, share)]) / 1000


@dataclasses.dataclass(frozen=True)
class Report:
    """A bench and what it measured. `whole` is false where it was interrupted."""

    release: str
    namespace: str
    replicas: int
    objectives: Objectives
    steps: Sequence[Step]
    findings: Sequence[Finding]
    whole: bool = True
    environment: Json = dataclasses.field(default_factory=dict)

    @property
    def knee(self) -> Step | None:
        """The largest load that keeps the objectives, with all that were smaller: one that is beyond a load that misses
        them was lucky. None where none does."""
        best = None
        for step in sorted(self.steps, key=lambda step: step.load):
            if not step.keeps:
                break
            best = step
        return best

    @property
    def is_passed(self) -> bool:
        """Whether more than the knee was tried, so that it is one."""
        return any(not step.keeps for step in self.steps)

    @property
    def requests_per_replica(self) -> int | None:
        """What `autoscaling.requestsPerReplica` is to be: three quarters of the knee, for each replica.

        What comes while the next replica starts has to find room in the quarter: the same share that the chart takes
        of `max-num-seqs` (docs/autoscaling.md). None without a knee.
        """
        if self.knee is None:
            return None
        return max(1, math.floor(LOAD_SHARE * self.knee.load / self.replicas))


def judged(report: Report) -> Report:
    """The report with what is to be said of its steps."""
    return dataclasses.replace(report, findings=[*report.findings, *_findings(report)])


def _findings(report: Report) -> list[Finding]:
    found = []
    where = f"release {report.namespace}/{report.release}"
    if report.steps and report.knee is None:
        least = min(report.steps, key=lambda step: step.load)
        found.append(
            Finding(
                "bench-objectives",
                where,
                f"even {_asked(least)} misses its objectives: {', '.join(least.missed)}",
                "promise less (slo), or give it a faster GPU, a smaller model or shorter prompts",
            )
        )
    elif report.steps and not report.is_passed:
        found.append(
            Finding(
                "bench-not-full",
                where,
                "it kept its objectives at all loads that were tried: it bears more",
                "try more: --most, or larger --concurrency or --rates",
                "warning",
            )
        )
    failed = sum(int(step.result["failed"]) for step in report.steps)
    if failed:
        found.append(
            Finding("bench-failed", where, f"{failed} requests failed", "`vllm-chart load` says how", "warning")
        )
    return found


def to_human(report: Report) -> str:
    """The report for a person: a line for each step, the knee, and what to write."""
    if not report.steps:
        return "\n".join(["no step came to its end", *map(str, report.findings)])
    objectives = report.objectives
    (ttft, ttft_share), (itl, itl_share) = objectives.ttft, objectives.itl
    columns: list[tuple[str, Callable[[Step], str]]] = [
        ("LOAD", _asked),
        ("REQUESTS", lambda step: str(step.requests)),
        ("REQ/S", lambda step: f"{step.result['request_throughput']:.2f}"),
        ("GOOD/S", lambda step: f"{step.result['request_goodput'] or 0:.2f}"),
        ("OUT/S", lambda step: f"{step.result['output_throughput']:.0f}"),
        ("AT A TIME", lambda step: f"{step.concurrency:.1f}"),
        (f"TTFT P{_percent(ttft_share)}", lambda step: _time(step.seconds("ttft", ttft_share))),
        (f"ITL P{_percent(itl_share)}", lambda step: _time(step.seconds("itl", itl_share))),
        ("ANSWER", lambda step: _time(step.result["mean_e2el_ms"] / 1000)),
        ("FAILED", lambda step: str(step.result["failed"])),
        ("", lambda step: "kept" if step.keeps else f"missed: {', '.join(step.missed)}"),
    ]
    rows = [[title for title, _ in columns]]
    rows += [[text(step) for _, text in columns] for step in sorted(report.steps, key=lambda step: step.load)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    lines = [
        f"{report.release} in {report.namespace}, {_replicas(report.replicas)}: first token within {_time(ttft)} for "
        f"{_percent(ttft_share)} %, each further one within {_time(itl)} for {_percent(itl_share)} %, "
        f"{_percent(objectives.errors)} % answered ({objectives.source})",
        "",
    ]
    for row in rows:
        first, *middle, last = zip(row, widths, strict=True)
        aligned = "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in middle), last[0]])
        lines.append(aligned.rstrip())
    lines += ["", _verdict(report)]
    if not report.whole:
        lines.append("it did not come to its end: a larger load may keep the objectives")
    if folder := report.environment.get("folder"):
        lines.append(f"kept in {folder}")
    return "\n".join([*lines, *map(str, report.findings)])


def told(step: Step) -> str:
    """A step that has ended, in a line."""
    verdict = "kept" if step.keeps else f"missed: {', '.join(step.missed)}"
    return f"{_asked(step)}: {step.result['request_throughput']:.2f} requests a second, objectives {verdict}"


def _verdict(report: Report) -> str:
    knee = report.knee
    if knee is None:
        return "no load keeps the objectives"
    least = "" if report.is_passed else "at least "
    return (
        f"{least}{knee.load:.0f} requests at a time keep the objectives\n"
        f"autoscaling.requestsPerReplica: {report.requests_per_replica}    # {LOAD_SHARE} of {knee.load:.0f}, for "
        f"{_replicas(report.replicas)}"
    )


def document(report: Report) -> dict[str, Any]:
    """The report for a machine: what `--output json` prints and summary.json has."""
    knee = report.knee
    return {
        "ok": not has_errors(report.findings),
        "whole": report.whole,
        "release": report.release,
        "namespace": report.namespace,
        "replicas": report.replicas,
        "slo": report.objectives.plain,
        "steps": [
            {**step.asked, "concurrencyMean": round(step.concurrency, 3), "missed": [*step.missed], **_plain(step)}
            for step in report.steps
        ],
        "knee": None if knee is None else {**knee.asked, "requestsAtATime": round(knee.load, 3)},
        "kneePassed": report.is_passed,
        "requestsPerReplica": report.requests_per_replica,
        "environment": dict(report.environment),
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
    }


#: Of what the tool writes: what a person compares.
_KEPT = (
    *("duration", "completed", "failed", "request_throughput", "request_goodput", "output_throughput"),
    *("total_token_throughput", "mean_ttft_ms", "mean_itl_ms", "mean_tpot_ms", "mean_e2el_ms"),
)


def _plain(step: Step) -> dict[str, Any]:
    percentiles = {name: value for name, value in step.result.items() if name[0] == "p" and name.endswith("_ms")}
    return {**{name: step.result.get(name) for name in _KEPT}, **percentiles}


def _asked(step: Step) -> str:
    if "rate" in step.asked:
        return f"{step.asked['rate']:g} a second"
    return f"{step.asked['concurrency']:g} at a time"


def _replicas(count: int) -> str:
    return f"{count} replica{'s' if count != 1 else ''}"


def _percent(share: float) -> str:
    return f"{round(share * 100, 4):g}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
