"""Reads an engine's page of metrics, Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
#: What a family's name is followed by in the names of its samples, by type.
_PARTS = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum", ""), "counter": ("",)}


class PageError(Exception):
    """The text is no page of metrics; says which line is wrong."""


@dataclass(frozen=True)
class Sample:
    """A line of the page: the series' name and labels, and its value now."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Page:
    """What was on a page; `types` has the type of each family by the family's name, as the page declares it."""

    samples: tuple[Sample, ...]
    types: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, **labels: str) -> list[Sample]:
        """The samples of a name that have these labels."""
        return [
            sample
            for sample in self.samples
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
        ]

    def total(self, name: str, **labels: str) -> float | None:
        """The sum over the samples of a name, of all ranks and reasons; None if the page has none of them."""
        found = self.of(name, **labels)
        return sum(sample.value for sample in found) if found else None

    def type_of(self, name: str) -> str:
        """The type of a series: of "x_bucket" it is "histogram"; "" if the page does not say."""
        for type_, suffixes in _PARTS.items():
            for suffix in suffixes:
                if name.endswith(suffix) and self.types.get(name.removesuffix(suffix)) == type_:
                    return type_
        return self.types.get(name, "")


def read(text: str, names: Collection[str] | None = None) -> Page:
    """Read a page.

    Args:
        text: the body of the answer.
        names: the series to keep, by their whole name (of a histogram, those of its parts); None keeps all. A page has
            600 lines, most of them buckets: to read few of them takes a tenth of the time.

    Raises:
        PageError: a line is none of the format. Lines of names that are not asked for are not looked at.
    """
    wanted = frozenset(names) if names is not None else None
    samples: list[Sample] = []
    types: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                types[words[2]] = words[3].strip()
            continue
        name = _name(line)
        if not name or (wanted is not None and name not in wanted):
            continue
        samples.append(_sample(name, line))
    return Page(tuple(samples), types)


def _name(line: str) -> str:
    brace, space = line.find("{"), line.find(" ")
    if brace != -1 and (brace < space or space == -1):
        return line[:brace].strip()
    return line[:space] if space != -1 else line.strip()


def _sample(name: str, line: str) -> Sample:
    rest = line[len(name) :].lstrip()
    labels: Mapping[str, str] = {}
    if rest.startswith("{"):
        inside, closing, rest = rest[1:].rpartition("}")
        if not closing:
            raise PageError(f"{line!r}: the braces are not closed")
        labels = _labels(inside)
    words = rest.split()  # a value, and perhaps when it was taken
    try:
        return Sample(name, labels, float(words[0]))
    except (IndexError, ValueError):
        raise PageError(f"{line!r}: it has no value") from None


@functools.lru_cache(maxsize=4096)  # an engine's page has the same labels every time
def _labels(inside: str) -> Mapping[str, str]:
    found = {name: _ESCAPED.sub(_unescape, value) for name, value in _LABEL.findall(inside)}
    if not found and inside.strip(" ,"):
        raise PageError(f"{inside!r}: these are no labels")
    return found


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
