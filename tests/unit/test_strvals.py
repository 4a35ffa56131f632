"""Expressions of Helm's --set flags, read as Helm's own parser reads them."""

from collections.abc import Callable
from typing import Any

import helm_python
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vllm_chart.helm import strvals

Setter = Callable[[str, dict[str, Any]], None]

#: How the package reads an expression, and how Helm's library does where nothing is set yet.
PARSERS: dict[str, tuple[Setter, Callable[[str], dict[str, Any]]]] = {
    "set": (strvals.set_typed, helm_python.parse_set_string),
    "set-string": (strvals.set_text, helm_python.parse_set_string_values),
    "set-json": (strvals.set_json, helm_python.parse_set_json),
    "set-literal": (strvals.set_literal, helm_python.parse_set_literal),
}

#: Pieces whose meaning depends on what stands beside them.
PIECES = [
    *("a", "b", "é", "x y", ".", ".", "=", "=", "=", ",", ",", "{", "}", "[", "]", "\\", "\\,", " ", "\x1f", "\u2028"),
    *("[0]", "[1]", "[2]", "[0][1]", "[-1]", "[65537]", "0", "1", "01", "-0", "-5", "+7", "1.", "1.5", "1e3", "1E400"),
    *("9007199254740993", "99999999999999999999", "null", "true", "False", "nan", "NaN", "-"),
    *('"x"', '{"k":1}', '[1,{"z":null}]'),
]


def outcome(read: Callable[[], dict[str, Any]]) -> dict[str, Any] | str:
    try:
        return read()
    except (strvals.ExpressionError, helm_python.HelmError):
        return "refused"


def as_floats(value: Any) -> Any:
    """Whole numbers as the floats that Go reads out of JSON: Helm writes -59007199254740992 as -59007199254740990."""
    if isinstance(value, dict):
        return {key: as_floats(below) for key, below in value.items()}
    if isinstance(value, list):
        return [as_floats(below) for below in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("flag", PARSERS)
@example(pieces=["a", "=", "-5", "9007199254740993"])
@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=9))
def test_an_expression_is_read_as_helms_library_reads_it(flag: str, pieces: list[str]) -> None:
    setter, parse = PARSERS[flag]
    expression = "".join(pieces)

    def read() -> dict[str, Any]:
        values: dict[str, Any] = {}
        setter(expression, values)
        return values

    ours, helms = outcome(read), outcome(lambda: parse(expression))
    if flag == "set-json":
        ours, helms = as_floats(ours), as_floats(helms)
    assert ours == helms, expression


@pytest.mark.parametrize(
    ("setter", "expression", "message"),
    [
        (strvals.set_typed, "a", "key 'a' has no value"),
        (strvals.set_typed, "a,b=1", "it can't end with ,"),
        (strvals.set_typed, "text.x=1", "'text' is no map"),
        (strvals.set_typed, "text[0]=1", "'text' is no list"),
        (strvals.set_typed, "items[0][0]=1", "what is at the index 0 is no list"),
        (strvals.set_typed, "items[x]=1", "'x' is no index"),
        (strvals.set_typed, "items[-1]=1", "a negative index: -1"),
        (strvals.set_typed, "items[99999999]=1", "an index above 65536"),
        (strvals.set_typed, "items[0]x=1", "'x' after the index 0"),
        (strvals.set_typed, "a={1", "a list has to end with }"),
        (strvals.set_typed, ".".join("a" * 32) + "=1", "more than 30 levels"),
        (strvals.set_typed, "a" + "[0]" * 5000 + "=1", "nested too deep"),
        (strvals.set_json, "a=" + "[" * 100_000, "nested too deep"),
        (strvals.set_json, "a={x}", "not JSON"),
        (strvals.set_json, "a=NaN", "NaN is no JSON"),
        (strvals.set_json, "a=1e400", "1e400 is too large a number"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_what_does_not_fit_is_refused_in_words(setter: Setter, expression: str, message: str) -> None:
    with pytest.raises(strvals.ExpressionError, match=message.replace("'", ".")):
        setter(expression, {"text": "x", "items": ["x"]})
