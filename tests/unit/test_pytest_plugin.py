"""The pytest plugin, as a user meets it: their values files become tests."""

from pathlib import Path
from typing import get_args

import pytest

from vllm_chart import charts, checks, pytest_plugin
from vllm_chart.checks import registry
from vllm_chart.checks.podsecurity import Level
from vllm_chart.findings import Finding, Report

pytest_plugins = "pytester"

#: How many tests a values file is.
TESTS = len(pytest_plugin.tests(registry.of_chart(charts.VLLM).values()))


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's directory with two values files and a test of their own."""
    values = pytester.mkdir("values")
    Path(values, "good.yaml").write_text("model: {id: org/name}\nreplicaCount: 2\n")
    Path(values, "bad.yaml").write_text("model: {id: org/name}\nreplicas: 2\n")
    pytester.makepyfile(
        test_mine="""
        def test_two_replicas(vllm_chart_render):
            assert vllm_chart_render(values_files=["values/good.yaml"]).one("Deployment")["spec"]["replicas"] == 2
        """
    )
    return pytester


def test_each_check_of_each_file_is_a_test(project: pytest.Pytester) -> None:
    result = project.runpytest("--vllm-chart-values", "values/*.yaml", "--vllm-chart-kube-versions", "1.37")

    # One for the wrong key, after which the other checks of that file have nothing to look at.
    result.assert_outcomes(passed=1 + TESTS, failed=1, skipped=TESTS - 1)
    result.stdout.fnmatch_lines(["*replicas: no such key*", "*write replicaCount*", "FAILED values/bad.yaml::values*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_tests_are_chosen_by_name(project: pytest.Pytester) -> None:
    result = project.runpytest("--vllm-chart-values", "values/good.yaml", "-k", "pod-security")

    result.assert_outcomes(passed=1, deselected=TESTS)


def test_a_warning_is_a_warning(project: pytest.Pytester) -> None:
    Path("values", "good.yaml").write_text("model: {id: org/name}\nlivenessProbe: {initialDelaySeconds: 9}\n")
    # Against this project's own "error".
    arguments = [
        "-W",
        "default::vllm_chart.pytest_plugin.ChartWarning",
        "--vllm-chart-values",
        "values/good.yaml",
        "-k",
        "probes-do-not-wait",
    ]
    result = project.runpytest(*arguments)

    result.assert_outcomes(passed=1, deselected=TESTS, warnings=1)
    result.stdout.fnmatch_lines(["*ChartWarning: warning: Deployment/llm-vllm*initialDelaySeconds*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vllm-chart-values", "absent/*.yaml"], "no such file"),
        (["--vllm-chart-kube-versions", "1.2"], "'1.2' is not among the versions"),
        (["--vllm-chart-ignore", "pod-securty"], "no check is called 'pod-securty': write pod-security"),
        (["--vllm-chart-ignore", "rule"], "rule can't be ignored"),
    ],
)
def test_a_wrong_option_is_told(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{message}*"])


def test_what_check_refuses_fails(project: pytest.Pytester) -> None:
    """Under whatever name: nine of them were in no list once, and these files passed."""
    llama = "model: {id: meta-llama/Llama-3.1-8B-Instruct}"
    Path("values", "long.yaml").write_text(f"{llama}\nengine: {{args: {{max-model-len: 900000}}}}\n")
    Path("values", "six.yaml").write_text(f"{llama}\ngpu: {{count: 6}}\n")
    result = project.runpytest("--vllm-chart-values", "values/*i*.yaml", "--vllm-chart-values", "values/long.yaml")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines_random(
        ["FAILED values/six.yaml::divisibility*", "FAILED values/long.yaml::max-model-len*"]
    )
    result.assert_outcomes(passed=1, failed=2, skipped=2 * (TESTS - 1))


def test_what_nobody_registered_fails_too(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    unheard = Finding("unheard-of", "here", "is wrong")
    monkeypatch.setattr(checks, "check", lambda *_, **__: Report([unheard]))
    result = project.runpytest("--vllm-chart-values", "values/good.yaml")

    result.assert_outcomes(passed=1, failed=1, skipped=TESTS - 1)
    result.stdout.fnmatch_lines(["error: here: is wrong [[]unheard-of]*", "FAILED values/good.yaml::all-other-checks*"])


def test_a_check_can_be_ignored(project: pytest.Pytester) -> None:
    values = "model: {id: meta-llama/Llama-3.1-8B-Instruct}\ngpu: {count: 6}\nreplicaCount: 2\n"
    Path("values", "good.yaml").write_text(values)
    arguments = ["--vllm-chart-values", "values/good.yaml", "--vllm-chart-kube-versions", "1.37"]
    result = project.runpytest(*arguments, "-rs", "--vllm-chart-ignore", "divisibility")

    result.assert_outcomes(passed=TESTS, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*ignored, which lets this pass: error: parallelism.tensorParallelSize*"])


def test_pod_security_is_the_namespaces(project: pytest.Pytester) -> None:
    Path("values", "good.yaml").write_text("model: {id: a/b}\nhostIPC: true\n")
    arguments = ["--vllm-chart-values", "values/good.yaml", "--vllm-chart-kube-versions", "1.37", "-k", "pod-security"]

    project.runpytest(*arguments).assert_outcomes(failed=1, deselected=TESTS)
    project.runpytest(*arguments, "--vllm-chart-pod-security", "privileged").assert_outcomes(passed=1, deselected=TESTS)


def test_what_the_plugin_writes_out_is_so() -> None:
    """It imports nothing that every run of pytest would pay for."""
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    [option] = [o for o in parser.getgroup("vllm-chart").options if "--vllm-chart-pod-security" in o.names()]

    assert tuple(option.attrs()["choices"]) == get_args(Level)
    assert [c.name for c in registry.of_check().values() if c.unwaivable] == sorted(
        pytest_plugin.OF_HELM, key=list(registry.of_check()).index
    )


def test_a_run_without_it_imports_nothing_of_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_mine():
            ours = {name for name in sys.modules if name.startswith("vllm_chart")}
            assert ours == {"vllm_chart", "vllm_chart.pytest_plugin"}
            assert not {"yaml", "pydantic", "jsonschema", "helm_python", "kubernetes"} & sys.modules.keys()
        """
    )
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # others import what they like
    pytester.runpytest_subprocess("-p", "vllm_chart.pytest_plugin").assert_outcomes(passed=1)
