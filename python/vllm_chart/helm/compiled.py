"""A chart's schema, compiled once.

Helm's library compiles the schema anew at each render, which costs more than the templates do. jsonschema-rs compiles
it once and then needs a fiftieth of a millisecond for a verdict. Only a yes is taken from it: where it says no, Helm is
asked (`refusal`), so that what people read are always Helm's words, and a no too many costs time and nothing else. That
there is no yes too many is what tests/render/test_compiled_schema.py proves.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

try:
    import jsonschema_rs
except ImportError:  # a platform for which it has no wheel: Helm is asked each time
    jsonschema_rs = None  # type: ignore[assignment,unused-ignore]

if TYPE_CHECKING:
    Validator = jsonschema_rs.Draft7Validator | jsonschema_rs.Draft202012Validator

Schema = Mapping[str, Any]
Accepts = Callable[[Mapping[str, Any]], bool]

#: That of Kubernetes' schemas, and that of the charts', which Helm compiles faster (docs/design.md).
DRAFT, DRAFT_7 = "https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"


def compiled(schema: Schema) -> "Validator | None":
    """What says yes where Helm would surely take merged values. schema: of a chart; an empty one takes everything.

    None where the schema is one that this cannot read as Helm does: of another draft, with a `format` (which Helm
    checks in older drafts), with a reference to another place, or with a pattern that the two read differently.
    """
    if schema.get("$schema") == DRAFT_7 and b'"format":"' in to_json(schema):
        return None
    try:
        return _validator(_with_go_patterns(schema or {"$schema": DRAFT_7}))
    except ValueError:
        return None


def accepting(schema: Schema) -> Accepts:
    """Whether a value surely fits a schema; no for each where this cannot tell: of another draft, or not whole."""
    validator = _validator(schema)
    if validator is None:
        return lambda values: False
    accepts: Accepts = validator.is_valid
    return accepts


def _validator(schema: Schema) -> "Validator | None":
    draft = schema.get("$schema")
    if jsonschema_rs is None or draft not in (DRAFT, DRAFT_7):
        return None
    of_draft = jsonschema_rs.Draft7Validator if draft == DRAFT_7 else jsonschema_rs.Draft202012Validator
    try:
        return of_draft(
            dict(schema), validate_formats=False, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None


def references(node: Any) -> set[str]:
    """What a part of a schema refers to, "#/definitions/Gpu": looked for in its text, which is faster than a walk."""
    return set(re.findall(r'"\$ref":"([^"]*)"', to_json(node).decode()))


def definitions(schema: Schema, known: Schema, at: str) -> dict[str, Any]:
    """The definitions that a schema refers to, and those that these refer to, by name.

    known: all that there are; at: where they stand, "#/definitions/".

    Raises KeyError for a reference to something else.
    """
    needed: dict[str, Any] = {}
    found = schema
    while names := {reference.rpartition(at)[2] for reference in references(found)} - needed.keys():
        found = {name: known[name] for name in names}
        needed |= found
    return needed


def _with_go_patterns(node: Any) -> Any:
    """The schema with its patterns spelt so that they mean here what they mean to Helm."""
    if isinstance(node, list):
        return [_with_go_patterns(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _with_go_patterns(value) for key, value in node.items()}
    if isinstance(node.get("pattern"), str):
        node["pattern"] = go_pattern(node["pattern"])
    if isinstance(node.get("patternProperties"), dict):
        node["patternProperties"] = {go_pattern(key): value for key, value in node["patternProperties"].items()}
    return node


#: White space to Go's regular expressions (RE2); JavaScript, which jsonschema-rs follows, has more of it.
_SPACE = r"\t\n\f\r "


def go_pattern(pattern: str) -> str:
    r"""A pattern in which `\s` is Go's. Raises ValueError for what is not spelt the same way, or not at all."""
    if re.search(r"\[\^?\]|\[:", pattern):
        raise ValueError(f"a class of {pattern} is not read as Go reads it")
    spelt, in_class = [], False
    for token in re.findall(r"\\.|.", pattern, re.DOTALL):
        if token in (r"\b", r"\B", r"\p", r"\P") or (token == r"\S" and in_class):
            raise ValueError(f"{token} in {pattern} is not read as Go reads it")
        if token == r"\s":
            token = _SPACE if in_class else f"[{_SPACE}]"
        elif token == r"\S":
            token = f"[^{_SPACE}]"
        elif token in "[]":
            in_class = token == "["
        spelt.append(token)
    return "".join(spelt)
