"""vLLM's parser of `vllm serve`, rebuilt from a catalogue: takes and refuses what that version's own would.

It is Python's argparse underneath, as vLLM's is, so that abbreviations, `--flag=value`, how many values an argument
takes and the rest of those habits are not imitated but the same.
"""

import argparse
import functools
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NoReturn

from vllm_chart.vllm_args import catalogue, convert
from vllm_chart.vllm_args.catalogue import Argument, Catalogue

Json = Any


class ArgvError(Exception):
    """vLLM would refuse these arguments. `argument` is the one at fault, "" where it is none of vLLM's."""

    def __init__(self, message: str, argument: str = "", unknown: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.argument = argument
        self.unknown = tuple(unknown)
        """Words that no argument takes."""


def parse(argv: Sequence[str], version: str) -> dict[str, Json]:
    """The values that `vllm serve` of a version would read from its arguments, by vLLM's own names.

    argv: what follows `vllm serve`. Only what is given is there: defaults are left out. Values of JSON are plain data.

    Raises ArgvError for what vLLM would refuse, with the message that its parser would end with, KeyError for a
    version without a catalogue.
    """
    values, unknown = parse_known(argv, version)
    if unknown:
        raise ArgvError(f"unrecognized arguments: {' '.join(unknown)}", unknown=unknown)
    return values


def parse_known(argv: Sequence[str], version: str) -> tuple[dict[str, Json], list[str]]:
    """As `parse`, and the words that no argument of this version takes."""
    try:
        words = _nested(_plain_flags(_model_first(argv)))
        namespace, unknown = _parser(version).parse_known_args(words)
    except argparse.ArgumentError as error:
        raise ArgvError(str(error), (error.argument_name or "").partition("/")[0]) from error
    return vars(namespace), unknown


# What vLLM does to the words before it parses them. Source: FlexibleArgumentParser.parse_args.


def _model_first(argv: Sequence[str]) -> list[str]:
    """`--model NAME` moved to where the model belongs."""
    words = [*argv]
    at = next((i for i, word in enumerate(words) if re.match(r"^--model(=.+|$)", word)), None)
    if at is not None:
        last = at + 1 if words[at] == "--model" else at
        if last == len(words):
            raise ArgvError("argument --model: expected one argument", "--model")
        words = [words[last].removeprefix("--model=") if last == at else words[last], *words[:at], *words[last + 1 :]]
    named = any(re.match(r"^--served[-_]model[-_]name(=.+|$)", word) for word in words)
    if words and words[0].startswith("-") and named and not any(re.match(r"^--config(=.+|$)", w) for w in words):
        raise ArgvError("the model has to be the first argument where --served-model-name is given")
    if "--config" in words:
        raise ArgvError("argument --config: vLLM would read a file that is not here", "--config")
    return words


def _plain_flags(words: Sequence[str]) -> list[str]:
    """Dashes for underscores in the names of flags, and `-O3` spelt out."""
    plain = []
    for i, word in enumerate(words):
        if word.startswith("--help="):
            plain.append("--help")
        elif word.startswith("--"):
            key, equals, value = word.partition("=")
            name, dot, inner = key.partition(".")
            plain.append(name.replace("_", "-") + dot + inner + equals + value)
        elif word.startswith("-O") and word != "-O":
            plain += ["--optimization-level", word[3:] if word[2] == "=" else word[2:]]
        elif word == "-O" and words[i + 1 : i + 2] and words[i + 1] in ("0", "1", "2", "3"):
            plain.append("--optimization-level")
        else:
            plain.append(word)
    return plain


def _nested(words: Sequence[str]) -> list[str]:
    """`--flag.a.b VALUE` and `--flag.a+ ITEMS` gathered into one JSON object for each flag, at the end."""
    kept: list[str] = []
    objects: dict[str, dict[str, Json]] = defaultdict(dict)
    rest = iter(words)
    for word in rest:
        key, equals, text = word.partition("=")
        if not word.startswith("-") or "." not in key or (word.startswith("--") and "." not in word):
            kept.append(word)
            continue
        if not equals and (text := next(rest, None)) is None:  # type: ignore[assignment]
            raise ArgvError(f"argument {key}: expected one argument", key.partition(".")[0])
        if key.endswith("+"):
            key, text = key[:-1], json.dumps(text.split(","))
        flag, *steps = key.split(".")
        value = _loose_json(text)
        for step in reversed(steps):
            value = {step: value}
        _merge(objects[flag], value)
    return kept + [word for flag, value in objects.items() for word in (flag, json.dumps(value))]


def _loose_json(text: str) -> Json:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        try:
            return convert.human_int(text)
        except (ValueError, argparse.ArgumentTypeError):
            return text


def _merge(into: dict[str, Json], more: dict[str, Json]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list):
            into[key] += value
        else:
            into[key] = value


# The parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgvError(message)


class _Boolean(argparse.Action):
    def __init__(self, negative: Sequence[str | None] = (), **options: Any) -> None:
        super().__init__(nargs=0, **options)
        self.negative = negative

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        setattr(namespace, self.dest, option not in self.negative)


class _Help(argparse.Action):
    def __init__(self, **options: Any) -> None:
        super().__init__(nargs=0, **options)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        raise argparse.ArgumentError(self, "vLLM would print its help and end")


class _LoraModules(argparse.Action):
    """Source: LoRAParserAction: `name=path`, or a JSON object with these keys."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        modules = [self.module(value) for value in values if value not in (None, "")]
        setattr(namespace, self.dest, modules)

    def module(self, text: str) -> dict[str, Json]:
        if "=" in text and "," not in text:
            name, _, path = text.partition("=")
            return {"name": name, "path": path}
        try:
            module = json.loads(text)
        except json.JSONDecodeError:
            raise argparse.ArgumentError(self, f"neither name=path nor JSON: {text}") from None
        keys = module.keys() if isinstance(module, dict) else set()
        if not {"name", "path"} <= keys <= {"name", "path", "base_model_name", "is_3d_lora_weight"}:
            raise argparse.ArgumentError(self, f"neither name=path nor an object with name and path: {text}")
        return dict(module)


_ACTIONS: dict[catalogue.Action, Any] = {
    "store": "store",
    "append": "append",
    "store-true": _Boolean,
    "boolean": _Boolean,
    "help": _Help,
    "lora-modules": _LoraModules,
}


@functools.cache
def _parser(version: str) -> _Parser:
    parser = _Parser(prog="vllm serve", add_help=False, argument_default=argparse.SUPPRESS, exit_on_error=False)
    parser.add_argument("model_tag", nargs="?")
    known = catalogue.load(version)
    for argument in known.arguments:
        parser.add_argument(*argument.flags, dest=argument.dest, **_options(argument, known))
    return parser


def _options(argument: Argument, known: Catalogue) -> dict[str, Any]:
    options: dict[str, Any] = {"action": _ACTIONS[argument.action]}
    if argument.action == "boolean":
        options["negative"] = argument.negative
    if argument.action in ("store", "append", "lora-modules"):
        options |= {"type": convert.converter(argument, known), "choices": argument.choices}
        if argument.nargs is not None:
            options["nargs"] = argument.nargs
        if argument.nargs == "?":
            options["const"] = True  # vLLM's optional values are True where none is given
    return options
