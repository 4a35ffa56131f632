"""The catalogues as JSON schema: what the chart's `engine.args` may hold, so that Helm alone refuses the rest.

One definition holds the flags of all versions; a small one for each version refuses what that version does not have.
Which of them count is decided by the image's tag.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vllm_chart.values.mistakes import remedied
from vllm_chart.vllm_args import advice, catalogue, rules
from vllm_chart.vllm_args.catalogue import ANY_CASE, Argument, Catalogue

Schema = dict[str, Any]

#: A value that renders no flag: a null deletes, and empty text is how `--set` writes one.
NOTHING: list[Any] = ["", None]
INTEGER = r"-?[0-9]+"
FLOAT = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
HUMAN = r"[0-9]+(\.[0-9]+)?[kmgt]|[0-9]+[KMGT]"


def definitions(owned: Mapping[str, str]) -> dict[str, Schema]:
    """The definitions of the schema, by name. owned: the flags that the chart writes itself, with what to do instead.

    "vllm.args" is for any version whose catalogue is aboard, "vllm.args-0.33.0" is what that one has not, and
    "vllm.args-other" is for all other versions.
    """
    releases = [catalogue.load(version) for version in catalogue.versions()]
    classes: dict[str, Schema] = {}
    for release in releases:
        for name, schema in release.classes.items():
            before = classes.get(name)
            classes[name] = _merged(before, schema) if before else schema
    definitions = {f"vllm.{name}": _tidy(schema) for name, schema in classes.items()}
    for name, keys in advice.KEYS.items():
        definition = definitions[f"vllm.{name}"]
        wrong = {key: remedy for key, remedy in keys.items() if key not in definition["properties"]}
        definitions[f"vllm.{name}"] = remedied(definition, wrong)
    definitions["vllm.args"] = _all_flags(releases, owned)
    definitions["vllm.args-other"] = _any_flags(owned)
    for release in releases:
        definitions[f"vllm.args-{release.version}"] = _missing(release, releases, owned)
    return definitions | _SHARED


def by_version(app_version: str) -> Schema:
    """The condition on the root of the values: which definitions `engine.args` is held against.

    app_version: the version that an empty image.tag stands for. A digest without a tag may be any version.
    """
    condition = _args({"$ref": "#/$defs/vllm.args-other"})
    for version in catalogue.versions():
        tag: Schema = {"properties": {"tag": {"pattern": tag_pattern(version)}}}
        if version == app_version:
            tag = {"anyOf": [tag, {"properties": {"tag": {"const": ""}, "digest": {"enum": NOTHING}}}]}
        strict = [{"$ref": "#/$defs/vllm.args"}, {"$ref": f"#/$defs/vllm.args-{version}"}]
        condition = {"if": {"properties": {"image": tag}}, "then": _args({"allOf": strict}), "else": condition}
    return condition


def _args(schema: Schema) -> Schema:
    return {"properties": {"engine": {"properties": {"args": schema}}}}


def tag_pattern(version: str) -> str:
    """The tags of a version's images: "v0.33.0", "0.33.0", "v0.33.0-x86_64"."""
    return rf"^v?{re.escape(version)}([-+._].*)?$"


def rendering() -> dict[str, Any]:
    """What the chart's templates have to know of flags, beyond that a list is several words and a boolean has a `no`.

    storeTrue: flags without a `no` form; append: those that come once for each value; json: those that read a list
    as one JSON text; onlyJson: those that read nothing else; maps: those whose JSON is an object; needs, needsToStart
    and atMost: the flag that one needs, or may not be more than; advice: what to write instead of a flag that there is
    not; deprecated: by version, what to say of each; names: by version and flag, the names that vLLM has;
    quantizations: those of which plugins may add more; flags: by version, every flag, each after a blank.
    """
    releases = [catalogue.load(version) for version in catalogue.versions()]
    every = [argument for release in releases for argument in release.arguments if argument.action != "help"]

    def names(arguments: Iterable[Argument]) -> list[str]:
        return sorted({argument.name for argument in arguments})

    return {
        "versions": catalogue.versions(),
        "storeTrue": names(argument for argument in every if argument.action == "store-true"),
        "append": names(argument for argument in every if argument.action == "append"),
        "json": names(argument for argument in every if _reads_json(argument) and argument.nargs is None),
        "needs": _NEEDS | {name.replace("_", "-"): other.replace("_", "-") for name, other in rules.NEEDS.items()},
        "needsToStart": {
            name.replace("_", "-"): other.replace("_", "-") for name, other in rules.NEEDS_TO_START.items()
        },
        "atMost": {name.replace("_", "-"): other.replace("_", "-") for name, other in rules.AT_MOST.items()},
        "onlyJson": names(argument for argument in every if argument.type in ("config", "json")),
        # Those that take lists have one as their default.
        "maps": names(argument for argument in every if argument.type == "json" and argument.default is None),
        "advice": dict(advice.FLAGS),
        "names": {release.version: _names(release) for release in releases},
        "quantizations": {release.version: release.names.get("quantization", []) for release in releases},
        "flags": {release.version: _every_flag(release) for release in releases},
        "deprecated": {
            release.version: {
                argument.name: ": ".join(filter(None, advice.deprecation(argument.name, argument.deprecated)))
                for argument in release.arguments
                if argument.deprecated
            }
            for release in releases
        },
    }


#: What the web server ends with, once the model is loaded.
_NEEDS = {"ssl-keyfile": "ssl-certfile"}


def _names(release: Catalogue) -> dict[str, list[str]]:
    """The names of what an argument chooses from, where its parser takes any text."""
    parsers = {flag: [*names] for flag, names in release.names.items() if flag.endswith("-parser")}
    chosen = {argument.name: [*argument.known] for argument in release.arguments if argument.name in _CHOSEN}
    return parsers | {flag: names for flag, names in chosen.items() if names}


#: Beside parsers: vLLM looks these up in a table that only plugins add to.
_CHOSEN = ("kv-cache-dtype", "distributed-executor-backend")


def _every_flag(release: Catalogue) -> str:
    """One text, because reading a list of hundreds would take as long as the rest of a render."""
    flags = {flag[2:] for argument in release.arguments for flag in argument.flags if flag.startswith("--")}
    return " ".join(["", *sorted(flag for flag in flags if not flag.startswith("no-"))])


# Flags


def _all_flags(releases: Iterable[Catalogue], owned: Mapping[str, str]) -> Schema:
    flags: dict[str, Schema] = {}
    others: dict[str, str] = {}
    negative: set[str] = set()
    nested: set[str] = set()
    for release in releases:
        for argument in release.arguments:
            if argument.action == "help":
                continue
            names = [flag[2:] for flag in argument.flags if flag.startswith("--") and flag not in argument.negative]
            for name in names:
                flags[name] = _widened(flags.get(name), _value(argument))
            others |= {flag[1:]: f"write {argument.name}" for flag in argument.flags if not flag.startswith("--")}
            negative |= {flag[2:] for flag in argument.negative}
            nested |= {argument.name} if _reads_json(argument) else set()
    remedies = {**advice.FLAGS, **others, **owned}
    opposites = {name for name in negative if not name.startswith("no-")}
    known = {
        "properties": dict(sorted((name, schema) for name, schema in flags.items() if name not in remedies)),
        "patternProperties": {
            # The chart's rules say what to write for a `no-` that is false; other opposites have no `no-` form.
            **_any_of((name[3:] for name in negative if name.startswith("no-")), _FLAG, before="no-"),
            **_any_of(opposites - flags.keys() - remedies.keys(), {"enum": [True, *NOTHING]}),
            **_any_of(nested, True, after=r"\.[^\s=]+"),
            **_SPELLING,
        },
        "additionalProperties": False,
    }
    return remedied(known, dict(sorted(remedies.items())))


#: The longest pattern, so that a line of the schema can be read.
LONGEST_PATTERN = 250


def _any_of(names: Iterable[str], schema: Schema | bool, *, before: str = "", after: str = "") -> Schema:
    """`patternProperties` for names that share a schema, as many of them in a pattern as a line holds.

    The brackets around the whole keep Go from compiling a pattern a second time, for matching in one pass, which costs
    as much again.
    """
    patterns = [""]
    for name in sorted(names):
        if patterns[-1] and len(patterns[-1]) + len(name) >= LONGEST_PATTERN:
            patterns.append("")
        patterns[-1] += f"|{name}" if patterns[-1] else name
    return {f"(^{before}({pattern}){after}$)": schema for pattern in patterns if pattern}


def _any_flags(owned: Mapping[str, str]) -> Schema:
    """The flags of a version that is not known: any, but for those that the chart owns."""
    any_name: Schema = {
        "patternProperties": {r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[^\s=]+)?$": True, **_SPELLING},
        "additionalProperties": {"const": "write the flag as vLLM does, in lower case with dashes: max-model-len"},
    }
    return remedied(any_name, dict(sorted(owned.items())))


#: Spellings of other places. vLLM itself takes underscores; here a flag has one name, so that files merge.
_SPELLING: Schema = {
    "^[^-.][^.]*_": {"const": "write dashes for underscores: max-model-len"},
    "^[^-_.][^_.]*[A-Z]": {"const": "write it in lower case with dashes: max-model-len"},
    "^-": {"const": "write it as vLLM does, without the dashes in front: max-model-len"},
}


def _missing(version: Catalogue, releases: Iterable[Catalogue], owned: Mapping[str, str]) -> Schema:
    """The flags of other versions that this one has not, and those that take less in it."""
    absent: dict[str, set[str]] = {}
    narrower: dict[str, Schema] = {}
    for release in releases:
        for flag, argument in release.by_flag.items():
            ours = version.by_flag.get(flag)
            name = flag.removeprefix("--")
            if not flag.startswith("--") or name in owned:
                continue
            if ours is None:
                absent.setdefault(release.version, set()).add(name)
            elif flag == f"--{ours.name}" and _takes_less(ours, argument):
                narrower[name] = _value(ours)
    return {
        "properties": dict(sorted(narrower.items())),
        "patternProperties": {
            pattern: said
            for other, names in absent.items()
            for pattern, said in _any_of(
                names, {"const": f"vLLM {version.version} has no such flag: {other} has"}
            ).items()
        },
    }


def _takes_less(ours: Argument, other: Argument) -> bool:
    if ours.bounds != other.bounds or (other.optional and not ours.optional):
        return True
    return bool(ours.choices and (not other.choices or not set(other.choices) <= {*ours.choices, None}))


def _reads_json(argument: Argument) -> bool:
    return argument.type in ("config", "json", "text-or-json")


def _value(argument: Argument) -> Schema:
    """What a flag may be set to in values."""
    if argument.action in ("boolean", "store-true"):
        return _FLAG
    if argument.action == "lora-modules":
        return {"$ref": "#/$defs/vllm.lora-modules"}
    if argument.config or argument.later:
        name = argument.config or argument.later
        return {
            "if": {"type": "object"},
            "then": {"$ref": f"#/$defs/vllm.{name}"},
            "else": {"$ref": f"#/$defs/vllm.{_named('json-text', argument)}"},
        }
    if argument.choices:
        return _choice(argument)
    if argument.bounds:
        return _between(argument)
    if argument.nargs == "?":
        return {"$ref": "#/$defs/vllm.optional-text"}
    if argument.nargs is not None or argument.action == "append":
        return {"$ref": f"#/$defs/vllm.{argument.type}-list"}
    return {"$ref": f"#/$defs/vllm.{_named(argument.type, argument)}"}


def _named(kind: str, argument: Argument) -> str:
    """The definition of a kind of value: of one, or of one that may be "None", which is no text to these kinds."""
    return f"{kind}-or-none" if argument.optional and f"vllm.{kind}-or-none" in _SHARED else kind


def _choice(argument: Argument) -> Schema:
    choices = [choice for choice in argument.choices or () if choice is not None]
    if argument.type == "lower-underscore":
        return {"enum": [*_spellings(choices, dashes=True), *NOTHING]}
    texts = [str(choice) for choice in choices if not isinstance(choice, str)]
    none = ["None"] if argument.optional else []
    one: Schema = {"enum": [*choices, *texts, *none, *NOTHING]}
    return one if argument.nargs is None else {"if": {"type": "array"}, "then": {"items": one}, "else": one}


def _between(argument: Argument) -> Schema:
    """A number within its bounds; a text, where `--set` makes one of a number."""
    if argument.group == "LoRAConfig":  # which vLLM only makes with enable-lora
        return {"$ref": f"#/$defs/vllm.{_named(argument.type, argument)}"}
    bounds = dict(argument.bounds)
    if argument.type == "float" and bounds.keys() & {"maximum", "exclusiveMaximum"}:
        return {"$ref": f"#/$defs/vllm.{_named('fraction', argument)}", **bounds}
    if argument.type != "float" and "exclusiveMinimum" in bounds:  # "minimum: got 0, want 1" is plainer
        bounds["minimum"] = bounds.pop("exclusiveMinimum") + 1
    kind = argument.type
    if kind == "int" and (sign := _SIGNS.get(bounds.get("minimum", -1))):
        kind = sign
        del bounds["minimum"]
    return {"$ref": f"#/$defs/vllm.{_named(kind, argument)}", **bounds}


#: Whole numbers by the least that they may be: a bound on numbers alone says nothing of one that is written as text.
_SIGNS: Mapping[float, str] = {0: "natural", 1: "positive"}


def _widened(one: Schema | None, other: Schema) -> Schema:
    """A schema that takes what either takes; both are of the same flag, in two versions."""
    if one and "enum" in one and "enum" in other:
        return {"enum": [*dict.fromkeys([*one["enum"], *other["enum"]])]}
    if one and "$ref" in one and one != other:  # their bounds differ, which each version's own definition says
        wider = re.sub("natural|positive", "int", other["$ref"])
        return {"$ref": f"{wider}-or-none" if one["$ref"] == f"{wider}-or-none" else wider}
    return other


_FLAG: Schema = {"$ref": "#/$defs/vllm.flag"}


def _text(pattern: str, remedy: str, *types: str, **bounds: int) -> Schema:
    """A value of these types, or its text; Helm prints the remedy for any other text."""
    written = {"if": {"pattern": f"^({pattern})?$"}, "else": {"const": remedy}}
    return {"type": ["string", "null", *types], **written, **bounds}


def _or_none(name: str, pattern: str, remedy: str, *types: str, **bounds: int) -> dict[str, Schema]:
    """A kind of number, and the same where "None" is no value."""
    both = {name: pattern, f"{name}-or-none": f"{pattern}|None"}
    return {f"vllm.{kind}": _text(written, remedy, *types, **bounds) for kind, written in both.items()}


def _list(item: Schema) -> Schema:
    return {"if": {"type": "array"}, "then": {"items": item}, "else": item}


def _json(*types: str) -> Schema:
    """A JSON-valued flag written as a map or as text; a shell's quotes and escapes would become part of it."""
    plain: Schema = {
        "if": {"type": "string", "pattern": _ESCAPED},
        "then": {"const": "write a map, or JSON as it is: nothing takes quotes or backslashes off it"},
        "else": {"type": [*types, "string", "null"]},
    }
    if "array" in types:
        return plain
    cut = "write a map in a values file, or use --set-json: --set takes JSON apart at its commas and braces"
    return {"if": {"type": "array"}, "then": {"const": cut}, "else": plain}


_ESCAPED = r"^\s*(['\\]|\{\s*\\)"
_STR: Schema = {"type": ["string", "number", "null"]}
_SHARED: dict[str, Schema] = {
    "vllm.flag": {"enum": [True, False, *NOTHING]},
    "vllm.str": _STR,
    "vllm.str-list": _list(_STR),
    "vllm.optional-text": {"type": ["string", "number", "boolean", "null"], "not": {"const": False}},
    "vllm.reasoning-parser": _STR,
    "vllm.device-ids": _STR,
    "vllm.int-list": _list(_text(INTEGER, "write a whole number, or a list of them: [1, 2]", "integer")),
    **_or_none("int", INTEGER, "write a whole number", "integer"),
    **_or_none("natural", "[0-9]+", "write a whole number from 0", "integer", minimum=0),
    **_or_none("positive", "0*[1-9][0-9]*", "write a whole number from 1", "integer", minimum=1),
    **_or_none("float", FLOAT, "write a number", "number"),
    "vllm.number": {"type": ["number", "string"], "pattern": f"^{FLOAT}$"},
    **_or_none("fraction", r"0*\.[0-9]+|0|1|1\.0*|[0-9.]+[eE]-[0-9]+", "write a fraction: 0.9", "number"),
    **_or_none("human-int", f"{INTEGER}|{HUMAN}", "write a whole number: 8192, 8k", "integer"),
    # The longest that fits, or a number of tokens.
    "vllm.human-int-or-auto": _text(
        f"-1|0*[1-9][0-9]*|{HUMAN}|(?i:auto)", "write a whole number: 8192, 8k; or auto", "integer"
    ),
    "vllm.json": _json("object", "array"),
    "vllm.json-text": _json(),
    **{
        f"vllm.{name}-or-none": {"if": {"const": "None"}, "else": {"$ref": f"#/$defs/vllm.{name}"}}
        for name in ("json", "json-text")
    },
    "vllm.text-or-json": _json("object"),
    # name=path, JSON, or a map of the same.
    "vllm.lora-modules": _list(
        {
            "type": ["string", "object", "null"],
            "pattern": r"^$|=|^\s*[\[{]",
            "required": ["name", "path"],
            "properties": {
                **{key: {"type": "string"} for key in ("name", "path")},
                "base_model_name": {"type": ["string", "null"]},
                "is_3d_lora_weight": {"type": ["boolean", "null"]},
            },
            "additionalProperties": False,
        }
    ),
}


# Config classes


def _merged(one: Schema, other: Schema) -> Schema:
    """A class as two versions have it, with what either has."""
    if "enum" in one and "enum" in other:
        return other | {"enum": [*dict.fromkeys([*one["enum"], *other["enum"]])]}
    if "properties" in one and "properties" in other:
        return other | {"properties": one["properties"] | other["properties"]}
    return other


def _tidy(node: Any, *, named: bool = False) -> Any:
    """A schema of the catalogue's in the chart's: shorter, its references renamed."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {key: _tidy(value) for key, value in node.items()}
    if "$ref" in node:
        return {"$ref": node["$ref"].replace("#/$defs/", "#/$defs/vllm.")}
    if ANY_CASE in node:
        return {"enum": _spellings(node["enum"], dashes=node[ANY_CASE] == "dashes")}
    if "enum" in node or "const" in node:
        return {"enum": node.get("enum", [node.get("const")])}
    if "anyOf" in node:
        return _joined([_tidy(option) for option in node["anyOf"]])
    if node.get("type") == "number":  # of 0.9, `--set` makes a text, which vLLM reads
        return {"$ref": "#/$defs/vllm.number"} | {key: value for key, value in node.items() if key != "type"}
    return {key: _tidy(value, named=key == "properties") for key, value in node.items() if key != "format"}


def _joined(options: list[Schema]) -> Schema:
    """Alternatives as one schema where that says the same: Helm's errors are shorter then."""
    if {} in options:
        return {}
    if {"type": "string"} in options:  # names of a text that may be any
        options = [option for option in options if "enum" not in option]
    if all(option.keys() == {"enum"} or option == {"type": "null"} for option in options):
        return {"enum": [value for option in options for value in option.get("enum", [None])]}
    keywords = [key for option in options for key in option if key != "type"]
    if all("type" in option for option in options) and len(keywords) == len(set(keywords)):
        return {**{key: option[key] for option in options for key in option}, "type": [o["type"] for o in options]}
    return {"anyOf": options}


def _spellings(names: Iterable[Any], *, dashes: bool) -> list[Any]:
    """Names as people write them where vLLM takes any case: as they are, and in small letters."""
    every = [spelling for name in names for spelling in ([name, name.lower()] if isinstance(name, str) else [name])]
    every += [name.replace("_", "-") for name in every if dashes]
    return [*dict.fromkeys(every)]
