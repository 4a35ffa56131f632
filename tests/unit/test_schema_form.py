"""How the values' schema is written: so that a diff can be read, and Helm's validator has little to compile."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ci.schema_form import DRAFT, LINE, compact
from vllm_chart.charts import CHARTS
from vllm_chart.helm import default_chart, values_schema

SCHEMA = default_chart() / "values.schema.json"


def references(node: Any) -> Iterator[str]:
    """The definition that each `$ref` names."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/definitions/")
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
    assert {*references(schema)} == schema["definitions"].keys()


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
        definition = schema["definitions"].get(property_.get("$ref", "").removeprefix("#/definitions/"), {})
        assert property_.get("description", name) != definition.get("description"), name


# Draft 7

NAME = {"if": {"pattern": "[a-z]"}, "else": {"const": "write a name"}}


def compacted(properties: dict[str, Any], **definitions: Any) -> dict[str, Any]:
    schema = compact({"properties": properties, "$defs": definitions})
    assert schema.pop("$schema") == DRAFT
    return schema


def test_what_stands_beside_a_reference_counts() -> None:
    """Draft 7 looks at nothing beside a `$ref`, so the definition is put in, and both have their say."""
    number = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
    beside = {"$ref": "#/$defs/number", "type": "integer", "minimum": 1, "description": "How many."}

    assert compacted({"a": beside, "b": {"$ref": "#/$defs/number"}}, number=number) == {
        "properties": {
            "a": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
            "b": {"$ref": "#/definitions/number"},
        },
        "definitions": {"number": number},
    }


def test_a_key_that_a_definition_does_not_take_is_not_taken_by_what_stands_beside() -> None:
    closed = {"properties": {"a": {"type": "null"}}, "additionalProperties": False}
    beside = {"$ref": "#/$defs/closed", "properties": {"b": {"type": "null"}}}

    assert "allOf" in compacted({"x": beside, "y": {"$ref": "#/$defs/closed"}}, closed=closed)["properties"]["x"]


@pytest.mark.parametrize("chart", CHARTS)
def test_nothing_but_prose_stands_beside_a_reference(chart: str) -> None:
    def beside(node: Any) -> Iterator[set[str]]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node.keys() - {"$ref", "description"}
            for inner in node.values():
                yield from beside(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from beside(inner)

    assert set().union(*beside(values_schema(CHARTS[chart].folder))) == set()


def test_two_that_say_of_the_same_are_both_asked() -> None:
    two = compacted({"a": {"$ref": "#/$defs/name", "if": {"maxLength": 3}, "else": {"const": "shorten it"}}}, name=NAME)

    assert two["properties"]["a"] == {
        "allOf": [{"$ref": "#/definitions/name"}],
        "if": {"maxLength": 3},
        "else": {"const": "shorten it"},
    }


def test_what_stands_in_several_places_has_a_definition_whatever_is_said_of_it() -> None:
    schema = compacted({"a": NAME | {"description": "One."}, "b": {"items": NAME}, "c": {"type": "null"}, "d": True})

    assert schema["definitions"] == {"values.a": NAME}
    assert schema["properties"]["a"] == {"$ref": "#/definitions/values.a", "description": "One."}
    assert schema["properties"]["b"] == {"items": {"$ref": "#/definitions/values.a"}}


@pytest.mark.parametrize(
    "schema", [{"format": "ipv4"}, {"unevaluatedProperties": False}, {"prefixItems": [True, {"type": "null"}]}]
)
def test_what_draft_7_reads_differently_is_no_schema_of_ours(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="draft 7"):
        compacted({"a": {"items": schema}})


def test_a_pattern_of_a_condition_is_in_brackets() -> None:
    schema = compacted({"a": {"if": {"pattern": "^a"}, "then": {"pattern": "^ab"}}})

    assert schema["properties"]["a"] == {"if": {"pattern": "(^a)"}, "then": {"pattern": "^ab"}}
