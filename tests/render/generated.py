"""Values that the chart's schema allows, drawn from the schema itself.

hypothesis-jsonschema would do, but needs a quarter of a minute to read this schema, and can't know what is special in
it: a key left out has a default, and a `const` is the remedy of a mistake.
"""

import functools
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]
Drawn = st.SearchStrategy[Any]

#: Text that has broken charts before: YAML's and the templates' own characters, and what looks like another type.
HOSTILE = [
    "{{ .Values }}",
    "$(HOME)",
    "a: b",
    "# no comment",
    "'",
    '"',
    "\\",
    "- x",
    "1e3",
    "0123",
    "yes",
    "null",
    "é\n",
]

#: YAML has no control characters and no halves of surrogate pairs.
PRINTABLE = st.characters(exclude_categories=["Cc", "Cs"])


def values(schema: Schema) -> Drawn:
    """A strategy for values. schema: the chart's values.schema.json."""

    @functools.cache
    def named(name: str) -> Drawn:
        # The chart's own blocks have defaults for what is left out; Kubernetes' objects, with a dot, have none.
        return st.deferred(lambda: drawn(schema["definitions"][name], required="." in name))

    def drawn(schema: Schema | bool, *, required: bool = True) -> Drawn:
        if isinstance(schema, bool):
            return st.sampled_from(HOSTILE) | st.integers() | st.booleans()
        if "$ref" in schema:
            return named(schema["$ref"].rpartition("/")[2])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        types = schema.get("type", "object")
        return st.one_of([of_type(name, schema, required) for name in ([types] if isinstance(types, str) else types)])

    def of_type(name: str, schema: Schema, required: bool) -> Drawn:
        low, high = schema.get("minimum", 0), schema.get("maximum", 100_000)
        match name:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(low, high)
            case "number":
                return st.floats(low, high)
            case "string":
                return text(schema)
            case "array":
                return st.lists(drawn(schema.get("items", {})), min_size=schema.get("minItems", 0), max_size=2)
            case _:
                return mapping(schema, required)

    def text(schema: Schema) -> Drawn:
        form = {**schema.get("if", {}), **schema}
        if "pattern" in form:
            return matching(form["pattern"]).filter(lambda text: len(text) <= form.get("maxLength", len(text)))
        return st.sampled_from(HOSTILE) | st.text(PRINTABLE, max_size=8)

    def mapping(schema: Schema, required: bool) -> Drawn:
        keys = {key: inner for key, inner in schema.get("properties", {}).items() if "const" not in inner}
        if keys:
            always = schema.get("required", []) if required else []
            # Helm takes a null for any key of a map, and leaves out what has one.
            given = {key: drawn(keys[key]).filter(lambda value: value is not None) for key in always}
            some = st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=3)
            return some.flatmap(lambda chosen: st.fixed_dictionaries({k: drawn(keys[k]) for k in chosen} | given))
        if "patternProperties" in schema:
            ((pattern, inner),) = schema["patternProperties"].items()
            return st.dictionaries(matching(pattern), drawn(inner), max_size=2)
        return st.dictionaries(matching(r"^[a-z]{1,8}$"), drawn(schema.get("additionalProperties", True)), max_size=2)

    return drawn(schema, required=False)


def matching(pattern: str) -> Drawn:
    """Text that a pattern of the schema matches; Python's $ would also match before a newline at the end."""
    if pattern.startswith("(^"):  # as `ci.schema_form` writes it
        pattern = pattern[1:-1]
    return st.from_regex(pattern.removesuffix("$") + r"\Z", alphabet=PRINTABLE)
