"""The command that prints and writes the dashboards."""

import json
from pathlib import Path

import pytest

from ci.dashboards import reading
from tests.commands import run
from vllm_chart.charts import ENDPOINT, VLLM, Chart
from vllm_chart.cli import dashboards as command
from vllm_chart.findings import Exit
from vllm_chart.observe import dashboards

MODEL = "--set=model.id=org/name"
RELEASE = ("--release", "llm", "-n", "models")


def test_the_command_knows_the_dashboards_that_there_are() -> None:
    assert tuple(name for names in dashboards.NAMES.values() for name in names) == command.NAMES
    assert {chart: {*names} for chart, names in dashboards.NAMES.items()} == {
        chart: {*reading.boards(chart)} for chart in reading.NAMES
    }


def test_without_values_they_are_those_of_the_chart() -> None:
    found = json.loads(run("dashboards", "--output=json").stdout)

    assert found == {"ok": True, "dashboards": reading.boards("vllm"), "findings": []}


def test_one_is_printed_and_nothing_else() -> None:
    assert json.loads(run("dashboards", "replica").stdout) == reading.boards()["replica"]


def test_with_values_they_are_the_releases_own_whether_enabled_or_not() -> None:
    values = (MODEL, "--set=slo.ttft.seconds=5,dashboards.enabled=false")
    board = json.loads(run("dashboards", "service", *values, *RELEASE).stdout)
    preset = {one["name"]: one.get("query") for one in board["templating"]["list"]}

    assert board["title"] == "vLLM service models/llm-vllm"
    assert preset["ttft_slo"] == "5.0"
    assert board["panels"] == reading.boards()["service"]["panels"]


def test_a_warning_does_not_stand_in_the_dashboard() -> None:
    result = run("dashboards", "service", MODEL, "--set=env.VLLM_NONSENSE=1")

    assert json.loads(result.stdout)["title"].startswith("vLLM service")
    assert "VLLM_NONSENSE" in result.stderr


def test_refused_values_are_no_dashboard() -> None:
    result = run("dashboards", "service", MODEL, "--set=gpu.count=x")

    assert result.exit_code == Exit.REFUSED
    assert "gpu.count" in result.stdout
    assert "panels" not in result.stdout


def test_they_are_written_into_a_directory(tmp_path: Path) -> None:
    result = run("dashboards", "--directory", tmp_path / "new" / "grafana")

    for name, board in reading.boards("vllm").items():
        file = tmp_path / "new" / "grafana" / f"{name}.json"
        assert json.loads(file.read_text()) == board
        assert f"wrote {file}: {board['title']}" in result.stdout


def test_a_directory_that_is_a_file_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "grafana").write_text("")
    result = run("dashboards", "--directory", tmp_path / "grafana")

    assert result.exit_code == Exit.USAGE
    assert "is a file" in result.stderr


def test_what_can_be_printed_is_told() -> None:
    result = run("dashboards")

    assert "service: vLLM service: " in result.stdout
    assert "or a directory for all of a chart: --directory DIR" in result.stdout


def test_another_chart_has_none(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: other\nversion: 1.0.0\n")
    result = run("dashboards", "--chart", tmp_path)

    assert result.exit_code == Exit.USAGE
    assert "has no dashboards among its values" in result.stderr


def test_an_endpoint_has_its_own() -> None:
    chart = ("--chart", ENDPOINT.folder)
    given = ("--set=models.a.service=b,clients.secretName=c", *RELEASE)

    assert json.loads(run("dashboards", "endpoint", *chart).stdout) == reading.boards()["endpoint"]
    board = json.loads(run("dashboards", "endpoint", *chart, *given).stdout)
    assert board["title"] == "vLLM endpoint models/llm-vllm-endpoint"


@pytest.mark.parametrize(("name", "chart"), [("endpoint", VLLM), ("service", ENDPOINT)])
def test_a_dashboard_of_the_other_chart_is_a_wrong_call(name: str, chart: Chart) -> None:
    result = run("dashboards", name, "--chart", chart.folder)

    assert result.exit_code == Exit.USAGE
    assert f"{name}: this chart has " in result.stderr


@pytest.mark.parametrize("name", dashboards.NAMES["vllm"])
def test_a_dashboard_of_the_users_is_not_the_charts(name: str, tmp_path: Path) -> None:
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {f"a.b.vllm-{name}.json": "{}"}}
    (tmp_path / "values.yaml").write_text(json.dumps({"model": {"id": "org/name"}, "extraObjects": [own]}))
    board = json.loads(run("dashboards", name, "-f", tmp_path / "values.yaml", *RELEASE).stdout)

    assert board["title"].endswith(" models/llm-vllm")
