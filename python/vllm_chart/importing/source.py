"""What is imported, field by field, and what becomes of each: no field is passed over in silence.

A `Part` is a field with all below it; a reader says of each what becomes of it. `Ledger.rest` names what no reader has
spoken of, so that a field which nobody thought of is named too.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from vllm_chart.findings import Finding, Severity, WrongCallError

Json = Any
Fate = Literal["carried", "covered", "left"]
Path = tuple[str | int, ...]

UNKNOWN = "this command does not know the field: nothing of it is in the values"
EMPTY = "empty"


@dataclasses.dataclass(frozen=True)
class Field:
    """What became of a field of the source.

    path: the object first ("Deployment/llm"), then the keys and indices that lead to it.
    fate: "carried" into the values, "covered" by what the chart does anyway, or "left" out.
    into: the key of the values that it is in ("image.tag"), for one that is carried.
    reason, remedy, severity: of one that is not; "error" where the release will behave otherwise without it.
    """

    path: Path
    fate: Fate
    into: str = ""
    reason: str = ""
    remedy: str = ""
    severity: Severity = "error"
    check: str = "import-carries"

    @property
    def where(self) -> str:
        return written(self.path)

    def finding(self) -> Finding:
        return Finding(self.check, self.where, self.reason, self.remedy, self.severity)


def written(path: Path) -> str:
    """A path as people write it: `Deployment/llm: spec.template.spec.containers[0].image`."""
    text = ""
    for step in path[1:]:
        dotted = step if isinstance(step, str) and not set(step) & set("./ ") else f"['{step}']"
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text and dotted == step else ''}{dotted}"
    return f"{path[0]}: {text}" if text else str(path[0])


def type_of(value: Json) -> str:
    """What a value is, in words that don't show it: it may be secret."""
    types: dict[type, str] = {str: "a text", bool: "a truth value", int: "a number", float: "a number"}
    return "a map" if isinstance(value, Mapping) else types.get(type(value), "a list")


class Ledger:
    """The fates of all fields, in the order in which they were told."""

    def __init__(self) -> None:
        self.fields: list[Field] = []

    def tell(self, field: Field) -> None:
        self.fields.append(field)

    def cover(self, within: Path, into: str, reason: str) -> None:
        """Say of what an object has carried to a key that it is covered after all, and not at that key."""
        self.fields = [
            dataclasses.replace(field, fate="covered", into="", reason=reason)
            if field.into == into and field.path[: len(within)] == within
            else field
            for field in self.fields
        ]

    def rest(self, path: Path, value: Json) -> None:
        """Name the fields of an object that nothing was said of, each by the highest that has nothing below it which
        something was said of."""
        told = {field.path for field in self.fields}
        above = {path[:length] for path in told for length in range(len(path))}
        for field in _untold(path, value, told, above):
            self.tell(field)


def _untold(path: Path, value: Json, told: set[Path], above: set[Path]) -> Iterator[Field]:
    if path in told:
        return
    if path not in above:
        empty = value in (None, "", {}, [])
        yield Field(path, "covered", reason=EMPTY) if empty else Field(path, "left", reason=UNKNOWN)
        return
    for step, below in _entries(value):
        yield from _untold((*path, step), below, told, above)


def leaves(path: Path, value: Json) -> Iterator[Path]:
    """The paths of all that has nothing below it: texts, numbers, and maps and lists that are empty."""
    entries = list(_entries(value))
    if not entries:
        yield path
    for step, below in entries:
        yield from leaves((*path, step), below)


def _entries(value: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, Mapping):
        yield from ((str(key), below) for key, below in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from enumerate(value)


class Part:
    """A field of what is imported, with all below it."""

    def __init__(self, ledger: Ledger, path: Path, value: Json) -> None:
        self.ledger = ledger
        self.path = path
        self.value = value

    def __str__(self) -> str:
        return written(self.path)

    @property
    def paths(self) -> list[Path]:
        """Where it is; of fields that were put together, where each is."""
        return [self.path]

    # What is below

    def get(self, *keys: str) -> "Part | None":
        """The field below; None where there is none, or null."""
        part: Part | None = self
        for key in keys:
            part = part and part.fields().get(key)
        return part if part is not None and part.value is not None else None

    def value_of(self, *keys: str) -> Json:
        """The value below, of which nothing is told; None where there is none."""
        part = self.get(*keys)
        return None if part is None else part.value

    def fields(self) -> "dict[str, Part]":
        """The fields of a map. Raises WrongCallError for what is none."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise WrongCallError(f"{self}: a map is expected here, and not {type_of(self.value)}")
        return {str(key): Part(self.ledger, (*self.path, str(key)), value) for key, value in self.value.items()}

    def items(self) -> "list[Part]":
        """The items of a list. Raises WrongCallError for what is none."""
        if self.value is None:
            return []
        if not isinstance(self.value, Sequence) or isinstance(self.value, str):
            raise WrongCallError(f"{self}: a list is expected here, and not {type_of(self.value)}")
        return [Part(self.ledger, (*self.path, index), value) for index, value in enumerate(self.value)]

    def maps(self, key: str) -> "list[Part]":
        """The items of the list at a key, each of which has to be a map."""
        part = self.get(key)
        items = [item for item in part.items() if item.value is not None] if part else []
        for item in items:
            item.fields()
        return items

    # What becomes of it

    def carried(self, into: str) -> None:
        self.ledger.tell(Field(self.path, "carried", into))

    def covered(self, reason: str) -> None:
        self.ledger.tell(Field(self.path, "covered", reason=reason))

    def left(self, reason: str, remedy: str = "", severity: Severity = "error", check: str = "import-carries") -> None:
        self.ledger.tell(Field(self.path, "left", reason=reason, remedy=remedy, severity=severity, check=check))

    def cover(self, reason: str, *keys: str) -> None:
        """Tell of those of the fields below that are there."""
        for key in keys:
            if part := self.fields().get(key):
                part.covered(reason)


class _Joined(Part):
    """Fields of several parts as one; what becomes of it becomes of each."""

    def __init__(
        self, parts: "Sequence[Part]", value: Json, below: "Mapping[str, Part]", items: "Sequence[Part]"
    ) -> None:
        super().__init__(parts[0].ledger, parts[0].path, value)
        self._parts = parts
        self._below = below
        self._items = items

    @property
    def paths(self) -> "list[Path]":
        return [path for part in self._parts for path in part.paths]

    def fields(self) -> "dict[str, Part]":
        return dict(self._below)

    def items(self) -> "list[Part]":
        return list(self._items)

    def carried(self, into: str) -> None:
        for part in self._parts:
            part.carried(into)

    def covered(self, reason: str) -> None:
        for part in self._parts:
            part.covered(reason)

    def left(self, reason: str, remedy: str = "", severity: Severity = "error", check: str = "import-carries") -> None:
        for part in self._parts:
            part.left(reason, remedy, severity, check)


def joined(first: Part, second: Part | None, without: Sequence[str] = ()) -> Part:
    """Two maps as one: of a field that both have the first's counts, maps are put together likewise, and lists follow
    on each other, the second's before the first's; of items with a name the first's takes the place of the other.

    without: fields of the first that are left out.
    """
    if second is None:
        return first
    mine = {key: part for key, part in first.fields().items() if key not in without and part.value is not None}
    below = dict(second.fields()) | mine
    for key in mine.keys() & second.fields().keys():
        below[key] = _both(mine[key], second.fields()[key])
    return _Joined([first, second], {key: part.value for key, part in below.items()}, below, ())


def _both(first: Part, second: Part) -> Part:
    if isinstance(first.value, Mapping) and isinstance(second.value, Mapping):
        return joined(first, second)
    if isinstance(first.value, list) and isinstance(second.value, list):
        names = {name for item in first.value if (name := _name(item))}
        kept = [item for item in second.items() if _name(item.value) not in names]
        for item in second.items():
            if item not in kept and _name(item.value) in names:
                item.covered("another of its name takes its place")
        items = [*kept, *first.items()]
        return _Joined([first, second], [item.value for item in items], {}, items)
    second.covered("the one over it counts")
    return first


def _name(item: Json) -> str:
    return str(item.get("name") or "") if isinstance(item, Mapping) else ""
