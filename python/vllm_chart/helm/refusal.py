"""A refusal by the schema, in Helm's own words.

Helm compiles the schema anew each time it is asked. The compiled one knows which keys of the first level it refuses, so
Helm gets no more of the schema than what is said of those, in a chart that holds nothing else: that takes a sixth of
the time. That the two refuse the same keys is what tests/render/test_compiled_schema.py proves.
"""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import helm_python

from vllm_chart.helm.compiled import DRAFT_7, definitions
from vllm_chart.helm.loading import SCHEMA, LoadedChart


def refuse(loaded: LoadedChart, merged: Mapping[str, Any]) -> None:
    """Raises helm_python.HelmError where a part of the chart's schema refuses merged values.

    That it raises nothing says nothing: where a part might speak otherwise than the whole, in another draft or with
    values of other charts among them, it is for the whole chart to say.
    """
    if loaded.validator is None or loaded.schema.get("$schema") != DRAFT_7 or loaded.chart.dependencies:
        return
    errors = list(loaded.validator.iter_errors(merged))
    if errors:
        keys = {str(error.instance_path[0]) for error in errors if error.instance_path}
        conditional = any(next(iter(error.evaluation_path), "") in ("then", "else") for error in errors)
        _alone(loaded.name, narrowed(loaded.schema, keys, conditional)).render(dict(merged))


def narrowed(schema: Mapping[str, Any], keys: Collection[str], conditional: bool) -> dict[str, Any]:
    """The schema with no more in it than what it says of these keys of the first level, and of that level itself.

    conditional: whether what it says of that level under a condition (`if`, `then`, `else`) is kept.

    The whole where it refers to something else than its definitions, which this doesn't look for.
    """
    left_out = {"definitions"} if conditional else {"definitions", "if", "then", "else"}
    properties = {key: inner if key in keys else True for key, inner in schema.get("properties", {}).items()}
    narrow = {key: value for key, value in schema.items() if key not in left_out} | {"properties": properties}
    try:
        return narrow | {"definitions": definitions(narrow, schema.get("definitions", {}), "#/definitions/")}
    except KeyError:
        return dict(schema)


def _alone(name: str, schema: Mapping[str, Any]) -> helm_python.Chart:
    """A chart of this name, of which there is nothing but a schema."""
    with tempfile.TemporaryDirectory() as folder:
        about = {"apiVersion": "v2", "name": name, "version": "0.0.0"}
        for file, content in (("Chart.yaml", about), (SCHEMA, schema)):
            (Path(folder) / file).write_text(json.dumps(content), encoding="utf-8")
        return helm_python.Chart.load(folder)
