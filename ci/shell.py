"""Run commands the way a person wants to watch them: a progress line per step, the noise in a log file.

    with step("Build the node image", remedy="Needs about 5 GB of free disk."):
        run("docker", "build", ".")

What the commands of a step print goes to `<cache>/logs/<step>.log`. What goes wrong is raised as
`HarnessError`, whose text names the command, shows the last lines of its log, and says what to do.
"""

import contextlib
import contextvars
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

HEARTBEAT_SECONDS = 30
TAIL_LINES = 15


class HarnessError(Exception):
    """The environment would not do what was asked of it. The text is for a person."""


class StepError(HarnessError):
    """A failure that already says which step it ended, where the log is and what to do."""


def cache_dir(*parts: str) -> Path:
    """The project's cache, `${XDG_CACHE_HOME:-~/.cache}/vllm-chart`, or a folder in it; created if absent."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base, "vllm-chart", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(line: str) -> None:
    """Print a line of progress. Standard output is left to answers, so that those can be piped."""
    print(line, file=sys.stderr, flush=True)


_log: contextvars.ContextVar[Path | None] = contextvars.ContextVar("log", default=None)


@contextlib.contextmanager
def step(title: str, remedy: str = "") -> Iterator[None]:
    """One piece of long work: says that it started, that it is still going, and how long it took.

    A step may hold other steps. `remedy` is what a person can do if it fails.

    Raises:
        StepError: the step's title, what went wrong in it, where its log is, and the remedy.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    log = cache_dir("logs") / f"{slug}.log"
    log.write_bytes(b"")
    token = _log.set(log)
    started = time.monotonic()
    done = threading.Event()

    def elapsed() -> str:
        seconds = round(time.monotonic() - started)
        return f"{seconds // 60} min {seconds % 60:02} s" if seconds >= 60 else f"{seconds} s"

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"  … {title}: {elapsed()} (log: {log})")

    say(f"→ {title}")
    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    except StepError:  # an inner step has said all there is to say
        say(f"✗ {title} ({elapsed()})")
        raise
    except HarnessError as failure:
        say(f"✗ {title} ({elapsed()})")
        advice = f"\nWhat to do: {remedy}" if remedy else ""
        raise StepError(f"{title}: {failure}\nLog: {log}{advice}") from failure
    else:
        say(f"✓ {title} ({elapsed()})")
    finally:
        done.set()
        heart.join()
        _log.reset(token)


def run(
    *command: str | os.PathLike[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> None:
    """Run a command to its end, its output going to the step's log. `env` is added to the environment.

    Raises:
        HarnessError: it is not installed, or its exit status is not zero.
    """
    _run(command, cwd, env, stdin, capture=False)


def output(
    *command: str | os.PathLike[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """As `run`, but return what it prints on standard output, without the white space at its ends."""
    return _run(command, cwd, env, stdin, capture=True).strip()


def succeeds(*command: str | os.PathLike[str], env: Mapping[str, str] | None = None, timeout: float = 30) -> bool:
    """Whether the command succeeds within `timeout` seconds. A question, so it is not logged."""
    try:
        done = subprocess.run(
            command,
            check=False,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(
    command: tuple[str | os.PathLike[str], ...],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: str | None,
    capture: bool,
) -> str:
    log = _log.get() or cache_dir("logs") / "commands.log"
    words = [os.fspath(word) for word in command]
    shown = shlex.join(words)
    with log.open("ab") as file:
        file.write(f"$ {shown}\n".encode())
        file.flush()
        start = file.tell()
        try:
            done = subprocess.run(
                words,
                check=False,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                input=(stdin or "").encode(),
                stdout=subprocess.PIPE if capture else file,
                stderr=file,
            )
        except FileNotFoundError as error:
            raise HarnessError(f"cannot run {error.filename!r}: no such file or command") from error
    if done.returncode:
        if len(shown) > 200:
            shown = f"{shown[:200]} …"
        raise HarnessError(f"`{shown}` exited with status {done.returncode}\n{_tail(log, start)}")
    return done.stdout.decode() if capture else ""


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"  | {line[:300]}" for line in lines[-TAIL_LINES:])


def wait_until(what: str, ready: Callable[[], bool], timeout: float, interval: float = 1) -> None:
    """Ask `ready` every `interval` seconds until it says yes. A question that fails counts as a no.

    Raises:
        HarnessError: it did not within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        reason = ""
        try:
            if ready():
                return
        except HarnessError as error:
            reason = f"\n{error}"
        if time.monotonic() > deadline:
            raise HarnessError(f"{what}: not so after {timeout:.0f} s{reason}")
        time.sleep(interval)


@contextlib.contextmanager
def publish(target: Path) -> Iterator[Path]:
    """A folder to build `target` in, which becomes `target` at once when the block ends well.

    A `target` that is there is therefore whole: what was interrupted or failed never counts.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as name:
        work = Path(name, "work")
        work.mkdir()
        yield work
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)


@contextlib.contextmanager
def only_one(name: str) -> Iterator[None]:
    """Let one process at a time into the block; the others wait."""
    with (cache_dir() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"… another process is at work ({name}): waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(command: Callable[[], None]) -> None:
    """Run a command line: a `HarnessError` ends it with its text and exit status 3 (the environment)."""
    try:
        command()
    except HarnessError as failure:
        say(f"error: {failure}")
        sys.exit(3)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
