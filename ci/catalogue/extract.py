"""Write the catalogue of the vLLM that is installed here: its arguments, config classes and environment.

    VLLM_TARGET_DEVICE=cpu python -m ci.catalogue.extract FOLDER

It runs where that vLLM is importable, and needs no GPU. All is taken from vLLM's own parser object, not from its
documentation. A kind of argument that `vllm_chart.vllm_args.argv` could not read ends it with an error that names it.
"""

import argparse
import enum
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vllm_chart.vllm_args.catalogue import ANY_CASE

Json = Any

#: Converters that vLLM names, as the catalogue calls them.
NAMED_TYPES = {
    "human_readable_int": "human-int",
    "human_readable_int_or_auto": "human-int-or-auto",
    "union_dict_and_str": "text-or-json",
    "parse_reasoning_parser": "reasoning-parser",
}
#: vLLM's lambdas, by what they call.
LAMBDAS = {("lower", "replace"): "lower-underscore", ("split",): "device-ids"}

ACTIONS = {
    "_StoreAction": "store",
    "_StoreTrueAction": "store-true",
    "_AppendAction": "append",
    "_HelpAction": "help",
    "BooleanOptionalAction": "boolean",
    "EnableDisableAction": "boolean",
    "LoRAParserAction": "lora-modules",
    "DeprecatedLogConfigFileAction": "store",
}

BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


class UnknownKindError(Exception):
    """vLLM has a kind of argument that the catalogue has no word for."""


def main() -> int:
    """Write the catalogue. Returns the exit code."""
    if len(sys.argv) != 2:
        print("usage: python -m ci.catalogue.extract FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    try:
        document = catalogue()
    except UnknownKindError as error:
        print(f"extract: {error}: teach ci.catalogue.extract and argv that kind", file=sys.stderr)
        return 1
    path = folder / f"{document['version']}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {path}: {len(document['arguments'])} arguments, {len(document['environment'])} variables")
    return 0


def catalogue() -> dict[str, Json]:
    """The catalogue of the vLLM that is importable here."""
    parser = serve_parser()
    classes: dict[str, Json] = {}
    flags: dict[argparse.Action, list[str]] = {}
    for flag, action in parser._option_string_actions.items():  # includes those that the help hides
        flags.setdefault(action, []).append(flag)
    arguments = [
        _argument(action, flags[action], _group(parser, action), classes)
        for action in parser._actions
        if action.option_strings
    ]
    wanted = {argument[key] for argument in arguments for key in ("class", "later") if key in argument}
    internal = {argument["group"] for argument in arguments} - wanted
    classes = _reachable({name: schema for name, schema in classes.items() if name not in internal}, wanted)
    envs = importlib.import_module("vllm.envs")
    return {
        "version": version(),
        "source": "the argument parser of `vllm serve`, built by vLLM itself with VLLM_TARGET_DEVICE=cpu",
        "arguments": arguments,
        "classes": dict(sorted(classes.items())),
        "environment": sorted(name for name in envs.environment_variables if name.startswith("VLLM_")),
        "names": names(),
    }


def names() -> dict[str, list[str]]:
    """What vLLM looks up by name when it starts, by the argument that takes it; its parser takes any text for these."""
    quantization = importlib.import_module("vllm.model_executor.layers.quantization").QUANTIZATION_METHODS
    tool_parsers = importlib.import_module("vllm.tool_parsers").ToolParserManager
    reasoning_parsers = importlib.import_module("vllm.reasoning").ReasoningParserManager
    backends = importlib.import_module("vllm.v1.attention.backends.registry").AttentionBackendEnum
    return {
        "attention-backend": sorted(backends.__members__),
        "quantization": sorted(quantization),
        "reasoning-parser": sorted(reasoning_parsers.list_registered()),
        "tool-call-parser": sorted(tool_parsers.list_registered()),
    }


def version() -> str:
    """The version of vLLM without its build: "0.33.0"."""
    text: str = importlib.import_module("vllm.version").__version__
    return text.partition("+")[0]


def command_parser() -> argparse.ArgumentParser:
    """The parser of the command `vllm`, with its subcommand `serve` only, as vllm.entrypoints.cli.main builds it."""
    sys.argv = ["vllm", "--help"]  # where vLLM finds this, it gives its arguments their help
    platforms = importlib.import_module("vllm.platforms")
    # Some choices name the device. The kernels of a GPU are not needed to name it.
    type(platforms.current_platform).device_type = "cuda"
    parser: argparse.ArgumentParser = importlib.import_module("vllm.utils.argparse_utils").FlexibleArgumentParser()
    parser.add_argument("-v", "--version", action="version", version="")
    subparsers = parser.add_subparsers(required=False, dest="subparser")
    importlib.import_module("vllm.entrypoints.cli.serve").ServeSubcommand().subparser_init(subparsers)
    return parser


def serve_parser() -> argparse.ArgumentParser:
    """The parser of `vllm serve`."""
    [subcommands] = [a for a in command_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    parser: argparse.ArgumentParser = subcommands.choices["serve"]
    return parser


def _group(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return next(group.title or "" for group in parser._action_groups if action in group._group_actions)


def _argument(action: argparse.Action, flags: list[str], group: str, classes: dict[str, Json]) -> dict[str, Json]:
    kind = ACTIONS.get(type(action).__name__)
    if kind is None:
        raise UnknownKindError(f"{flags[0]} has the action {type(action).__name__}")
    argument: dict[str, Json] = {"flags": flags, "dest": action.dest, "action": kind, "group": group}
    if kind in ("store", "append", "lora-modules"):
        argument |= _type(action, flags[0], classes)
    if kind == "boolean":
        no = getattr(action, "negative_option_strings", {flag for flag in flags if flag.startswith("--no-")})
        argument["negative"] = [flag for flag in flags if flag in no]
    if action.nargs not in (None, 0):
        argument["nargs"] = action.nargs
    if action.choices is not None:
        argument["choices"] = [*action.choices]
    elif isinstance(action.metavar, list | tuple):  # other values are taken too: plugins add some
        argument["known"] = [*action.metavar]
    if (default := _plain(action.default)) is not None:
        argument["default"] = default
    if bounds := _bounds(group, action.dest):
        argument["bounds"] = bounds
    text = " ".join((action.help or "").partition("\n\n")[0].replace("%%", "%").split())
    if re.search("is deprecated|has been replaced", text):
        argument["deprecated"] = text
    return argument | {"help": re.split(r"(?<=[.:])\s", text)[0]}


def _type(action: argparse.Action, flag: str, classes: dict[str, Json]) -> dict[str, Json]:
    """The converter of an argument's text: {"type", "optional" if "None" is one, "class" of a JSON object}."""
    convert: Any = action.type
    described: dict[str, Json] = {}
    while (inner := _closed_over(convert)) is not None:  # optional_type(…) and parse_type(…) wrap another converter
        if convert.__qualname__.startswith("optional_type"):
            described["optional"] = True
        convert = inner
    if convert in (None, str):
        return described | {"type": "str"}
    if convert in (int, float):
        return described | {"type": convert.__name__}
    if convert is json.loads:
        # vLLM makes the object of the class later, when it makes its configuration.
        class_name = "".join(word.capitalize() for word in action.dest.split("_"))
        if isinstance(cls := getattr(importlib.import_module("vllm.config"), class_name, None), type):
            described["later"] = _describe(cls, classes, ask=False)
        return described | {"type": "json"}
    if convert.__name__ == "parse_dataclass":
        return described | {"type": "config", "class": _describe(convert.__defaults__[0], classes)}
    if name := NAMED_TYPES.get(convert.__name__) or LAMBDAS.get(_calls(convert)):
        return described | {"type": name}
    raise UnknownKindError(f"{flag} has the type {convert.__qualname__} {inspect.getsource(convert)!r}")


def _bounds(group: str, name: str) -> dict[str, float]:
    """The numbers between which vLLM's configuration takes a value, in a JSON schema's words.

    The parser takes any: vLLM refuses them only when it makes the object of the class that the group is named by.
    """
    fields = _fields(getattr(importlib.import_module("vllm.config"), group, None))
    parts = [_fields(field.annotation) for field in fields.values()]  # a config class may be made of others
    metadata = next((some[name].metadata for some in (fields, *parts) if name in some), ())
    return {word: getattr(one, key) for one in metadata for key, word in BOUNDS.items() if hasattr(one, key)}


def _fields(cls: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(cls, "__pydantic_fields__", {})
    return fields


def _closed_over(convert: Any) -> Callable[[str], Any] | None:
    if not inspect.isfunction(convert):
        return None
    inner: Callable[[str], Any] | None = inspect.getclosurevars(convert).nonlocals.get("return_type")
    return inner


def _calls(function: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = function.__code__.co_names
    return names


# Config classes


def _describe(cls: type, classes: dict[str, Json], *, ask: bool = True) -> str:
    """The name of a config class, whose JSON schema is added to the classes, with those that it refers to.

    ask: whether its validators may be asked; those that belong to a model would look for it.
    """
    from pydantic import TypeAdapter
    from pydantic.json_schema import GenerateJsonSchema

    class Lenient(GenerateJsonSchema):
        """What pydantic cannot describe is anything."""

        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
            return {}

    adapter: Any = TypeAdapter(cls)
    schema = adapter.json_schema(schema_generator=Lenient, mode="validation")
    named = {found.__name__: found for found in _python_classes(adapter.core_schema)}
    for name, definition in {**schema.pop("$defs", {}), cls.__name__: schema}.items():
        if name not in classes:
            classes[name] = _slim(definition)
    for name, found in named.items() if ask else ():
        if name in classes and not issubclass(found, enum.Enum):
            _ask(found, classes[name], classes, named)
    return cls.__name__


def _python_classes(node: Json, seen: set[int] | None = None) -> Iterator[type]:
    """The dataclasses and enumerations in a core schema of pydantic's."""
    seen = set() if seen is None else seen
    if isinstance(node, dict) and id(node) not in seen:
        seen.add(id(node))
        if node.get("type") in ("dataclass", "enum"):
            yield node["cls"]
        for value in node.values():
            yield from _python_classes(value, seen)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _python_classes(item, seen)


def _ask(cls: type, schema: dict[str, Json], classes: dict[str, Json], named: Mapping[str, type]) -> None:
    """Complete a class's schema by what its validators take, which only they know: nulls, texts, names of members."""
    from pydantic import TypeAdapter, ValidationError

    adapter: Any = TypeAdapter(cls)

    def refusal(**fields: Json) -> str:
        try:
            adapter.validate_json(json.dumps(fields))
        except (ValidationError, ValueError, TypeError, KeyError, AssertionError, NotImplementedError) as error:
            return str(error) or type(error).__name__
        return ""

    if schema.get("required"):  # it cannot be asked about one field alone
        return
    properties = schema["properties"]
    told = " ".join(refusal(**{name: value}) for name in properties for value in ("?", {"?": "?"}))
    lists = " ".join(re.findall(r"expected one of \[(.*?)\]", told))
    names = sorted(set(re.findall(r"'([^']+)'", lists)))
    for name, field in [*properties.items()]:
        if "Unexpected keyword argument" in refusal(**{name: None}):  # vLLM's own, which users cannot set
            del properties[name]
            continue
        if field == {} and refusal(**{name: "?"}):
            field["anyOf"] = []
        for option in [field, *field.get("anyOf", ())]:
            if isinstance(option.get("additionalProperties"), dict) and refusal(**{name: {"?": "?"}}):
                inner = [text for text in names if not refusal(**{name: {"?": text}})]
                option["additionalProperties"] = {"enum": inner} if inner else option["additionalProperties"]
            if option.get("type") == "string" and (texts := option.get("enum")):
                changed = next((text for text in texts if "_" in text), texts[0]).swapcase()
                if not refusal(**{name: changed}):
                    option[ANY_CASE] = "dashes" if not refusal(**{name: changed.replace("_", "-")}) else True
            enumeration = named.get(option.get("$ref", "").rpartition("/")[2])
            if enumeration and issubclass(enumeration, enum.Enum):
                values = [member.value for member in enumeration]
                asked = [*enumeration.__members__, *(value for value in values if isinstance(value, str | int))]
                taken = [value for value in asked if not refusal(**{name: value})]
                any_case = not refusal(**{name: str(taken[0]).swapcase()})
                classes[enumeration.__name__] = {"enum": taken} | ({ANY_CASE: True} if any_case else {})
        if not refusal(**{name: None}):
            _allow(field, {"type": "null"})
        if field.get("type") == "array" and not refusal(**{name: "?"}):
            _allow(field, {"type": "string"})
        if taken := [text for text in names if refusal(**{name: "?"}) and not refusal(**{name: text})]:
            _allow(field, {"enum": taken})


def _allow(field: dict[str, Json], another: Json) -> None:
    """Let a field's schema take another kind of value."""
    if field == {}:
        return
    if "anyOf" not in field:
        field["anyOf"] = [field.copy()]
        for key in [key for key in field if key != "anyOf"]:
            del field[key]
    if another not in field["anyOf"]:
        field["anyOf"].append(another)


def _reachable(classes: Mapping[str, Json], wanted: set[str]) -> dict[str, Json]:
    """The wanted classes and those that they refer to. A class that is not there is anything: users write its fields
    as arguments of their own, and vLLM puts its objects into others (a speculative config has the model's)."""
    found: dict[str, Json] = {}
    while wanted:
        name = min(wanted)
        text = json.dumps(classes[name])
        references = set(re.findall(r'"#/\$defs/(\w+)"', text))
        for absent in references - classes.keys():
            text = text.replace(f'{{"$ref": "#/$defs/{absent}"}}', "{}")
        found[name] = json.loads(text)
        wanted = (wanted | references & classes.keys()) - found.keys()
    return found


def _slim(node: Json, *, named: bool = False) -> Json:
    """A schema without prose, titles and defaults. named: the node maps names, which may be any of those words."""
    if isinstance(node, list):
        return [_slim(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        key: _slim(value, named=not named and key in ("properties", "patternProperties"))
        for key, value in node.items()
        if named or key not in ("title", "description", "default", "deprecated")
    }


def _plain(value: Json) -> Json:
    """A default as JSON; None for one that has no such form."""
    if isinstance(value, str | int | float | bool) and value != argparse.SUPPRESS:
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return [*value]
    return None


if __name__ == "__main__":
    sys.exit(main())
