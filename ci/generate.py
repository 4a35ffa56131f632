"""Write what follows from what the package knows: of each chart `values.yaml`, `values.schema.json`, README and the
facts that its templates read, out of its values model; the helpers that its templates have from charts/shared; and
docs/checks.md, out of the registry of checks.

python -m ci.generate           # write them
python -m ci.generate --check   # exit 1, naming the files that would change
"""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import kubernetes_validate
import yaml
from pydantic.fields import FieldInfo

from ci.schema_form import MAPS, compact, json_text
from vllm_chart import charts, support
from vllm_chart.charts import Chart
from vllm_chart.checks import registry
from vllm_chart.findings import Check
from vllm_chart.helm.compiled import references
from vllm_chart.values import kubernetes
from vllm_chart.values.base import Block, Kubernetes, Section
from vllm_chart.values.mistakes import remedied

HEAD = "# Generated from python/vllm_chart/values by `nox -s generate`: edit the model there.\n"
WIDTH = 110


def main() -> int:
    """Write the files, or with `--check` compare them. Returns the exit code."""
    if not Path("charts").is_dir():
        print("generate: no charts here; call it from the project's root", file=sys.stderr)
        return 2
    files = {path: text for chart in charts.CHARTS.values() for path, text in of_chart(chart).items()}
    files[Path("docs/checks.md")] = checks_page()
    return write(files, "python/vllm_chart", check="--check" in sys.argv[1:])


def write(files: Mapping[Path, str], source: str, *, check: bool) -> int:
    """Write the files whose text is another now, or only name them. Returns the exit code.

    source: the folder that they follow from.
    """
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    if check:
        for path in stale:
            print(f"{path} does not follow from {source}: run `nox -s generate`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path])
        print(f"wrote {path}")
    return 0


def of_chart(chart: Chart) -> dict[Path, str]:
    """Every generated file of a chart, by its path from the project's root."""
    folder = chart.path or Path("charts", chart.name)
    about = yaml.safe_load((folder / "Chart.yaml").read_text())
    facts = {folder / "files/generated" / name: _facts(name, given()) for name, given in chart.facts.items()}
    shared = shared_templates(folder.parent / "shared", chart.name)
    return {
        folder / "values.yaml": values_yaml(chart),
        folder / "values.schema.json": json_text(values_schema(chart, str(about.get("appVersion", "")))) + "\n",
        folder / "README.md": readme(chart, about),
        **({folder / "templates/_shared.tpl": shared} if shared else {}),
        **facts,
    }


def shared_templates(folder: Path, name: str) -> str:
    """The helpers that every chart beside a folder `shared` has, with a chart's own name in the place of `chart`.

    Copied and no library chart, so that a chart's folder is all that Helm needs. "" where there is no such folder.
    """
    sources = sorted(folder.glob("*.tpl"))
    head = "{{/* Generated from charts/shared by `nox -s generate`: edit it there. */}}\n"
    text = "\n".join(source.read_text() for source in sources)
    return head + text.replace('"chart.', f'"{name}.') if sources else ""


def _facts(name: str, given: Any) -> str:
    """A file that templates read: JSON, which they read faster, or YAML by its name."""
    is_yaml = name.endswith(".yaml")
    return HEAD + yaml.safe_dump(given, width=WIDTH) if is_yaml else json.dumps(given, indent=1) + "\n"


def keys(block: type[Block]) -> Iterator[tuple[str, FieldInfo]]:
    """The keys of a block in order, each as `(name in YAML, field)`; of a root, section by section."""
    levels: Sequence[type[Block]] = sections(block) or [block]
    for level in levels:
        for name, field in level.model_fields.items():
            yield field.alias or name, field


def sections(root: type[Block]) -> list[type[Section]]:
    """The sections of a chart's root, in order; none for a block that has none.

    Raises TypeError for a field of the root itself where there are sections: nothing would say under which it belongs.
    """
    found = [base for base in root.__bases__ if issubclass(base, Section) and base is not Section]
    if found and (own := root.__annotations__.keys() & root.model_fields.keys()):
        raise TypeError(f"{root.__name__}: write {', '.join(sorted(own))} into one of the sections that it is made of")
    return found


def heading(root: type[Block], key: str) -> str:
    """The heading above a key of the root: that of the section which it begins. Else ""."""
    firsts = {next(keys(section))[0]: section.heading for section in sections(root)}
    return firsts.get(key, "")


def block_of(field: FieldInfo) -> type[Block] | None:
    """The block that a field holds, or None for a leaf."""
    return field.annotation if isinstance(field.annotation, type) and issubclass(field.annotation, Block) else None


def _block_of_items(field: FieldInfo) -> type[Block] | None:
    """The block that each item of a list or of a map is, or None for another field."""
    if get_origin(field.annotation) not in (list, dict):
        return None
    one = get_args(field.annotation)[-1]
    return one if isinstance(one, type) and issubclass(one, Block) else None


# values.yaml ----------------------------------------------------------------------------------------------


def values_yaml(chart: Chart) -> str:
    """Every key, its default, its description as a comment."""
    return HEAD + (f"# {chart.hint}\n" if chart.hint else "") + "".join(_yaml_lines(chart.values, 0))


def _yaml_lines(block: type[Block], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, field in keys(block):
        if indent == 0:
            title = heading(block, key)
            yield f"\n# {f' {title} ':-^{WIDTH - 4}}\n\n" if title else "\n"
        yield (
            textwrap.fill(
                " ".join((field.description or "").split()),
                WIDTH,
                initial_indent=f"{pad}# ",
                subsequent_indent=f"{pad}# ",
                break_on_hyphens=False,
                break_long_words=False,
            )
            + "\n"
        )
        if inner := block_of(field):
            yield f"{pad}{key}:\n"
            yield from _yaml_lines(inner, indent + 2)
        else:
            default = field.get_default()
            text = yaml.safe_dump({key: default}, sort_keys=False, width=WIDTH, allow_unicode=True)
            yield textwrap.indent(text.replace(f"{key}: ''\n", f'{key}: ""\n'), pad)


# values.schema.json ---------------------------------------------------------------------------------------


def values_schema(chart: Chart, app_version: str) -> dict[str, Any]:
    """The JSON schema (draft 7, self-contained) that Helm holds the merged values against.

    app_version: the chart's, for what depends on it.
    """
    schema = chart.values.model_json_schema()
    blocks = {block.__name__: block for block in _blocks(chart.values)} | {"": chart.values}
    definitions: dict[str, Any] = schema.pop("$defs", {})
    in_maps = {inner for item in _items_of_maps(chart.values) for inner in (item, *_blocks(item))}
    for name, block in blocks.items():
        _describe_block(definitions[name] if name else schema, block, has_defaults=block not in in_maps)
    for item in _items_of_maps(chart.values):  # a null in a later file deletes one
        _allow_null(definitions[item.__name__])
    order = [key for key, _ in keys(chart.values)]
    schema["properties"] = dict(sorted(schema["properties"].items(), key=lambda item: order.index(item[0])))
    more = chart.schema(app_version)
    schema = {
        "title": f"Values of the {chart.title} chart",
        **_plain(schema),
        "$defs": _plain(definitions),
    }
    _leave_out_repeated_descriptions(schema)
    # A parent chart writes this key where a condition names it.
    schema["properties"]["enabled"] = {"type": "boolean"}
    schema["$defs"] |= _kubernetes_definitions(_definitions_of(schema))
    schema["$defs"] |= more.get("$defs", {})
    return compact(schema | {key: value for key, value in more.items() if key != "$defs"})


def _leave_out_repeated_descriptions(schema: dict[str, Any]) -> None:
    """Take the description off properties that refer to a definition with the same one.

    pydantic does so too, if the two are alike to the last space: which they are or not by Python's version.
    """
    definitions = {f"#/$defs/{name}": definition for name, definition in schema["$defs"].items()}
    for holder in (schema, *definitions.values()):
        for property_ in holder.get("properties", {}).values():
            definition = definitions.get(property_.get("$ref", ""), {})
            if "description" in definition and property_.get("description") == definition["description"]:
                del property_["description"]


def _blocks(block: type[Block]) -> Iterator[type[Block]]:
    for _, field in keys(block):
        if inner := block_of(field) or _block_of_items(field):
            yield inner
            yield from _blocks(inner)


def _items_of_maps(block: type[Block]) -> list[type[Block]]:
    """The blocks that users add to maps under names of their own."""
    fields = [field for level in (block, *_blocks(block)) for _, field in keys(level)]
    return [item for field in fields if get_origin(field.annotation) is dict and (item := _block_of_items(field))]


def _describe_block(schema: dict[str, Any], block: type[Block], *, has_defaults: bool) -> None:
    """Add to a block's schema what pydantic does not know: required keys, nulls and remedies.

    Helm deletes a key that a later file sets to null. Templates rely on blocks and on defaults that are not empty,
    so deleting those is an error that names the key; everything else may be null or gone.

    has_defaults: whether values.yaml has the block. What users write into a map of their own has none.
    """
    required = []
    for key, field in keys(block):
        if not has_defaults and not field.is_required():
            _allow_null(schema["properties"][key])
            continue
        passed_through = any(isinstance(mark, Kubernetes) for mark in field.metadata)
        nullable = NoneType in get_args(field.annotation)
        if block_of(field) or (field.get_default() not in ("", [], {}) and not passed_through and not nullable):
            required.append(key)
        elif not nullable:
            _allow_null(schema["properties"][key])
    if required:
        schema["required"] = required
    schema |= remedied(schema, block.remedies)


def _allow_null(schema: dict[str, Any]) -> None:
    if "enum" in schema:
        schema["enum"].append(None)
    elif "anyOf" in schema:
        schema["anyOf"].append({"type": "null"})
    elif "type" in schema:
        schema["type"] = sorted({*_types(schema), "null"})


def _types(schema: dict[str, Any]) -> list[str]:
    types: str | list[str] = schema["type"]
    return [types] if isinstance(types, str) else types


def _plain(node: Any) -> Any:
    """The schema without pydantic's titles and defaults, and with references to Kubernetes' definitions."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "x-kubernetes" in node:
        reference = {"$ref": f"#/$defs/{node['x-kubernetes']}"}
        return reference | ({"description": node["description"]} if "description" in node else {})
    if "anyOf" in node:
        node = _joined(node)
    schema: dict[str, Any] = {
        key: {name: _plain(item) for name, item in value.items()} if key in MAPS else _plain(value)
        for key, value in node.items()
        if key not in ("title", "default")
    }
    if isinstance(prose := schema.get("description"), str):  # a docstring's indentation depends on Python's version
        schema["description"] = " ".join(prose.split())
    return schema


def _joined(node: dict[str, Any]) -> dict[str, Any]:
    """An `anyOf` over distinct types as one schema: its keywords concern one type each, and Helm's errors are short."""
    options = node["anyOf"]
    types = [name for option in options for name in _types(option)]
    keywords = [key for option in options for key in option if key != "type"]
    assert len({*types}) == len(types), f"one type twice in {node}"
    assert len({*keywords}) == len(keywords), f"one keyword twice in {node}"
    joined = {key: value for option in options for key, value in option.items()}
    return {key: value for key, value in node.items() if key != "anyOf"} | joined | {"type": types}


def _definitions_of(node: Any) -> set[str]:
    """The names of all definitions of Kubernetes that a schema refers to."""
    return {reference.removeprefix("#/$defs/") for reference in references(node)}


def _kubernetes_definitions(names: set[str]) -> dict[str, Any]:
    """Kubernetes' own schemas of these objects and of all that they contain, strict and without the prose.

    Source: the OpenAPI definitions of the newest supported Kubernetes, as `kubernetes-validate` packs them.
    """
    package = Path(kubernetes_validate.__file__).parent
    folder = package / "kubernetes-json-schema" / f"v{support.KUBERNETES[-1]}.0-local-strict"
    known = json.loads((folder / "_definitions.json").read_text())["$defs"]
    wanted = sorted(name for name in names if f"io.k8s.api.{name}" in known)
    found: dict[str, Any] = dict(kubernetes.SHARED)
    while wanted:
        name = wanted.pop(0)
        if name not in found:
            full = name if name in known else f"io.k8s.api.{name}"
            if name in kubernetes.OPEN:
                found[name] = {"type": ["object", "null"]}
                continue
            found[name] = _kubernetes_schema(known[full]) | kubernetes.DEFINITIONS.get(name, {})
            for key, checks in kubernetes.PROPERTIES.get(name, {}).items():
                property_ = found[name]["properties"][key]
                items = {"items": property_["items"] | checks["items"]} if "items" in checks else {}
                found[name]["properties"][key] = property_ | checks | items
            for key in found[name].get("required", []):  # and so not null either
                if isinstance(types := found[name]["properties"][key].get("type"), list):
                    found[name]["properties"][key]["type"] = [one for one in types if one != "null"]
            found[name] = remedied(found[name], kubernetes.REMEDIES.get(name, {}))
            wanted += sorted(_definitions_of(found[name]))
    return dict(sorted(found.items()))


def _kubernetes_schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_kubernetes_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": "#/$defs/" + node["$ref"].rpartition("/")[2].removeprefix("io.k8s.api.")}
    if "oneOf" in node:  # a quantity, or a number or name of a port: null would match both and so neither
        return {"type": ["string", node["oneOf"][1]["type"][0], "null"]}
    schema = {
        key: {name: _kubernetes_schema(item) for name, item in value.items()}
        if key == "properties"
        else _kubernetes_schema(value)
        for key, value in node.items()
        if key in ("type", "properties", "items", "required", "enum", "additionalProperties")
    }
    if node.get("format") == "int32":  # none of those in a pod's fields is ever negative
        return {"$ref": "#/$defs/int32"} if "null" in schema["type"] else kubernetes.INT32
    return schema


# README ---------------------------------------------------------------------------------------------------


def readme(chart: Chart, about: dict[str, Any]) -> str:
    """The chart's README: how to install, and every value."""
    rows: list[str] = []
    for key, field in keys(chart.values):
        title = heading(chart.values, key)
        if title or not rows:
            rows += [*(["", f"### {title}"] if title else []), "", "| key | default | what it is |", "|---|---|---|"]
        rows += _table_rows(key, field)
    helm = ".".join(map(str, support.HELM_LEAST))
    made_for = f", made for {chart.title} {about['appVersion']}" if "appVersion" in about else ""
    return f"""<!-- Generated from python/vllm_chart/values by `nox -s generate`: edit the model there. -->
# {chart.name}

{about["description"]}
Chart {about["version"]}{made_for}; Kubernetes {about["kubeVersion"]}, Helm {helm} or later.

{chart.introduction}

## Values
{chr(10).join(rows)}
"""


def _table_rows(key: str, field: FieldInfo) -> Iterator[str]:
    if inner := block_of(field):
        for name, inner_field in keys(inner):
            yield from _table_rows(f"{key}.{name}", inner_field)
        return
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    yield f"| `{key}` | `{json.dumps(field.get_default())}` | {text} |"
    if get_origin(field.annotation) is dict and (item := _block_of_items(field)):
        for name, inner_field in keys(item):
            yield from _table_rows(f"{key}.NAME.{name}", inner_field)


# docs/checks.md -------------------------------------------------------------------------------------------


def checks_page() -> str:
    """Every check by its topic: its name, what it promises, and why."""
    topics: dict[str, list[Check]] = {}
    for check in registry.every().values():
        topics.setdefault(check.topic, []).append(check)
    of_check = {check.topic for check in registry.of_check().values()}
    ordered = sorted(topics, key=lambda topic: topic not in of_check)
    return CHECKS_HEAD + "".join(f"\n## {topic}\n\n{_check_rows(topics[topic])}" for topic in ordered)


CHECKS_HEAD = """<!-- Generated from the checks in python/vllm_chart by `nox -s generate`: edit a check where it is. -->
# The checks

Every finding ends in the name of its check: `error: replicas: no such key [schema]`. `vllm-chart check` runs those down
to "Invariants: Stop", on values and on what they render; `vllm-chart check --list` prints them. The others ask a
cluster or a service.

`--ignore NAME` (`check`, `validate`, `preflight`; `--vllm-chart-ignore` in pytest; may be repeated) makes the findings
of a check not count. They are told all the same, apart from the others, also with `--output json`. Four checks can't be
ignored, because Helm itself refuses such values: `values`, `schema`, `rule` and `render`.
"""


def _check_rows(checks: Sequence[Check]) -> str:
    rows = [f"| `{check.name}` | {check.promise} | {check.reason} |\n" for check in checks]
    return "".join(["| check | what it promises | why |\n|---|---|---|\n", *rows])


if __name__ == "__main__":
    sys.exit(main())
