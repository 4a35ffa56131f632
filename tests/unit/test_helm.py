"""Helm in process, and how its command is called."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run
from vllm_chart import helm
from vllm_chart.findings import Exit, UnavailableError

VALUES = """\
replicas: 1
empty: {}
none: []
list:
  - {name: first, emptyDir: {}}
  - two
"a.b/c,d": 1.5
text: "8192"
nested: {keep: true, change: 1}
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart that renders its own values and what it knows of its surroundings."""
    root = tmp_path / "probe"
    (root / "templates").mkdir(parents=True)
    (root / "Chart.yaml").write_text("apiVersion: v2\nname: probe\nversion: 0.1.0\n")
    (root / "values.yaml").write_text("default: {x: 1, z: 2}\n")
    (root / "templates" / "probe.yaml").write_text(
        "kind: Probe\n"
        "metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
        "values: {{ toJson .Values }}\n"
        "kubernetes: {{ .Capabilities.KubeVersion.Version }}\n"
        'monitoring: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}\n'
    )
    return root


@pytest.fixture
def values_file(tmp_path: Path) -> Path:
    file = tmp_path / "values.yaml"
    file.write_text(VALUES)
    return file


def test_render_hands_over_release_namespace_and_cluster(chart: Path) -> None:
    (plain,) = helm.render(chart=chart)
    (found,) = helm.render(
        chart=chart,
        release="x",
        namespace="models",
        kube_version="1.31",
        api_versions=["monitoring.coreos.com/v1"],
        values={"a": 1},
    )

    assert (plain.name, plain.namespace, plain["monitoring"]) == ("llm", "default", False)
    assert (found.name, found.namespace, found["monitoring"]) == ("x", "models", True)
    assert found["kubernetes"] == "v1.31"
    assert found["values"] == {"a": 1, "default": {"x": 1, "z": 2}}
    assert found.source == "probe/templates/probe.yaml"


def test_an_edited_chart_is_another_chart(chart: Path) -> None:
    template = chart / "templates" / "probe.yaml"
    before = helm.render(chart=chart)
    template.write_text(template.read_text().replace("Probe", "Edited"))
    os.utime(template, ns=(0, template.stat().st_mtime_ns + 1))

    assert before.inventory() == ["Probe/llm"]
    assert helm.render(chart=chart).inventory() == ["Edited/llm"]


def test_values_beat_each_other_in_helms_order(tmp_path: Path, values_file: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text("replicas: 2\nnested: {change: 2}\ntext: null\nlist: [x]\n")

    merged = helm.user_values(
        values_files=[values_file, second], values={"nested": {"more": 3}}, set_=["nested.change=4"], set_string=["n=5"]
    )

    assert merged["replicas"] == 2
    assert merged["nested"] == {"keep": True, "change": 4, "more": 3}
    assert merged["text"] is None
    assert merged["list"] == ["x"]
    assert merged["n"] == "5"


def test_merged_values_have_the_charts_defaults_under_them(chart: Path) -> None:
    assert helm.merged_values(chart, values={"default": {"x": None}, "a": 1}) == {"a": 1, "default": {"z": 2}}


SET: list[tuple[str, dict[str, Any]]] = [
    ("list[0].name=second", {"list": [{"name": "second", "emptyDir": {}}, "two"]}),
    ("list[0].emptyDir.medium=Memory", {"list": [{"name": "first", "emptyDir": {"medium": "Memory"}}, "two"]}),
    ("list[2]=three", {"list": [{"name": "first", "emptyDir": {}}, "two", "three"]}),
    ("list={a,b}", {"list": ["a", "b"]}),
    ("none[0].key=gpu", {"none": [{"key": "gpu"}]}),
    ("empty.x=1", {"empty": {"x": 1}}),
    ("nested=null", {"nested": None}),
    (r"a\.b/c\,d=2", {"a.b/c,d": 2}),
    ("nested.change=0.9,text=", {"nested": {"keep": True, "change": "0.9"}, "text": ""}),
]


@pytest.mark.parametrize(("expression", "changed"), SET, ids=[expression for expression, _ in SET])
def test_set_changes_what_it_names_and_nothing_else(
    values_file: Path, expression: str, changed: dict[str, Any]
) -> None:
    before = helm.user_values(values_files=[values_file])

    assert helm.user_values(values_files=[values_file], set_=[expression]) == before | changed


@pytest.mark.parametrize("expression", ["text.x=1", "list[-1]=x"])
def test_an_expression_that_does_not_fit_is_refused_as_it_was_written(values_file: Path, expression: str) -> None:
    with pytest.raises(helm.HelmError) as refused:
        helm.user_values(values_files=[values_file], set_=[expression])

    assert str(refused.value).startswith(f"--set {expression}: ")
    assert str(refused.value).isascii()


def test_mistakes_name_the_file_the_chart_or_the_release(tmp_path: Path, chart: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")

    with pytest.raises(helm.HelmError, match=r"broken\.yaml: "):
        helm.render(chart=chart, values_files=[broken])
    with pytest.raises(FileNotFoundError, match=r"absent\.yaml"):
        helm.render(chart=chart, values_files=[tmp_path / "absent.yaml"])
    with pytest.raises(helm.HelmError, match="is not a chart"):
        helm.render(chart=tmp_path)
    with pytest.raises(helm.HelmError, match="release name"):
        helm.render(chart=chart, release="Not_A_Name")


def test_a_chart_with_dependencies_goes_through_the_command(chart: Path) -> None:
    depend(chart, "application")

    with pytest.raises(UnavailableError, match="depends on inner, which may be switched off"):
        helm.render(chart=chart)


def test_the_command_line_says_what_to_check_instead(chart: Path, tmp_path: Path) -> None:
    inner = depend(chart, "application")
    (tmp_path / "values.yaml").write_text("{}")
    refused = run("check", "--chart", chart, "-f", tmp_path / "values.yaml")

    assert refused.exit_code == Exit.ENVIRONMENT
    assert f"--chart {inner} -f FILE" in refused.stderr
    assert run("check", "--chart", inner, "-f", tmp_path / "values.yaml").exit_code == Exit.OK


def test_a_chart_with_a_library_is_rendered(chart: Path) -> None:
    library = depend(chart, "library")
    (library / "templates" / "_names.tpl").write_text('{{- define "inner.name" }}{{ .Release.Name }}-inner{{ end }}')
    template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "inner.name" . }}}\n'
    (chart / "templates" / "named.yaml").write_text(template)

    assert "ConfigMap/llm-inner" in helm.render(chart=chart).inventory()


def test_a_library_that_may_be_switched_off_goes_through_the_command(chart: Path) -> None:
    depend(chart, "library", condition="inner.enabled")

    with pytest.raises(UnavailableError, match="may be switched off"):
        helm.render(chart=chart)


def test_a_dependency_that_is_not_there_is_told(chart: Path) -> None:
    shutil.rmtree(depend(chart, "library"))

    with pytest.raises(UnavailableError, match=r"charts/inner is missing: call `helm dependency build` first"):
        helm.render(chart=chart)


def depend(chart: Path, type_: str, **more: str) -> Path:
    """Make a chart depend on another, `inner`, which is in its folder: that folder."""
    inner = chart / "charts" / "inner"
    (inner / "templates").mkdir(parents=True)
    (inner / "Chart.yaml").write_text(f"apiVersion: v2\nname: inner\nversion: 0.1.0\ntype: {type_}\n")
    declared = [{"name": "inner", "version": "0.1.0", "repository": "file://charts/inner", **more}]
    about = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(f"{about}dependencies: {json.dumps(declared)}\n")
    return inner


# The command: a script in its place tells how it was called.


def command(tmp_path: Path, script: str, version: str = "v4.3.1") -> str:
    program = tmp_path / "helm"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo {version} && exit\n{script}\n')
    program.chmod(0o755)
    return str(program)


def test_helm_comes_from_the_environment_and_its_absence_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM", command(tmp_path, ""))
    assert helm.Helm().version == (4, 3, 1)

    monkeypatch.setenv("HELM", str(tmp_path / "absent"))
    with pytest.raises(UnavailableError, match="install Helm"):
        helm.Helm()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("v3.17.4", r"is Helm 3\.17\.4, the chart needs 3\.18\.1 or later"),
        ("v3.18.0", r"is Helm 3\.18\.0, the chart needs 3\.18\.1 or later"),
        ("what?", "is it Helm"),
    ],
)
def test_an_unsupported_helm_is_refused(tmp_path: Path, version: str, message: str) -> None:
    with pytest.raises(UnavailableError, match=message):
        helm.Helm(command(tmp_path, "", version))


def test_options_reach_the_command(tmp_path: Path) -> None:
    tool = helm.Helm(command(tmp_path, 'echo "$@"; cat'), kubeconfig="/kube", context="kind")

    called = tool.upgrade(
        "llm",
        "./chart",
        namespace="models",
        wait=True,
        timeout=60,
        install=True,
        values_files=["a.yaml", "b.yaml"],
        values={"model": {"id": "x"}},
        set_=["a=1,b=2"],
        set_string=["c=3"],
    )

    assert called == (
        "upgrade llm ./chart -n models --timeout=60s --wait --install --kubeconfig=/kube --kube-context=kind "
        '--values=a.yaml --values=b.yaml --values=- --set=a=1,b=2 --set-string=c=3\n{"model": {"id": "x"}}'
    )
    assert tool.rollback("llm", 2).startswith("rollback llm 2 -n default --timeout=300s --kubeconfig")
    assert tool.test("llm", timeout=9).startswith("test llm -n default --timeout=9s --logs --kubeconfig")


def test_answers_are_parsed(tmp_path: Path) -> None:
    tool = helm.Helm(command(tmp_path, 'case "$1" in get) echo null;; *) echo \'{"version": 3}\';; esac'))

    assert tool.status("llm")["version"] == 3
    assert tool.get_values("llm") == {}


def test_a_refusal_carries_helms_message_and_what_was_printed(tmp_path: Path) -> None:
    tool = helm.Helm(command(tmp_path, "echo the log; echo 'Error: no way' >&2; exit 1"))

    with pytest.raises(helm.HelmError, match=r"^no way$") as refused:
        tool.install("llm", "./chart")
    assert refused.value.output == "the log\n"
