"""The catalogues: every argument of `vllm serve` and every variable, of each vLLM version that is known."""

import dataclasses
import difflib
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, Literal

Json = Any
Action = Literal["store", "store-true", "boolean", "append", "lora-modules", "help"]

#: The keyword of a schema whose texts may be written in capitals or not.
ANY_CASE = "x-any-case"


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of `vllm serve`, as vLLM's own parser has it."""

    flags: tuple[str, ...]
    """Its spellings, dashes included; the first long one is the name it goes by here."""
    dest: str
    """The name of its value in vLLM's configuration."""
    action: Action
    group: str
    help: str
    type: str = "str"
    """How its text is read: see `vllm_chart.vllm_args.convert`."""
    optional: bool = False
    """Whether "None" and empty text stand for no value."""
    nargs: str | int | None = None
    choices: tuple[Json, ...] | None = None
    known: tuple[str, ...] = ()
    """Values that vLLM knows where it takes others too, because plugins add some."""
    negative: tuple[str, ...] = ()
    """Those of its flags that switch it off."""
    config: str = ""
    """The config class of a JSON object, which the parser makes."""
    later: str = ""
    """The same, where vLLM makes the object only after it has parsed."""
    bounds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The numbers between which a value is, in a JSON schema's words: {"exclusiveMinimum": 0, "maximum": 1}."""
    default: Json = None
    deprecated: str = ""

    @property
    def name(self) -> str:
        """What users write in `engine.args`: "max-model-len"."""
        return next(flag for flag in self.flags if flag.startswith("--"))[2:]


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """What one version of vLLM takes."""

    version: str
    arguments: tuple[Argument, ...]
    classes: Mapping[str, Json]
    """JSON schemas (draft 2020-12) of config classes; they refer to each other as "#/$defs/NAME"."""
    environment: frozenset[str]
    """The variables VLLM_* that it knows."""
    names: Mapping[str, Sequence[str]]
    """What an argument may name, where its parser takes any text and vLLM looks it up later."""

    @functools.cached_property
    def by_flag(self) -> dict[str, Argument]:
        """Every spelling of every argument, dashes included."""
        return {flag: argument for argument in self.arguments for flag in argument.flags}


def versions() -> list[str]:
    """The versions whose catalogue is aboard, oldest first."""
    names = [file.name.removesuffix(".json") for file in _folder().iterdir() if file.name.endswith(".json")]
    return sorted(names, key=lambda name: [int(number) for number in name.split(".")])


@functools.cache
def load(version: str) -> Catalogue:
    """The catalogue of a version, "0.33.0". Raises KeyError for one that is not aboard."""
    file = _folder() / f"{version}.json"
    if not file.is_file():
        raise KeyError(f"no catalogue of vLLM {version}: there are {', '.join(versions())}")
    document = json.loads(file.read_text(encoding="utf-8"))
    return Catalogue(
        version=document["version"],
        arguments=tuple(_argument(argument) for argument in document["arguments"]),
        classes=document["classes"],
        environment=frozenset(document["environment"]),
        names=document["names"],
    )


def version_of_tag(tag: str) -> str | None:
    """The version that an image's tag names ("v0.33.0", "0.33.0", "v0.32.0-x86_64"), if its catalogue is aboard."""
    found = re.fullmatch(r"v?(\d+\.\d+\.\d+)(?:[-+._].*)?", tag)
    return found[1] if found and found[1] in versions() else None


def nearest(wrong: str, right: Iterable[str]) -> list[str]:
    """The right names that a wrong one was probably meant to be, the likeliest first; at most three."""
    plain = {re.sub("[-_.]", "", name).lower(): name for name in right}
    asked = re.sub("[-_.]", "", wrong).lower()
    if asked in plain:
        return [plain[asked]]
    return [plain[name] for name in difflib.get_close_matches(asked, plain, n=3, cutoff=0.75)]


def _folder() -> Any:
    return resources.files("vllm_chart.vllm_args") / "catalogues"


def _argument(document: Mapping[str, Json]) -> Argument:
    fields = {("config" if key == "class" else key): _tuple(value) for key, value in document.items()}
    return Argument(**fields)


def _tuple(value: Json) -> Json:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
