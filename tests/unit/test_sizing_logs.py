"""The plan against real start-up logs of vLLM."""

import json
import re
from pathlib import Path

import pytest

from vllm_chart.findings import has_errors
from vllm_chart.sizing import report

LOGS = Path(__file__).parent / "data" / "kv-cache-logs.json"
DOCS = Path(__file__).parents[2] / "docs" / "sizing.md"

#: Given the logged memory, these don't come out at the logged tokens, for a reason that the log itself has.
NOT_EXACT = {
    "nemotron3-nano-nvfp4-tp2": "two GPUs of different size: the smaller one decides, the larger one is logged",
    "spark396-minimax-m27-awq-0.85": "two nodes of which one is logged",
    "gemma4-26b-fp8-refused": "the batch of its largest image or video, which the log lacks, counts in its windows",
}


@pytest.fixture(scope="module")
def rows() -> list[report.Row]:
    return report.report(json.loads(LOGS.read_text()))


def test_bytes_per_token_are_exact(rows: list[report.Row]) -> None:
    assert {row.id for row in rows if row.exact is False} == set(NOT_EXACT)
    assert sum(row.exact is True for row in rows) >= 20


def test_memory_and_tokens_are_near(rows: list[report.Row]) -> None:
    hits = report.summary(rows)
    for measure in ("available memory within a tenth", "tokens within a tenth"):
        near, of = hits[measure]
        assert of - near <= 2, (measure, near, of)
    assert all(0.8 < ratio < 1.2 for row in rows if (ratio := row.available) is not None)


def test_weights_are_what_vllm_logs(rows: list[report.Row]) -> None:
    known = [row for row in rows if row.complete and row.weights is not None]
    assert len(known) >= 12
    assert all(row.weights == pytest.approx(1, abs=0.02) for row in known)


def test_started_or_refused(rows: list[report.Row]) -> None:
    # The one that is wrong ran out of memory beside vLLM's share, while it captured graphs.
    assert [row.id for row in rows if row.right is False and not row.borderline] == ["i17327-a10x4-qwen3-30b-a3b"]


def test_nothing_that_started_is_refused() -> None:
    for raw in json.loads(LOGS.read_text()):
        case = report.Case(raw)
        made = case.plan() if raw["outcome"] == "started" and not case.missing() else None
        assert made is None or not has_errors(made.findings), (case.id, made.findings)


def test_the_documentation_has_this_table(rows: list[report.Row]) -> None:
    found = re.search(r"<!-- logs -->\n(.*?)\n<!-- /logs -->", DOCS.read_text(), re.DOTALL)
    assert found, "docs/sizing.md has lost its markers"
    assert found[1] == report.table(rows), "write it anew: python -m vllm_chart.sizing.report --write docs/sizing.md …"
