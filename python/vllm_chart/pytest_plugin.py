"""A pytest plugin: the chart's checks on your own values, as tests.

    pytest --vllm-chart-values 'values/*.yaml'

Each file is a row of tests, one per check: `values/prod.yaml::pod-security`. Warnings come out as pytest warnings.
For asserts of your own there is the fixture `vllm_chart_render`, which renders in process:

    def test_two_replicas(vllm_chart_render):
        manifests = vllm_chart_render(values_files=["values/prod.yaml"])
        assert manifests.one("Service")["spec"]["type"] == "ClusterIP"

pytest loads this module in every run of an environment that has the package. So what it needs is imported where it is
used, and a run without these options pays nothing for it.
"""

from __future__ import annotations

import contextlib
import functools
import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vllm_chart.findings import Check, Finding, Report
    from vllm_chart.rendered.manifests import Manifests

#: The names of the tests that stand for several checks: for those after whose errors nothing is rendered, and for
#: whatever no other test stands for.
HELM, REST = "values", "all-other-checks"
OF_HELM = ("values", "schema", "rule", "render")


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
        metavar="RANGE",
        help='Kubernetes versions to check for: "1.34" or "1.30-1.37". Default: all that the chart supports.',
    )
    group.addoption(
        "--vllm-chart-pod-security",
        choices=("privileged", "baseline", "restricted"),
        default="restricted",
        help="The Pod Security Standard that the namespace enforces.",
    )
    group.addoption(
        "--vllm-chart-api-versions",
        action="append",
        default=[],
        metavar="GROUP/VERSION",
        help="An API that the cluster has beside Kubernetes' own. May be repeated.",
    )
    group.addoption(
        "--vllm-chart-ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="A check whose findings don't count; `vllm-chart check --list` has the names. May be repeated.",
    )


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose among the items
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    option = session.config.getoption
    if option("--vllm-chart-ignore"):
        from vllm_chart.checks import registry

        with _told("--vllm-chart-ignore"):
            registry.ignorable(option("--vllm-chart-ignore"))
    if option("--vllm-chart-kube-versions"):
        from vllm_chart.checks import schemas

        with _told("--vllm-chart-kube-versions"):
            schemas.versions(option("--vllm-chart-kube-versions"))
    for pattern in option("--vllm-chart-values"):
        if not (files := sorted(glob.glob(pattern))):
            raise pytest.UsageError(f"--vllm-chart-values {pattern}: no such file")
        for file in files:
            items.extend(ValuesFile.from_parent(session, path=Path(file).absolute()).collect())


@contextlib.contextmanager
def _told(flag: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise pytest.UsageError(f"{flag}: {error}") from error


class ValuesFile(pytest.File):
    """A values file: a test for each check."""

    def collect(self) -> Iterator[CheckItem]:
        from vllm_chart import charts
        from vllm_chart.checks import registry

        chart = charts.of(self.config.getoption("--vllm-chart"))
        names = tests(registry.of_chart(chart).values())
        for name in names:
            yield CheckItem.from_parent(self, name=name, others=names)

    @functools.cached_property
    def report(self) -> Report:
        """Of all checks together: they share the renders."""
        from vllm_chart import checks

        option = self.config.getoption
        ranges = option("--vllm-chart-kube-versions")
        return checks.check(
            option("--vllm-chart"),
            kubernetes=checks.schemas.versions(ranges) if ranges else (),
            pod_security=option("--vllm-chart-pod-security"),
            api_versions=option("--vllm-chart-api-versions"),
            ignore=option("--vllm-chart-ignore"),
            values_files=[self.path],
        )


class CheckItem(pytest.Item):
    """One check of one file."""

    def __init__(self, *, others: Sequence[str], **more: Any) -> None:
        super().__init__(**more)
        self._others = others

    def runtest(self) -> None:
        assert isinstance(self.parent, ValuesFile)
        report = self.parent.report
        if reason := skipped(self.name, report, self._others):
            pytest.skip(reason)
        findings = said_of(self.name, report, self._others)
        for finding in findings:
            if finding.severity != "error":
                self.warn(ChartWarning(str(finding)))
        if errors := [finding for finding in findings if finding.severity == "error"]:
            raise RefusedError("\n".join(map(str, errors)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:  # type: ignore[override]
        return str(excinfo.value) if excinfo.errisinstance(RefusedError) else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}: {self.name}"


def tests(checks: Iterable[Check]) -> list[str]:
    """The names of a file's tests: Helm's verdict, a test for each check beside, and one for anything else."""
    return [HELM, *(check.name for check in checks if not check.unwaivable), REST]


def said_of(name: str, report: Report, names: Sequence[str]) -> list[Finding]:
    """What the test of this name stands for among what counts of a report. names: those of all tests of the file.

    Every finding is some test's: what no check of these names found is REST's, so that a check which nobody has
    registered can't be lost.
    """
    if name == REST:
        return [finding for finding in report.findings if finding.check not in (*names, *OF_HELM)]
    checks = OF_HELM if name == HELM else (name,)
    return [finding for finding in report.findings if finding.check in checks]


def skipped(name: str, report: Report, names: Sequence[str]) -> str:
    """Why the test of this name has no verdict: it is ignored, or had nothing to look at. Else ""."""
    if name in report.ignore:
        passed = "; ".join(map(str, report.ignored[name]))
        return f"ignored, which lets this pass: {passed}" if passed else "ignored, which lets nothing pass"
    refused = any(finding.severity == "error" for finding in report.values if finding.check not in report.ignore)
    return "the values are refused" if refused and not said_of(name, report, names) else ""


@pytest.fixture(scope="session")
def vllm_chart_render(pytestconfig: pytest.Config) -> Callable[..., Manifests]:
    """Renders the chart in process: `vllm_chart.helm.render`, for the chart that --vllm-chart names."""
    from vllm_chart import helm

    return functools.partial(helm.render, chart=pytestconfig.getoption("--vllm-chart"))
