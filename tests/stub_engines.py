"""Engines that answer as vLLM's server does, and remember what reached them: for what stands in front of engines."""

import dataclasses
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that reached an engine. headers: their names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Engine(ThreadingHTTPServer):
    """One engine, on a port of its own.

    seen: every request that reached it but for those for its health, in order.
    status: what it answers to any of them; health: what it answers about that.
    breaks: "" for none; as an engine that dies, the connection is closed ("close") or reset ("reset") when a request
    has been read, or ends within its stream ("cut").
    go_on: a stream waits for it before its last part, for `patience` seconds at most; with `late`, before its first
    byte too.
    """

    daemon_threads = True
    request_queue_size = 1024  # of a burst, none is to connect again

    def __init__(
        self, name: str, address: str = "127.0.0.1", port: int = 0, handler: "type[Handler] | None" = None
    ) -> None:
        super().__init__((address, port), handler or Handler)
        self.name = name
        self.seen: list[Seen] = []
        self.status = self.health = 200
        self.breaks = ""
        self.go_on = threading.Event()
        self.go_on.set()
        self.patience = 60.0
        self.late = False
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def die(self) -> None:
        """As a process that is killed: its connections end, and new ones are refused."""
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with suppress(OSError):  # that has ended already
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """Reads a request, and answers what it asks for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or headers and body, two writes, are 40 ms apart
    server: Engine

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/health":
            self._answer(self.server.health, {})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append(Seen(self.command, self.path, headers, body))
        self.answer(_asked(body))

    def answer(self, asked: dict[str, Any]) -> None:
        """asked: the body's JSON."""
        if self.server.breaks:
            self._break(self.server.breaks)
        elif self.server.status == 200 and asked.get("stream"):
            self._stream(int(asked.get("words", 2)), float(asked.get("pause", 0)))
        else:
            text = " ".join([self.server.name] * int(asked.get("words", 1)))
            self._answer(self.server.status, {"choices": [{"message": {"content": text}}], "usage": USAGE})

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every other method is answered as GET is."""
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _stream(self, words: int, pause: float) -> None:
        """So many words, each a chunk of its own and seconds apart, then, once it may go on, the usage and the end."""
        if self.server.late:
            self.server.go_on.wait(self.server.patience)
        self._begin_stream()
        for number in range(words):
            time.sleep(pause)
            self._event({"choices": [{"delta": {"content": f"{self.server.name}{number}"}}]})
        self.server.go_on.wait(self.server.patience)
        self._event({"choices": [], "usage": USAGE})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _break(self, how: str) -> None:
        if how == "cut":
            self._begin_stream()
            self._event({"choices": [{"delta": {"content": self.server.name}}]})
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _event(self, data: dict[str, Any]) -> None:
        self._chunk(b"data: %s\n\n" % json.dumps(data).encode())

    def _chunk(self, text: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def log_message(self, *_: object) -> None:
        pass


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


@contextmanager
def engine(name: str, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Engine]:
    """Yield an engine that serves; port 0 is one that is free."""
    server = Engine(name, address, port)
    if tls:  # hands are shaken by the thread of the connection, so that no client holds up another
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
