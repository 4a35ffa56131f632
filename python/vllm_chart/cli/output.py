"""How every command of `vllm-chart` ends: what it says on standard output, its errors, and its exit code.

Standard output carries the answer and nothing else: lines for a person, or with `--output json` one document, on
every exit code. Errors and progress go to standard error. A reader that has gone (`vllm-chart plan … | head -1`) is
no error: the verdict stands, and so does its exit code.
"""

import contextlib
import errno
import io
import itertools
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import click

from vllm_chart.findings import Exit, Finding, UnavailableError, WrongCallError, exit_code, to_human, to_json


def finish(
    findings: Sequence[Finding],
    output: str,
    *,
    fine: str = "",
    human: Callable[[], str] | None = None,
    machine: Callable[[], str] | None = None,
    code: Exit | None = None,
    ignored: Mapping[str, Sequence[Finding]] | None = None,
    is_file: bool = False,
) -> NoReturn:
    """Print what a command has to say and end it; this is the only way in which a command ends.

    output: "human" or "json".
    fine: what a person reads where no finding is an error.
    human, machine: the whole text for a person, or the JSON document, of a command that has more to say than findings.
    code: the exit code, where it is not that of the findings.
    ignored: what ignored checks let pass, by their names.
    is_file: what a person is told is a file (values, rules), which is UTF-8 whatever the locale is.
    """
    if is_file:
        _write_utf8()
    code = exit_code(findings) if code is None else code
    if output == "json":
        text = machine() if machine else to_json(findings, ignored)
    elif human:
        text = human()
    else:
        good = fine if code == Exit.OK else ""
        text = "\n".join(filter(None, [to_human(findings), good, to_human([], ignored)]))
    if text:
        _print(text)
    raise click.exceptions.Exit(code)


def _print(text: str) -> None:
    try:
        click.echo(text)
    except OSError as error:
        _forget_standard_output()
        if error.errno != errno.EPIPE:
            raise UnavailableError(f"can't write the answer: {error.strerror}") from error


def goes_on(text: str) -> bool:
    """Write a part of an answer that goes on. Whether anybody still reads it: one who has gone has seen enough.

    Raises UnavailableError where it can't be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _forget_standard_output()
        if error.errno != errno.EPIPE:
            raise UnavailableError(f"can't write the answer: {error.strerror}") from error
        return False
    return True


def _forget_standard_output() -> None:
    """Nobody reads it any more, or its disk is full: let the flush at the interpreter's end not fail a second time."""
    with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_anything(json_wanted: bool) -> None:
    """Write what the locale has no character for as a question mark. JSON is UTF-8, whatever the locale is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if json_wanted:
        _write_utf8()


def _write_utf8() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


class Progress:
    """Where long work stands, told on standard error: on a terminal, or where it is wanted; never in an answer."""

    FIRST_SECONDS = 2.0
    EVERY_SECONDS = 5.0

    def __init__(self, wanted: bool | None) -> None:
        """wanted: None for a terminal only."""
        self._wanted = sys.stderr is not None and sys.stderr.isatty() if wanted is None else wanted

    def tell(self, text: str) -> None:
        if self._wanted:
            say(text)

    @contextlib.contextmanager
    def during(self, describe: Callable[[], str]) -> Iterator[None]:
        """Tell what `describe` says, and for how many seconds, while the work in this context goes on."""
        over = threading.Event()
        began = time.monotonic()

        def repeat() -> None:
            seconds = self.FIRST_SECONDS
            while not over.wait(seconds):
                say(f"{time.monotonic() - began:5.0f} s: {describe()}")
                seconds = self.EVERY_SECONDS

        if self._wanted:
            threading.Thread(target=repeat, daemon=True).start()
        try:
            yield
        finally:
            over.set()


def say(text: str) -> None:
    """A line on standard error: progress, or where something goes on. That nobody reads it is no error."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


# -- errors --------------------------------------------------------------------------------------------------


class FaultError(Exception):
    """A fault of this package's own; the text is its traceback."""


class Commands(click.Group):
    """A group whose commands end in a message and an exit code, whatever ends them: never in a traceback for what a
    user, a file, a cluster or a network did."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        arguments = sys.argv[1:] if args is None else list(args)
        if not standalone_mode:
            return super().main(arguments, prog_name, complete_var, standalone_mode, **extra)
        json_wanted = wants_json(arguments)
        _write_anything(json_wanted)
        with ends(json_wanted=json_wanted):
            sys.exit(super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra))

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _no_reader_is_no_error():  # of --help
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _no_reader_is_no_error():  # of a command's --help
            return super().invoke(ctx)


@contextlib.contextmanager
def _no_reader_is_no_error() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        _forget_standard_output()
        raise click.exceptions.Exit(Exit.OK) from error


@contextlib.contextmanager
def ends(*, json_wanted: bool) -> Iterator[None]:
    """Turn the exceptions that end a command into a message and an exit code (`SystemExit`)."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        _fail("usage", error.format_message(), Exit.USAGE, json_wanted, show=error.show)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", "interrupted", Exit.INTERRUPTED, json_wanted, show=lambda: None)
    except UnavailableError as error:
        _fail("environment", str(error), Exit.ENVIRONMENT, json_wanted)
    except WrongCallError as error:
        _fail("usage", str(error), Exit.USAGE, json_wanted)
    except FaultError as error:
        say(str(error))
        message = "this is a fault of vllm-chart, not of your values: please report the lines above"
        _fail("fault", message, Exit.FAULT, json_wanted)
    except OSError as error:
        # With a name it is a file that the call names; otherwise a connection, or a disk that is full.
        kind, code = ("usage", Exit.USAGE) if error.filename else ("environment", Exit.ENVIRONMENT)
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _fail(kind, message, code, json_wanted)


def _fail(kind: str, message: str, code: Exit, json_wanted: bool, show: Callable[[], None] | None = None) -> NoReturn:
    if json_wanted:
        error = {"kind": kind, "message": message, "exitCode": int(code)}
        with contextlib.suppress(UnavailableError):  # the exit code says enough where nothing can be written
            _print(json.dumps({"ok": False, "error": error, "findings": []}, indent=2, ensure_ascii=False))
    elif show:
        with contextlib.suppress(OSError):
            show()
    else:
        say(f"Error: {message}")
    sys.exit(code)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a call asks for JSON, even one that can't be parsed; the last `--output` counts, as for click."""
    wanted = ""
    for argument, following in itertools.pairwise([*arguments, ""]):
        if argument in ("-o", "--output"):
            wanted = following
        elif joined := re.fullmatch(r"(?:-o|--output=)(.+)", argument):
            wanted = joined[1]
    return wanted == "json"
