"""Values as options, merged in process as each supported helm command merges them."""

import re
from pathlib import Path
from typing import Any

import pytest

from ci import tools
from vllm_chart import helm
from vllm_chart.helm import HelmError, ValuesOptions

BASE = """\
replicas: 1
empty: {}
none: []
nothing: null
items:
  - {name: first, emptyDir: {}}
  - two
"a.b/c,d": 1.5
text: "8192"
large: 10000000
nested: {keep: true, change: 1}
"""

#: Each row is what a user gives beside a file with BASE.
GIVEN: list[dict[str, Any]] = [
    {},
    {"values": {"nested": {"more": [1, None]}, "items": None}},
    {"set_": ["items[0].name=second", "items[1]=three,items[3]=four"]},
    {"set_": ["items[0].emptyDir.medium=Memory,items[1].name=was-text"]},
    {"set_": ["items={a,b\\,c,1}", "none[0].key=gpu", "empty.x=1", "nested=null"]},
    {"set_": ["items={}", "nested.change=0.9,text=", "yes=TRUE,no=False,zero=0,octal=010,minus=-5"]},
    {"set_": [r"a\.b/c\,d=2", r"nested.dotted\.key=1", "nested.change="]},
    {"set_": ["new[1][1]=x", "new[0]=y"]},
    {"set_": ["replicas=2"], "set_string": ["replicas=3"], "set_json": ["replicas=4"]},
    {"set_": ["replicas=2"], "set_string": ["replicas=3"], "set_literal": ["replicas=5"]},
    {"set_": ["text=set"], "set_file": ["text={folder}/text"], "set_string": ["text=string"]},
    {"set_string": ["a=1,b=true,c=null,d={1,2}", "items[0].name=7"]},
    {"set_json": ['items[0].emptyDir={"medium": "Memory", "sizeLimit": null}, text=[1, 2.5, 1e3]']},
    {"set_json": ["nested=", "empty=null", 'items=[{"a": 1}], large=10000000']},
    {"set_json": ["new[1][1]=x"]},
    {"set_json": ["large=12345678901234567890"], "set_": ["big=9223372036854775807"]},
    {"set_literal": ["text=a,b=c{d}\\e.f[0]", "nested.change=null", "items[1]=x=y"]},
    {"set_file": ["text={folder}/text,nested.change={folder}/odd", "items={{folder}/text,{folder}/text}"]},
    {"set_file": ["items[0].name={folder}/text"]},
    {"set_": ["nothing.x=1"]},
    {"set_": ["nothing[0]=1"]},
    {"set_": ["text.x=1"]},
    {"set_": ["items.x=1"]},
    {"set_": ["items[-1]=x"]},
    {"set_": ["items[65537]=x"]},
    {"set_": ["nested"]},
    {"set_": ["nested,"]},
    {"set_": ["items={a"]},
    {"set_json": ["items={a}"]},
    {"set_json": ["items=NaN"]},
    {"set_json": ["text.x=1"]},
    {"set_literal": ["nested"]},
    {"set_file": ["text={folder}/absent"]},
]

#: What Helm takes since 4.0.
GIVEN_TO_HELM_4: list[dict[str, Any]] = [
    {"set_json": ['{"nested": {"change": 2, "list": [1]}, "items": null}', "nested.change=3"]},
    {"set_json": [' {"nested": {"change": 2}} ', '{"nested": {"change": 1e3}, "large": 10000000}']},
    {"set_json": ['{"nested": 1} x']},
    {"set_json": ['{"nested": NaN}']},
    {"set_json": ["{nested: 1}"]},
    {"set_": ["items[0", "empty.", "none[0].x="]},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart that renders the values that it sees, a values file, and files for --set-file."""
    root = tmp_path_factory.mktemp("values")
    (root / "chart" / "templates").mkdir(parents=True)
    (root / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: probe\nversion: 0.1.0\n")
    (root / "chart" / "values.yaml").write_text("nested: {default: 1}\n")
    probe = "kind: Probe\nmetadata: {name: probe}\nvalues: {{ toJson .Values }}\n"
    (root / "chart" / "templates" / "probe.yaml").write_text(probe)
    (root / "base.yaml").write_text(BASE)
    (root / "text").write_text("line: {x}, é\nlast")
    (root / "odd").write_bytes(b"\xff[0]")
    return root


@pytest.fixture(scope="module", params=["helm-3.18", "helm-3", "helm"])
def command(request: pytest.FixtureRequest) -> helm.Helm:
    """The oldest supported Helm, the last 3, and 4."""
    return helm.Helm(str(tools.TOOLS[request.param]()))


def in_place(given: dict[str, Any], folder: Path) -> ValuesOptions:
    """The options of a row, with the folder's files."""
    paths = [expression.replace("{folder}", str(folder)) for expression in given.get("set_file", ())]
    return {**given, "set_file": paths, "values_files": [folder / "base.yaml"]}  # type: ignore[typeddict-item]


def merged_by_both(command: helm.Helm, folder: Path, options: ValuesOptions) -> tuple[Any, Any]:
    """What the command merges and what is merged in process; "refused" where that refuses."""

    def by_command() -> Any:
        return command.template("probe", folder / "chart", **options).one("Probe")["values"]

    def in_process() -> Any:
        return helm.render(chart=folder / "chart", **options).one("Probe")["values"]

    merged: list[Any] = []
    for render in (by_command, in_process):
        try:
            merged.append(render())
        except HelmError:
            merged.append("refused")
    return merged[0], merged[1]


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_options_are_merged_as_every_helm_merges_them(command: helm.Helm, folder: Path, given: dict[str, Any]) -> None:
    by_command, in_process = merged_by_both(command, folder, in_place(given, folder))

    assert in_process == by_command


@pytest.mark.parametrize("given", GIVEN_TO_HELM_4, ids=str)
def test_options_are_merged_as_helm_4_merges_them(command: helm.Helm, folder: Path, given: dict[str, Any]) -> None:
    if command.version < (4, 0):
        pytest.skip("needs Helm 4")
    by_command, in_process = merged_by_both(command, folder, in_place(given, folder))

    assert in_process == by_command


def test_the_callers_mapping_is_left_alone() -> None:
    given = {"items": [{"name": "first"}]}

    helm.user_values(values=given, set_=["items[0].name=second", "items[1]=x"])

    assert given == {"items": [{"name": "first"}]}


@pytest.mark.parametrize("flag", ["set_json", "set_", "set_string", "set_file", "set_literal"])
def test_a_refusal_begins_with_the_flag_and_the_expression(flag: str) -> None:
    options: Any = {"values": {"text": "x"}, flag: ["text.x=1"]}
    name = f"--{flag.strip('_').replace('_', '-')}"

    with pytest.raises(HelmError, match=f"^{re.escape(name)} {re.escape('text.x=1')}: "):
        helm.user_values(**options)
