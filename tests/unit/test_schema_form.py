"""How the values' schema is written: so that a diff can be read, and Helm's validator has little to compile."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ci.generate import LINE
from vllm_chart.helm import default_chart, values_schema

SCHEMA = default_chart() / "values.schema.json"


def references(node: Any) -> Iterator[str]:
    """The definition that each `$ref` names."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/$defs/")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_no_line_but_prose_is_too_long_to_read() -> None:
    long = [line for line in SCHEMA.read_text().splitlines() if len(line) > LINE]
    assert [line for line in long if not line.lstrip().startswith('"description":"')] == []


def test_the_schema_is_one_document_with_nothing_unused() -> None:
    schema = values_schema()
    assert {*references(schema)} == schema["$defs"].keys()


def test_an_object_that_is_used_once_stands_where_it_is_used() -> None:
    """Helm's validator pays for a reference as for a schema. The chart's own blocks keep their names, and the flags
    theirs, by which versions of vLLM are told apart."""
    counted = Counter(references(values_schema()))
    assert [name for name, count in counted.items() if count == 1 and "." in name and "vllm.args" not in name] == []


def test_prose_does_not_depend_on_pythons_version() -> None:
    """Python 3.13 takes the indentation off docstrings, which some descriptions are."""
    assert "\\n" not in json.dumps(list(descriptions(values_schema())))


def descriptions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("description"), str):
            yield node["description"]
        for value in node.values():
            yield from descriptions(value)
    elif isinstance(node, list):
        for item in node:
            yield from descriptions(item)


def test_no_reference_repeats_what_its_definition_says() -> None:
    """pydantic leaves it out where the two texts are alike to the last space, which depends on Python's version."""
    schema = values_schema()
    for name, property_ in schema["properties"].items():
        definition = schema["$defs"].get(property_.get("$ref", "").removeprefix("#/$defs/"), {})
        assert property_.get("description", name) != definition.get("description"), name
