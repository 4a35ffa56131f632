"""A refusal by the schema, in Helm's own words.

Helm compiles the schema anew each time it is asked. The compiled one knows which keys of the first level it refuses, so
Helm gets no more of the schema than what is said of those, in a chart that holds nothing else: that takes a tenth of
the time. That the two refuse the same keys is what tests/render/test_compiled_schema.py proves.
"""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import helm_python

from vllm_chart.helm.compiled import references
from vllm_chart.helm.loading import SCHEMA, LoadedChart

DEFINITIONS = "#/definitions/"


def refuse(loaded: LoadedChart, values: Mapping[str, Any]) -> None:
    """Raises helm_python.HelmError where the chart's schema refuses a user's values."""
    validator, merged = loaded.validator, loaded.merged(values)
    if validator is None:
        _alone(loaded, loaded.schema).render(dict(values))
    elif not validator.is_valid(merged):
        errors = list(validator.iter_errors(merged))
        keys = {str(error.instance_path[0]) for error in errors if error.instance_path}
        conditional = any(next(iter(error.evaluation_path), "") in ("then", "else") for error in errors)
        _alone(loaded, narrowed(loaded.schema, keys, conditional)).render(dict(values))


def narrowed(schema: Mapping[str, Any], keys: Collection[str], conditional: bool) -> dict[str, Any]:
    """The schema with no more in it than what it says of these keys of the first level, and of that level itself.

    conditional: whether what it says of that level under a condition (`if`, `then`, `else`) is kept.

    The whole where it refers to something else than its definitions, which this doesn't look for.
    """
    left_out = {"definitions"} if conditional else {"definitions", "if", "then", "else"}
    properties = {key: inner if key in keys else True for key, inner in schema.get("properties", {}).items()}
    narrow = {key: value for key, value in schema.items() if key not in left_out} | {"properties": properties}
    definitions = schema.get("definitions", {})
    needed: dict[str, Any] = {}
    pending = [narrow]
    while pending:
        for reference in references(pending.pop()):
            name = reference.removeprefix(DEFINITIONS)
            if name not in definitions:
                return dict(schema)
            if name not in needed:
                needed[name] = definitions[name]
                pending.append(needed[name])
    return narrow | {"definitions": needed}


def _alone(loaded: LoadedChart, schema: Mapping[str, Any]) -> helm_python.Chart:
    """A chart of the same name and with the same defaults, of which there is nothing but a schema."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "Chart.yaml": {"apiVersion": "v2", "name": loaded.name, "version": "0.0.0"},
            "values.yaml": loaded.chart.values,
            SCHEMA: schema,
        }
        for name, content in files.items():
            (Path(folder) / name).write_text(json.dumps(content))
        return helm_python.Chart.load(folder)
