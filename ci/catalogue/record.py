"""Write down what the vLLM that is installed here says to thousands of argument lists.

    VLLM_TARGET_DEVICE=cpu python -m ci.catalogue.record FOLDER [LISTS]

Each list is parsed by vLLM's own parser; the file says which it took, with which value, and which it refused. A test
holds the rebuilt parser (`vllm_args.argv`) against it, so that it needs no vLLM. LISTS is a JSON file of other
argument lists by version, to ask about those instead.
"""

import argparse
import contextlib
import gzip
import io
import json
import logging
import platform
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ci.catalogue import extract
from vllm_chart.vllm_args import catalogue
from vllm_chart.vllm_args.catalogue import Argument, Catalogue

Json = Any

#: Text that users write, and text that is read in more than one way.
TEXTS = (
    *("", "0", "1", "-1", "8", "1.5", "0.9", "-0.5", "1e3", "1k", "1K", "2M", "1.5k", "1.5K", "0x10", "1_000", " 8 "),
    *("inf", "nan", "auto", "AUTO", "none", "None", "null", "true", "True", "false", "abc", "a-b", "a,b", "a=b", "a b"),
    *(
        "{}",
        "[]",
        '{"a": 1}',
        '{"a": {"b": [1, 2]}}',
        '["x"]',
        '"x"',
        "{a: 1}",
        '{"a": 1k}',
        "{",
        "-x",
        "--x",
        "é",
        "٣",
    ),
    *("name=/path", '{"name": "n", "path": "/p"}', '{"name": "n"}', "fp8", "/a/b.py", "0,1"),
)
#: Text as a word of its own: a dash in front makes it a flag.
WORDS = ("", "8", "-1", "-0.5", "-x", "--x", "abc", "a b", "{}", "1k", "--", "-1.5")
#: Values of the fields of JSON objects.
VALUES: tuple[Json, ...] = (
    None,
    True,
    0,
    1,
    -1,
    8,
    1.5,
    "",
    "1",
    "true",
    "abc",
    "fp8",
    [],
    ["a"],
    [1, 2],
    {},
    {"a": 1},
    {"a": "b"},
)
SEED = 4
MIXED = 1500


def main() -> int:
    """Write the file. Returns the exit code."""
    if len(sys.argv) not in (2, 3):
        print("usage: python -m ci.catalogue.record FOLDER [LISTS]", file=sys.stderr)
        return 2
    folder, *lists = map(Path, sys.argv[1:])
    version = extract.version()
    known = catalogue.load(version)
    name = "-".join([version, *(file.stem for file in lists)])
    path = folder / f"{name}.jsonl.gz"
    asked = json.loads(lists[0].read_text())[version] if lists else cases(known)
    parser = extract.command_parser()
    logging.disable()
    taken = 0
    lines = []
    for count, words in enumerate(asked):
        verdict = ask(parser, words, known)
        taken += verdict is not None
        lines.append(json.dumps([words, verdict], ensure_ascii=False))
        if count % 5000 == 0:
            print(f"{count} argument lists", flush=True)
    head = {"vllm": version, "python": platform.python_version(), "lists": len(lines), "taken": taken}
    path.write_bytes(gzip.compress("\n".join([json.dumps(head), *lines, ""]).encode(), mtime=0))
    print(f"wrote {path}: {len(lines)} argument lists, {taken} of them taken")
    return 0


def ask(parser: argparse.ArgumentParser, words: Sequence[str], known: Catalogue) -> dict[str, Json] | None:
    """The values that vLLM reads, by name, without its defaults; None where it refuses.

    parser: of the command `vllm`. A value of a config class is only said to be one: "…".
    """
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            values = vars(parser.parse_args(["serve", *words]))
        except (SystemExit, Exception):  # whatever vLLM ends with, it does not serve
            return None
    asked = {argument.dest: argument for argument in _mentioned(words, known)}
    return {name: "…" if asked[name].config else _plain(values[name]) for name in asked}


def _mentioned(words: Sequence[str], known: Catalogue) -> Iterator[Argument]:
    for word in words:
        flag = word.partition("=")[0].partition(".")[0].replace("_", "-")
        argument = known.by_flag.get(flag if flag.startswith("--") else word.partition("=")[0])
        if argument and argument.dest != "model":  # vLLM moves it to the front before it parses
            yield argument


def _plain(value: Json) -> Json:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "base_model_name"):  # an adapter
        return {"name": value.name, "path": value.path}
    return value


# Argument lists


def cases(known: Catalogue) -> Iterator[list[str]]:
    """Argument lists over every argument of a catalogue: plain, hostile, several at once. Always the same ones."""
    for argument in known.arguments:
        if argument.dest not in ("config", "help"):
            yield from _of(argument, known)
    yield from _mixed(known)
    yield from ([], ["m"], ["m", "n"], ["--model", "m"], ["--model=m", "--port=1"], ["--model"], ["--", "m"])
    yield from (["--served-model-name=a"], ["--served_model_name", "a", "--model", "m"], ["-h"], ["m", "--help=all"])
    yield from (
        ["m", "-O3"],
        ["m", "-O", "2"],
        ["m", "-O", "9"],
        ["m", "-O=1"],
        ["m", "-Ofast"],
        ["m", "-O"],
        ["m", "-v"],
    )


def _of(argument: Argument, known: Catalogue) -> Iterator[list[str]]:
    for flag in argument.flags:
        yield ["m", flag]
    flag = f"--{argument.name}"
    choices = [str(choice) for choice in argument.choices or argument.known]
    texts = [*dict.fromkeys([*TEXTS, *choices, *(choice.upper() for choice in choices), *choices[:1]])]
    yield from (["m", f"{flag}={text}"] for text in texts)
    yield from (["m", flag, word] for word in WORDS)
    yield from (
        ["m", flag, *pair] for pair in (("a", "b"), ("1", "2"), (*choices[:2],), ("1", "-1"), ("[1]", "2", "3"))
    )
    value = choices[0] if choices else "1"
    yield ["m", flag.replace("-", "_").replace("__", "--", 1) + f"={value}"]
    yield ["m", flag.upper(), value]
    yield ["m", f"{flag}={value}", f"{flag}={value}"]
    yield from (["m", f"{flag[:length]}={value}"] for length in (len(flag) - 1, len(flag) // 2))
    yield from (["m", *words] for words in _nested(flag))
    for short in argument.flags:
        if not short.startswith("--"):
            yield from (["m", short, value], ["m", short + value], ["m", f"{short}={value}"])
    if argument.config:
        for fields in _fields(argument.config, known):
            yield ["m", f"{flag}={json.dumps(fields)}"]


def _nested(flag: str) -> Iterator[list[str]]:
    yield from ([f"{flag}.a=1"], [f"{flag}.a", "x"], [f"{flag}.a.b=1k", f"{flag}.a.c=[1]"], [f"{flag}.a"])
    yield from ([f"{flag}.a+=x,y", f"{flag}.a+", "z"], [f"{flag}.a_b-c={{}}"])


def _fields(name: str, known: Catalogue) -> Iterator[dict[str, Json]]:
    """Objects of a config class with one field each, right and wrong, then with two."""
    properties = known.classes[name]["properties"]
    for key, schema in properties.items():
        right = _right(schema, known)
        yield from ({key: value} for value in (*VALUES, *right))
        yield from ({key: value.swapcase()} for value in right if isinstance(value, str))
        for option in [schema, *schema.get("anyOf", ())]:
            inner = option.get("$ref", "").rpartition("/")[2]
            if "properties" in known.classes.get(inner, {}):
                yield from ({key: fields} for fields in _fields(inner, known))
    chance = random.Random(f"{SEED} {name}")
    every = [(key, value) for key, schema in properties.items() for value in (*_right(schema, known), True, "x")]
    yield from (dict(chance.sample(every, min(len(every), chance.randint(2, 4)))) for _ in range(60))


def _right(schema: Json, known: Catalogue) -> list[Json]:
    """Values that a schema names."""
    if "$ref" in schema:
        return _right(known.classes[schema["$ref"].rpartition("/")[2]], known)
    values = [value for option in schema.get("anyOf", ()) for value in _right(option, known)]
    return [*values, *schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]


def _mixed(known: Catalogue) -> Iterator[list[str]]:
    """Several arguments at once, most of them right, as a real command line has them."""
    chance = random.Random(SEED)
    usual = [argument for argument in known.arguments if argument.dest not in ("config", "help")]
    for _ in range(MIXED):
        words = ["m"]
        for argument in chance.sample(usual, chance.randint(2, 8)):
            flag = chance.choice(argument.flags)
            if argument.action in ("boolean", "store-true"):
                words.append(flag)
                continue
            value = str(chance.choice(_usual(argument)))
            words += [f"{flag}={value}"] if chance.random() < 0.5 else [flag, value]
        yield words


def _usual(argument: Argument) -> Sequence[Json]:
    if argument.choices or argument.known:
        return argument.choices or argument.known
    texts = {"int": ("8", "1", "x"), "float": ("0.5", "1"), "str": ("a", "/x"), "device-ids": ("0,1",)}
    numbers = ("8k", "4096", "1K", "-1")
    return texts.get(argument.type) or (numbers if argument.type.startswith("human") else ("{}", '{"a": 1}'))


if __name__ == "__main__":
    sys.exit(main())
