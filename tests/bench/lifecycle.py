"""What the benches of the life cycle share: a namespace of a live cluster, and what was measured there."""

import contextlib
import dataclasses
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.e2e.clients import pod_name
from tests.e2e.profiles import Profile
from tests.e2e.releases import Installation
from tests.e2e.starts import first_token
from tests.e2e.traffic import Window
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import OK, RESET_IDLE, Options
from vllm_chart.load.report import Report, upper_bound

Json = dict[str, Any]

SERVED = "san-francisco"
# Short answers hide what is cut; alike ones compare.
LOAD = Options(
    url="", model=SERVED, clients=12, max_tokens=256, answer_seconds=15, duration_seconds=3600, timeout_seconds=120
)
MANY = dataclasses.replace(LOAD, clients=96, max_tokens=32, duration_seconds=7200, timeout_seconds=600)
MANY_REQUESTS = 10_000
READY_SECONDS = 900


class Bench:
    """A cluster, a namespace in it, and what was measured there."""

    def __init__(self, cluster: Cluster, helm: Helm, profile: Profile, namespace: str, set_: Sequence[str]) -> None:
        self.cluster, self.helm, self.profile, self.namespace, self.set_ = cluster, helm, profile, namespace, set_
        self.part = ""
        self.numbers: dict[str, Json] = {}

    def begin(self, part: str) -> None:
        """What is noted from now on belongs to this part."""
        self.part = part
        self.numbers[part] = {"measured": time.strftime("%F %R UTC", time.gmtime())}

    def note(self, what: str, value: object) -> None:
        self.numbers[self.part][what] = value
        print(f"{what:<64} {value}", flush=True)

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        command = self.cluster.kubectl(f"--namespace={self.namespace}", *arguments)
        done = subprocess.run(command, input=stdin, check=check, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def chart(self, *set_: str) -> Installation:
        more = (*self.set_, *set_)
        return Installation(self.helm, self.cluster, self.profile, self.namespace, "llm", self.profile.article, more)

    @contextlib.contextmanager
    def applied(self, *objects: Json) -> Iterator[None]:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", "--filename=-", stdin=manifest)
        try:
            yield
        finally:
            self.kubectl("delete", "--wait", "--ignore-not-found", "--filename=-", stdin=manifest)

    def first_token(self, service: str, install: Callable[[], object]) -> float:
        """Seconds from the beginning of `install` to the first token that comes through a Service."""
        return first_token(self.cluster, self.namespace, service, SERVED, install)


def new_version() -> str:
    """An annotation that rolls the pods."""
    return f"podAnnotations.version={secrets.token_hex(3)}"


def names(release: Installation) -> list[str]:
    return [pod_name(pod) for pod in release.engines()]


def note_window(bench: Bench, who: str, window: Window) -> None:
    report = window.report
    lost = {kind: count for kind, count in report.counts.items() if kind != OK}
    bench.note(f"{who}, {window.change}: requests", len(report.records))
    bench.note(f"{who}, {window.change}: lost", f"{len(window.lost())} {lost or ''}".strip())


def note_total(bench: Bench, what: str, made: Mapping[str, int], report: Report) -> None:
    """What all changes came to. made: how often each was made."""
    bench.note(f"{what}: planned changes", ", ".join(f"{count} {change}" for change, count in made.items()))
    bench.note(f"{what}: requests", len(report.records))
    bench.note(f"{what}: median answer, s", round(report.latencies["total"][50], 1))
    bench.note(f"{what}: lost", report.failed)
    bench.note(f"{what}: idle connections reset", report.counts.get(RESET_IDLE, 0))
    bound = upper_bound(report.failed, len(report.records))
    bench.note(f"{what}: with 95 % confidence, at most so many are lost", f"{bound:.3%}")
