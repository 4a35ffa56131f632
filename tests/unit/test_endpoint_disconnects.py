"""Clients that go away before their answer is whole, as a real Envoy counts them."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.envoy import Proxy, endpoint
from tests.stub_engines import Engine, engine

VALUES: dict[str, Any] = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "keys"}}
LATE, WITHIN = 3, 4


@pytest.fixture
def llama() -> Iterator[Engine]:
    with engine("llama3") as one:
        yield one


def requests_by_code(proxy: Proxy) -> dict[str, float]:
    lines = re.findall(r"^envoy_llm_requests{(.*)} (\S+)$", proxy.metrics(), re.MULTILINE)
    labels = [(dict(re.findall(r'(\w+)="([^"]*)"', text)), float(count)) for text, count in lines]
    return {
        each["code"]: count for each, count in labels if each.get("client") == "app" and each.get("model") == "llama3"
    }


def leave(proxy: Proxy, llama: Engine, *, before: bool) -> None:
    """Ask for a stream, and go away before its first byte, or after it."""
    llama.late = before
    llama.go_on.clear()
    llama.seen.clear()
    body = json.dumps({"model": "llama3", "stream": True})
    lines = ("POST /v1/completions HTTP/1.1", "Host: a", "Authorization: Bearer key", "Content-Type: application/json")
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode())
        proxy.until(lambda: bool(llama.seen), "the request at the engine")
        if not before:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    llama.go_on.set()


def test_who_goes_away_is_counted_by_a_code_and_no_label_grows(tmp_path: Path, llama: Engine) -> None:
    addresses = {"llama.default.svc.cluster.local": ("127.0.0.1", llama.port)}
    with endpoint(tmp_path, VALUES, {"app": "key"}, addresses) as proxy:
        proxy.until(lambda: proxy.ask("key").ok, "a healthy engine")
        whole = requests_by_code(proxy)["200"]
        for before, times in ((True, LATE), (False, WITHIN)):
            for _ in range(times):
                leave(proxy, llama, before=before)
        proxy.until(lambda: sum(requests_by_code(proxy).values()) == whole + LATE + WITHIN, "all of them counted")

        assert requests_by_code(proxy) == {"0": LATE, "200": whole + WITHIN}
        assert len(llama.seen) == 1, "none is asked again"
