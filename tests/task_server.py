"""A server that answers as a vLLM of one task does, for `helm test` and smoke; and answers of some tasks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RANKING = {"/rerank": {"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]}}
CLASSES = {"/classify": {"data": [{"label": "toxic", "probs": [0.1, 0.9]}]}}
POOLING = {"/pooling": {"data": [{"data": [[0.1]]}]}}

#: What vLLM 0.8 to 0.17 say of a route that the model's task does not have.
UNSUPPORTED = (400, {"error": {"message": "The model does not support Completions API"}})


@contextmanager
def engine(routes: dict[str, Any], key: str = "", listens_after: float = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a vLLM whose routes answer so (a body, or a status with its body), and the paths that it was
    asked for.

    key: the API key that it asks callers for.
    listens_after: seconds during which it refuses connections.
    """
    answers = {"/health": {}, "/v1/models": {"data": [{"id": "m"}]}} | routes
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            answer = answers.get(self.path, (404, {"detail": "Not Found"}))
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                answer = (401, {"error": "Unauthorized"})
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.server_bind()
    if not listens_after:
        server.server_activate()

    def serve() -> None:
        server.server_activate()
        server.serve_forever(poll_interval=0.01)

    threading.Timer(listens_after, serve).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
