"""What people really run is accepted, renders soundly, and means what they meant."""

from collections.abc import Callable

import pytest
from helm_python import values_from_yaml

from tests.render.acceptances import ROWS
from tests.render.acceptances.rows import Row
from tests.render.agreement import assert_one_verdict
from tests.render.view import View
from vllm_chart import checks
from vllm_chart.checks.podsecurity import Level
from vllm_chart.helm import render

by_row = pytest.mark.parametrize(("values", "fact"), [(row[2], row[3]) for row in ROWS], ids=[row[0] for row in ROWS])

#: What only a privileged namespace admits, because its user asked for it.
PRIVILEGED = (
    "downloaded by root to a directory of the container's",
    "Intel Gaudi",
    "InfiniBand",
    "a GGUF file with another's tokenizer",
)


def test_there_is_a_source_for_every_row() -> None:
    assert all(row[1].startswith("https://") for row in ROWS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@by_row
def test_it_is_accepted_and_means_what_was_meant(values: str, fact: Callable[[View], bool]) -> None:
    assert fact(View(render(values=values_from_yaml(values))))


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_check_takes_it(row: Row) -> None:
    """vLLM's parser and the plan take it, and it renders soundly."""
    level: Level = "privileged" if row[0] in PRIVILEGED else "restricted"
    report = checks.check(values=values_from_yaml(row[2]), kubernetes=["1.37"], pod_security=level)

    assert [finding for finding in report.findings if finding.severity == "error"] == []
    assert_one_verdict(report)
