"""The download Job's program as it runs in its pod, into a folder, against a small Hub."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.hub_server import Hub, Repository, Server
from tests.programs import PROGRAMS

SHARD = bytes(range(256)) * (20 << 12)  # 20 MiB
MODEL = {
    "config.json": b'{"model_type": "llama"}',
    "model-00001-of-00002.safetensors": b"1" + SHARD,
    "model-00002-of-00002.safetensors": b"2" + SHARD,
    "original/consolidated.00.pth": SHARD[: 1 << 20],
    "nested/readme.md": b"words\n",
}
WHOLE = {path: len(data) for path, data in MODEL.items() if not path.startswith("original")}


@contextlib.contextmanager
def small_hub() -> Iterator[Hub]:
    """A Hub that serves `org/name` on a port of its own."""
    repository = Repository()
    repository.commit(dict(MODEL))
    hub = Hub({"org/name": repository})
    server = Server(hub)
    hub.url = server.url
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


class Job:
    """Runs the program as the Job does, into a folder."""

    def __init__(self, hub: Hub, volume: Path) -> None:
        self.hub, self.volume = hub, volume

    def command(self, *, revision: str = "", name: str = "org/name", **order: Any) -> dict[str, Any]:
        repository = {"name": name, "revision": revision, "exclude": ["original/*"], "marker": "0123456789abcdef"}
        repository["key"] = "lora.adapters[0].revision"
        order = {
            "markers": f"{self.volume}/.fetched",
            "repositories": [repository],
            "seconds": 60,
            "verify": True,
        } | order
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        environment = inherited | {
            "DOWNLOAD": json.dumps(order),
            "HF_ENDPOINT": self.hub.url,
            "HF_HOME": f"{self.volume}/huggingface",
            "HOME": f"{self.volume}/home",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        return {"args": [sys.executable, "-c", (PROGRAMS / "download.py").read_text()], "env": environment}

    def run(self, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(**self.command(**options), capture_output=True, text=True, timeout=90)

    @property
    def marker(self) -> dict[str, Any]:
        return json.loads((self.volume / ".fetched/0123456789abcdef").read_text())  # type: ignore[no-any-return]

    @property
    def has_marker(self) -> bool:
        return (self.volume / ".fetched/0123456789abcdef").exists()

    def snapshot(self, commit: str) -> Path:
        return self.volume / "huggingface/hub/models--org--name/snapshots" / commit
