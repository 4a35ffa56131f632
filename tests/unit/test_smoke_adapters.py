"""That smoke finds adapters without an effect, and those that are not there, on a server that answers as vLLM does."""

import json
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from vllm_chart.live import smoke
from vllm_chart.live.smoke.checks import Checks

Json = dict[str, Any]

USAGE = {"completion_tokens": 2}
#: How far each adapter's weights move an answer; that of "names" reaches no module, that of "tiny" too few digits.
SHIFTS = {"chat": 0.0, "sql": 0.31, "names": 0.0, "tiny": 0.000_004}


@contextmanager
def engine(task: str, *, served: tuple[str, ...] = tuple(SHIFTS), refused: str = "") -> Iterator[str]:
    """Yield the URL of an engine with adapters. task: completions, chat/completions or embeddings; refused: what it
    says to whoever asks for log-probabilities."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            card = [{"id": name, "parent": None if name == "chat" else "chat"} for name in served]
            self.answer(200, {"data": card} if self.path == "/v1/models" else {})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != f"/v1/{task}" or asked.get("stream"):
                self.answer(404, {"detail": "Not Found"})
            elif asked.get("logprobs") and refused:
                self.answer(400, {"error": {"message": refused}})
            else:
                self.answer(200, answer(task, SHIFTS[asked["model"]], bool(asked.get("logprobs"))))

        def answer(self, status: int, body: Mapping[str, Any]) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def answer(task: str, shift: float, scored: bool) -> Json:
    words, numbers = [" a", " city"], [-0.53 - shift, math.log(0.4) - shift]
    if task == "embeddings":
        return {"data": [{"embedding": numbers}]}
    choice: Json = {"text": "".join(words), "message": {"content": "a city"}, "logprobs": None}
    if scored and task == "completions":
        choice["logprobs"] = {"tokens": words, "token_logprobs": numbers}
    elif scored:
        content = [{"token": word, "logprob": number} for word, number in zip(words, numbers, strict=True)]
        choice["logprobs"] = {"content": content}
    return {"choices": [choice], "usage": USAGE}


def of_adapters(report: smoke.SmokeReport) -> list[tuple[str, str]]:
    return [(result.status, result.detail) for result in report.results if result.check == "adapters"]


@pytest.mark.parametrize("task", ["completions", "chat/completions", "embeddings"])
def test_an_adapter_without_an_effect_is_named(task: str) -> None:
    with engine(task) as url:
        report = smoke.run(smoke.Endpoint(url))
    assert of_adapters(report) == [
        ("passed", "sql has an effect: it answers otherwise than chat"),
        ("failed", "names answers as the base model does"),
        ("failed", "tiny answers as the base model does"),
    ]
    found = [finding for finding in report.findings if finding.check == "smoke-adapters"]
    assert len(found) == 2
    assert all("leave it out of lora.adapters" in finding.remedy for finding in found)


def test_without_adapters_there_is_nothing_to_say() -> None:
    with engine("completions", served=("chat",)) as url:
        assert of_adapters(smoke.run(smoke.Endpoint(url))) == []


def test_an_adapter_that_the_release_has_and_the_engine_has_not() -> None:
    with engine("completions", served=("chat", "sql")) as url, requests.Session() as session:
        report = Checks(url, session, 10, lambda _: None, ["sql", "legal"]).report("")
    assert [detail for status, detail in of_adapters(report) if status == "failed"] == [
        "legal is in lora.adapters, and not served"
    ]


def test_an_engine_that_tells_no_log_probabilities_is_no_failure() -> None:
    refused = "Requested sample logprobs of 1, which is greater than max allowed: 0"
    with engine("completions", refused=refused) as url:
        report = smoke.run(smoke.Endpoint(url))
    assert {status for status, _ in of_adapters(report)} == {"skipped"}
