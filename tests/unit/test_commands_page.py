"""docs/commands.md lists the keys of every document, the exit codes and the options that there are."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.commands import run
from vllm_chart.bench import report as bench_report
from vllm_chart.bench.subject import Objectives
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit
from vllm_chart.helm import ValuesOptions
from vllm_chart.live import smoke, top
from vllm_chart.load import report
from vllm_chart.load.asker import Options

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
MODEL = "--set=model.id=meta-llama/Llama-3.1-8B"


def documented(document: str) -> list[str]:
    """The keys of the row of this document."""
    (keys,) = re.findall(rf"^\| [^|]*{re.escape(document)}[^|]* \| (.*) \|$", PAGE, re.MULTILINE)
    return re.findall(r"`(\w+)`", keys)


@pytest.mark.parametrize(
    ("document", "arguments"),
    [
        ("`validate`", ["check", MODEL, "--kube-versions=1.37", "--ignore=images-are-pinned"]),
        ("`check --list`", ["check", "--list"]),
        ("`rules`", ["rules", MODEL]),
        ("`plan` with a GPU", ["plan", MODEL, "--offline", "--gpu=h100"]),
        ("`plan` without one", ["plan", MODEL, "--offline"]),
        ("`dashboards`", ["dashboards"]),
        ("exit codes 2, 3", ["plan", "--nonsense"]),
    ],
)
def test_a_document_has_the_keys_that_the_page_lists(document: str, arguments: list[str]) -> None:
    assert list(json.loads(run(*arguments, "--output=json").stdout)) == documented(document)


def test_reports_have_the_keys_that_the_page_lists() -> None:
    benched = bench_report.Report("", "", 1, Objectives(1, (1, 1), (1, 1), ""), [], [])
    assert list(json.loads(smoke.to_json(smoke.SmokeReport([], [])))) == documented("`smoke`")
    assert list(json.loads(report.to_json(report.Report(Options(""), [])))) == documented("`load`")
    assert list(bench_report.document(benched)) == documented("`bench`")
    assert list(json.loads(top.to_json(top.Look("", "", datetime.now(UTC), [])))) == documented("`top`")


def test_every_exit_code_is_on_the_page() -> None:
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE, re.MULTILINE)

    assert {int(code) for row in rows for code in row.split(", ")} == {int(code) for code in Exit}


def test_every_option_for_values_is_on_the_page_in_helms_order() -> None:
    rows = re.findall(r"^\| `(?:-f`, `)?--([a-z-]+) ", PAGE, re.MULTILINE)
    names = [name.strip("_").replace("_", "-") for name in ValuesOptions.__annotations__ if name != "values"]
    flags = [parameter.opts[-1].removeprefix("--") for parameter in main.commands["validate"].params]

    assert rows == [name.removesuffix("-files") for name in names]
    assert flags[: len(rows)] == rows
