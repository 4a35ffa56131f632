"""A small Hub with what a download depends on: commits and branches, large files behind a redirect with ranges and
checksums, refusals with the time to wait. It counts what it is asked for and what it sends.

Standard library only, because it also runs as a pod: `python hub_server.py PORT FOLDER NAME BYTES` serves a folder's
files as a repository, with so many random bytes beside them. `PUT /_test` takes knobs, and with `"commit": true` makes
a commit with other random bytes; `GET /_test` is what it counted.

Routes and headers are those that huggingface_hub 2.4 reads: hf_api.py (`repo_info`, `list_repo_tree`), file_download.py
(`get_hf_file_metadata`, `http_get`), https://huggingface.co/docs/hub/rate-limits.
"""

import dataclasses
import functools
import hashlib
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]
CHUNK = 1 << 16
#: A large file that no engine reads: vLLM takes the safetensors beside it.
RANDOM = "random.bin"


def is_large(path: str) -> bool:
    """Whether a file is in large file storage."""
    return path.endswith((".safetensors", ".bin", ".pth"))


@functools.lru_cache(maxsize=16)  # of a large file at each question
def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    """https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclasses.dataclass
class Repository:
    """Commits by their hash, and what the branches are at."""

    commits: dict[str, Files] = dataclasses.field(default_factory=dict)
    branches: dict[str, str] = dataclasses.field(default_factory=dict)

    def commit(self, files: Files, branch: str = "main") -> str:
        """A new commit of a branch, and its hash."""
        listed = json.dumps({path: sha256(data) for path, data in sorted(files.items())})
        name = hashlib.sha1(f"{len(self.commits)}{listed}".encode()).hexdigest()
        self.commits[name] = files
        self.branches[branch] = name
        return name

    def newest(self) -> Files:
        return self.commits[self.branches["main"]]

    def resolve(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.branches.get(revision)


@dataclasses.dataclass
class Asked:
    """A request that was answered: what it was, the status, and the bytes of its body that were sent."""

    method: str
    path: str
    status: int
    sent: int
    ranged: str
    client: str = ""


@dataclasses.dataclass
class Knobs:
    """What goes wrong."""

    refuse: int = 0
    """How many of the next requests are refused."""
    status: int = 429
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    only: str = ""
    """A pattern of the paths that are refused; empty for all."""
    cut: int = 0
    """Of large files: after so many bytes of an answer the connection breaks, once for each file."""
    rate: int = 0
    """Bytes a second of large files; 0 for as many as go."""
    flip: str = ""
    """The path of a file that comes with one bit wrong, as often as it is asked for."""


class Hub:
    """Repositories by name, knobs, and the log of what was asked."""

    def __init__(self, repositories: dict[str, Repository]) -> None:
        self.repositories = repositories
        self.url = ""
        self.knobs = Knobs()
        self.asked: list[Asked] = []
        self.was_cut: set[str] = set()
        self.lock = threading.Lock()

    def sent(self, path: str) -> int:
        """Bytes that were sent of a file's content, redirects included."""
        return sum(each.sent for each in self.asked if each.path.endswith(path) and each.status in (200, 206))

    def requests(self, pattern: str = "") -> int:
        return sum(bool(re.search(pattern, each.path)) for each in self.asked)

    def summary(self) -> dict[str, Any]:
        """What was asked, for who is not in this process: sent bytes and requests by file and kind."""
        paths = {path: len(data) for files in self.repositories.values() for path, data in files.newest().items()}
        return {
            "requests": len(self.asked),
            "refused": sum(each.status == 429 for each in self.asked),
            "clients": sorted({each.client for each in self.asked}),
            "sent": {path: self.sent(f"/{path}") for path in paths},
            "sizes": paths,
        }


class Handler(BaseHTTPRequestHandler):
    """Answers for a Hub."""

    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"
    sent = 0

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.handle_logged()

    def do_GET(self) -> None:
        self.handle_logged()

    def do_PUT(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for repository in self.hub.repositories.values() if given.pop("commit", False) else ():
            files = repository.newest()
            repository.commit(files | {RANDOM: os.urandom(len(files[RANDOM]))})
        self.hub.asked.clear()
        self.hub.knobs = Knobs(**given)
        newest = {name: repository.branches["main"] for name, repository in self.hub.repositories.items()}
        self.answer(200, json.dumps(newest).encode())

    def handle_logged(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/_test":
            self.answer(200, json.dumps(self.hub.summary()).encode())
            return
        self.sent, status = 0, 0
        try:
            status = self.route(path)
        finally:
            with self.hub.lock:
                ranged, client = self.headers.get("Range", ""), self.client_address[0]
                self.hub.asked.append(Asked(self.command, path, status, self.sent, ranged, client))

    def route(self, path: str) -> int:
        knobs = self.hub.knobs
        with self.hub.lock:
            refused = knobs.refuse > 0 and re.search(knobs.only, path) is not None
            knobs.refuse -= refused
        if refused:
            self.answer(knobs.status, b'{"error": "not now"}', knobs.headers)
            return knobs.status
        if path.startswith("/api/models/"):
            return self.api(path.removeprefix("/api/models/"))
        if match := re.fullmatch(r"/(.+)/resolve/([^/]+)/(.+)", path):
            return self.resolve(*match.groups())
        if match := re.fullmatch(r"/(.+)/cdn/([0-9a-f]{40})/(.+)", path):
            name, commit, file = match.groups()
            data = self.hub.repositories[name].commits[commit][file]
            return self.content(file, data, {"X-Repo-Commit": commit, "ETag": f'"{sha256(data)}"'})
        return self.fail(404, "EntryNotFound")

    def api(self, path: str) -> int:
        match = re.fullmatch(r"([^/]+/[^/]+?)(?:/(revision|tree)/([^/]+))?(?:/(.+))?", path)
        repository = self.hub.repositories.get(match[1]) if match else None
        if match is None or repository is None:
            return self.fail(404, "RepoNotFound")
        commit = repository.resolve(match[3] or "main")
        if commit is None:
            return self.fail(404, "RevisionNotFound")
        files = repository.commits[commit]
        if match[4]:  # a folder: transformers looks for one of chat templates
            files = {path: data for path, data in files.items() if path.startswith(f"{match[4]}/")}
            if not files:
                return self.fail(404, "EntryNotFound")
        if match[2] == "tree":
            listed: Any = [self.entry(path, data) for path, data in sorted(files.items())]
        else:
            listed = {"id": match[1], "sha": commit, "siblings": [{"rfilename": path} for path in sorted(files)]}
        self.answer(200, json.dumps(listed).encode())
        return 200

    @staticmethod
    def entry(path: str, data: bytes) -> dict[str, Any]:
        entry = {"type": "file", "path": path, "size": len(data), "oid": git_sha1(data)}
        if is_large(path):
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {len(data)}\n"
            entry["oid"] = git_sha1(pointer.encode())
            entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": len(pointer)}
        return entry

    def resolve(self, name: str, revision: str, path: str) -> int:
        repository = self.hub.repositories.get(name)
        commit = repository.resolve(revision) if repository else None
        if repository is None or commit is None:
            return self.fail(404, "RevisionNotFound" if repository else "RepoNotFound")
        data = repository.commits[commit].get(path)
        if data is None:
            return self.fail(404, "EntryNotFound")
        if not is_large(path):
            return self.content(path, data, {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(data)}"'})
        # The content delivery network is another host, to which no token is sent.
        host = (self.headers.get("Host") or "").replace("127.0.0.1", "localhost")
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-Etag": f'"{sha256(data)}"',
            "X-Linked-Size": str(len(data)),
            "Location": f"http://{host}/{name}/cdn/{commit}/{path}",
        }
        self.answer(302, b"", headers)
        return 302

    def content(self, path: str, data: bytes, headers: dict[str, str] | None = None) -> int:
        knobs, status = self.hub.knobs, 200
        if knobs.flip == path:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        headers = {"Accept-Ranges": "bytes", **(headers or {})}
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), int(match[2] or len(data) - 1)
            if first >= len(data):
                self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return 416
            status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{len(data)}"
            data = data[first : last + 1]
        self.begin(status, len(data), headers)
        if self.command == "GET":
            self.send(path, data)
        return status

    def send(self, path: str, data: bytes) -> None:
        knobs = self.hub.knobs
        large = is_large(path)
        for start in range(0, len(data), CHUNK):
            if large and knobs.cut and self.sent >= knobs.cut and path not in self.hub.was_cut:
                self.hub.was_cut.add(path)
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(2)
                return
            piece = data[start : start + CHUNK]
            self.wfile.write(piece)
            self.sent += len(piece)
            if large and knobs.rate:
                time.sleep(len(piece) / knobs.rate)

    def fail(self, status: int, code: str) -> int:
        self.answer(status, b'{"error": "no"}', {"X-Error-Code": code, "X-Error-Message": code})
        return status

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.begin(status, len(body), {"Content-Type": "application/json", **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


class Server(ThreadingHTTPServer):
    """Serves a Hub on a port; 0 for any."""

    daemon_threads = True

    def __init__(self, hub: Hub, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), type("HubHandler", (Handler,), {"hub": hub}))

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what tests do."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def of_folder(folder: Path, name: str, size: int) -> Hub:
    """A Hub with a folder's files as a repository, and as many random bytes beside them, if any."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    repository = Repository()
    repository.commit(files | {RANDOM: os.urandom(size)} if size else files)
    return Hub({name: repository})


if __name__ == "__main__":
    _, port, folder, name, size = sys.argv
    Server(of_folder(Path(folder), name, int(size)), "", int(port)).serve_forever()
