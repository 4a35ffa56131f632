"""Looks at a release, one after the other: what its pods are, and what their engines counted since the last look."""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.cluster import workloads
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError
from vllm_chart.live.engine_log import stages
from vllm_chart.live.top import pods, readings, ways
from vllm_chart.live.top.pods import Replica
from vllm_chart.observe.page import PageError
from vllm_chart.rendered.workload import ENGINE

#: A start's log is read so often, and no more of it.
LOG_SECONDS, LOG_LINES = 10.0, 2000
#: Engines are asked side by side: one that does not answer holds up no other.
AT_ONCE = 16


@dataclasses.dataclass(frozen=True)
class Row:
    """A replica at a moment. What is not known is None."""

    replica: Replica
    stage: str = ""
    """Of a start: "load"; empty where it serves, or its log can't be read."""
    stage_seconds: float | None = None
    reading: readings.Reading | None = None
    tokens_in: float | None = None
    """Prompt tokens per second, cached ones included."""
    tokens_out: float | None = None
    counted: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """What was counted in the last minute."""
    error: str = ""
    """Why its engine did not answer, though it should."""


@dataclasses.dataclass(frozen=True)
class Look:
    """A release at a moment."""

    release: str
    namespace: str
    at: datetime
    rows: Sequence[Row]
    error: str = ""
    """Why the API server did not say which pods there are: the rows are those of the last look then."""


@dataclasses.dataclass
class _Start:
    """How far a pod's start was when its log was last read."""

    read_at: float
    stage: str
    since: float


class Watcher:
    """Looks at a release. Leaving the context closes what it holds open."""

    def __init__(self, cluster: Cluster, release: str, namespace: str, timeout_seconds: float) -> None:
        self._cluster = cluster
        self._release = release
        self._namespace = namespace
        self._timeout = timeout_seconds
        self._ways = ways.Ways(cluster, namespace, timeout_seconds)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="top")
        self._windows: dict[str, readings.Window] = {}
        self._starts: dict[str, _Start] = {}
        self._last: Look | None = None

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ways.__exit__(*exception)

    def look(self) -> Look:
        """Look once. An API server that does not answer is told of, and the next look may find it back.

        Raises UnavailableError where the first look fails, or there is no such release.
        """
        try:
            with asking_the_api_server():
                found = pods.replicas(self._pods())
        except UnavailableError as error:
            if self._last is None:
                raise
            return dataclasses.replace(self._last, at=_now(), error=str(error))
        if not found and self._last is None:
            self._require_release()
        there = {replica.uid: replica for replica in found}
        self._forget(there)
        rows = [*self._pool.map(self._row, found)]
        self._last = Look(self._release, self._namespace, _now(), rows)
        return self._last

    def _pods(self) -> list[dict[str, Any]]:
        # resourceVersion 0: out of the API server's cache, without a question to etcd.
        selector = f"app.kubernetes.io/instance={self._release}"
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        query = {"labelSelector": selector, "resourceVersion": "0"}
        answer = json.loads(self._cluster.get(path, timeout_seconds=self._timeout, **query))
        return answer.get("items") or []

    def _require_release(self) -> None:
        selector = f"app.kubernetes.io/instance={self._release}"
        with asking_the_api_server():
            if workloads.find(self._cluster, self._namespace, selector).workloads:
                return  # scaled to 0, or its pods are refused
        raise UnavailableError(
            f"there is no release {self._release!r} of the chart in namespace {self._namespace}: "
            "`helm list --all-namespaces` shows what there is"
        )

    def _forget(self, there: Mapping[str, Replica]) -> None:
        self._ways.keep(there)
        self._windows = {uid: window for uid, window in self._windows.items() if uid in there}
        self._starts = {uid: start for uid, start in self._starts.items() if uid in there}

    def _row(self, replica: Replica) -> Row:
        if replica.phase == pods.LOADING:
            return self._loading(replica)
        if not replica.answers:
            return Row(replica)
        window = self._windows.setdefault(replica.uid, readings.Window())
        try:
            reading = readings.read(self._ways.page(replica), time.monotonic())
        except (ways.NoAnswerError, PageError) as error:
            # One that ends may be gone before its pod is.
            said = "" if replica.phase == pods.DRAINING else str(error)
            return Row(replica, counted=window.counted(), error=said)
        window.add(reading)
        return Row(
            replica,
            reading=reading,
            tokens_in=window.rate(readings.PROMPTS),
            tokens_out=window.rate(readings.GENERATED),
            counted=window.counted(),
        )

    def _loading(self, replica: Replica) -> Row:
        self._windows.pop(replica.uid, None)
        now = time.monotonic()
        start = self._starts.get(replica.uid)
        if start is None or now - start.read_at >= LOG_SECONDS:
            start = self._starts[replica.uid] = self._read_start(replica, now)
        return Row(replica, stage=start.stage, stage_seconds=now - start.since if start.stage else None)

    def _read_start(self, replica: Replica, now: float) -> _Start:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{replica.name}/log"
        query = {"container": ENGINE, "tailLines": str(LOG_LINES), "timestamps": "true"}
        try:
            log = self._cluster.get(path, timeout_seconds=self._timeout, **query).decode(errors="replace")
        except (client.ApiException, urllib3.exceptions.HTTPError):  # not the caller's to read, or not there yet
            return _Start(now, "", now)
        progress = stages.progress(log, replica.started or _now(), _now())
        return _Start(now, progress.stage.name, now - progress.seconds)


def _now() -> datetime:
    return datetime.now(UTC)
