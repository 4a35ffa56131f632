"""A second chart, with a values model and a check of its own, goes through everything without a line changed; and so
does another's chart, of which less is known.
"""

import json
from pathlib import Path

import helm_python
import pytest
from click.testing import CliRunner, Result
from pydantic import Field

from ci import generate
from tests import tiny_chart
from vllm_chart import charts, checks, helm, pytest_plugin
from vllm_chart.charts import Chart
from vllm_chart.checks import invariants, registry
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit
from vllm_chart.values.base import Block

pytest_plugins = "pytester"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chart:
    """The chart, registered."""
    chart = tiny_chart.make(tmp_path)
    monkeypatch.setitem(charts.CHARTS, "tiny", chart)
    return chart


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def values_file(folder: Path, text: str) -> Path:
    file = folder / "values.yaml"
    file.write_text(text)
    return file


def test_its_files_are_generated(tiny: Chart) -> None:
    schema = json.loads((tiny.folder / "values.schema.json").read_text())

    assert (
        (tiny.folder / "values.yaml")
        .read_text()
        .endswith(
            f"\n# {' What is said ':-^{generate.WIDTH - 4}}\n\n# Said to everyone.\ngreeting: hello\n"
            f"\n# {' How often ':-^{generate.WIDTH - 4}}\n\n# How often it is said.\ntimes: 1\n"
        )
    )
    assert list(schema["properties"]) == ["greeting", "times", "enabled"]
    assert list(schema["dependencies"]) == ["greetings"]
    assert "### How often\n\n| key | default | what it is |" in (tiny.folder / "README.md").read_text()
    assert json.loads((tiny.folder / "files/generated/limits.json").read_text()) == {"most": 3}
    assert "## Manners\n" in generate.checks_page()


def test_values_are_validated_by_its_schema_and_its_own_check(tiny: Chart) -> None:
    assert charts.of(tiny.folder) is tiny
    assert checks.validate(tiny.folder, values={"greeting": "hi"}) == []
    [wrong_key] = checks.validate(tiny.folder, values={"greetings": "hi"})
    [impolite] = checks.validate(tiny.folder, values={"greeting": "bah"})

    assert (wrong_key.check, wrong_key.remedy) == ("schema", "write greeting")
    assert str(impolite) == "error: greeting: is not polite in 1 [politeness]\n    -> write hello"


def test_check_holds_it_against_its_own_checks_and_those_of_all(tiny: Chart, tmp_path: Path) -> None:
    good, bad = run("check", "--chart", tiny.folder), values_file(tmp_path, "greeting: bah")
    refused = run("check", "--chart", tiny.folder, "-f", bad)
    ignored = run("check", "--chart", tiny.folder, "-f", bad, "--ignore", "politeness")

    assert (good.exit_code, refused.exit_code, ignored.exit_code) == (Exit.OK, Exit.REFUSED, Exit.OK)
    assert f"{len(invariants.INVARIANTS)} invariants" in good.stdout
    assert "politeness" in run("check", "--chart", tiny.folder, "--list").stdout
    assert "kv-cache" not in run("check", "--chart", tiny.folder, "--list").stdout


def test_the_plugin_has_its_checks_as_tests(tiny: Chart, pytester: pytest.Pytester) -> None:
    names = {"good": "hi", "bad": "bah", "wrong": "{}"}
    for name, greeting in names.items():
        (pytester.path / f"{name}.yaml").write_text(f"greeting: {greeting}\n")
    arguments = [
        "--vllm-chart",
        str(tiny.folder),
        "--vllm-chart-values",
        "*.yaml",
        "--vllm-chart-kube-versions",
        "1.37",
    ]
    result = pytester.runpytest(*arguments)

    result.stdout.fnmatch_lines_random(["FAILED bad.yaml::politeness*", "FAILED wrong.yaml::values*"])
    result.assert_outcomes(
        failed=2, passed=len(registry.of_chart(tiny)) - 2, skipped=2 * (len(registry.of_chart(tiny)) - 3)
    )


def test_a_key_without_a_section_is_not_lost_in_another() -> None:
    class Wrong(tiny_chart.Words, tiny_chart.Numbers):
        more: str = Field("", description="Nowhere.")

    with pytest.raises(TypeError, match="Wrong: write more into one of the sections"):
        list(generate.keys(Wrong))


def test_a_block_of_no_sections_has_keys() -> None:
    class Plain(Block):
        first: str = Field("", description="The first.")

    assert [key for key, _ in generate.keys(Plain)] == ["first"]


# Another's chart


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """What `helm create` writes."""
    helm_python.Chart.create("other", tmp_path)
    return tmp_path / "other"


def test_another_chart_gets_the_checks_that_hold_for_any(other: Path, tmp_path: Path) -> None:
    baseline = run("check", "--chart", other, "--pod-security", "baseline", "--kube-versions", "1.37")
    restricted = run("check", "--chart", other, "--kube-versions", "1.37", "-o", "json")
    no_object = run("check", "--chart", other, "-f", values_file(tmp_path, "service: {port: abc}"), "-o", "json")

    assert baseline.exit_code == Exit.OK, baseline.output
    assert "other is not vllm or vllm-endpoint: only what is known of any chart is checked" in baseline.stdout
    assert {finding["check"] for finding in json.loads(restricted.stdout)["findings"]} >= {"pod-security"}
    assert {finding["check"] for finding in json.loads(no_object.stdout)["findings"]} >= {"kubernetes-schema"}


def test_the_plugin_takes_another_chart(other: Path, pytester: pytest.Pytester) -> None:
    (pytester.path / "mine.yaml").write_text("replicaCount: 2\n")
    arguments = ["--vllm-chart", str(other), "--vllm-chart-values", "*.yaml", "-k", "no-object-twice or kv-cache"]
    pytester.runpytest(*arguments, "--vllm-chart-kube-versions", "1.37").assert_outcomes(
        passed=1, deselected=len(pytest_plugin.tests(registry.of_chart(None).values())) - 1
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [("plan", "is not the chart vllm, which"), ("preflight", "is not a chart of this project, which")],
)
def test_a_command_about_charts_of_ours_says_that_it_is_another_chart(command: str, words: str, other: Path) -> None:
    result = run(command, "--chart", other)

    assert result.exit_code == Exit.USAGE
    assert f"{words} `{command}` is about: see `check`" in result.output


def test_another_chart_of_the_same_name_is_told_apart(other: Path) -> None:
    about = (other / "Chart.yaml").read_text()
    (other / "Chart.yaml").write_text(about.replace("name: other", "name: vllm"))

    assert charts.of(other) is None
    assert charts.of(helm.default_chart()) is charts.VLLM


def test_a_chart_of_ours_has_a_name(tiny: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "examples")  # where no directory has the name

    assert run("validate", "--chart", "tiny", "--set", "greeting=hi").exit_code == Exit.OK
    assert run("validate", "--chart", "vllm", "--set", "model.id=org/name").exit_code == Exit.OK
    unknown = run("validate", "--chart", "tinny")
    assert unknown.exit_code == Exit.USAGE
    assert "'tinny' does not exist, and is none of vllm, vllm-endpoint" in unknown.output
