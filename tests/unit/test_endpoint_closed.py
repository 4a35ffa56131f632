"""What the endpoint keeps from the engines: every route of every supported vLLM but those in `paths`, and requests that
are not what they seem. A real Envoy, in front of an engine that remembers what reached it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.envoy import Proxy, endpoint
from tests.stub_engines import Engine
from tests.unit.test_endpoint import raw
from vllm_chart import helm, support
from vllm_chart.charts import ENDPOINT
from vllm_chart.helm import HelmError
from vllm_chart.values.paths import PATHS

#: What `python -m ci.routes` has read in the source of each release, by release.
ROUTES: dict[str, list[dict[str, Any]]] = {
    file.stem: json.loads(file.read_text())["routes"]
    for file in sorted((Path(__file__).parent / "data" / "routes").glob("*.json"))
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
LARGEST = 65536
VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}},
    "clients": {"secretName": "keys"},
    "maxBodyBytes": LARGEST,
}
BODY, JSON, KEY = '{"model": "llama3"}', "Content-Type: application/json", "Authorization: Bearer key"


@pytest.fixture(scope="module")
def running(llama: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    hosts = {"llama.default.svc.cluster.local": ("127.0.0.1", llama.port)}
    with endpoint(tmp_path_factory.mktemp("endpoint"), VALUES, {"app": "key"}, hosts) as proxy:
        proxy.until(lambda: proxy.ask("key").ok, "a healthy engine")
        yield proxy


@pytest.fixture
def proxy(running: Proxy, llama: Engine) -> Proxy:
    llama.seen.clear()
    return running


# Routes


def test_the_routes_of_every_supported_release_are_known() -> None:
    assert {*ROUTES} == {*support.VLLM}
    for routes in ROUTES.values():
        assert {"/pause", "/metrics", "/invocations", "/v1/load_lora_adapter"} <= {route["path"] for route in routes}


@pytest.mark.parametrize("release", ROUTES)
def test_no_route_of_an_engine_is_open_but_those_in_paths(proxy: Proxy, llama: Engine, release: str) -> None:
    """Each path, as it is and with a slash at its end, by each method."""
    open_, wrong = {*PATHS}, {}
    for path in sorted({route["path"].replace("{response_id}", "resp_1") for route in ROUTES[release]}):
        for method in METHODS:
            for asked in (path, f"{path}/"):
                llama.seen.clear()
                status = raw(proxy, f"{method} {asked} HTTP/1.1", "Host: a", KEY, JSON, body=BODY)
                expected = 404
                if asked in open_:
                    expected = 200 if method == "POST" else 405
                elif (method, asked) == ("GET", "/v1/models"):
                    expected = 200
                reached = [(one.method, one.path) for one in llama.seen]
                if (status, reached) != (expected, [(method, asked)] if expected == 200 and asked in open_ else []):
                    wrong[method, asked] = (status, reached)
    assert wrong == {}


@pytest.mark.parametrize("release", ROUTES)
def test_what_is_open_is_a_route(release: str) -> None:
    taken = {route["path"] for route in ROUTES[release] if "POST" in route["methods"]}
    assert {*PATHS} <= taken


#: Parts of vLLM's source whose routes are for those who run an engine, and no questions to a model.
OPERATORS = (
    "FastAPI",
    "vllm/entrypoints/rl/",
    "vllm/entrypoints/serve/",
    "vllm/entrypoints/launchers",
    "vllm/entrypoints/cli",
)
QUESTIONS = ("/tokenize", "/detokenize", "/tokenizer_info")


@pytest.mark.parametrize("release", ROUTES)
def test_what_changes_an_engine_cannot_be_opened(release: str) -> None:
    paths = {route["path"] for route in ROUTES[release] if route["where"].startswith(OPERATORS)} - {*QUESTIONS}
    assert len(paths) > 30
    for path in sorted(paths):
        with pytest.raises(HelmError, match=rf"paths: {path} "):
            helm.render(chart=ENDPOINT.folder, values=VALUES | {"paths": [path]})


@pytest.mark.parametrize("release", ROUTES)
def test_every_question_to_a_model_can_be_opened(release: str) -> None:
    questions = sorted(
        route["path"]
        for route in ROUTES[release]
        if route["methods"] == ["POST"] and not route["where"].startswith(OPERATORS) and "{" not in route["path"]
    )
    forms = {"/v1/audio/transcriptions", "/v1/audio/translations"}
    paths = [path for path in questions if "abort" not in path and path not in forms]
    assert forms <= {*questions}
    assert {*PATHS} - {*QUESTIONS} <= {*paths}
    assert helm.render(chart=ENDPOINT.folder, values=VALUES | {"paths": paths})


# Bodies


def body_of(size: int) -> str:
    start, end = '{"model": "llama3", "user": "', '"}'
    return start + "x" * (size - len(start) - len(end)) + end


def test_one_byte_too_much_is_too_much(proxy: Proxy, llama: Engine) -> None:
    headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}
    for size, status in ((LARGEST - 1, 200), (LARGEST, 200), (LARGEST + 1, 413), (LARGEST * 2, 413)):
        llama.seen.clear()
        answer = requests.post(f"{proxy.url}/v1/completions", data=body_of(size), headers=headers, timeout=30)
        assert (size, answer.status_code, len(llama.seen)) == (size, status, int(status == 200))
        if status == 413:
            assert answer.json()["error"]["code"] == "request_too_large"
            assert answer.headers["content-type"] == "application/json"


def test_32_mib_fit_by_default(llama: Engine, tmp_path: Path) -> None:
    values = {key: value for key, value in VALUES.items() if key != "maxBodyBytes"}
    hosts = {"llama.default.svc.cluster.local": ("127.0.0.1", llama.port)}
    headers = {"Content-Type": "application/json"}
    with endpoint(tmp_path, values, {"app": "key"}, hosts) as proxy:
        proxy.until(lambda: proxy.ask("key").ok, "a healthy engine")
        llama.seen.clear()
        whole, larger = (
            proxy.ask("key", json=None, data=body_of(size), headers=headers) for size in (33554432, 33554433)
        )

    assert (whole.status_code, larger.status_code) == (200, 413)
    assert [len(one.body) for one in llama.seen] == [33554432]


def test_a_body_in_chunks_is_measured_too(proxy: Proxy, llama: Engine) -> None:
    headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}

    def parts(size: int) -> Iterator[bytes]:
        whole = body_of(size).encode()
        yield from (whole[place : place + 10000] for place in range(0, size, 10000))

    for size, status in ((LARGEST, 200), (LARGEST + 1, 413)):
        answer = requests.post(f"{proxy.url}/v1/completions", data=parts(size), headers=headers, timeout=30)
        assert (size, answer.status_code) == (size, status)
    assert len(llama.seen) == 1


ODD_REQUESTS: dict[str, tuple[list[str], str, set[int]]] = {
    "no key behind Bearer": ([JSON, "Authorization: Bearer"], BODY, {401}),
    "Basic": ([JSON, "Authorization: Basic a2V5"], BODY, {401}),
    "a key without Bearer": ([JSON, "Authorization: key"], BODY, {401}),
    "two keys in a header": ([JSON, "Authorization: Bearer key, Bearer key"], BODY, {401}),
    "a key in another header": ([JSON, "X-Api-Key: key"], BODY, {401}),
    "a key with an underscore": ([JSON, "Author_ization: Bearer key"], BODY, {401}),
    "the digest as a key": (
        [JSON, "x-llm-key: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"],
        BODY,
        {401},
    ),
    "a very long key": ([JSON, f"Authorization: Bearer {'k' * 5000}"], BODY, {401}),
    "no host": ([JSON, KEY], BODY, {400}),
    "two lengths": ([JSON, KEY, "Host: a", "Content-Length: 5"], BODY, {0, 400}),
    "a length and chunks": ([JSON, KEY, "Host: a", "Transfer-Encoding: chunked"], BODY, {0, 400}),
    "chunks of another name": ([JSON, KEY, "Host: a", "Transfer-Encoding: xchunked"], BODY, {0, 400, 501}),
    "text": (["Content-Type: text/plain", KEY, "Host: a"], BODY, {400}),
    "a form": (["Content-Type: multipart/form-data; boundary=a", KEY, "Host: a"], BODY, {400}),
    "no type": ([KEY, "Host: a"], BODY, {400}),
    "two types": ([JSON, "Content-Type: text/plain", KEY, "Host: a"], BODY, {400}),
    "a space before a colon": ([JSON, KEY, "Host: a", "X : a"], BODY, {0, 400}),
}


@pytest.mark.parametrize(("lines", "body", "expected"), ODD_REQUESTS.values(), ids=ODD_REQUESTS.keys())
def test_an_odd_request_reaches_no_engine(
    proxy: Proxy, llama: Engine, lines: list[str], body: str, expected: set[int]
) -> None:
    hosts = [] if any(line.startswith("Host") for line in lines) or expected == {400} else ["Host: a"]
    status = raw(proxy, "POST /v1/completions HTTP/1.1", *hosts, *lines, body=body)

    assert (status in expected, len(llama.seen)) == (True, 0), status


@pytest.mark.parametrize(("header", "seen"), [("X: a\rb", "ab"), ("X: a\r\n b", "a b"), ("X: a\r\nY: b", "a")])
def test_a_header_is_one_line_to_the_engine(proxy: Proxy, llama: Engine, header: str, seen: str) -> None:
    assert raw(proxy, "POST /v1/completions HTTP/1.1", "Host: a", KEY, JSON, header, body=BODY) == 200
    assert llama.seen[0].headers["x"] == seen


REWRITES = ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Envoy-Original-Path", "X-HTTP-Method-Override")


@pytest.mark.parametrize("header", REWRITES)
def test_no_header_changes_the_path(proxy: Proxy, llama: Engine, header: str) -> None:
    assert proxy.ask("key", headers={header: "/pause"}).ok
    assert [(one.method, one.path) for one in llama.seen] == [("POST", "/v1/chat/completions")]
    assert proxy.ask("key", path="/pause", headers={header: "/v1/chat/completions"}).status_code == 404
    assert len(llama.seen) == 1


def test_a_compressed_body_names_no_model(proxy: Proxy, llama: Engine) -> None:
    answer = proxy.ask(
        "key",
        json=None,
        data=gzip.compress(BODY.encode()),
        headers={
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        },
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "model_missing")
    assert not llama.seen


def test_a_tunnel_is_not_dug(proxy: Proxy, llama: Engine) -> None:
    for target in (f"127.0.0.1:{llama.port}", "a:443", "/v1/completions"):
        assert raw(proxy, f"CONNECT {target} HTTP/1.1", f"Host: {target}", KEY) in (0, 400, 403, 404, 405)
    assert not llama.seen


def test_a_client_that_waits_is_told_to_go_on(proxy: Proxy, llama: Engine) -> None:
    """curl does it with bodies of more than 1 MiB."""
    assert raw(proxy, "POST /v1/completions HTTP/1.1", "Host: a", KEY, JSON, "Expect: 100-continue", body=BODY) in (
        100,
        200,
    )
    proxy.until(lambda: llama.seen, "the request")
