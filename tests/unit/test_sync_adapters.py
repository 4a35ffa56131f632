"""The sidecar that keeps a running engine at a list of adapters, against a server that answers as vLLM does."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests import adapters
from tests.programs import PROGRAMS, program

KEY, TOKEN = "right-key", "a-token"


class Engine:
    """vLLM's routes for adapters, with its statuses and messages: entrypoints/openai/models/serving.py of 0.33
    (`_check_load_lora_adapter_request`, `load_lora_adapter`, `unload_lora_adapter`), and the middlewares in front."""

    def __init__(self, port: int = 0) -> None:
        self.adapters: dict[str, str] = {}
        self.asked: list[str] = []
        self.raises: dict[str, str] = {}
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def answer(self, status: int, content: Any) -> None:
                body = json.dumps(content).encode() if isinstance(content, dict) else str(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def error(self, status: int, message: str) -> None:
                self.answer(status, {"error": {"message": message, "type": "BadRequestError", "code": status}})

            def do_GET(self) -> None:
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    return self.answer(401, {"error": "Unauthorized"})
                base = {"id": "chat", "root": "/models/base", "parent": None}
                more = [{"id": name, "root": path, "parent": "chat"} for name, path in engine.adapters.items()]
                return self.answer(200, {"object": "list", "data": [base, *more]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.headers["Authorization"] != f"Bearer {KEY}" or self.headers["X-Adapter-Token"] != TOKEN:
                    return self.answer(403, {"error": {"message": "adapters are loaded from inside the pod alone"}})
                name, path = body["lora_name"], body.get("lora_path", "")
                engine.asked.append(f"{self.path.rpartition('/')[2].partition('_')[0]} {name}")
                if self.path == "/v1/unload_lora_adapter":
                    if name not in engine.adapters:
                        return self.error(404, f"The lora adapter '{name}' cannot be found.")
                    del engine.adapters[name]
                    return self.answer(200, f"Success: LoRA adapter '{name}' removed successfully.")
                if name == "chat":
                    return self.error(400, f"The lora adapter '{name}' conflicts with a served base model.")
                if not body["load_inplace"] and name in engine.adapters:
                    return self.error(400, f"The lora adapter '{name}' has already been loaded. …")
                if path in engine.raises:
                    return self.error(500, engine.raises[path])
                engine.adapters[name] = path
                return self.answer(200, f"Success: LoRA adapter '{name}' added successfully.")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.end()


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROGRAMS)  # as `python3 DIRECTORY/sync_adapters.py` has it
    return program("sync_adapters")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(module: ModuleType, engine: Engine, clock: Clock) -> Any:
    def look(adapter: dict[str, str]) -> str:
        return str(module.adapters.look_at(adapter, 16, ["org/model"]))

    return module.Keeper(module.Engine(engine.port, "http", KEY, TOKEN), look, clock)


def at(path: Path, name: str = "") -> dict[str, str]:
    return {"name": name or path.name, "source": str(path), "revision": "", "path": str(path)}


def test_the_engine_serves_what_the_list_says(keeper: Any, engine: Engine, tmp_path: Path) -> None:
    one, two, three = (at(adapters.make(tmp_path / name)) for name in ("one", "two", "three"))
    keeper.keep([one, two])
    assert list(engine.adapters) == ["one", "two"]
    assert keeper.ready

    engine.asked.clear()
    keeper.keep([one, two])
    assert not engine.asked

    keeper.keep([two, three])
    assert engine.asked == ["unload one", "load three"]
    assert list(engine.adapters) == ["two", "three"]


def test_new_weights_take_the_place_of_the_old_ones(keeper: Any, engine: Engine, tmp_path: Path) -> None:
    """No request of the name may find nothing under it: it is not unloaded first."""
    keeper.keep([at(adapters.make(tmp_path / "v1"), "sql")])
    engine.asked.clear()
    keeper.keep([at(adapters.make(tmp_path / "v2"), "sql")])
    assert engine.asked == ["load sql"]
    assert engine.adapters == {"sql": str(tmp_path / "v2")}


@pytest.mark.parametrize("kind", adapters.BROKEN)
def test_a_broken_one_leaves_the_others_alone(
    kind: str, keeper: Any, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, said = adapters.BROKEN[kind]
    broken = at(make(tmp_path / "broken"))
    if kind == "base":  # of a model that is not at hand, only the engine knows the width
        engine.raises[broken["path"]] = said = "The size of tensor a (256) must match the size of tensor b (512)"
    keeper.keep([broken, at(adapters.make(tmp_path / "good"))])
    assert keeper.ready, "what is broken for good must not keep the pod from serving the rest"
    assert list(engine.adapters) == (["good"] if said else ["broken", "good"])
    told = capsys.readouterr().out
    assert said in told
    keeper.keep([broken, at(tmp_path / "good")])
    assert "broken" not in capsys.readouterr().out, "each thing is said once"


def test_a_replacement_that_is_broken_leaves_the_old_one(keeper: Any, engine: Engine, tmp_path: Path) -> None:
    keeper.keep([at(adapters.make(tmp_path / "v1"), "sql")])
    keeper.keep([at(adapters.make(tmp_path / "v2", rank=32), "sql")])
    assert engine.adapters == {"sql": str(tmp_path / "v1")}
    assert keeper.ready


def test_what_failed_is_tried_again_later(keeper: Any, engine: Engine, clock: Clock, tmp_path: Path) -> None:
    adapter = at(adapters.make(tmp_path / "sql"))
    engine.raises[adapter["path"]] = "CUDA out of memory"
    for now, tries in ((0, 1), (5, 1), (11, 2), (25, 2), (32, 3)):
        clock.now = now
        keeper.keep([adapter])
        assert len(engine.asked) == tries, now
    del engine.raises[adapter["path"]]
    clock.now = 100
    keeper.keep([adapter])
    assert engine.adapters == {"sql": adapter["path"]}


def test_while_the_hub_is_busy_a_new_pod_waits(
    module: ModuleType, keeper: Any, engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    def busy(_: dict[str, str]) -> str:
        raise module.adapters.LaterError("acme/sql could not be fetched: 429")

    right = keeper.look
    keeper.look = busy
    adapter = at(adapters.make(tmp_path / "sql"))
    keeper.keep([adapter])
    assert not keeper.ready
    keeper.look, clock.now = right, 20
    keeper.keep([adapter])
    assert keeper.ready
    keeper.look = busy
    keeper.keep([adapter, at(tmp_path / "more")])
    assert keeper.ready, "a change of the list never takes a pod out of the Service"


def test_a_wrong_key_is_said_and_nothing_follows_from_it(module: ModuleType, engine: Engine, tmp_path: Path) -> None:
    keeper = module.Keeper(module.Engine(engine.port, "http", "wrong", TOKEN), lambda _: "")
    with pytest.raises(module.SilentError, match="HTTP 401: Unauthorized"):
        keeper.keep([at(tmp_path / "sql")])
    assert not keeper.ready


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_after_a_restart_all_are_back_before_ready(
    module: ModuleType, engine: Engine, keeper: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loops themselves, with a list that changes and an engine that ends and comes back on its port."""
    monkeypatch.setattr(module, "READY", tmp_path / "ready")
    monkeypatch.setattr(module, "PAUSE", 0.02)
    listed = tmp_path / "adapters.json"
    one, two = (at(adapters.make(tmp_path / name)) for name in ("one", "two"))
    listed.write_text(json.dumps([one]))
    done = threading.Event()
    threads = [
        threading.Thread(target=module.watch, args=(keeper, engine.port, done)),
        threading.Thread(target=module.run, args=(keeper, listed, done)),
    ]
    for thread in threads:
        thread.start()
    try:
        wait_for((tmp_path / "ready").exists)
        assert list(engine.adapters) == ["one"]
        listed.write_text(json.dumps([one, two]))
        wait_for(lambda: list(engine.adapters) == ["one", "two"])

        engine.end()
        wait_for(lambda: not (tmp_path / "ready").exists())
        again = Engine(engine.port)
        try:
            wait_for((tmp_path / "ready").exists)
            assert list(again.adapters) == ["one", "two"]
        finally:
            done.set()
            for thread in threads:
                thread.join()
            again.end()
    finally:
        done.set()
        engine.server.server_close()


def test_the_token_is_for_this_user_alone(module: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "token"
    first, second = module.write_token(path), module.write_token(path)
    assert first != second == path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_list_that_is_being_written_changes_nothing(module: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "adapters.json"
    assert module.read(path, None) is None
    path.write_text('[{"name"')
    assert module.read(path, ["before"]) == ["before"]
