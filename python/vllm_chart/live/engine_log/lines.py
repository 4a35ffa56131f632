"""A log of vLLM in lines: who wrote each, how grave it is, and what stands in it."""

import re
from datetime import datetime
from typing import NamedTuple

# `2026-11-28T05:53:35.507679070Z `, in front of every line that the kubelet was asked for with timestamps.
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d) ?")
# `(EngineCore pid=41) ERROR 10-06 15:57:53 [core.py:1087] `, in front of every line of a child's log. A worker's line
# that its engine passes on has two of the first.
_PREFIX = re.compile(
    r"^((?:\([^)]*pid=\d+\) ?)*)"
    r"(?:(DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[([^\]]*)\] ?)?"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
#: The levels of lines after which a start goes on.
GOES_ON = ("DEBUG", "INFO", "WARNING")


class Line(NamedTuple):
    """A line of a log, without what vLLM and the kubelet put in front of it."""

    text: str
    process: str = ""
    """Who wrote it, "(EngineCore pid=41)"; empty where the line does not say."""
    level: str = ""
    """ERROR, INFO, …; empty of what no logger of vLLM wrote."""
    place: str = ""
    """The file and line that logged it, "core.py:1087"."""
    time: datetime | None = None
    """When it was written, where the log has timestamps."""


def read(log: str) -> list[Line]:
    """The lines of a log, those with nothing in them included."""
    return [_line(raw) for raw in _COLOUR.sub("", log).splitlines()]


def _line(raw: str) -> Line:
    time = None
    if stamp := _STAMP.match(raw):
        second, fraction, zone = stamp.groups()
        time = datetime.fromisoformat(f"{second}.{(fraction or '0'):0<6}{zone.replace('Z', '+00:00')}")
        raw = raw[stamp.end() :]
    prefix = _PREFIX.match(raw)
    assert prefix, "it matches nothing too"
    process, level, place = prefix.groups()
    return Line(raw[prefix.end() :].rstrip(), process.strip(), level or "", place or "", time)
