"""The smoke test of models without words or embeddings: each is asked what it is for, and what it says is read."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from vllm_chart.live import smoke

RANKING = {"/rerank": {"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]}}
CLASSES = {"/classify": {"data": [{"label": "toxic", "probs": [0.1, 0.9]}]}}
POOLING = {"/pooling": {"data": [{"data": [[0.1]]}]}}
SPEECH = {"/v1/audio/transcriptions": {"text": "you"}}
TOKENS = {"/v1/embeddings": {"data": [{"embedding": [[0.1, 0.2], [0.3, 0.4]]}]}}
UNSUPPORTED = (400, {"error": {"message": "The model does not support Completions API"}})
COMPLETION = {"/v1/completions": {"choices": [{"text": " city"}], "usage": {"completion_tokens": 1}}}


@contextmanager
def engine(routes: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a vLLM whose routes answer so, and the paths that it was asked for."""
    answers = {"/health": {}, "/v1/models": {"data": [{"id": "m"}]}} | routes
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            found = answers.get(self.path, (404, {"detail": "Not Found"}))
            status, body = found if isinstance(found, tuple) else (200, found)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("routes", "check", "said"),
    [
        (RANKING | CLASSES | POOLING, "ranking", "2 documents, the best 0.900"),
        (CLASSES | POOLING, "classification", "toxic"),
        (POOLING, "pooling", "1 pooled"),
        (SPEECH, "transcription", "'you'"),
        (TOKENS | POOLING, "embedding", "2 embeddings, each of 2 dimensions"),
        (RANKING | {"/v1/completions": UNSUPPORTED, "/v1/chat/completions": UNSUPPORTED}, "ranking", "2 documents"),
    ],
    ids=[
        "reranker",
        "classifier",
        "reward model",
        "speech",
        "an embedding for each token",
        "reranker of an old engine",
    ],
)
def test_a_healthy_model_passes_by_what_it_is_for(routes: dict[str, Any], check: str, said: str) -> None:
    with engine(routes) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert report.findings == []
    (result,) = (one for one in report.results if one.check == check)
    assert result.status == "passed"
    assert said in result.detail


def test_a_model_that_nothing_can_be_asked_is_said_to_be_checked_no_further() -> None:
    with engine({}) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert [(one.check, one.severity) for one in report.findings] == [("smoke-tasks", "warning")]


def test_a_wrong_answer_is_a_fault() -> None:
    with engine({"/rerank": {"results": []}}) as (url, _):
        report = smoke.run(smoke.Endpoint(url))
    assert [one.check for one in report.findings] == ["smoke-ranking"]


def test_a_model_of_words_is_asked_for_nothing_else() -> None:
    with engine(COMPLETION | RANKING) as (url, asked):
        smoke.run(smoke.Endpoint(url))
    assert "/rerank" not in asked
