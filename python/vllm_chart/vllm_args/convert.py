"""How vLLM reads the text of an argument: the converters of its parser, by the catalogue's names for them.

Each takes text and returns the value, or raises ValueError, TypeError or argparse.ArgumentTypeError where vLLM's does.
Source: vllm/utils/argparse_utils.py and vllm/engine/arg_utils.py of vLLM 0.32 and 0.33.
"""

import argparse
import json
import re
from collections.abc import Callable
from typing import Any

from vllm_chart.vllm_args.catalogue import Argument, Catalogue

Convert = Callable[[str], Any]

_DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def human_int(text: str) -> int:
    """ "1k" is 1000, "1K" 1024, "25.6k" 25600; binary suffixes take no fraction."""
    text = text.strip()
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT])", text)):
        return int(text)
    number, suffix = found.groups()
    if suffix in _DECIMAL:
        return int(float(number) * _DECIMAL[suffix])
    try:
        return int(number) * _BINARY[suffix]
    except ValueError:
        message = f"a suffix such as {suffix} takes whole numbers: {number}{suffix.lower()} is decimal"
        raise argparse.ArgumentTypeError(message) from None


def human_int_or_auto(text: str) -> int:
    """As `human_int`; "auto" and "-1" are -1, the largest that fits."""
    text = text.strip()
    return -1 if text == "-1" or text.lower() == "auto" else human_int(text)


def text_or_json(text: str) -> Any:
    """A JSON object where the text is in braces; otherwise the text."""
    return json.loads(text) if re.match(r"(?s)^\s*{.*}\s*$", text) else text


def expand_numbers(text: str) -> str:
    """JSON with its numbers' suffixes spelt out: {"bytes": 80m} is {"bytes": 80000000}. Strings stay as they are."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    parts[::2] = [re.sub(r"\b\d+(?:\.\d+)?[kKmMgGtT]\b", lambda m: str(human_int(m[0])), part) for part in parts[::2]]
    return "".join(parts)


_CONVERTERS: dict[str, Convert] = {
    "str": str,
    "int": int,
    "float": float,
    "json": json.loads,
    "human-int": human_int,
    "human-int-or-auto": human_int_or_auto,
    "text-or-json": text_or_json,
    "reasoning-parser": lambda text: "" if text.lower() == "none" else text,
    "lower-underscore": lambda text: text.lower().replace("-", "_"),
    "device-ids": lambda text: [int(part) if part.isdigit() else part for part in map(str.strip, text.split(","))],
}


def converter(argument: Argument, catalogue: Catalogue) -> Convert:
    """What reads the text of an argument."""
    convert = _config(argument.config, catalogue) if argument.config else _CONVERTERS[argument.type]
    if not argument.optional:
        return _telling(convert)
    return _telling(lambda text: None if text in ("", "None") else convert(text))


def _telling(convert: Convert) -> Convert:
    """The same, whose message is the converter's own where that has one."""

    def tell(text: str) -> Any:
        try:
            return convert(text)
        except json.JSONDecodeError as error:
            raise argparse.ArgumentTypeError(f"not JSON: {error}") from error

    tell.__name__ = {"human_int": "number", "human_int_or_auto": "number"}.get(convert.__name__, convert.__name__)
    return tell


def _config(name: str, catalogue: Catalogue) -> Convert:
    def config(text: str) -> Any:
        from vllm_chart.vllm_args.config import validate_json  # pydantic's core, for the few calls that need it

        return validate_json(name, expand_numbers(text), catalogue)

    return config
