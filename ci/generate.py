"""Write what follows from the values model: the chart's `values.yaml`, `values.schema.json`, README
and the list of flags that it owns.

python -m ci.generate           # write them
python -m ci.generate --check   # exit 1, naming the files that would change
"""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from pydantic.fields import FieldInfo

from vllm_chart.values import kubernetes
from vllm_chart.values.base import Block, Kubernetes
from vllm_chart.values.vllm.engine import OWNED_FLAGS
from vllm_chart.values.vllm.root import SECTIONS, Values
from vllm_chart.vllm_args import devices, host_memory
from vllm_chart.vllm_args import schema as engine_schema

#: Kubernetes whose object schemas go into the chart's: the newest that the chart supports.
KUBERNETES_VERSION = "1.37.0"

HEAD = "# Generated from python/vllm_chart/values by `nox -s generate`: edit the model there.\n"
WIDTH = 110


def main() -> int:
    """Write the files, or with `--check` compare them. Returns the exit code."""
    chart = Path("charts/vllm")
    if not (chart / "Chart.yaml").is_file():
        print("generate: no charts/vllm/Chart.yaml here; call it from the project's root", file=sys.stderr)
        return 2
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    files = {
        chart / "values.yaml": values_yaml(),
        chart / "values.schema.json": _json(values_schema(about["appVersion"])) + "\n",
        chart / "files/generated/owned-flags.yaml": HEAD + yaml.safe_dump(OWNED_FLAGS, width=WIDTH),
        # JSON, because templates read it faster.
        chart / "files/generated/flags.json": json.dumps(engine_schema.rendering(), indent=1) + "\n",
        chart / "files/generated/devices.json": json.dumps(devices.facts(), indent=1) + "\n",
        chart / "files/generated/host-memory.json": json.dumps(host_memory.facts(), indent=1) + "\n",
        chart / "README.md": readme(about),
    }
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path} does not follow from python/vllm_chart/values: run `nox -s generate`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(files[path])
        print(f"wrote {path}")
    return 0


def keys(block: type[Block] = Values) -> Iterator[tuple[str, FieldInfo]]:
    """The keys of a block in order, each as `(name in YAML, field)`."""
    for name, field in block.model_fields.items():
        yield field.alias or name, field


def block_of(field: FieldInfo) -> type[Block] | None:
    """The block that a field holds, or None for a leaf."""
    return field.annotation if isinstance(field.annotation, type) and issubclass(field.annotation, Block) else None


# values.yaml ----------------------------------------------------------------------------------------------


def values_yaml() -> str:
    """Every key, its default, its description as a comment."""
    head = HEAD + "# A model that fits one GPU needs model.id and nothing else.\n"
    return head + "".join(_yaml_lines(Values, 0))


def _yaml_lines(block: type[Block], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, field in keys(block):
        if indent == 0 and key in SECTIONS:
            yield f"\n# {f' {SECTIONS[key]} ':-^{WIDTH - 4}}\n"
        if indent == 0:
            yield "\n"
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


def values_schema(app_version: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12, self-contained) that Helm holds the merged values against.

    app_version: the version of vLLM that an empty image.tag stands for.
    """
    schema = Values.model_json_schema()
    blocks = {block.__name__: block for block in _blocks(Values)} | {"": Values}
    definitions: dict[str, Any] = schema.pop("$defs")
    for name, block in blocks.items():
        _describe_block(definitions[name] if name else schema, block)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the vLLM chart",
        **_plain(schema),
        "$defs": _plain(definitions),
    }
    # A parent chart writes this key where a condition names it.
    schema["properties"]["enabled"] = {"type": "boolean"}
    schema["$defs"] |= _kubernetes_definitions(_references(schema))
    schema["$defs"] |= engine_schema.definitions(OWNED_FLAGS)
    return schema | engine_schema.by_version(app_version)


def _json(node: Any, indent: str = "") -> str:
    """JSON in which what fits in a line stands in one: a schema of 130 KB would be half as long again otherwise."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    if len(indent) + len(text) <= 3000 or not isinstance(node, dict) or not node:
        return text
    deeper = indent + " "
    lines = [f"{deeper}{json.dumps(key)}:{_json(value, deeper)}" for key, value in node.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _blocks(block: type[Block]) -> Iterator[type[Block]]:
    for _, field in keys(block):
        if inner := block_of(field):
            yield inner
            yield from _blocks(inner)


def _describe_block(schema: dict[str, Any], block: type[Block]) -> None:
    """Add to a block's schema what pydantic does not know: required keys, nulls and remedies.

    Helm deletes a key that a later file sets to null. Templates rely on blocks and on defaults that are not empty,
    so deleting those is an error that names the key; everything else may be null or gone.
    """
    required = []
    for key, field in keys(block):
        passed_through = any(isinstance(mark, Kubernetes) for mark in field.metadata)
        if block_of(field) or (field.get_default() not in ("", [], {}) and not passed_through):
            required.append(key)
        else:
            _allow_null(schema["properties"][key])
    if required:
        schema["required"] = required
    schema["properties"] |= {key: {"const": remedy} for key, remedy in block.remedies.items()}


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
    return {
        key: {name: _plain(item) for name, item in value.items()} if key in MAPS else _plain(value)
        for key, value in node.items()
        if key not in ("title", "default")
    }


#: Keywords that hold a map from names to schemas.
MAPS = ("properties", "patternProperties", "$defs")


def _joined(node: dict[str, Any]) -> dict[str, Any]:
    """An `anyOf` over distinct types as one schema: its keywords concern one type each, and Helm's errors are short."""
    options = node["anyOf"]
    types = [name for option in options for name in _types(option)]
    keywords = [key for option in options for key in option if key != "type"]
    assert len({*types}) == len(types), f"one type twice in {node}"
    assert len({*keywords}) == len(keywords), f"one keyword twice in {node}"
    joined = {key: value for option in options for key, value in option.items()}
    return {key: value for key, value in node.items() if key != "anyOf"} | joined | {"type": types}


def _references(node: Any) -> set[str]:
    """The names of all definitions of Kubernetes that a schema refers to."""
    if isinstance(node, dict):
        names = {node["$ref"].removeprefix("#/$defs/")} if isinstance(node.get("$ref"), str) else set()
        return names.union(*map(_references, node.values()))
    if isinstance(node, list):
        return set().union(*map(_references, node))
    return set()


def _kubernetes_definitions(names: set[str]) -> dict[str, Any]:
    """Kubernetes' own schemas of these objects and of all that they contain, strict and without the prose.

    Source: the OpenAPI definitions of Kubernetes as `kubernetes-validate` packs them.
    """
    package = Path(kubernetes_validate.__file__).parent
    folder = package / "kubernetes-json-schema" / f"v{KUBERNETES_VERSION}-local-strict"
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
            for key, remedy in kubernetes.REMEDIES.get(name, {}).items():
                found[name]["properties"][key] = {"const": remedy}
            wanted += sorted(_references(found[name]))
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


def readme(chart: dict[str, Any]) -> str:
    """The chart's README: how to install, and every value."""
    rows: list[str] = []
    for key, field in keys():
        if key in SECTIONS:
            rows += ["", f"### {SECTIONS[key]}", "", "| key | default | what it is |", "|---|---|---|"]
        rows += _table_rows(key, field)
    return f"""<!-- Generated from python/vllm_chart/values by `nox -s generate`: edit the model there. -->
# vllm

{chart["description"]} Chart {chart["version"]}, made for vLLM {chart["appVersion"]}; Kubernetes {chart["kubeVersion"]},
Helm 3.18 or later.

    helm install llm ./charts/vllm --set model.id=Qwen/Qwen3-8B

One release is one model. What is refused, and why, is said by `helm install` itself; `vllm-chart check -f mine.yaml`
(the package of this repository) says more. Examples: `values/` beside the chart.

## Values
{chr(10).join(rows)}
"""


def _table_rows(key: str, field: FieldInfo) -> Iterator[str]:
    if inner := block_of(field):
        for name, inner_field in keys(inner):
            yield from _table_rows(f"{key}.{name}", inner_field)
    else:
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{key}` | `{json.dumps(field.get_default())}` | {text} |"


if __name__ == "__main__":
    sys.exit(main())
