"""Exceptions that a log shows, each whole: its message over all of its lines, and the one that it came from."""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from vllm_chart.live.engine_log.lines import GOES_ON, Line

_TRACEBACK = re.compile(r"^\s*(?:\[rank\d+\]: ?)?Traceback \(most recent call last\):")
_CHAINED = re.compile(
    r"^(?:During handling of the above exception, another|The above exception was the direct cause of the following)"
)
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line \d+')
#: The line that names an exception: in a traceback any class, by itself one whose name says what it is.
_NAMED = re.compile(r"^((?:[A-Za-z_]\w*\.)*_*[A-Z]\w*)(?:: (.*)|:?$)")
_BY_ITSELF = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?:: |$)")
# What ends a message: the next process, warning, or frame of C++ below torch's own.
_OTHER = re.compile(
    r"^(?:Process \S+:$|\[?[WIE]\d{4} |frame #\d+: |Exception raised from |\S+\.py:\d+: \w*Warning: |nanobind: "
    r"|\[rank\d+\]:\[|preStop: |/bin/)"
)
#: Raised over the cause, in another process: "see above" (vllm/v1/engine/utils.py:1468, v1/executor/
#: multiproc_executor.py:525, v1/engine/exceptions.py:20 of 0.33), or how a process is ended.
_SEE_ABOVE = re.compile(
    r"(?:See (?:root cause|stack trace)|Executor failed\.|One or more workers failed|Worker failed with error"
    r"|Engine core process \S+ died unexpectedly|DP Coordinator process failed during startup"
    r"|^(?:\w+\.)*(?:KeyboardInterrupt|SystemExit|CancelledError|ChildFailedError|BrokenPipeError))"
)
# pydantic shows the whole input, with all that the caller wrote in it.
_VALIDATION = re.compile(r"^(?:\w+\.)*ValidationError: \d+ validation errors? for (\w+)")
_INPUT = re.compile(r" \[type=\w+, input_value=.*$")
_FURTHER = re.compile(r"^\s*For further information visit \S+$")


@dataclasses.dataclass(frozen=True)
class Raised:
    """An exception of a log.

    name: its class, as Python writes it. message: all of it, lines included. files: those of its traceback, the one
    that raised it last. config: the class of vLLM's configuration that refused itself; empty of any other exception.
    """

    name: str
    message: str
    files: Sequence[str] = ()
    config: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message and not self.config else self.message or self.name

    @property
    def sees_above(self) -> bool:
        """Whether it only says that something failed before."""
        return bool(_SEE_ABOVE.search(f"{self.name}: {self.message}"))


@dataclasses.dataclass
class _Reader:
    """Of one process's lines: chains of exceptions, each from its cause to the one that was raised last."""

    lines: Sequence[tuple[int, Line]]
    chains: list[tuple[int, list[Raised]]] = dataclasses.field(default_factory=list)

    def read(self) -> list[tuple[int, list[Raised]]]:
        """The chains, with the number of the line that each begins at."""
        at, traceback, chained = 0, False, False
        files: list[str] = []
        while at < len(self.lines):
            number, line = self.lines[at]
            if _TRACEBACK.match(line.text):
                traceback, files = True, []
            elif _CHAINED.match(line.text):
                chained = True
            elif frame := _FRAME.match(line.text):
                files.append(frame["file"])
            elif self._is_exception(line, traceback):
                at, raised = self._whole(at, files)
                self._add(number, raised, chained)
                traceback, chained, files = False, False, []
                continue
            at += 1
        return self.chains

    def _is_exception(self, line: Line, traceback: bool) -> bool:
        if line.level in GOES_ON:
            return False
        return bool(_BY_ITSELF.match(line.text) or (traceback and _NAMED.match(line.text)))

    def _add(self, number: int, raised: Raised, chained: bool) -> None:
        if chained and self.chains:
            self.chains[-1][1].append(raised)
        else:
            self.chains.append((number, [raised]))

    def _whole(self, at: int, files: Sequence[str]) -> tuple[int, Raised]:
        """The exception at a line, with the lines that its message goes on over, and the line after them."""
        first = self.lines[at][1]
        message = [first.text]
        while (at := at + 1) < len(self.lines) and _goes_on(first, self.lines[at][1]):
            message.append(self.lines[at][1].text)
        return at, _raised(message, files)


def _goes_on(first: Line, line: Line) -> bool:
    """Whether a line belongs to the message that began in another: every line of one is logged from one place."""
    if (line.level, line.place) != (first.level, first.place):
        return False
    text = line.text
    return not (_TRACEBACK.match(text) or _CHAINED.match(text) or _OTHER.match(text) or _BY_ITSELF.match(text))


def _raised(lines: Sequence[str], files: Sequence[str]) -> Raised:
    if validation := _VALIDATION.match(lines[0]):
        told = [_INPUT.sub("", line).strip() for line in lines[1:] if not _FURTHER.match(line)]
        return Raised(lines[0].partition(":")[0], "\n".join(filter(None, told)), tuple(files), validation[1])
    named = _NAMED.match(lines[0])
    name, message = (named[1], named[2] or "") if named else ("", lines[0])
    return Raised(name, "\n".join([message, *lines[1:]]).strip(), tuple(files))


def chains(lines: Iterable[Line]) -> list[list[Raised]]:
    """The exceptions of a log in the order in which they began, each after the ones that it came from.

    One that only says that something failed before is left out, unless nothing else is there.
    """
    by_process: dict[str, list[tuple[int, Line]]] = {}
    for number, line in enumerate(lines):
        by_process.setdefault(line.process, []).append((number, line))
    found = sorted((chain for mine in by_process.values() for chain in _Reader(mine).read()), key=lambda at: at[0])
    own = [[raised for raised in chain if not raised.sees_above] for _, chain in found]
    return [chain for chain in own if chain] or [chain for _, chain in found]
