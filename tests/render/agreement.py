"""The one verdict on values that `check`, `validate` and the pytest plugin give."""

from collections.abc import Sequence

from vllm_chart import pytest_plugin
from vllm_chart.checks import registry
from vllm_chart.findings import Report, has_errors

CHECKS = registry.of_check()
NAMES = pytest_plugin.tests(CHECKS.values())


def failing_tests(report: Report, names: Sequence[str] = NAMES) -> list[str]:
    """The plugin's tests that fail: each has an error among what it stands for, and is not skipped."""
    return [
        name
        for name in names
        if has_errors(pytest_plugin.said_of(name, report, names)) and not pytest_plugin.skipped(name, report, names)
    ]


def assert_one_verdict(report: Report) -> None:
    """The plugin fails where `check` refuses, each finding being some test's; and so once its checks are ignored.

    `validate` says what stands in `report.values`: it runs the same code, and ends where that ends.
    """
    said = [finding for name in NAMES for finding in pytest_plugin.said_of(name, report, NAMES)]
    assert sorted(map(str, said)) == sorted(map(str, report.findings))
    assert not pytest_plugin.said_of(pytest_plugin.REST, report, NAMES)
    assert bool(failing_tests(report)) == has_errors(report.findings)

    ignored = {finding.check for finding in report.findings if not CHECKS[finding.check].unwaivable}
    waived = Report(report.values, report.renders, tuple(ignored))
    assert bool(failing_tests(waived)) == has_errors(waived.findings)
