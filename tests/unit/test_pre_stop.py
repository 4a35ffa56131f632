"""The preStop hook: it ends as soon as nobody is served, waits no longer than it may, and ends a loading engine."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from tests.programs import program

HOOK = Path(__file__).parents[2] / "charts/vllm/files/programs/pre_stop.py"

IDLE = 'vllm:num_requests_running{engine="0"} 0.0\nvllm:num_requests_waiting{engine="0"} 0.0\n'
BUSY = 'vllm:num_requests_running{engine="0"} 3.0\nvllm:num_requests_waiting{engine="0"} 2.0\n'
SECOND_RANK_BUSY = IDLE + BUSY.replace('"0"', '"1"')
NO_GAUGES = "python_info 1.0\n"


class Engine:
    """Stands in for an engine: /metrics of the moment, and a clock that runs only while the hook sleeps."""

    def __init__(self, states: list[str]) -> None:
        self.states = states
        self.now = 0.0
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = engine.states[min(int(engine.now), len(engine.states) - 1)]
                self.send_response(200 if said else 403)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return program("pre_stop")


@pytest.fixture
def engine(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Engine]]:
    """Starts an engine with a /metrics for each second, "" for one that may not be read, and so many clients."""
    started: list[Engine] = []

    def start(*states: str, clients: int = 0) -> Engine:
        started.append(Engine(list(states)))
        monkeypatch.setattr(hook, "time", started[-1])
        # The kernel's table is that of the machine, and lags behind the hook's own connections.
        monkeypatch.setattr(hook, "connections", lambda port: clients)
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()
        one.server.server_close()


def test_an_idle_engine_is_left_at_once(hook: ModuleType, engine: Callable[..., Engine]) -> None:
    idle = engine(IDLE)
    assert hook.drain(idle.port, "http", deadline=100) == "idle"
    assert idle.now <= 2


@pytest.mark.parametrize(
    "busy", [BUSY, SECOND_RANK_BUSY, IDLE.replace('waiting{engine="0"} 0', 'waiting{engine="0"} 1')]
)
def test_what_was_taken_is_finished(hook: ModuleType, engine: Callable[..., Engine], busy: str) -> None:
    working = engine(*[busy] * 20, IDLE)
    assert hook.drain(working.port, "http", deadline=100) == "idle"
    assert 20 <= working.now <= 22


def test_a_moment_between_two_requests_is_not_the_end(hook: ModuleType, engine: Callable[..., Engine]) -> None:
    working = engine(IDLE, *[BUSY] * 10, IDLE)
    assert hook.drain(working.port, "http", deadline=100) == "idle"
    assert working.now >= 11


def test_no_longer_than_it_may(hook: ModuleType, engine: Callable[..., Engine]) -> None:
    working = engine(BUSY)
    assert hook.drain(working.port, "http", deadline=30) == "time is up: requests left: 5, connections: 0"
    assert 30 <= working.now <= 31


def test_clients_that_only_hold_a_connection_are_waited_for_in_bounds(
    hook: ModuleType, engine: Callable[..., Engine]
) -> None:
    held = engine(IDLE, clients=3)
    assert hook.drain(held.port, "http", deadline=100) == "idle, with 3 connections that nobody uses"
    assert hook.IDLE_CONNECTIONS <= held.now <= hook.IDLE_CONNECTIONS + 2


@pytest.mark.parametrize("metrics", [NO_GAUGES, ""], ids=["statistics off", "not for everybody"])
def test_without_gauges_connections_tell(hook: ModuleType, engine: Callable[..., Engine], metrics: str) -> None:
    quiet = engine(metrics)
    assert hook.drain(quiet.port, "http", deadline=100) == "idle"
    busy = engine(metrics, clients=2)
    assert hook.drain(busy.port, "http", deadline=60) == "time is up: requests left: None, connections: 2"


def test_a_dead_engine_is_not_waited_for(hook: ModuleType, engine: Callable[..., Engine]) -> None:
    dead = engine(IDLE)
    dead.server.server_close()
    assert hook.drain(dead.port, "http", deadline=100) == "the engine is gone"


def test_connections_of_clients_are_counted(hook: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert hook.connections(port) == 0
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            assert hook.connections(port) == 2


#: PID 1 of a namespace, as vLLM is while it loads: deaf to SIGTERM, awake to the end of its child.
LOADING = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("loading", flush=True)
sys.exit(child.wait() and 3)
"""
#: Before there is a child, only Python's own handler hears. A job in the background inherits none.
IMPORTING = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
print("importing", flush=True)
time.sleep(600)
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]


@pytest.mark.skipif(
    not shutil.which("nsenter") or subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0,
    reason="needs a kernel that lets users have namespaces of their own",
)
@pytest.mark.parametrize("program", [LOADING, IMPORTING], ids=["with an engine process", "before"])
def test_an_engine_that_is_loading_goes_within_seconds(program: str, free_port: int) -> None:
    with subprocess.Popen([*NAMESPACE, sys.executable, "-c", program], stdout=subprocess.PIPE) as loading:
        try:
            assert loading.stdout
            assert loading.stdout.readline()
            first = Path(f"/proc/{loading.pid}/task/{loading.pid}/children").read_text().split()[0]
            enter = ["nsenter", "--user", "--preserve-credentials", "--pid", "--mount", f"--target={first}"]
            options = [f"--port={free_port}", "--propagation=60", "--drain=60"]
            subprocess.run([*enter, sys.executable, str(HOOK), *options], timeout=30)
            assert loading.wait(timeout=10) != 0
        finally:
            loading.kill()


def test_outside_of_a_container_nothing_is_killed(free_port: int) -> None:
    command = [sys.executable, str(HOOK), f"--port={free_port}", "--propagation=60", "--drain=60"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nothing is killed" in done.stderr


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (BUSY, 5),
        ("vllm:num_requests_running 2\nvllm:num_requests_waiting 1\n", 3),
        (BUSY.replace("\n", " 1700000000000\n"), 5),
        ("vllm:num_requests_running 2 1700000000000\n", 2),
        ('vllm:num_requests_running{model_name="a b} c"} 4.0\n', 4),
        (BUSY.replace("3.0", "NaN"), None),
        (BUSY.replace("3.0", "+Inf"), None),
        (BUSY.replace("3.0", "three"), None),
        ("vllm:num_requests_running\n", None),
        ("vllm:num_requests_running_total 9\n", None),
    ],
)
def test_a_gauge_is_read_as_prometheus_writes_it(
    hook: ModuleType, engine: Callable[..., Engine], said: str, left: int | None
) -> None:
    url = f"http://127.0.0.1:{engine(said).port}/metrics"
    opener = hook.urllib.request.build_opener(hook.urllib.request.ProxyHandler({}))
    assert hook.requests(url, opener, 5) == left


def test_what_the_log_has_stays_when_it_is_a_file(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text("loading\n")
    monkeypatch.setattr(hook, "LOG", str(log))
    hook.say("idle")
    assert log.read_text() == "loading\npreStop: idle\n"


def test_the_log_may_be_a_pipe(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setattr(hook, "LOG", f"/proc/self/fd/{write}")
    hook.say("idle")
    assert os.read(read, 100) == b"preStop: idle\n"
    os.close(read)
    os.close(write)
