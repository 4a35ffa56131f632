"""How the package leans on helm-python-sdk: what is private to it, and charts that are loaded and compiled once."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import helm_python
import pytest

from vllm_chart import helm
from vllm_chart.findings import UnavailableError
from vllm_chart.helm import _helm_native, compiled, loading, refusal

DRAFT = '"$schema": "https://json-schema.org/draft/2020-12/schema"'
SOURCES = sorted((Path(helm.__file__).parents[1]).rglob("*.py"))


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart that takes a number called `count`, and whose template wants it even."""
    root = tmp_path / "probe"
    (root / "templates").mkdir(parents=True)
    (root / "Chart.yaml").write_text("apiVersion: v2\nname: probe\nversion: 0.1.0\n")
    (root / "values.yaml").write_text("count: 2\n")
    (root / "values.schema.json").write_text(f'{{{DRAFT}, "properties": {{"count": {{"type": "integer"}}}}}}')
    (root / "templates" / "probe.yaml").write_text(
        '{{ if mod .Values.count 2 }}{{ fail "odd" }}{{ end }}\n'
        "kind: Probe\nmetadata: {name: {{ .Release.Name }}}\nkubernetes: {{ .Capabilities.KubeVersion.Version }}\n"
        "template: {{ .Template.BasePath }}\n"
    )
    return root


# What is private to the library


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_one_module_alone_uses_what_is_private_to_the_library(source: Path) -> None:
    text = source.read_text()
    assert source.name == "_helm_native.py" or not ("helm_python._" in text or "_raw()" in text)
    assert source.name == "_helm_native.py" or "from helm_python import _native" not in text


def test_a_library_without_its_private_calls_renders_or_says_what_is_missing(
    chart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = helm.render(chart=chart)
    monkeypatch.setattr(_helm_native, "_library", lambda: None)

    # The same objects, for the Kubernetes that the library itself takes.
    assert helm.render(chart=chart).inventory() == expected.inventory()
    targets: list[Any] = [{"kube_version": "1.34"}, {"api_versions": ["a/v1"]}]
    for target in targets:
        with pytest.raises(UnavailableError, match=r"helm-python-sdk 0\.2\.\d+ cannot .*: install helm-python-sdk"):
            helm.render(chart=chart, **target)


def test_the_library_has_the_private_calls() -> None:
    """The fallback above is for later versions of it, not for the one that is installed."""
    (found,) = helm.render(kube_version="1.31", values={"model": {"id": "a/b"}}).all("Deployment")
    assert found


# Compiled once


def test_templates_decide_where_the_schema_takes_the_values_and_helm_speaks_where_not(chart: Path) -> None:
    (found,) = helm.render(chart=chart, values={"count": 4}, kube_version="1.31")
    assert found["kubernetes"] == "v1.31"
    assert found["template"] == "probe/templates"
    with pytest.raises(helm.HelmError, match=r"probe/templates/probe\.yaml.*odd"):
        helm.render(chart=chart, values={"count": 3})
    with pytest.raises(helm.HelmError, match=r"specifications of the schema(.|\n)*'/count': got string, want integer"):
        helm.render(chart=chart, values={"count": "three"})


#: Two keys with a definition each, and what is said of all keys under a condition.
TWO_KEYS: dict[str, Any] = {
    "$schema": compiled.DRAFT_7,
    "properties": {"count": {"$ref": "#/definitions/natural"}, "name": {"$ref": "#/definitions/text"}},
    "required": ["count"],
    "if": {"required": ["many"]},
    "then": {"properties": {"count": {"minimum": 2}}},
    "definitions": {"natural": {"$ref": "#/definitions/int"}, "int": {"type": "integer"}, "text": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"count": "one"}, "'/count': got string, want integer"),
        ({"name": 1}, "'/name': got number, want string"),
        ({"count": None}, "'': missing property 'count'"),
        ({"count": 1, "many": True}, "'/count': minimum: got 1, want 2"),
        ({"count": "one", "name": 1}, "'/name': got number, want string"),
        ({"count": "one", "name": 1}, "'/count': got string, want integer"),
    ],
)
def test_helm_is_asked_about_no_more_than_what_is_refused_and_says_the_same(
    chart: Path, values: dict[str, Any], said: str
) -> None:
    (chart / "values.schema.json").write_text(json.dumps(TWO_KEYS))
    with pytest.raises(helm_python.HelmError) as by_all:
        helm_python.Chart.load(chart).render(values)
    with pytest.raises(helm.HelmError) as by_a_part:
        helm.render(chart=chart, values=values)

    assert said in str(by_a_part.value)
    assert sorted(str(by_a_part.value).splitlines()) == sorted(str(by_all.value).strip().splitlines())


def test_of_a_schema_as_much_is_kept_as_is_asked_for() -> None:
    narrow = refusal.narrowed(TWO_KEYS, {"count"}, conditional=False)
    assert narrow["properties"] == {"count": {"$ref": "#/definitions/natural"}, "name": True}
    assert narrow["definitions"].keys() == {"natural", "int"}
    assert "then" not in narrow
    assert refusal.narrowed(TWO_KEYS, set(), conditional=True)["then"] == TWO_KEYS["then"]
    # It refers to what is no definition.
    elsewhere = TWO_KEYS | {"properties": {"count": {"$ref": "#/properties/name"}, "name": {"type": "string"}}}
    assert refusal.narrowed(elsewhere, {"count"}, conditional=False) == elsewhere


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"count": {"type": "integer"}}},
        {"$schema": compiled.DRAFT_7, "properties": {"count": {"type": "integer", "format": "x"}}},
        {
            "$schema": compiled.DRAFT,
            "properties": {"count": {"$dynamicRef": "#/definitions/n"}},
            "definitions": {"n": {"type": "integer"}},
        },
    ],
    ids=["no draft", "format", "newer draft"],
)
def test_a_schema_of_which_a_part_might_speak_otherwise_is_helms(chart: Path, schema: dict[str, Any]) -> None:
    (chart / "values.schema.json").write_text(json.dumps(schema))
    (found,) = helm.render(chart=chart, values={"count": 4})
    assert found.kind == "Probe"
    refusal.refuse(loading.load(chart), {"count": "three"})
    with pytest.raises(helm.HelmError, match=r"specifications of the schema(.|\n)*'/count': got string, want integer"):
        helm.render(chart=chart, values={"count": "three"})


@pytest.mark.parametrize("draft", [{"$schema": compiled.DRAFT_7}, {}], ids=["compiled", "not"])
def test_defaults_of_any_characters_change_no_words(chart: Path, draft: dict[str, Any]) -> None:
    (chart / "values.yaml").write_text("count: 2\ngreeting: hi \U0001f600\n")
    (chart / "values.schema.json").write_text(json.dumps(draft | {"properties": {"count": {"type": "integer"}}}))
    assert helm.render(chart=chart, values={"count": 4})
    with pytest.raises(helm.HelmError, match=r"'/count': got string, want integer"):
        helm.render(chart=chart, values={"count": "three"})


def test_an_archive_is_rendered_as_its_directory_is(chart: Path, tmp_path: Path) -> None:
    archive = helm_python.package(chart, destination=str(tmp_path))

    assert helm.render(chart=archive) == helm.render(chart=chart)
    with pytest.raises(helm.HelmError, match="specifications of the schema"):
        helm.render(chart=archive, values={"count": "three"})


@pytest.mark.parametrize(
    ("schema", "values", "verdict"),
    [
        ({}, {"a": 1}, True),
        ({"$schema": compiled.DRAFT, "properties": {"a": {"pattern": r"^\S+$"}}}, {"a": "x y"}, False),
        ({"$schema": compiled.DRAFT_7, "properties": {"a": {"type": "integer"}}}, {"a": 1}, True),
        ({"$schema": compiled.DRAFT_7, "properties": {"a": {"type": "integer"}}}, {"a": "1"}, False),
        # Sure of nothing: `format` counts for Helm in an older draft, and others say other things; there is another
        # file; `\b` is not Go's.
        ({"$schema": compiled.DRAFT_7, "properties": {"a": {"format": "ipv4"}}}, {"a": 1}, False),
        ({"$schema": "http://json-schema.org/draft-06/schema#"}, {"a": 1}, False),
        ({"type": "object"}, {"a": 1}, False),
        ({"$schema": compiled.DRAFT, "$ref": "https://example.com/schema.json"}, {"a": 1}, False),
        ({"$schema": compiled.DRAFT, "properties": {"a": {"pattern": r"\bx"}}}, {"a": "x"}, False),
        ({"$schema": compiled.DRAFT, "type": "no such type"}, {"a": 1}, False),
    ],
)
def test_only_what_is_read_as_helm_reads_it_is_accepted(
    schema: Mapping[str, Any], values: Mapping[str, Any], verdict: bool
) -> None:
    validator = compiled.compiled(schema)
    assert (validator is not None and validator.is_valid(values)) is verdict


@pytest.mark.parametrize(
    ("pattern", "spelt"),
    [
        (r"^\s*[^\s=]\S$", "^[\\t\\n\\f\\r ]*[^\\t\\n\\f\\r =][^\\t\\n\\f\\r ]$"),
        (r"\\s[\\s]\[\s", r"\\s[\\s]\[[\t\n\f\r ]"),
    ],
)
def test_white_space_in_a_pattern_is_go_s(pattern: str, spelt: str) -> None:
    assert compiled.go_pattern(pattern) == spelt


@pytest.mark.parametrize("pattern", [r"[\S]", r"a\b", r"\pL", "[]a]", "[^]a]", "[[:alpha:]]"])
def test_a_pattern_that_is_read_differently_is_none(pattern: str) -> None:
    with pytest.raises(ValueError, match="Go reads it"):
        compiled.go_pattern(pattern)


# Odd files in a chart's directory


def test_a_link_to_nothing_is_named_with_what_to_do(chart: Path) -> None:
    """An editor's lock file (`.#values.yaml`) is such a link, and Helm itself loads no chart that has one."""
    (chart / ".#values.yaml").symlink_to("somebody@host.1234:1")

    with pytest.raises(helm.HelmError, match=r"\.#values\.yaml is a link to nothing, .*: remove it"):
        helm.render(chart=chart)


def test_a_file_that_goes_while_the_directory_is_read_is_no_error(chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = os.fspath(chart / "values.yaml~")
    listed = [*loading._inside(chart), gone]
    monkeypatch.setattr(loading, "_inside", lambda folder: listed)

    assert loading.load(chart).chart.name == "probe"


def test_a_link_to_a_file_counts_as_that_file(chart: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text("count: 2\n")
    (chart / "values.yaml").unlink()
    (chart / "values.yaml").symlink_to(elsewhere)
    assert helm.merged_values(chart) == {"count": 2}

    elsewhere.write_text("count: 4\n")
    os.utime(elsewhere, ns=(0, elsewhere.stat().st_mtime_ns + 1))
    assert helm.merged_values(chart) == {"count": 4}
