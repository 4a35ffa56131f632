"""That Helm reads what the package writes as what it was, whatever the texts look like."""

import string

import pytest
from helm_python import values_from_yaml
from hypothesis import given
from hypothesis import strategies as st

from vllm_chart import yaml_text

#: Each a number, a truth or nothing for Go's library or for PyYAML, where it has no quotes.
_OTHERS = (
    *("1e3", "1234e56", "1.e3", "-.5", "0o17", "0O7", "0X1F", "0B1", "08", "1_000", "99999999999999999999", ".inf"),
    *("y", "N", "on", "True", "null", "~", "-", "", "2024-01-01", "12:30:45", "=", "<<"),
)


@pytest.mark.parametrize("text", _OTHERS)
def test_a_text_that_looks_like_something_else_stays_one(text: str) -> None:
    values = {"value": text, "list": [text], text: "as a key"}

    assert values_from_yaml(yaml_text.dump(values)) == values


@given(st.text(alphabet="0123456789+-._eExXoObBnNyY") | st.text(string.printable + "日é"))
def test_every_text_is_read_as_it_was(text: str) -> None:
    assert values_from_yaml(yaml_text.dump({"value": text})) == {"value": text}


@pytest.mark.parametrize("text", ["16Gi", "500m", "v0.33.0", "0.33.0", "Qwen/Qwen3-8B", "a b", "日本"])
def test_a_plain_text_has_no_quotes(text: str) -> None:
    assert yaml_text.dump({"value": text}) == f"value: {text}\n"


def test_lines_are_a_block_and_what_is_there_twice_is_written_twice() -> None:
    shared = ["a"]

    assert yaml_text.dump({"b": "1\n2\n", "c": shared, "a": shared}) == "b: |\n  1\n  2\nc:\n- a\na:\n- a\n"
