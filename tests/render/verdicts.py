"""A verdict on values: what the chart's rules and the package's checks say, for tables of variants."""

from typing import Any

from helm_python import values_from_yaml

from vllm_chart import checks
from vllm_chart.findings import Finding

Row = tuple[str, str, str]
"""A name; values as a user writes them; "" where they are accepted without a word, or else what a finding has to say:
words of it, after "error: " or "warning: "."""


def findings(text: str) -> list[Finding]:
    """What is said of a user's values, notes left out; the model is one of the Hub's unless the values name theirs."""
    values: dict[str, Any] = values_from_yaml(text)
    values = {"model": {"id": "org/name"}} | values
    return [finding for finding in checks.validate(values=values) if finding.severity != "info"]


def hold(text: str, expected: str) -> None:
    """Assert the verdict of a row."""
    said = findings(text)
    if not expected:
        assert [str(finding) for finding in said] == []
    else:
        severity, _, words = expected.partition(": ")
        assert any(finding.severity == severity and words in str(finding) for finding in said), said
        assert severity == "error" or not any(finding.severity == "error" for finding in said), said
