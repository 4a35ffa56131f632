"""The schemas of custom resources follow from their definitions."""

import json
from typing import Any

import jsonschema

from ci import crds

DEFINITION: dict[str, Any] = {
    "spec": {
        "group": "example.com",
        "names": {"kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "description": "Prose.",
                        "required": ["spec"],
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "port": {"anyOf": [], "x-kubernetes-int-or-string": True},
                                    "any": {
                                        "type": "object",
                                        "properties": {"a": {"type": "string"}},
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "times": {"type": "array", "items": {"type": "string", "pattern": "^[0-9]+s$"}},
                                },
                            },
                            "status": {"type": "object", "properties": {}},
                        },
                    }
                },
            }
        ],
    }
}


def errors(spec: dict[str, Any]) -> list[str]:
    [(kind, schema)] = crds.of_definition(DEFINITION).items()
    assert kind == "example.com/v1 Thing"
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "status": {"b": 1}}
    found = jsonschema.Draft202012Validator(schema).iter_errors({**thing, "spec": spec})
    return [".".join(str(step) for step in error.absolute_path) for error in found]


def test_a_schema_takes_what_the_api_server_takes() -> None:
    right = {"port": "http", "any": {"c": 1}, "labels": {"d": "e"}, "times": ["1s"]}
    assert errors(right) == errors({"port": 80}) == []


def test_a_schema_is_strict() -> None:
    wrong: dict[str, Any] = {"port": [], "prot": 1, "any": [], "labels": {"d": 1}, "times": ["1"]}
    assert sorted(errors(wrong)) == ["spec", "spec.any", "spec.labels.d", "spec.port", "spec.times.0"]


def test_the_file_is_of_the_pinned_releases_and_has_a_kind_a_line() -> None:
    text = crds.TARGET.read_text()
    content = json.loads(text)

    assert content["source"] == [f"{name} {version}" for name, (version, _) in crds.DEFINED.items()]
    assert text == crds.text(content)
    assert len(text.splitlines()) == len(content["kinds"]) + 2
