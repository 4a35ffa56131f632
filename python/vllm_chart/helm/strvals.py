"""The expressions of Helm's `--set` flags, "gpu.count=2,tolerations[0].key=gpu", set into values that are there.

They are read as Helm 4 reads them (pkg/strvals/parser.go and literal_parser.go of helm/helm v4.2.3), what it does with
odd ones included: the library that Helm is called by in process parses an expression on its own only, without the
lists and maps that the expression reaches into. tests/unit/test_strvals.py holds this to that library and to the
helm command.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

LARGEST_INDEX = 65536
DEEPEST_NAME = 30

Values = dict[str, Any]
Convert = Callable[[str], Any]


class ExpressionError(ValueError):
    """An expression that does not fit the values, or is none; the text says why."""


def set_typed(expression: str, values: Values) -> None:
    """`--set`: true, false, null and whole numbers are what they look like, all else is text.

    Changes `values`. Raises ExpressionError, as the functions below.
    """
    _Parser(expression, _typed).set_into(values)


def set_text(expression: str, values: Values) -> None:
    """`--set-string`: every value is text."""
    _Parser(expression, str).set_into(values)


def set_read(expression: str, values: Values, read: Convert) -> None:
    """`--set-file`: every value is the text that `read` gives for it, which may raise ExpressionError."""
    _Parser(expression, read).set_into(values)


def set_json(expression: str, values: Values) -> None:
    """`--set-json`, in its form key=JSON; the other form, a whole object, is no expression."""
    _JsonParser(expression, str).set_into(values)


def set_literal(expression: str, values: Values) -> None:
    """`--set-literal`: one value, the whole rest of the expression, with no character that means anything."""
    _LiteralParser(expression, str).set_into(values)


def json_value(text: str) -> Any:
    """A JSON text as Go reads it, numbers being float64 there. Raises ExpressionError."""
    value, end = _decode(text, 0)
    if text[end:].strip(_JSON_SPACE):
        raise ExpressionError(f"not JSON from {text[end : end + 20]!r} on")
    return value


class _EndError(Exception):
    """The expression ends here; whether that is a mistake depends on where."""


class _Parser:
    """Reads an expression from left to right and sets what it says."""

    ends_of_key = "=[,."
    escape = "\\"

    def __init__(self, expression: str, convert: Convert) -> None:
        self._text = expression
        self._at = 0
        self._convert = convert

    def set_into(self, values: Values) -> None:
        try:
            while True:
                self._key(values, 0)
        except _EndError:
            return
        except RecursionError as error:
            raise ExpressionError("nested too deep") from error

    def _key(self, into: Values, level: int) -> None:
        """One key, and what is set there. Raises _EndError at the expression's end."""
        key, end = self._until(self.ends_of_key)
        if not end:
            if not key:
                raise _EndError
            raise ExpressionError(f"key {key!r} has no value")
        if end == "[":
            self._list(into, key, level)
        elif end == "=":
            value, is_last = self._value()
            _put(into, key, value)
            if is_last:
                raise _EndError
        elif end == ".":
            self._map(into, key, level + 1)
        else:
            raise ExpressionError(f"key {key!r} has no value (it can't end with ,)")

    def _list(self, into: Values, key: str, level: int) -> None:
        index = self._index()
        items = into.get(key, [])
        if not isinstance(items, list):
            raise ExpressionError(f"{key!r} is no list")
        try:
            items = self._item(items, index, level)
        finally:
            _put(into, key, items)

    def _map(self, into: Values, key: str, level: int) -> None:
        if level > DEEPEST_NAME:
            raise ExpressionError(f"a name of more than {DEEPEST_NAME} levels")
        inner = into.get(key, {})
        if not isinstance(inner, dict):
            raise ExpressionError(f"{key!r} is no map")
        try:
            self._key(inner, level)
            if not inner:
                raise ExpressionError(f"key {key!r} has no value")
        finally:
            if inner:
                _put(into, key, inner)

    def _item(self, items: list[Any], index: int, level: int) -> list[Any]:
        """The list with one of its items set."""
        if index < 0:
            raise ExpressionError(f"a negative index: {index}")
        rest, end = self._until("[.=")
        if rest:
            raise ExpressionError(f"{rest!r} after the index {index}")
        if not end:
            raise _EndError
        there = items[index] if index < len(items) else None
        if end == "=":
            return _with_item(items, index, self._value()[0])
        if end == "[":
            if there is not None and not isinstance(there, list):
                raise ExpressionError(f"what is at the index {index} is no list")
            return _with_item(items, index, self._item(there or [], self._index(), level))
        if not isinstance(there, dict):
            there = {}
            if index < len(items):
                items[index] = there
        self._key(there, level)
        return _with_item(items, index, there)

    def _index(self) -> int:
        text, end = self._until("]")
        if not end:
            raise _EndError
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ExpressionError(f"{text!r} is no index")
        return int(text)

    def _value(self) -> tuple[Any, bool]:
        """What stands after a "=", and whether the expression ends before it."""
        if self._at == len(self._text):
            return "", True
        if self._text[self._at] != "{":
            return self._convert(self._until(",")[0]), False
        self._at += 1
        items = []
        while True:
            text, end = self._until(",}")
            if not end:
                raise ExpressionError("a list has to end with }")
            items.append(self._convert(text))
            if end == "}":
                self._at += self._text.startswith(",", self._at)
                return items, False

    def _until(self, ends: str) -> tuple[str, str]:
        """The text up to one of these characters, and which one; "" at the expression's end."""
        taken: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character in ends:
                return "".join(taken), character
            if character == self.escape:
                character = self._text[self._at : self._at + 1]
                self._at += 1
            taken.append(character)
        return "".join(taken), ""


class _JsonParser(_Parser):
    """A value is a JSON text, which says itself where it ends; an empty one is null."""

    def _value(self) -> tuple[Any, bool]:
        if self._blank():
            return None, False
        value, self._at = _decode(self._text, self._at)
        self._blank()
        return value, False

    def _blank(self) -> bool:
        """Pass over white space. Whether it was all that was there up to a comma, which is passed too, or the end."""
        while self._at < len(self._text):
            character = self._text[self._at]
            if character != "," and not _is_space(character):
                return False
            self._at += 1
            if character == ",":
                return True
        return True


class _LiteralParser(_Parser):
    """Only a key has characters that mean something, and no way to escape them."""

    ends_of_key = "=[."
    escape = ""

    def _value(self) -> tuple[Any, bool]:
        rest, self._at = self._text[self._at :], len(self._text)
        return rest, False


def _put(into: Values, key: str, value: Any) -> None:
    """Helm sets nothing where a key is empty."""
    if key:
        into[key] = value


def _with_item(items: list[Any], index: int, value: Any) -> list[Any]:
    if index > LARGEST_INDEX:
        raise ExpressionError(f"an index above {LARGEST_INDEX}: {index}")
    longer = [*items, *[None] * (index + 1 - len(items))]
    longer[index] = value
    return longer


_WORDS = {"true": True, "false": False, "null": None, "0": 0}


def _typed(text: str) -> Any:
    """A value of `--set`."""
    if (word := text.casefold()) in _WORDS:
        return _WORDS[word]
    if re.fullmatch(r"[+-]?[0-9]+", text) and text[0] != "0" and len(text) < 100 and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    return text


_JSON_SPACE = " \t\r\n"
_EXACT = 1 << 53
"""Whole numbers below it are the same in a float64."""


def _number(text: str) -> int | float:
    number = float(text)
    if math.isinf(number):
        raise ExpressionError(f"{text} is too large a number")
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _no_constant(text: str) -> NoReturn:
    raise ExpressionError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_no_constant)


def _decode(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins there, and where it ends."""
    if re.compile(r"-?(0|[1-9][0-9]*)\.(?![0-9])").match(
        text, start
    ):  # Python would take the whole number before the point
        raise ExpressionError("a number that ends with its point")
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise ExpressionError(f"not JSON: {error.msg} at {text[error.pos : error.pos + 20]!r}") from error
    except RecursionError as error:
        raise ExpressionError("nested too deep") from error


def _is_space(character: str) -> bool:
    """Whether Go's `unicode.IsSpace` takes it for one; Python has four separators more."""
    return character.isspace() and character not in "\x1c\x1d\x1e\x1f"
