"""What the endpoint says of requests that it refuses itself, in the words that OpenAI's clients read: a real Envoy."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.envoy import Proxy, endpoint
from tests.stub_engines import Engine

VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}, "qwen3": {"service": "qwen"}},
    "clients": {"secretName": "keys", "allow": {"notebooks": ["qwen3"]}},
    "timeouts": {"requestSeconds": 1},
    # What counts requests asks for the route, and so before the model is known.
    "limits": {"default": {"requestsPerMinute": 1000}},
}
KEYS = {"app": "key", "notebooks": "notebooks-key"}


@pytest.fixture(scope="module")
def running(llama: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    hosts = {f"{name}.default.svc.cluster.local": ("127.0.0.1", llama.port) for name in ("llama", "qwen")}
    with endpoint(tmp_path_factory.mktemp("endpoint"), VALUES, KEYS, hosts) as proxy:
        proxy.until(lambda: proxy.ask("key").ok, "a healthy engine")
        yield proxy


@pytest.fixture
def proxy(running: Proxy, llama: Engine) -> Proxy:
    llama.seen.clear()
    return running


def told(answer: http.client.HTTPResponse | requests.Response) -> tuple[int, str, str]:
    """An error's status, type and code, once it has all that a client reads."""
    status, text = (
        (answer.status_code, answer.content)
        if isinstance(answer, requests.Response)
        else (answer.status, answer.read())
    )
    said = json.loads(text)["error"]
    assert said.keys() == {"message", "type", "param", "code"}
    assert said["message"], said
    return status, said["type"], said["code"]


WHOLE = "Host: a\r\nAuthorization: Bearer key\r\nContent-Type: application/json\r\n"
ASKED = f"POST /v1/completions HTTP/1.1\r\n{WHOLE}"
INVALID = "invalid_request_error"
REFUSED: dict[str, tuple[str, tuple[int, str, str]]] = {
    "an escaped slash": (
        f"POST /v1%2fcompletions HTTP/1.1\r\n{WHOLE}Content-Length: 0\r\n\r\n",
        (400, INVALID, "bad_request"),
    ),
    "no host": ("POST /v1/completions HTTP/1.1\r\nAuthorization: Bearer key\r\n\r\n", (400, INVALID, "bad_request")),
    "no HTTP": ("hello\r\n\r\n", (400, INVALID, "bad_request")),
    "a chunk without a length": (
        f"{ASKED}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\nno\r\n",
        (400, INVALID, "bad_request"),
    ),
    "no model": (f"{ASKED}Content-Length: 2\r\n\r\n{{}}", (400, INVALID, "model_missing")),
    "an upgrade": (
        f"GET /v1/realtime HTTP/1.1\r\n{WHOLE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        (403, INVALID, "upgrade_refused"),
    ),
    "a body that does not come": (f"{ASKED}Content-Length: 200\r\n\r\n{{}}", (408, INVALID, "request_timeout")),
    "headers that do not come": (f"{ASKED}Content-Length: 200\r\n", (408, INVALID, "request_timeout")),
    "another method": (f"PUT /v1/completions HTTP/1.1\r\n{WHOLE}\r\n", (405, INVALID, "method_not_allowed")),
    "another path": (f"GET /v1 HTTP/1.1\r\n{WHOLE}\r\n", (404, INVALID, "path_not_found")),
    "a wrong key": (
        "GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer no\r\n\r\n",
        (401, "authentication_error", "invalid_api_key"),
    ),
}


@pytest.mark.parametrize(("sent", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_each_refusal_has_words_and_a_code_of_its_own(
    proxy: Proxy, llama: Engine, sent: str, expected: tuple[int, str, str]
) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 30) as connection:
        connection.sendall(sent.encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert told(answer) == expected
    assert not llama.seen


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_model_that_is_not_there_is_told_to_every_client(proxy: Proxy, key: str) -> None:
    for name in ("llama4", "org/name", ""):
        answer = requests.get(f"{proxy.url}/v1/models/{name}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert told(answer) == (404, INVALID, "model_not_found"), name
