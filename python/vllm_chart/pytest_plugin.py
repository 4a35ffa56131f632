"""A pytest plugin: the chart's checks on your own values, as tests.

    pytest --vllm-chart-values 'values/*.yaml'

Each file is a row of tests, one per check: `values/prod.yaml::pod-security`. Warnings come out as pytest warnings.
For asserts of your own there is the fixture `render`, which renders in process:

    def test_two_replicas(render):
        manifests = render(values_files=["values/prod.yaml"])
        assert manifests.one("Deployment")["spec"]["replicas"] == 2
"""

import functools
import glob
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vllm_chart import checks, helm
from vllm_chart.checks import schemas
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests


class ChartWarning(pytest.PytestWarning):
    """A finding that is no error."""


class RefusedError(Exception):
    """A check found errors; the text is for a person."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vllm-chart", "the vLLM chart")
    group.addoption("--vllm-chart-values", action="append", default=[], metavar="GLOB", help="Values files to check.")
    group.addoption("--vllm-chart", metavar="CHART", help="The chart's directory, instead of the one installed.")
    group.addoption(
        "--vllm-chart-kube-versions",
        default="-".join((schemas.SUPPORTED_VERSIONS[0], schemas.SUPPORTED_VERSIONS[-1])),
        metavar="RANGE",
        help='Kubernetes versions to check for: "1.34" or "1.30-1.37".',
    )


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose among the items
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    option = session.config.getoption
    try:
        schemas.versions(option("--vllm-chart-kube-versions"))
    except ValueError as error:
        raise pytest.UsageError(f"--vllm-chart-kube-versions: {error}") from error
    for pattern in option("--vllm-chart-values"):
        if not (files := sorted(glob.glob(pattern))):
            raise pytest.UsageError(f"--vllm-chart-values {pattern}: no such file")
        for file in files:
            items.extend(ValuesFile.from_parent(session, path=Path(file).absolute()).collect())


class ValuesFile(pytest.File):
    """A values file: a test for each check."""

    def collect(self) -> Iterator["CheckItem"]:
        for name in checks.NAMES:
            yield CheckItem.from_parent(self, name=name)

    @functools.cached_property
    def findings(self) -> list[Finding]:
        """Of all checks together: they share the renders."""
        option = self.config.getoption
        kubernetes = schemas.versions(option("--vllm-chart-kube-versions"))
        return checks.check(option("--vllm-chart"), kubernetes=kubernetes, values_files=[self.path])


class CheckItem(pytest.Item):
    """One check of one file."""

    def runtest(self) -> None:
        assert isinstance(self.parent, ValuesFile)
        refused = [finding for finding in self.parent.findings if finding.check in checks.OF_VALUES]
        if refused and self.name != "values":
            pytest.skip("the values are refused")
        findings = refused or [finding for finding in self.parent.findings if finding.check == self.name]
        for finding in findings:
            if finding.severity != "error":
                self.warn(ChartWarning(str(finding)))
        if errors := [finding for finding in findings if finding.severity == "error"]:
            raise RefusedError("\n".join(map(str, errors)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        return str(excinfo.value) if excinfo.errisinstance(RefusedError) else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}: {self.name}"


@pytest.fixture(scope="session")
def render(pytestconfig: pytest.Config) -> Callable[..., Manifests]:
    """Renders the chart in process: `vllm_chart.helm.render`, for the chart that --vllm-chart names."""
    chart = pytestconfig.getoption("--vllm-chart")
    return functools.partial(helm.render, chart=chart) if chart else helm.render
