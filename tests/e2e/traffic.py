"""Clients that ask a release without pause from inside its cluster, while something is done to it."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

from ci import versions
from tests.e2e.releases import Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import UnavailableError
from vllm_chart.live import smoke
from vllm_chart.load.asker import OK, RESET_IDLE, Options, Record
from vllm_chart.load.pod import LoadPod, Placement
from vllm_chart.load.report import Report, to_human

# Until the pod runs and so many answers are whole.
FLOW_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Window:
    """What was asked while a change was made: every request that was under way at any time of it."""

    change: str
    seconds: float
    report: Report

    def lost(self, *allowed: str) -> list[Record]:
        """Requests that came to no whole answer, but for those of a kind that is allowed. A connection that was reset
        while it lay idle is none: it is counted by itself."""
        fine = (OK, RESET_IDLE, *allowed)
        return [record for record in self.report.records if record.kind not in fine]

    def __str__(self) -> str:
        return f"{self.change}, {self.seconds:.0f} s:\n{to_human(self.report)}"


class Traffic(contextlib.AbstractContextManager["Traffic"]):
    """One generator in a pod of its own, whose kept-alive connections live through one change after the other."""

    def __init__(self, cluster: Cluster, placement: Placement, options: Options) -> None:
        self._options = options
        self._pod = LoadPod(cluster, placement, options)
        self._records: list[Record] = []
        self._error: UnavailableError | None = None
        self._over = False
        self._news = threading.Condition()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    @classmethod
    def on(cls, release: Installation, options: Options) -> "Traffic":
        """Ask a release through its Service."""
        front = smoke.inside(release.cluster, smoke.Release(release.name, release.namespace))
        placement = Placement(release.namespace, versions.CLIENT_IMAGE, front.labels, front.api_key_secret)
        return cls(release.cluster, placement, dataclasses.replace(options, url=front.url))

    def __exit__(self, *exception: object) -> None:
        self._pod.__exit__(*exception)
        self._collector.join(timeout=self._options.timeout_seconds)

    def _collect(self) -> None:
        try:
            for record in self._pod.records():
                with self._news:
                    self._records.append(record)
                    self._news.notify_all()
        except UnavailableError as error:
            self._error = error
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()

    @property
    def report(self) -> Report:
        """All that has ended so far."""
        return Report(self._options, list(self._records))

    def wait_for_answers(self, count: int) -> None:
        """Wait until so many requests have ended since the beginning."""
        self._wait(lambda: len(self._records) >= count, FLOW_SECONDS)

    def keep_on(self, seconds: float) -> None:
        """Let it go on for so long. Raises as soon as it can't."""
        with self._news:
            self._news.wait_for(lambda: self._over, seconds)
        assert self._error is None, self._error
        assert not self._over, "the load ended"

    def _wait(self, until: Callable[[], bool], seconds: float) -> None:
        with self._news:
            self._news.wait_for(lambda: self._over or until(), seconds)
        assert self._error is None, self._error
        assert until(), f"not in {seconds} s; so far: {to_human(self.report)}"

    @contextlib.contextmanager
    def through(self, change: str) -> Iterator[list[Window]]:
        """Make a change under traffic. The list gets its window once all that was under way in it has ended."""
        windows: list[Window] = []
        self.wait_for_answers(1)
        began = time.time()
        yield windows
        ended = time.time()
        self._wait(lambda: self._has_all_until(ended), self._options.timeout_seconds + FLOW_SECONDS)
        touched = [record for record in self._records if record.ended >= began and record.started <= ended]
        windows.append(Window(change, ended - began, Report(self._options, touched)))
        print(windows[0])

    def _has_all_until(self, moment: float) -> bool:
        """Requests are numbered as they are asked: what began before one that began later has a lower number."""
        later = [record.number for record in self._records if record.started > moment]
        return bool(later) and len([r for r in self._records if r.number < min(later)]) == min(later)
