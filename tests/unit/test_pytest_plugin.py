"""The pytest plugin, as a user meets it: their values files become tests."""

from pathlib import Path

import pytest

from vllm_chart import pytest_plugin
from vllm_chart.checks import registry

pytest_plugins = "pytester"

#: How many tests a values file is.
TESTS = len(pytest_plugin.tests(registry.of_check().values()))


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
    ],
)
def test_a_wrong_option_is_told(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{message}*"])
