"""An endpoint in front of stubs, and streams through it, for the benches of the endpoint."""

import itertools
import json
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import envoy
from tests.envoy import PATIENCE_SECONDS, Proxy, files, several
from tests.stub_engines import Engine

HOST = "llama.default.svc.cluster.local"
VALUES: dict[str, Any] = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "keys"}}
#: Of prompts: stubs answer faster than requests that begin alike are let through.
NUMBERS = itertools.count()


def say(what: str, value: str) -> None:
    print(f"{what:<58} {value}", flush=True)


@contextmanager
def serving(rendered: Mapping[str, str], keys: Mapping[str, str], threads: int = 1) -> Iterator[Proxy]:
    """Yield an endpoint that is ready. threads: Envoy's worker threads."""
    with tempfile.TemporaryDirectory() as folder, envoy.serving(Path(folder), rendered, keys, {}, threads) as proxy:
        yield proxy


@contextmanager
def in_front(
    engines: list[Engine], threads: int = 1, values: Mapping[str, Any] = VALUES, **keys: str
) -> Iterator[Proxy]:
    """Yield an endpoint in front of replicas of one model that it knows to be healthy. keys: more clients."""
    rendered = several(files(dict(values)), HOST, [one.port for one in engines])
    with serving(rendered, {"app": "key", **keys}, threads) as proxy:
        gauge = re.compile(r"^envoy_cluster_membership_healthy{.*} (\d+)$", re.MULTILINE)
        proxy.until(lambda: str(len(engines)) in gauge.findall(proxy.metrics()), "healthy replicas")
        yield proxy


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)


def asking(prompt: str, words: int = 2, pause: float = 0) -> bytes:
    """The request for a stream of so many words, seconds apart."""
    body = json.dumps({"model": "llama3", "stream": True, "prompt": prompt, "words": words, "pause": pause})
    lines = ("POST /v1/completions HTTP/1.1", "Host: a", "Authorization: Bearer key", "Content-Type: application/json")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def rest(stream: socket.socket, text: bytes = b"") -> bytes:
    """All that a stream says. text: what was read of it before, which may be all."""
    while not text.endswith(b"0\r\n\r\n"):
        more = stream.recv(65536)
        if not more:
            break
        text += more
    stream.close()
    return text
