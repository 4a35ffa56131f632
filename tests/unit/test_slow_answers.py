"""How long an answer may take is for the whole of it, also where a server sends it a byte at a time."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from vllm_chart.live import smoke
from vllm_chart.load import asker

TIMEOUT_SECONDS = 0.4
PIECE_SECONDS = 0.05
"""Between two bytes: less than the timeout, which a wait for each read alone would never notice."""

MODELS = b'{"data": [{"id": "tiny"}]}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
LONG = b"x" * 400
ENDLESS = {
    "head": b"HTTP/1.1 200 OK\r\nServer: " + LONG,
    "body": WHOLE % len(LONG) + LONG,
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + LONG,
    "error": b"HTTP/1.1 500 Oh\r\nContent-Length: 400\r\n\r\n" + LONG,
}


class Server(socketserver.ThreadingTCPServer):
    """Lists a model at once, unless it is to be slow in that too, and sends every other answer a byte at a time."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: bytes, slow_from: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.slow_from = slow_from
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        try:
            path = self.rfile.readline().split()[1].decode()
            while self.rfile.readline().strip():
                pass
            if path.startswith(self.server.slow_from):
                self._drip()
            else:
                self.wfile.write(WHOLE % len(MODELS) + MODELS)
        except (OSError, IndexError):
            return  # the client has gone

    def _drip(self) -> None:
        for byte in self.server.answer:
            if self.server.over.wait(PIECE_SECONDS):
                return
            self.wfile.write(bytes([byte]))


Serve = Callable[[bytes, str], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(answer: bytes, slow_from: str) -> Server:
        server = Server(answer, slow_from)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return server

    yield start
    for server in servers:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Far less than the answers would take to their end, and more than a busy machine needs."""
    monkeypatch.setattr(asker, "_PAUSE_AFTER_FAILURE_SECONDS", 0.0)
    began = time.monotonic()
    yield
    assert time.monotonic() - began < len(LONG) * PIECE_SECONDS / 2


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("kind", ["head", "error"])
def test_smoke_waits_for_an_answer_as_long_as_it_was_told(serve: Serve, kind: str) -> None:
    server = serve(ENDLESS[kind], "/health")

    report = smoke.run(smoke.Endpoint(server.url), timeout_seconds=TIMEOUT_SECONDS)

    health, models = report.results[:2]
    assert (health.status, health.detail) == ("failed", "/health did not answer in 0.4 s")
    assert models.status == "passed"


@pytest.mark.usefixtures("at_once")
def test_smoke_waits_for_a_stream_as_long_as_it_was_told(serve: Serve) -> None:
    server = serve(ENDLESS["body"], "/v1/completions")

    report = smoke.run(smoke.Endpoint(server.url), timeout_seconds=TIMEOUT_SECONDS)

    late = [finding.message for finding in report.findings]
    assert "/v1/completions did not answer in 0.4 s" in late


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("streaming", [0.0, 1.0])
def test_load_waits_for_an_answer_as_long_as_it_was_told(serve: Serve, answer: bytes, streaming: float) -> None:
    server = serve(answer, "/v1/completions")
    options = asker.Options(
        server.url, requests=1, clients=1, streaming=streaming, timeout_seconds=TIMEOUT_SECONDS, max_tokens=3
    )

    (record,) = asker.Asker(options).records()

    assert record.kind == asker.TIMEOUT, record


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_load_waits_for_the_models_as_long_as_it_was_told(serve: Serve, answer: bytes) -> None:
    server = serve(answer, "/v1/models")

    with pytest.raises(asker.NoAnswerError, match=r"/v1/models did not answer in 0\.4 s"):
        list(asker.Asker(asker.Options(server.url, timeout_seconds=TIMEOUT_SECONDS)).records())


def test_a_whole_answer_is_read_as_before(serve: Serve) -> None:
    server = serve(b"", "/nothing")

    report = smoke.run(smoke.Endpoint(f"{server.url}/v1"), timeout_seconds=5)

    assert [result.detail for result in report.results[:2]] == ["the engine is alive", "it serves tiny"]
    assert json.loads(smoke.to_json(report))["results"][0]["status"] == "passed"
