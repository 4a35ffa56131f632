"""The middleware of a pod that drains, by ASGI's own protocol: who is asked to leave, and what stays as it is."""

import asyncio
import os
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.programs import program

START = {"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive"), (b"x", b"y")]}
CHUNKS = [{"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}, {"type": "http.response.body"}]


@pytest.fixture
def draining(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    module = program("draining")
    monkeypatch.setattr(module, "MARK", str(tmp_path / "mark"))
    monkeypatch.setattr(module, "REST", 0)
    return module


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    for message in (START, *CHUNKS):
        await send(message)


def answer(middleware: Any, kind: str = "http", path: str = "/v1/completions") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(middleware({"type": kind, "path": path}, None, send))
    return sent


def test_before_the_end_nothing_is_changed(draining: ModuleType) -> None:
    assert answer(draining.Draining(app)) == [START, *CHUNKS]


def test_while_the_pod_drains_clients_are_asked_to_connect_anew(draining: ModuleType) -> None:
    middleware = draining.Draining(app)
    Path(draining.MARK).touch()

    assert answer(middleware) == [START | {"headers": [(b"x", b"y"), (b"connection", b"close")]}, *CHUNKS]
    assert answer(middleware, "websocket") == [START, *CHUNKS]


def test_who_is_turned_away_by_a_full_queue_learns_when_to_come_again(draining: ModuleType) -> None:
    full = {"type": "http.response.start", "status": 503, "headers": []}

    async def full_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send(full)

    assert answer(draining.Draining(full_app)) == [full | {"headers": [(b"retry-after", b"5")]}]
    assert answer(draining.Draining(app)) == [START, *CHUNKS]


def test_a_pod_that_drains_is_not_ready(draining: ModuleType) -> None:
    middleware = draining.Draining(app)
    assert answer(middleware, path="/health") == [START, *CHUNKS]

    Path(draining.MARK).touch()
    head, body = answer(middleware, path="/health")
    assert (head["status"], (b"connection", b"close") in head["headers"]) == (503, True)
    assert body["body"] == b"draining"


def test_the_mark_of_a_container_before_this_one_does_not_count(draining: ModuleType) -> None:
    Path(draining.MARK).touch()
    before = draining.container_start() - 1
    os.utime(draining.MARK, (before, before))

    assert answer(draining.Draining(app)) == [START, *CHUNKS]


def test_an_api_server_that_starts_late_leaves_the_mark_of_its_own_container(draining: ModuleType) -> None:
    Path(draining.MARK).touch()

    assert answer(draining.Draining(app)) == [START | {"headers": [(b"x", b"y"), (b"connection", b"close")]}, *CHUNKS]


def test_a_container_started_before_what_runs_in_it(draining: ModuleType) -> None:
    started = draining.container_start()
    assert 0 < started < time.time()
    assert abs(draining.container_start() - started) < 1


def test_when_the_engine_itself_says_when_to_come_again_that_stands(draining: ModuleType) -> None:
    full = {"type": "http.response.start", "status": 503, "headers": [(b"Retry-After", b"30")]}

    async def full_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send(full)

    assert answer(draining.Draining(full_app)) == [full]


@pytest.mark.parametrize("state", [None, SimpleNamespace(), SimpleNamespace(server=SimpleNamespace())])
def test_an_engine_that_keeps_its_server_elsewhere_starts_all_the_same(
    draining: ModuleType, state: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    started = []

    async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
        started.append(scope["type"])

    middleware = draining.Draining(lifespan)
    asyncio.run(middleware({"type": "lifespan", "app": SimpleNamespace(state=state)}, None, None))
    assert started == ["lifespan"]
    assert "draining: no connections at app.state.server" in capsys.readouterr().out


class Cycle:
    """uvicorn's request with its answer."""

    def __init__(self, response_complete: bool) -> None:
        self.response_complete = response_complete


class Connection:
    """uvicorn's protocol, of one connection."""

    def __init__(self, cycle: Cycle | None) -> None:
        self.cycle = cycle
        self.closed = False

    def shutdown(self) -> None:
        self.closed = True


def test_only_connections_at_rest_are_closed(draining: ModuleType) -> None:
    resting, working, new = Connection(Cycle(True)), Connection(Cycle(False)), Connection(None)
    used = Connection(Cycle(True))
    Path(draining.MARK).touch()

    async def look() -> None:
        closing = asyncio.create_task(draining.close_resting({resting, working, new, used}))
        await asyncio.sleep(0)
        used.cycle = Cycle(False)  # a request came in between two looks
        for _ in range(3):
            await asyncio.sleep(0)
        closing.cancel()

    asyncio.run(look())
    assert [c.closed for c in (resting, working, new, used)] == [True, False, False, False]
