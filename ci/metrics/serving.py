"""Starts an engine to be asked for its metrics: the CPU image, or a release's own programs without a model."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci import catalogue, images, versions
from ci import engine as engines
from ci.images import models
from ci.metrics import adapter
from ci.metrics.situations import MODEL, Situation
from ci.shell import HarnessError, cache_dir, wait_until

ROOT = Path(__file__).parents[2]
READY_SECONDS = 1200
STOP_SECONDS = 60
NAME = "vllm-chart-metrics"
_NO_HUB = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


@dataclass(frozen=True)
class Engine:
    """An engine that answers at `url`; `how` says what it is made of."""

    url: str
    how: str


@contextlib.contextmanager
def in_container(version: str, situation: Situation) -> Iterator[Engine]:
    """The CPU image with a tiny model. Raises HarnessError."""
    images.ensure()
    docker = engines.ensure()
    with tempfile.TemporaryDirectory(dir=cache_dir("metrics")) as name:
        folder = Path(name)
        folder.chmod(0o755)
        model = models.ensure(MODEL)
        adapter.write(model, folder / "adapter")
        environment = {"VLLM_CPU_KVCACHE_SPACE": "1", **_NO_HUB, **situation.environment}
        docker.run(
            *("run", "--detach", "--name", NAME, "--cpus=1", "--shm-size=1g", "--publish=127.0.0.1::8000"),
            *(f"--env={key}={value}" for key, value in environment.items()),
            *(f"--volume={model}:/model:ro", f"--volume={folder / 'adapter'}:/adapter:ro", versions.ENGINE_IMAGE),
            *("/model", *situation.arguments, *situation.extra),
        )
        try:
            url = f"http://{docker.output('port', NAME, '8000/tcp').splitlines()[0]}"
            _wait(url, lambda: _container_has_ended(docker))
            yield Engine(url, f"Taken from a real engine: {versions.ENGINE_IMAGE} on one core.")
        finally:
            docker.run("logs", NAME)
            docker.run("rm", "--force", NAME)


def _container_has_ended(docker: engines.Engine) -> bool:
    return docker.output("inspect", "--format", "{{.State.Running}}", NAME) != "true"


@contextlib.contextmanager
def without_model(version: str, situation: Situation) -> Iterator[Engine]:
    """The wheel of a release that has no CPU build: all but the model is its own. Raises HarnessError.

    Its API servers, scheduler, cache of blocks and metrics run as they are; `executor.NoModel` is where the GPUs would
    be, and makes up the tokens.
    """
    site = catalogue.installed(version)
    port = _free_port()
    with tempfile.TemporaryDirectory(dir=cache_dir("metrics")) as name:
        folder = Path(name)
        model = models.ensure(MODEL)
        adapter.write(model, folder / "adapter")
        arguments = [word.replace("/adapter", str(folder / "adapter")) for word in situation.extra]
        command = [
            *(sys.executable, "-S", "-m", "ci.metrics.executor", "serve", str(model), *situation.arguments, *arguments),
            *("--port", str(port), "--distributed-executor-backend", "ci.metrics.executor.NoModel"),
        ]
        environment = {
            **os.environ,
            **_NO_HUB,
            **situation.environment,
            "VLLM_TARGET_DEVICE": "cpu",
            "PYTHONDONTWRITEBYTECODE": "",  # five processes import all of vLLM: it is compiled once
            "PYTHONPATH": f"{site}:{ROOT / 'python'}:{ROOT}",
        }
        with (cache_dir("logs") / f"metrics-{version}-{situation.name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, lambda: process.poll() is not None)
            yield Engine(url, "vLLM's own API server, scheduler and metrics, on a CPU; the tokens are made up.")
        finally:
            _end(process)


def _wait(url: str, ended: Callable[[], bool]) -> None:
    """Wait until the engine answers. Raises HarnessError: it does not in time, or has ended."""
    gone = []

    def decided() -> bool:
        if ended():
            gone.append(True)
        return bool(gone) or _is_ready(url)

    wait_until("vLLM answers", decided, READY_SECONDS)
    if gone:
        raise HarnessError(f"vLLM has ended before it answered: its log is in {cache_dir('logs')}")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End an engine and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
