"""The values of a release as they come together, and how they are written."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from vllm_chart import charts, yaml_text
from vllm_chart.importing.source import Part

Json = Any
Values = dict[str, Any]

WIDTH = 110


class Draft:
    """Values of a release, and of which fields each comes."""

    def __init__(self, name: str, source: str = "") -> None:
        """source: the object that most of it comes of, which comments leave out."""
        self.name = name
        """What the release, or its file, is called."""
        self._source = source
        self.values: Values = {}
        self._origins: dict[str, list[str]] = {}
        self.secrets: set[str] = set()
        """Texts that are to stand in no value and no message."""

    @property
    def object_name(self) -> str:
        """The same as the name of an object of Kubernetes."""
        return re.sub("[^a-z0-9.-]+", "-", self.name.lower()).strip("-.") or "llm"

    def put(self, part: Part | None, keys: str | Sequence[str], value: Json) -> None:
        """Write a value, and tell that the part is carried there.

        keys: "image.tag", or the keys one by one where they have dots. part: None for what follows from several, each
        of which is told of elsewhere.
        """
        steps = keys.split(".") if isinstance(keys, str) else list(keys)
        within = self.values
        for step in steps[:-1]:
            within = within.setdefault(step, {})
        within[steps[-1]] = value
        if part:
            part.carried(".".join(steps))
            self.origin(part, steps[0])

    def origin(self, part: Part, key: str) -> None:
        """Say in a comment that a key at the root comes of a part."""
        name = str(part).removeprefix(f"{self._source}: ")
        for way in ("spec.template.spec.", "spec."):
            name = name.removeprefix(way).replace(f": {way}", ": ")
        if name not in (origins := self._origins.setdefault(key, [])):
            origins.append(name)

    def take(self, part: Part | None, keys: str | Sequence[str]) -> None:
        """Write a part as it stands."""
        if part is not None:
            self.put(part, keys, part.value)

    def get(self, keys: str) -> Json:
        """A value that is written already; None where there is none."""
        value: Json = self.values
        for step in keys.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def append(self, part: Part | None, key: str, *items: Json) -> None:
        """Add to a list at the root."""
        self.put(part, key, [*self.values.get(key, ()), *items])

    def minimal(self) -> Values:
        """The values without what equals a default, in the order of values.yaml."""
        pruned: Values = _pruned(self.values, defaults())
        return pruned

    def text(self) -> str:
        """The values as YAML, each block with the fields that it comes from."""
        blocks = []
        for key, value in self.minimal().items():
            origins = self._origins.get(key, [])
            more = f", and {len(origins) - 2} more" if len(origins) > 2 else ""
            lines = [f"# {', '.join(origins[:2])}{more}\n"] if origins else []
            blocks.append("".join(lines) + yaml_text.dump({key: value}, width=WIDTH))
        return "".join(blocks)


@cache
def defaults() -> Values:
    """The chart's defaults, in the order of its values.yaml."""
    with (charts.VLLM.folder / "values.yaml").open(encoding="utf-8") as file:
        loaded: Values = yaml.safe_load(file)
    return loaded


def _pruned(values: Values, standard: Mapping[str, Json]) -> Values:
    known = [key for key in standard if key in values]
    result: Values = {}
    for key in [*known, *(key for key in values if key not in standard)]:
        value, default = values[key], standard.get(key)
        if key in standard and value == default:
            continue
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            value = _pruned(dict(value), default)
            if not value:
                continue
        result[key] = value
    return result
