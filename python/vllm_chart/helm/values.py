"""What a user gives as values, merged as the helm command merges it (pkg/cli/values/options.go of helm/helm v4.2.3)."""

import copy
import errno
import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO, Unpack

import helm_python

from vllm_chart.helm import strvals
from vllm_chart.helm.options import HelmError, StrPath, ValuesOptions

STANDARD_INPUT = "-"
LARGEST_BYTES = 4 << 20
"""Helm keeps a release, its values included, in a Secret, which Kubernetes limits to 1 MiB."""


def user_values(**options: Unpack[ValuesOptions]) -> dict[str, Any]:
    """What the user gave, merged as Helm merges it, without the chart's defaults.

    Raises HelmError for a malformed file or expression, OSError for an unreadable file.
    """
    merged: dict[str, Any] = {}
    for file in options.get("values_files", ()):
        try:
            merged = _merge(merged, helm_python.values_from_yaml(read_file(file).decode()))
        except (helm_python.HelmError, UnicodeDecodeError) as error:
            raise HelmError(f"{file_name(file)}: {error}") from error
    # An expression may change a list that is there: not the caller's.
    merged = copy.deepcopy(_merge(merged, options.get("values", {})))
    for expression in options.get("set_json", ()):
        merged = _set_json(merged, expression)
    for expression in options.get("set_", ()):
        _set("--set", strvals.set_typed, expression, merged)
    for expression in options.get("set_string", ()):
        _set("--set-string", strvals.set_text, expression, merged)
    for expression in options.get("set_file", ()):
        _set("--set-file", functools.partial(strvals.set_read, read=_text), expression, merged)
    for expression in options.get("set_literal", ()):
        _set("--set-literal", strvals.set_literal, expression, merged)
    return merged


def read_file(file: StrPath) -> bytes:
    """The content of a file that a values option names; `-` is standard input, as for Helm.

    A pipe (`-f <(sops -d prod.yaml)`) and standard input give what is in them once: it is kept for the next reading.

    Raises OSError for an unreadable file, HelmError for one that is larger than `LARGEST_BYTES`.
    """
    content = _content(file)
    if len(content) > LARGEST_BYTES:
        raise HelmError(f"{file_name(file)} is larger than {LARGEST_BYTES >> 20} MiB, which no release can hold")
    return content


def file_name(file: StrPath) -> str:
    """A values file's name for a person."""
    return "standard input" if is_standard_input(file) else os.fspath(file)


def is_standard_input(file: StrPath) -> bool:
    """Whether a values option names standard input."""
    return os.fspath(file).strip() == STANDARD_INPUT


def _content(file: StrPath) -> bytes:
    """The file's first bytes, one more than it may have: it may be endless."""
    if is_standard_input(file):
        return _standard_input(sys.stdin)
    if Path(file).is_fifo():
        state = os.stat(file)
        return _pipe(os.fspath(file), (state.st_dev, state.st_ino))
    with open(file, "rb") as opened:
        return opened.read(LARGEST_BYTES + 1)


@functools.lru_cache(maxsize=1)
def _standard_input(stream: TextIO | None) -> bytes:
    if stream is None:
        raise OSError(errno.EBADF, "standard input is closed", STANDARD_INPUT)
    return stream.buffer.read(LARGEST_BYTES + 1)


@functools.lru_cache(maxsize=8)
def _pipe(name: str, _pipe: tuple[int, int]) -> bytes:
    with open(name, "rb") as opened:
        return opened.read(LARGEST_BYTES + 1)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Helm's merge of values files (its `loader.MergeMaps`): maps merge, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _set_json(values: dict[str, Any], expression: str) -> dict[str, Any]:
    """The values with a `--set-json`: key=JSON, or (since Helm 4) an object that is merged as a file is."""
    if not expression.strip().startswith("{"):
        _set("--set-json", strvals.set_json, expression, values)
        return values
    try:
        return _merge(values, strvals.json_value(expression.strip()))
    except strvals.ExpressionError as error:
        raise HelmError(f"--set-json {expression}: {error}") from error


def _set(flag: str, setter: Callable[[str, dict[str, Any]], None], expression: str, values: dict[str, Any]) -> None:
    try:
        setter(expression, values)
    except strvals.ExpressionError as error:
        raise HelmError(f"{flag} {expression}: {error}") from error


def _text(file: str) -> str:
    """The text of a file of `--set-file`. Bytes that are no UTF-8 become the replacement character, as in Go's JSON."""
    try:
        return read_file(file).decode(errors="replace")
    except OSError as error:
        raise strvals.ExpressionError(f"{file_name(file)} can't be read: {error.strerror}") from error
