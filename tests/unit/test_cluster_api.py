"""A cluster's API that says nothing, or whose watches end before their time."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Pod

from tests.api_server import Objects, cluster_of, kubeconfig
from vllm_chart.cluster import api
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError
from vllm_chart.live import diagnose, smoke

PODS = "/api/v1/namespaces/ai/pods"


@contextlib.contextmanager
def silent(folder: Path, *said: bytes) -> Iterator[tuple[Path, list[socket.socket]]]:
    """The kubeconfig of a server that takes connections and never answers, and those that it took.

    said: with what it ends the first of them, an answer for each.
    """
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    if len(taken) <= len(said):
                        taken[-1].recv(65536)
                        taken[-1].sendall(said[len(taken) - 1])
                        taken[-1].shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield kubeconfig(folder, server.getsockname()[1]), taken
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(api, "WATCH_MARGIN_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
def test_an_api_server_that_says_nothing_is_waited_for_once(tmp_path: Path) -> None:
    with silent(tmp_path) as (file, taken):
        with (
            pytest.raises(UnavailableError, match=r"the API server does not answer: .*timed out"),
            Cluster(file) as cluster,
        ):
            diagnose.release("llm", "ai", cluster)
        assert len(taken) == 1
        with pytest.raises(UnavailableError, match=r"the API server does not answer: .*timed out"):
            smoke.run(smoke.Release("llm", "ai", kubeconfig=file))


@pytest.mark.usefixtures("impatient")
def test_a_watch_of_an_api_server_that_says_nothing(tmp_path: Path) -> None:
    with (
        silent(tmp_path) as (file, _),
        Cluster(file) as cluster,
        pytest.raises(UnavailableError, match="does not answer"),
        asking_the_api_server(),
    ):
        cluster.wait_for(cluster.core.list_namespaced_pod, "ai", until=is_running, timeout_seconds=1)


def is_running(pod: V1Pod) -> bool:
    return bool(pod.status and pod.status.phase == "Running")


def watched(*answers: Any) -> Objects:
    """Watches of pods, one after the other; the last for all that come then."""
    left = list(answers)
    return {PODS: lambda _, query: left.pop(0) if len(left) > 1 else left[0]}


def event(phase: str) -> bytes:
    pod = {"metadata": {"name": "a", "resourceVersion": "1"}, "status": {"phase": phase}}
    return json.dumps({"type": "ADDED", "object": pod}).encode() + b"\n"


GONE = json.dumps({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}).encode()


@pytest.mark.parametrize("first", [event("Pending"), b"", GONE + b"\n"], ids=["cut", "empty", "too old"])
def test_a_watch_that_ends_early_is_begun_again(first: bytes, tmp_path: Path) -> None:
    with cluster_of(watched(first, event("Running")), tmp_path) as cluster:
        found: V1Pod = cluster.wait_for(cluster.core.list_namespaced_pod, "ai", until=is_running, timeout_seconds=20)
    assert is_running(found)


def test_a_watch_whose_connection_is_lost_in_an_answer_is_begun_again(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(one), one) for one in (event("Pending"), event("Running"))]
    with silent(tmp_path, head + chunks[0], head + chunks[1]) as (file, _), Cluster(file) as cluster:
        found: V1Pod = cluster.wait_for(cluster.core.list_namespaced_pod, "ai", until=is_running, timeout_seconds=20)
    assert is_running(found)


def test_what_ends_every_watch_at_once_is_asked_once_a_second_up_to_the_end(tmp_path: Path) -> None:
    asked: list[str] = []
    begun = time.monotonic()
    with (
        cluster_of(watched(event("Pending")), tmp_path, asked) as cluster,
        pytest.raises(TimeoutError, match="condition not met in 2 s"),
    ):
        cluster.wait_for(cluster.core.list_namespaced_pod, "ai", until=is_running, timeout_seconds=2)
    assert time.monotonic() - begun >= 2
    assert 2 <= len(asked) <= 3
