"""The form of a chart's values.schema.json: the one that Helm's validator compiles with the least work, in lines that
can be read. It compiles the whole schema in each `helm template`; docs/design.md says what is dear in that.

The models, the tables of Kubernetes' checks and vLLM's catalogues speak JSON schema's draft 2020-12. `compact` makes
draft 7 of it, which costs Helm's validator a quarter less: there the schema of schemas is one, and not eight.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count
from typing import Any

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
REFERENCE = "#/definitions/"

#: Keywords that hold a map from names to schemas.
MAPS = ("properties", "patternProperties", "definitions", "$defs")
#: Those that hold one, and those that hold a list of them.
_ONE = ("items", "additionalProperties", "not", "if", "then", "else")
_SEVERAL = ("anyOf", "allOf", "oneOf", "prefixItems")


def compact(schema: Schema) -> Schema:
    """A whole schema of draft 2020-12 as one of draft 7 that takes the same values.

    What stands in several places becomes a definition, named by the first of them, where that saves schemas; what one
    place alone refers to stands there; and beside a reference stands nothing but prose, because draft 7 looks at
    nothing else.

    Raises ValueError for what draft 7 has not, or reads differently.
    """
    return _inlined(_shared(_alone({"$schema": DRAFT} | _in_draft_7(schema))))


def _each(node: Any, change: Callable[[Any, str], Any]) -> Any:
    """A schema with another in the place of each that stands in it. change: gives it, of the one that is there, and
    where: the name of a property or definition, or else the keyword."""
    if not isinstance(node, dict):
        return node
    changed = {}
    for keyword, value in node.items():
        if keyword in MAPS:
            value = {key: change(inner, key) for key, inner in value.items()}
        elif keyword in _ONE:
            value = change(value, keyword)
        elif keyword in _SEVERAL:
            value = [change(inner, keyword) for inner in value]
        changed[keyword] = value
    return changed


def _inner(node: Any) -> Iterator[Any]:
    """A schema and all that stand in it."""
    yield node
    found: list[Any] = []
    _each(node, lambda inner, _: found.append(inner))
    for inner in found:
        yield from _inner(inner)


def _named(node: Any) -> str:
    """The definition that a schema refers to, or ""."""
    return str(node["$ref"]).removeprefix(REFERENCE) if isinstance(node, dict) and "$ref" in node else ""


# Draft 7


def _in_draft_7(node: Any, where: str = "") -> Any:
    """A schema in draft 7's words. In a condition, whose patterns no message shows, they stand in brackets: Go compiles
    one that begins with `^` a second time, for matching in one pass, which costs half as much again."""
    if not isinstance(node, dict):
        return node
    node = dict(node)
    if alien := {"dependentSchemas", "unevaluatedProperties", "format", "contains"} & node.keys():
        raise ValueError(f"{', '.join(alien)}: draft 7 has it not, or Helm makes more of it there")
    if "$ref" in node:
        node["$ref"] = node["$ref"].replace("#/$defs/", REFERENCE)
    if "prefixItems" in node:
        first, *others = node.pop("prefixItems")
        if "items" in node or any(other != first for other in others):
            raise ValueError("prefixItems: draft 7 says it otherwise where they differ")
        node["items"] = first
    if where == "if" and str(node.get("pattern", "")).startswith("^"):
        node["pattern"] = f"({node['pattern']})"
    if "dependentRequired" in node:
        node["dependencies"] = node.pop("dependentRequired")
    if "$defs" in node:
        node["definitions"] = node.pop("$defs")
    return _each(node, _in_draft_7)


def _alone(whole: Schema) -> Schema:
    """The schema with a copy of the definition where keywords stand beside a reference to it, and these in it."""

    def alone(node: Any, _: str = "") -> Any:
        node = _each(node, alone)
        if not (name := _named(node)) or not node.keys() - {"$ref", "description"}:
            return node
        beside = {key: value for key, value in node.items() if key != "$ref"}
        both = _both(alone(whole["definitions"][name]), beside)
        return both or beside | {"allOf": [{"$ref": node["$ref"]}, *beside.get("allOf", ())]}

    return {**_each(whole, alone)}


def _both(one: Schema, other: Schema) -> Schema | None:
    """A schema that takes what both take; None where that can't be said without naming both."""
    if "$ref" in one or _shuts_out(one, other) or _shuts_out(other, one):
        return None
    both = dict(one)
    for keyword, value in other.items():
        before: Any = both.get(keyword, value)
        if keyword == "properties":
            joined = {key: _both(before.get(key, {}), inner) for key, inner in value.items()}
            if None in joined.values():
                return None
            both[keyword] = before | joined
        elif before == value or keyword == "description":
            both[keyword] = value
        elif keyword in _NARROWER:
            both[keyword] = _NARROWER[keyword](before, value)
        else:
            return None
    return both


def _shuts_out(one: Schema, other: Schema) -> bool:
    """Whether a schema says of keys that it does not name what it would no longer say once another named them."""
    says = {"additionalProperties", "patternProperties"} & one.keys()
    return bool(says and other.get("properties", {}).keys() - one.get("properties", {}).keys())


def _types(one: str | Sequence[str], other: str | Sequence[str]) -> str | list[str]:
    """The types that both allow."""
    known = [one] if isinstance(one, str) else one
    left = [name for name in ([other] if isinstance(other, str) else other) if name in known]
    return left[0] if len(left) == 1 else left


#: What two values of a keyword come to together.
_NARROWER: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": max,
    "maximum": min,
    "required": lambda one, other: [*dict.fromkeys([*one, *other])],
    "type": _types,
}


# Definitions


def _shared(whole: Schema) -> Schema:
    """The schema in which each that stands in several places is a definition, where that makes them fewer."""
    counted = Counter(_text(node) for node in _inner(whole))
    sizes = {_text(node): sum(1 for _ in _inner(node)) for node in _inner(whole)}
    shared = {text for text, times in counted.items() if times * sizes[text] > times + sizes[text]}
    names = {_text(definition): name for name, definition in whole["definitions"].items()}
    definitions: Schema = {}

    def place(node: Any, name: str) -> Any:
        """The schema, or a reference to it. name: what it is called, where that is free."""
        text = _text(node)
        if text not in shared:
            return within(node, name)
        if text not in names:
            taken = {*names.values(), *whole["definitions"]}
            numbered = (f"{name}.{number}" for number in count(2))
            name = next(free for free in chain([name], numbered) if free not in taken)
            names[text] = name
            definitions[name] = within({key: value for key, value in node.items() if key != "description"}, name)
        return {"$ref": REFERENCE + names[text]} | _prose(node)

    def within(node: Any, name: str) -> Any:
        return _each(node, lambda inner, where: place(inner, f"{name}.{where}"))

    root = {key: value for key, value in whole.items() if key != "definitions"}
    definitions |= {name: within(definition, name) for name, definition in whole["definitions"].items()}
    return {**within(root, "values"), "definitions": definitions}


def _text(node: Any) -> str:
    """What a schema says, without the prose: the same for two that are alike."""

    def bare(node: Any, _: str = "") -> Any:
        node = _each(node, bare)
        return {key: node[key] for key in node if key != "description"} if isinstance(node, dict) else node

    return json.dumps(bare(node), sort_keys=True)


def _inlined(whole: Schema) -> Schema:
    """The schema with what one place alone refers to in that place: a reference costs as much as a schema does. The
    chart's own blocks stay definitions, and so do vLLM's flags, of which the versions share one."""
    whole = _used(whole)
    uses = Counter(map(_named, _inner(whole)))
    once = {name for name, times in uses.items() if times == 1 and "." in name and not name.startswith("vllm.args")}

    def put_in(node: Any, _: str = "") -> Any:
        if (name := _named(node)) not in once:
            return _each(node, put_in)
        return put_in(whole["definitions"][name]) | _prose(node)

    return _used({**_each(whole, put_in)})


def _used(whole: Schema) -> Schema:
    """The schema without definitions that nothing refers to."""
    definitions = whole["definitions"]
    used: set[str] = set()
    pending: list[Any] = [{key: value for key, value in whole.items() if key != "definitions"}]
    while pending:
        names = {*map(_named, _inner(pending.pop()))} - used - {""}
        used |= names
        pending += [definitions[name] for name in names]
    return whole | {"definitions": {name: one for name, one in definitions.items() if name in used}}


def _prose(node: Schema) -> Schema:
    return {"description": node["description"]} if "description" in node else {}


# Lines


#: The longest line of the schema, so that a diff of it can be read.
LINE = 300


def json_text(node: Any, indent: str = "", before: int = 0) -> str:
    """JSON in which what fits in a line stands in one. before: characters that stand in front of it in its line."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    if before + len(text) < LINE or not isinstance(node, dict | list) or not node:
        return text
    deeper = indent + " "
    if isinstance(node, list):
        words = [json_text(item, deeper, len(deeper)) for item in node]
        return "[\n" + "\n".join(_filled(words, deeper)) + f"\n{indent}]"
    names = [f"{deeper}{json.dumps(key, ensure_ascii=False)}:" for key in node]
    lines = [name + json_text(value, deeper, len(name)) for name, value in zip(names, node.values(), strict=True)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _filled(words: Sequence[str], indent: str) -> Iterator[str]:
    """Lines with as many of the words as fit, each followed by a comma but for the last."""
    line = ""
    for place, word in enumerate(words):
        word += "," if place < len(words) - 1 else ""
        if line and len(indent) + len(line) + len(word) > LINE:
            yield indent + line
            line = ""
        line += word
    yield indent + line
