"""The middleware that has /health tell of an engine that hangs, against engines that answer, are late, die or hang."""

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

MIDDLEWARE = Path(__file__).parents[2] / "charts/vllm/files/liveness.py"
HANGS = 3600.0


@pytest.fixture
def liveness(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("liveness", MIDDLEWARE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    return module


class Engine:
    """Says whether it sleeps so many seconds after it is asked; below 0, it dies of the question."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = 0

    async def is_sleeping(self) -> bool:
        self.asked += 1
        if self.seconds < 0:
            raise RuntimeError("EngineCore died")
        await asyncio.sleep(self.seconds)
        return False


async def vllm(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
    """The application under the middleware: it starts, answers everything with 200, and ends when it is told to."""
    if scope["type"] == "lifespan":
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200})


def statuses(module: ModuleType, engine: Engine, *moments: float, path: str = "/health") -> list[int]:
    """What is answered so many seconds after the start."""

    async def live() -> list[int]:
        middleware = module.Liveness(vllm)
        end = asyncio.Event()
        state = SimpleNamespace(engine_client=engine)
        scope = {"type": "lifespan", "app": SimpleNamespace(state=state)}
        running = asyncio.create_task(middleware(scope, end.wait, None))
        began, sent = time.monotonic(), []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        for moment in moments:
            await asyncio.sleep(began + moment - time.monotonic())
            await middleware({"type": "http", "path": path}, None, send)
        end.set()
        await running
        return [message["status"] for message in sent if "status" in message]

    return asyncio.run(live())


def test_an_engine_that_answers_is_asked_again_and_again(liveness: ModuleType) -> None:
    engine = Engine(0)
    assert statuses(liveness, engine, 0, 0.3) == [200, 200]
    assert engine.asked > 3


def test_a_busy_engine_that_answers_late_is_left_alone(liveness: ModuleType) -> None:
    assert statuses(liveness, Engine(0.15), *(moment / 20 for moment in range(12))) == [200] * 12


def test_an_engine_that_hangs_is_noticed(liveness: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert statuses(liveness, Engine(HANGS), 0.1, 0.3, 0.4) == [200, 503, 503]
    assert "the engine has not answered for 0 s" in capsys.readouterr().out


def test_requests_of_clients_are_none_of_its_business(liveness: ModuleType) -> None:
    assert statuses(liveness, Engine(HANGS), 0.3, path="/v1/completions") == [200]


def test_of_a_dead_engine_vllm_tells_by_itself(liveness: ModuleType) -> None:
    engine = Engine(-1)
    assert statuses(liveness, engine, 0.3, 0.4) == [200, 200]
    assert engine.asked > 1


def test_an_engine_that_wakes_up_is_well_again(liveness: ModuleType) -> None:
    assert statuses(liveness, Engine(0.4), 0.1, 0.3, 0.5) == [200, 503, 200]
