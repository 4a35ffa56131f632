"""The middleware that has /health tell of an engine that hangs, against engines that answer, are late, die or hang."""

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.programs import program

HANGS = 24 * 3600.0


class Loop(asyncio.SelectorEventLoop):
    """Nothing takes time but sleeping, and that is over at once: the clock jumps to what comes next."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(seconds: float | None) -> Any:
            self.now += seconds or 0
            return select(0)

        selector.select = jump

    def time(self) -> float:
        return self.now


@pytest.fixture
def liveness(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = program("liveness")
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: asyncio.get_running_loop().time()))
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


def statuses(module: ModuleType, engine: Engine | None, *moments: float, path: str = "/health") -> list[int]:
    """What is answered so many seconds after the start."""

    async def live() -> list[int]:
        middleware = module.Liveness(vllm)
        end = asyncio.Event()
        state = SimpleNamespace(engine_client=engine)
        scope = {"type": "lifespan", "app": SimpleNamespace(state=state)}
        running = asyncio.create_task(middleware(scope, end.wait, None))
        sent = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        for moment in moments:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            await middleware({"type": "http", "path": path}, None, send)
        end.set()
        await running
        return [message["status"] for message in sent if "status" in message]

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(live())


def test_an_engine_that_answers_is_asked_again_and_again(liveness: ModuleType) -> None:
    engine = Engine(0)
    assert statuses(liveness, engine, 0, 60) == [200, 200]
    assert engine.asked in (12, 13)


def test_a_busy_engine_that_answers_late_is_left_alone(liveness: ModuleType) -> None:
    assert set(statuses(liveness, Engine(290), *range(0, 3600, 10))) == {200}


def test_an_engine_that_hangs_is_noticed(liveness: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert statuses(liveness, Engine(HANGS), 10, 290, 310, 320) == [200, 200, 503, 503]
    assert "the engine has not answered for 310 s" in capsys.readouterr().out


def test_requests_of_clients_are_none_of_its_business(liveness: ModuleType) -> None:
    assert statuses(liveness, Engine(HANGS), 310, path="/v1/completions") == [200]


def test_of_a_dead_engine_vllm_tells_by_itself(liveness: ModuleType) -> None:
    engine = Engine(-1)
    assert statuses(liveness, engine, 310, 320) == [200, 200]
    assert engine.asked > 1


def test_an_engine_that_wakes_up_is_well_again(liveness: ModuleType) -> None:
    assert statuses(liveness, Engine(400), 10, 310, 402) == [200, 503, 200]


def test_an_engine_that_is_kept_elsewhere_starts_all_the_same(
    liveness: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert statuses(liveness, None, 310) == [200]
    assert "liveness: no engine at app.state.engine_client" in capsys.readouterr().out
