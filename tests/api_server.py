"""An API server that knows a few objects: what is asked of a cluster, without one."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vllm_chart.cluster.api import Cluster

Objects = Mapping[str, Any]
"""By path ("/api/v1/…", or for one method "POST /api/v1/…"): an object, a list of a list's items, text as bytes, the
number of an error, or an `Answering` that gives one of them."""

Answering = Callable[[Any, str], Any]
"""What is answered to a question, by its body (None for none) and its query."""


@contextlib.contextmanager
def cluster_of(objects: Objects, folder: Path, asked: list[str] | None = None) -> Iterator[Cluster]:
    """A cluster whose API answers these paths, and 404 for others. folder: for its kubeconfig. asked: takes down what
    is asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def do_PUT(self) -> None:
            self.answer()

        def do_PATCH(self) -> None:
            self.answer()

        def do_DELETE(self) -> None:
            self.answer()

        def answer(self) -> None:
            url = urlsplit(self.path)
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if asked is not None:
                asked.append(self.path if self.command != "DELETE" else f"DELETE {self.path}")
            found = objects.get(f"{self.command} {url.path}", objects.get(url.path, 404))
            if callable(found):
                found = found(json.loads(given) if given else None, url.query)
            if isinstance(found, list):
                found = {"metadata": {}, "items": [item for item in found if _selected(item, url.query)]}
            status = found if isinstance(found, int) else 200
            refusal = {"kind": "Status", "message": f"refused: {url.path}"}
            body = found
            if not isinstance(found, bytes):
                body = json.dumps(refusal if isinstance(found, int) else found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if body is found else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            with Cluster(kubeconfig(folder, server.server_port)) as cluster:
                yield cluster
        finally:
            server.shutdown()
            thread.join()


def _selected(item: Any, query: str) -> bool:
    """Whether an item of a list has the labels that are asked for."""
    labels = (item.get("metadata") or {}).get("labels") or {}
    wanted = [pair for text in parse_qs(query).get("labelSelector", []) for pair in text.split(",")]
    return all(labels.get(pair.partition("=")[0]) == pair.partition("=")[2] for pair in wanted)


def kubeconfig(folder: Path, port: int) -> Path:
    """A kubeconfig of the API server at a port of this machine."""
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "a", "user": {}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    file.write_text(json.dumps(document))
    return file
