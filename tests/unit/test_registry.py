"""Every check has a name, a promise and a reason; what is ignored is told, and nothing can be lost."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import vllm_chart
from vllm_chart import charts, checks
from vllm_chart.checks import registry
from vllm_chart.cli.main import main
from vllm_chart.findings import Check, Exit
from vllm_chart.live import engine_log
from vllm_chart.live.diagnose import admission
from vllm_chart.vllm_args import check as engine

PACKAGE = Path(vllm_chart.__file__).parent

#: A secret in plain text, of a name that the chart's own rule lets pass; and two more mistakes that Helm takes.
WRONG = """
model: {id: org/name}
image: {tag: v0.33.0}
initContainers: [{name: get, image: a:1, env: [{name: DB_PASSWORD, value: abc}]}]
"""
LONG = "model: {id: meta-llama/Llama-3.1-8B-Instruct}\nengine: {args: {max-model-len: 900000}}\n"


def run(text: str, tmp_path: Path, *arguments: str, command: str = "check") -> Result:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    versions = ["--kube-versions", "1.37"] if command == "check" else []
    return CliRunner().invoke(main, [command, "-f", str(file), *versions, *arguments])


@pytest.mark.parametrize("check", registry.every().values(), ids=registry.every())
def test_every_check_says_what_it_promises_and_why(check: Check) -> None:
    assert all((check.name, check.topic))
    for sentence in (check.promise, check.reason):
        assert sentence.endswith((".", ")"))
        assert sentence[0] in "`/" or sentence[0].isupper() or sentence[0].isdigit() or sentence.startswith("vLLM")
        assert len(sentence) <= 160


def named(file: Path) -> Iterator[tuple[str, int]]:
    """The names of checks that a module's findings and known errors carry, each with its line."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in ("Finding", "KnownError"):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value), node.lineno
            elif isinstance(first, ast.JoinedStr):  # f"smoke-{name}"
                literal = first.values[0]
                yield (str(literal.value) if isinstance(literal, ast.Constant) else "") + "*", node.lineno


def test_no_finding_has_a_name_that_nobody_registered() -> None:
    wrong = [
        f"{file.relative_to(PACKAGE)}:{line}: {name!r}"
        for file in PACKAGE.rglob("*.py")
        for name, line in named(file)
        if not registry.registered(name) and file.parent.name != "invariants"
    ]
    assert wrong == []


def test_nor_has_one_whose_name_stands_elsewhere() -> None:
    names = {engine.ARGUMENTS, engine.ENVIRONMENT, *(check for _, check, _ in admission._REFUSALS)}
    names |= {error.check for error in engine_log.known.ERRORS}
    assert [name for name in names if not registry.registered(name)] == []


@pytest.mark.parametrize(("text", "name"), [(WRONG, "secrets-come-from-secrets"), (LONG, "max-model-len")])
def test_an_ignored_check_fails_nothing_and_is_told(text: str, name: str, tmp_path: Path) -> None:
    refused, human = run(text, tmp_path), run(text, tmp_path, "--ignore", name)
    machine = json.loads(run(text, tmp_path, "--ignore", name, "-o", "json").stdout)

    assert (refused.exit_code, human.exit_code) == (Exit.REFUSED, Exit.OK)
    assert f"ignored: {name}, which lets this pass:\n    error: " in human.stdout
    assert machine["ok"]
    assert [finding["check"] for finding in machine["ignored"][name]] == [name]
    assert name not in {finding["check"] for finding in machine["findings"]}


def test_what_follows_an_ignored_error_is_checked_too(tmp_path: Path) -> None:
    """Errors of values end a check before anything is rendered, unless they don't count."""
    text = f"{LONG}extraContainers: [{{name: a, image: sidecar, securityContext: {{privileged: true}}}}]"
    found = json.loads(run(text, tmp_path, "--ignore", "max-model-len", "-o", "json").stdout)["findings"]

    assert {"pod-security", "images-are-pinned"} <= {finding["check"] for finding in found}


def test_several_are_ignored_and_one_that_finds_nothing_says_so(tmp_path: Path) -> None:
    result = run(WRONG, tmp_path, "--ignore", "secrets-come-from-secrets", "--ignore", "no-object-twice")

    assert result.exit_code == Exit.OK
    assert "ignored: no-object-twice, which lets nothing pass" in result.stdout


def test_validate_ignores_too(tmp_path: Path) -> None:
    assert run(LONG, tmp_path, command="validate").exit_code == Exit.REFUSED
    assert run(LONG, tmp_path, "--ignore", "max-model-len", command="validate").exit_code == Exit.OK


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kv-cach", "no check is called 'kv-cach': write kv-cache"),
        ("x", "no check is called 'x': see check --list"),
        ("rule", "rule can't be ignored: Helm itself refuses such values"),
        ("schema", "schema can't be ignored: Helm itself refuses such values"),
        ("values", "values can't be ignored: Helm itself can't read such values"),
    ],
)
def test_a_name_that_cannot_be_ignored_is_a_wrong_call(name: str, said: str, tmp_path: Path) -> None:
    result = run(LONG, tmp_path, "--ignore", name)

    assert result.exit_code == Exit.USAGE
    assert said in result.stderr
    with pytest.raises(ValueError, match=name):
        checks.check(values={}, ignore=[name])


def test_what_only_preflight_finds_can_be_ignored_there() -> None:
    assert registry.ignorable(["secret-text", "kv-cache", "secret-text"]) == ("secret-text", "kv-cache")


@pytest.mark.parametrize("chart", charts.CHARTS.values(), ids=charts.CHARTS)
def test_the_list_names_all_checks_of_a_chart(chart: charts.Chart) -> None:
    asked = ["check", "--list", "--chart", str(chart.folder)]
    human = CliRunner().invoke(main, asked)
    machine = json.loads(CliRunner().invoke(main, [*asked, "-o", "json"]).stdout)
    known = registry.of_chart(chart)

    assert human.exit_code == Exit.OK
    assert [row["name"] for row in machine["checks"]] == list(known)
    assert all(f"\n  {name}\n" in human.stdout for name in known)
    assert {row["name"] for row in machine["checks"] if not row["ignorable"]} == {"values", "schema", "rule", "render"}


def test_a_check_is_in_the_report_of_its_place() -> None:
    of_values = checks.check(values={"model": {"id": "meta-llama/Llama-3.1-8B"}, "gpu": {"count": 3}})
    of_renders = checks.check(values={"model": {"id": "a/b"}, "hostNetwork": True}, kubernetes=["1.37"])

    assert [finding.check for finding in of_values.values] == ["divisibility"] * len(of_values.values)
    assert not of_values.renders
    assert not of_renders.values
    assert "pod-security" in {finding.check for finding in of_renders.renders}
