"""The command `vllm-chart`, called in this process or as one of its own."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from vllm_chart.cli.main import main


def run(*arguments: str | Path, given: str | None = None, **options: Any) -> Result:
    """Call the command in this process. given: its standard input. Fails for a traceback, which is never the answer."""
    result = CliRunner(**options).invoke(main, [str(argument) for argument in arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def program(*arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
    """Start the command as a process of its own, which takes Ctrl-C though a shell's background job does not: what is
    handled here, rather than ignored, is the default in whatever is started."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "vllm_chart", *map(str, arguments)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **(pipes | options))
