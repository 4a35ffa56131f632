"""The compiled schema and Helm's own validator give the same verdict.

`render` asks Helm's validator only where the compiled schema does not take the values, so whatever that takes, Helm has
to take. Both are asked here about every row of the tables, every example, and values with anything anywhere.
"""

import copy
import json
import random
import re
from pathlib import Path
from typing import Any

import helm_python
import pytest
from helm_python import values_from_yaml

from ci import generate
from tests.render.acceptances import ROWS as ACCEPTED
from tests.render.rejections import ROWS as REFUSED
from tests.render.test_generated_values import EVERYTHING, VALUES, paths, put
from tests.render.test_rejections import values_of
from vllm_chart.charts import CHARTS
from vllm_chart.helm import loading, values_schema
from vllm_chart.helm.compiled import DRAFT, DRAFT_7, accepting, compiled

pytest.importorskip("jsonschema_rs", reason="without a wheel of jsonschema-rs, Helm's validator is asked each time")

ENDPOINT = values_from_yaml((Path(__file__).parent / "endpoint-everything.yaml").read_text())
EXAMPLES = sorted((Path(__file__).parents[2] / "values").glob("*.yaml"))


def refused_by_helm(folder: Path, schema: dict[str, Any], values: list[Any]) -> dict[int, set[str]]:
    """The places in a list of those values that Helm's validator refuses, with the keys of their first level that it
    refuses something in; asked once, because compiling is dear."""
    shared = {key: value for key, value in schema.items() if key in ("$schema", "definitions")}
    items = {key: value for key, value in schema.items() if key not in shared}
    whole = {**shared, "properties": {"values": {"items": items}}}
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: many\nversion: 0.1.0\n")
    (folder / "values.schema.json").write_text(json.dumps(whole))
    try:
        loading.load(folder).chart.validate_schema({"values": values})
    except helm_python.HelmError as error:
        refused: dict[int, set[str]] = {}
        for place, key in re.findall(r"- at '/values/(\d+)(?:/([^/']+))?", str(error)):
            refused.setdefault(int(place), set()).update([key] if key else [])
        return refused
    return {}


def agreed(folder: Path, values: list[dict[str, Any]], chart: loading.LoadedChart) -> list[bool]:
    """The verdicts on the user's values, in which Helm and the compiled schema have to agree, and about what keys of
    the first level: of no other ones Helm is asked for its words."""
    merged = [chart.merged(one) for one in values]
    refused = refused_by_helm(folder, chart.schema, merged)
    assert chart.validator
    for place, one in enumerate(merged):
        errors = list(chart.validator.iter_errors(one))
        assert bool(errors) is (place in refused) is not chart.accepts(one), values[place]
        assert {error.instance_path[0] for error in errors if error.instance_path} == refused.get(place, set())
    return [place not in refused for place in range(len(values))]


def test_of_every_row_and_example(tmp_path: Path) -> None:
    rejected = [values_of(row[1]) for row in REFUSED]
    accepted = [values_from_yaml(row[2]) for row in ACCEPTED]
    accepted += [values_from_yaml(file.read_text()) for file in EXAMPLES]

    verdicts = agreed(tmp_path, [*rejected, *accepted], loading.load(None))
    assert verdicts[: len(rejected)].count(False) > 300
    assert all(verdicts[len(rejected) :])


def test_of_many_values_at_once_as_of_each_alone(tmp_path: Path) -> None:
    """The list that saves time here changes no verdict."""
    chart = loading.load(None)
    values = [values_of(row[1]) for row in REFUSED[::40]]

    for one, taken in zip(values, agreed(tmp_path, values, chart), strict=True):
        try:
            chart.chart.validate_schema(one)
        except helm_python.HelmError:
            assert not taken
        else:
            assert taken


@pytest.mark.parametrize(("name", "whole"), [("vllm", EVERYTHING), ("vllm-endpoint", ENDPOINT)])
def test_of_anything_anywhere(tmp_path: Path, name: str, whole: dict[str, Any]) -> None:
    draw = random.Random(0)
    text, places = json.dumps(whole), list(paths(whole))
    values = [json.loads(text) for _ in range(3000)]
    for one in values:
        for _ in range(draw.randint(1, 3)):
            put(one, draw.choice(places), copy.deepcopy(draw.choice(VALUES)))

    verdicts = agreed(tmp_path, values, loading.load(CHARTS[name].folder))
    assert verdicts.count(True) > 100


@pytest.mark.parametrize(("name", "whole"), [("vllm", EVERYTHING), ("vllm-endpoint", ENDPOINT)])
def test_draft_7_says_what_the_models_say(name: str, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema as the models have it, of a newer draft, and what `ci.schema_form` makes of it for Helm."""
    chart = CHARTS[name]
    loaded = loading.load(chart.folder)
    monkeypatch.setattr(generate, "compact", lambda schema: {"$schema": DRAFT} | schema)
    models = accepting(generate.values_schema(chart, loaded.app_version))
    draw = random.Random(0)
    places = list(paths(whole))
    text = json.dumps(loaded.merged(whole))
    values = [json.loads(text) for _ in range(3000)]
    for one in values:
        for _ in range(draw.randint(1, 2)):
            put(one, draw.choice(places), copy.deepcopy(draw.choice(VALUES)))
    if name == "vllm":
        values += [loaded.merged(values_of(row[1])) for row in REFUSED]
        values += [loaded.merged(values_from_yaml(row[2])) for row in ACCEPTED]

    assert [one for one in values if models(one) is not loaded.accepts(one)] == []
    assert 100 < sum(map(models, values)) < len(values) - 100


#: What Go and other languages read differently: white space, the end of a text, digits and letters of other scripts.
ODD = "\u00a0\u2028\ufeff\v\f\n\u0085\u0661\u212a\u017f\u00e9\\'/:=- "
TEXTS = ["", *(f"{before}{odd}{after}" for odd in ODD for before in ("", "a", "1", "a/") for after in ("", "b"))]


def test_of_every_pattern_and_odd_text(tmp_path: Path) -> None:
    patterns = sorted(patterns_of(values_schema()))
    pairs = [(pattern, text) for pattern in patterns for text in TEXTS]
    schema = {"$schema": DRAFT_7, "properties": {pattern: {"pattern": pattern} for pattern in patterns}}
    validator = compiled(schema)
    assert validator

    by_helm = refused_by_helm(tmp_path, schema, [{pattern: text} for pattern, text in pairs])
    by_us = {place for place, (pattern, text) in enumerate(pairs) if not validator.is_valid({pattern: text})}
    assert {pairs[place] for place in by_us ^ by_helm.keys()} == set()
    assert len(by_us) > 1000


def patterns_of(node: Any) -> set[str]:
    """Every regular expression of a schema."""
    if isinstance(node, list):
        return set().union(*map(patterns_of, node))
    if not isinstance(node, dict):
        return set()
    own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
    if isinstance(node.get("patternProperties"), dict):
        own |= node["patternProperties"].keys()
    return own.union(*map(patterns_of, node.values()))
