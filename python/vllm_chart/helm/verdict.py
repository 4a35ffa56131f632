"""Helm's refusal of values, as findings: which key, what is wrong, what to write instead.

Whether values are right is decided by the chart, in Helm: its schema and its rules. This reads the verdict, and adds
what Helm can't say: the right key that a wrong one is nearest to.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Finding

Schema = Mapping[str, Any]


def findings(message: str, schema: Schema) -> list[Finding]:
    """The findings in a message of Helm's. schema: the chart's values.schema.json, where the right keys stand."""
    if by_schema(message):
        return [finding for problem in _problems(message) for finding in _from_schema(problem, schema)]
    if rules := re.findall(r"^ +- (.+)$", message.partition("These values cannot work:")[2], re.MULTILINE):
        # Each line reads "key: what is wrong: what to write instead".
        return [Finding("rule", *rule.split(": ", 2)) if ": " in rule else Finding("rule", "", rule) for rule in rules]
    return [Finding("render", "", message.strip())]


def by_schema(message: str) -> bool:
    """Whether it is the schema that refuses, and no rule."""
    return "values don't meet the specifications of the schema" in message


def refused(message: str) -> list[tuple[str, ...]]:
    """The paths of what the schema refuses, each once: wrong values, unknown keys, and keys that are missing."""
    return [*dict.fromkeys(path for problem in _problems(message) for path in _refused(problem))]


def _refused(problem: "_Problem") -> Iterator[tuple[str, ...]]:
    if told := _remedy(problem):
        yield (*problem.path, told[0])
    elif re.match("(additional|missing) propert", problem.message):
        yield from ((*problem.path, key) for key in _quoted(problem.message))
    elif problem.causes and problem.message not in ("'anyOf' failed", "'oneOf' failed"):
        for cause in problem.causes:
            yield from _refused(cause)
    else:
        yield problem.path


class _Problem:
    """One line of the schema validator's report, "- at '/a/b': message", and the lines indented under it."""

    def __init__(self, path: Sequence[str], message: str) -> None:
        self.path = tuple(path)
        self.message = message
        self.causes: list[_Problem] = []


def _remedy(problem: _Problem) -> tuple[str, str] | None:
    """The key that people write by mistake and what to write instead, where that is what the schema says: see
    `vllm_chart.values.mistakes`. A key that another one really needs has no blank in it."""
    told = re.fullmatch(r"properties ('.* .*') required, if ('.*') exists", problem.message)
    return (_quoted(told[2])[0], _quoted(told[1])[0]) if told else None


def _problems(message: str) -> list[_Problem]:
    root = _Problem((), "")
    levels = [(-1, root)]
    for indent, pointer, text in re.findall(r"^( *)- at '(.*?)': (.*)$", message, re.MULTILINE):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        problem = _Problem(steps, text)
        while levels[-1][0] >= len(indent):
            levels.pop()
        levels[-1][1].causes.append(problem)
        levels.append((len(indent), problem))
    return root.causes


def _from_schema(problem: _Problem, schema: Schema) -> Iterator[Finding]:
    path, message = problem.path, problem.message
    if message in ("'anyOf' failed", "'oneOf' failed"):
        yield from _from_alternatives(problem, schema)
    elif problem.causes:
        for cause in problem.causes:
            yield from _from_schema(cause, schema)
    elif told := _remedy(problem):
        yield Finding("schema", dotted((*path, told[0])), "no such key", told[1])
    elif message.startswith("additional propert"):
        for key in _quoted(message):
            if not _remedies(path, key, schema):
                yield Finding("schema", dotted((*path, key)), "no such key", _nearest(path, key, schema))
    elif message.startswith("missing propert"):
        for key in _quoted(message):
            yield Finding("schema", dotted((*path, key)), "is missing", "write it (a null deletes a default)")
    elif re.fullmatch(r"value must be '(.* .*)'", message):
        # A `const` with words in it is the remedy of a mistake as well: of the key, or else of its value.
        mistaken_key = all("const" in variant for variant in _at(path, schema, schema))
        [remedy] = _quoted(message)
        said = _as_vllm_spells_it(path, schema) or remedy
        yield Finding("schema", dotted(path), "no such key" if mistaken_key else "not allowed", said)
    else:
        plain = re.sub("null or |(?<=one of )'', |, <nil>$", "", message)
        yield Finding("schema", dotted(path), plain, _instead(path, message, schema))


def _instead(path: Sequence[str], message: str, schema: Schema) -> str:
    """What to write where something else stands in the place of a map or a list, model: {id: …}, or a text in the place
    of a number. Or ""."""
    if re.fullmatch(r"got string, want (?:null or )?(integer|number)", message):
        return "write a number, without a unit or quotes (helm's --set-string makes a text of it)"
    if re.fullmatch(r"got string, want (?:null or )?boolean", message):
        return "write true or false, without quotes (helm's --set-string makes a text of it)"
    if re.fullmatch(r"got (number|boolean), want (?:null or )?string", message):
        return "write it in quotes (helm's --set-string does)"
    if message.startswith("value must be one of "):
        numbers = re.search(r"\d, \d", message) is not None
        return f"write one of them{', a number without quotes' if numbers else ''}"
    wanted = re.fullmatch(r"got \w+, want (?:null or )?(object|array)", message)
    if not wanted:
        return ""
    variants = list(_at(path, schema, schema))
    if wanted[1] == "array":
        items = [item for variant in variants for item in _variants(variant.get("items", {}), schema)]
        example = "[text]" if any(item.get("type") == "string" for item in items) else "[…]"
        return f"write a list: {path[-1]}: {example}"
    keys = [*dict.fromkeys(key for variant in variants for key in _right_keys(variant))]
    if not keys:
        return f"write a map: {path[-1]}: {{name: value}}"
    return f"write a map: {', '.join(dotted((*path, key)) for key in keys[:3])}, …"


def _remedies(path: Sequence[str], key: str, schema: Schema) -> list[str]:
    """What to write instead of a key that people write by mistake in the map at a path."""
    told = (remedy for level in _at(path, schema, schema) for remedy in level.get("dependencies", {}).get(key, ()))
    return [remedy for remedy in told if " " in remedy]


def _flag(key: str, schema: Schema) -> tuple[str, str]:
    """The flag of vLLM's that a key means, in whatever spelling (maxModelLen, max_model_len), and what to write instead
    where it is one by mistake; both empty where there is none."""
    right = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", "-", key).lower()
    if remedies := _remedies(_FLAGS, right, schema):
        return right, remedies[0]
    there = any(right in flags.get("properties", {}) for flags in _at(_FLAGS, schema, schema))
    return (right, "") if there else ("", "")


_FLAGS = ("engine", "args")


def _as_vllm_spells_it(path: Sequence[str], schema: Schema) -> str:
    """What to write for a flag in another spelling; "" where there is none."""
    *above, wrong = path
    right, remedy = _flag(wrong, schema)
    if (*above,) != _FLAGS or right in ("", wrong):
        return ""
    return remedy or f"write {right}"


def _from_alternatives(problem: _Problem, schema: Schema) -> Iterator[Finding]:
    """What is wrong with a value that fits none of several schemas.

    If it has the type of some of them, then what those say; otherwise the types that it may have.
    """
    types = [match for cause in problem.causes if (match := re.match(r"got (\w+), want (.+)", cause.message))]
    empty = [cause for cause in problem.causes if cause.message == "value must be ''"]
    if meant := [c for c in problem.causes if not c.message.startswith("got ") and c not in empty]:
        for cause in meant:
            yield from _from_schema(cause, schema)
    elif types:
        wanted = [*dict.fromkeys(match[2] for match in types if match[2] != "null"), *(["empty"] if empty else [])]
        yield Finding("schema", dotted(problem.path), f"got {types[0][1]}, want {' or '.join(wanted)}")


def _quoted(message: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", key) for key in re.findall(r"'((?:[^'\\]|\\.)*)'", message)]


def dotted(path: Sequence[str]) -> str:
    """A path in values as people write it: "tolerations[0].key"."""
    return "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path).removeprefix(".")


# The right keys


def _nearest(parent: Sequence[str], wrong: str, schema: Schema) -> str:
    """A question naming the nearest right keys: those beside the wrong one, and better ones elsewhere; or the flag that
    it is. Or "". Within a flag of JSON, only vLLM's own keys beside it can be meant."""
    beside = [dotted((*parent, key)) for level in _at(parent, schema, schema) for key in _right_keys(level)]
    inside = (*parent[:2],) == _FLAGS and len(parent) > len(_FLAGS)
    others = () if inside else _own_paths(schema, schema)
    likeness = {path: _likeness(wrong, path) - 0.2 for path in others}
    likeness |= {path: _likeness(wrong, path) for path in beside}
    best = max(likeness.values(), default=0)
    flag, remedy = _flag(wrong, schema)
    if flag and not inside and not remedy and best < 0.9 and (*parent,) != _FLAGS:
        return f"write engine.args.{flag}"
    near = sorted((path for path in likeness if likeness[path] >= best - 0.05), key=lambda path: -likeness[path])
    return f"did you mean {' or '.join(near[:3])}?" if best >= 0.6 else ""


def _likeness(wrong: str, path: str) -> float:
    """How alike a key and the last step of a path are, 0 to 1; case, dashes and underscores don't count."""
    return difflib.SequenceMatcher(None, _plain(wrong), _plain(path.rpartition(".")[2])).ratio()


def _plain(key: str) -> str:
    return re.sub(r"[-_]", "", key).lower()


def _right_keys(schema: Schema) -> list[str]:
    return [key for key, inner in schema.get("properties", {}).items() if "const" not in inner]


def _own_paths(schema: Schema, root: Schema, parent: str = "") -> Iterator[str]:
    """Every key of the chart's own blocks, dotted; not those of Kubernetes' objects, which are many and alike."""
    for key in _right_keys(schema):
        path = f"{parent}.{key}".removeprefix(".")
        yield path
        block = schema["properties"][key].get("$ref", "")
        if block and "." not in block:
            yield from _own_paths(_referred(block, root), root, path)


def _at(path: Sequence[str], schema: Schema, root: Schema) -> Iterator[Schema]:
    """Every schema that a value at a path may be held against."""
    for variant in _variants(schema, root):
        if not path:
            yield variant
            continue
        first, rest = path[0], path[1:]
        patterns = variant.get("patternProperties", {}).items()
        keys = [variant["properties"][first]] if first in variant.get("properties", {}) else []
        keys += [inner for pattern, inner in patterns if re.search(pattern, first)]
        items = [variant["items"]] if first.isdigit() and "items" in variant else []
        for below in keys or items or [variant.get("additionalProperties")]:
            if isinstance(below, Mapping):
                yield from _at(rest, below, root)


def _referred(reference: str, root: Schema) -> Schema:
    """What a reference within a schema leads to."""
    target = root
    for step in reference.removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return target


def _variants(schema: Schema, root: Schema) -> Iterator[Schema]:
    """A schema with its references followed and its alternatives laid out."""
    if "$ref" in schema:
        yield from _variants(_referred(schema["$ref"], root), root)
        return
    for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _variants(alternative, root)
    for branch in (schema.get("then"), schema.get("else")):
        if isinstance(branch, Mapping):
            yield from _variants(branch, root)
    yield schema
