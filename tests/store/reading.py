"""What tests of stores share: a store that runs, a model to put into it, a reader that is told what an engine is."""

import dataclasses
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.render.view import View
from vllm_chart.helm import render

READER = Path(__file__).with_name("reader.py")
WEIGHTS = [1.0, 2.0, 4.0]
#: What a reader prints of the model.
READ = ["copied config.json", f"read weight {sum(WEIGHTS)}"]
#: Variables that the streamer, or a library of a store below it, reads.
PREFIXES = ("AWS_", "AZURE_", "CLOUD_STORAGE_", "GOOGLE_", "REQUESTS_CA_", "RUNAI_", "SSL_CERT_", "STORAGE_")
START_SECONDS, READ_SECONDS = 60, 240


def model() -> dict[str, bytes]:
    """A model's files by their names."""
    return {"config.json": b"{}", "model.safetensors": safetensors("weight", WEIGHTS)}


def safetensors(name: str, numbers: list[float]) -> bytes:
    """A file of one tensor."""
    return _file({name: struct.pack(f"<{len(numbers)}f", *numbers)})


def zeros(count: int, size: int) -> bytes:
    """A file of so many tensors, each of so many bytes."""
    return _file({f"weight.{number}": bytes(size) for number in range(count)})


def _file(tensors: Mapping[str, bytes]) -> bytes:
    """https://huggingface.co/docs/safetensors/index#format."""
    header, at = {}, 0
    for name, data in tensors.items():
        header[name] = {"dtype": "F32", "shape": [len(data) // 4], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *tensors.values()])


@contextmanager
def running(words: Sequence[str | Path], port: int, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """A store that listens. env: beside this process's own variables."""
    process = subprocess.Popen(words, env=os.environ | (env or {}), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    try:
        while True:
            assert process.poll() is None, f"{words[0]} ended"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"{words[0]} does not listen"
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def environment(
    values: dict[str, Any], secret: Mapping[str, str], files: Mapping[str, Path] | None = None
) -> dict[str, str]:
    """What the rendered engine tells the streamer.

    secret: the keys that the Secret has. files: what is at mounted paths, by the name of the file there.
    """
    env = {}
    for name, value in View(render(values=values)).env.items():
        if not name.startswith(PREFIXES):
            continue
        if not isinstance(value, str):
            if (key := value["secretKeyRef"]["key"]) in secret:
                env[name] = secret[key]
        elif value.startswith("/") and Path(value).name in (files or {}):
            env[name] = str((files or {})[Path(value).name])
        else:
            env[name] = value
    return env


@dataclasses.dataclass(frozen=True)
class Read:
    """What a reader printed, and what it said of an error."""

    output: str
    log: str

    @property
    def peak(self) -> int:
        """The most memory that it had, in bytes."""
        return int(self.log.split()[-1])


def read(address: str, env: Mapping[str, str], within: Sequence[str] = ()) -> Read:
    """Read a model. within: a command that the reader is run by."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PYTHONPATH") if name in os.environ}
    words: list[str | Path] = [*within, sys.executable, READER, address]
    ended = subprocess.run(
        words, env=kept | dict(env), capture_output=True, text=True, timeout=READ_SECONDS, check=False
    )
    return Read(ended.stdout, ended.stderr)
