"""A stream that says nothing for long lives, through a real Envoy with what the chart renders.

`nox -s endpoint_silence -- 1800` is silent for half an hour; the usual run for seconds.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.envoy import PATIENCE_SECONDS, Proxy, endpoint
from tests.stub_engines import Engine, engine

HOST = "llama.default.svc.cluster.local"
VALUES: dict[str, Any] = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "keys"}}
SILENT_SECONDS = float(os.environ.get("ENDPOINT_SILENT_SECONDS", "3"))


def _stream(proxy: Proxy, results: list[Any]) -> None:
    """All that a stream says, or what it ended by."""
    try:
        answer = proxy.ask("key", more={"stream": True}, timeout=SILENT_SECONDS + PATIENCE_SECONDS)
        results.append(answer.content)
    except requests.RequestException as error:
        results.append(error)


def _silence(proxy: Proxy, one: Engine, seconds: float) -> tuple[Any, float]:
    """A stream of an engine that says nothing for so long: all of it, and how long it took."""
    one.patience = seconds + PATIENCE_SECONDS
    one.go_on.clear()
    before = len(one.seen)
    results: list[Any] = []
    asking = threading.Thread(target=_stream, args=(proxy, results))
    begun = time.monotonic()
    asking.start()
    proxy.until(lambda: len(one.seen) > before, "the stream")
    asking.join(seconds)
    one.go_on.set()
    asking.join(PATIENCE_SECONDS)
    return results[0], time.monotonic() - begun


@pytest.mark.parametrize("late", [False, True], ids=["within-an-answer", "before-an-answer"])
def test_a_silent_stream_lives(late: bool, tmp_path: Path) -> None:
    with engine("llama3") as one, endpoint(tmp_path, VALUES, {"app": "key"}, {HOST: ("127.0.0.1", one.port)}) as proxy:
        one.late = late
        said, seconds = _silence(proxy, one, SILENT_SECONDS)
        print(f"silent for {SILENT_SECONDS:.0f} s, the whole took {seconds:.0f} s")

    assert isinstance(said, bytes), said
    assert said.endswith(b"data: [DONE]\n\n")
    assert seconds >= SILENT_SECONDS


@pytest.mark.parametrize("late", [False, True], ids=["within-an-answer", "before-an-answer"])
def test_one_that_is_silent_for_too_long_is_cut(late: bool, tmp_path: Path) -> None:
    """Which `timeouts.silentSeconds` says; without it no test of silence could fail."""
    values = VALUES | {"timeouts": {"silentSeconds": 1}}
    with engine("llama3") as one, endpoint(tmp_path, values, {"app": "key"}, {HOST: ("127.0.0.1", one.port)}) as proxy:
        one.late = late
        said, _ = _silence(proxy, one, 4)

    if late:
        assert b'"code":"' in said, said
        assert b"[DONE]" not in said
    else:
        assert isinstance(said, requests.RequestException), said
