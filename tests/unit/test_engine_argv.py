"""The rebuilt parser against vLLM's own: what vLLM's parser said to thousands of argument lists is in `verdicts/`."""

import gzip
import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vllm_chart.engine import argv, catalogue, record

VERDICTS = Path(__file__).parent / "verdicts"


def verdicts(version: str) -> Iterator[tuple[list[str], dict[str, Any] | None]]:
    """Argument lists, each with the values that vLLM read from it, or None where it refused."""
    lines = gzip.decompress((VERDICTS / f"{version}.jsonl.gz").read_bytes()).decode().splitlines()
    for line in lines[1:]:
        words, verdict = json.loads(line)
        yield words, verdict


def rebuilt(words: list[str], version: str) -> dict[str, Any] | None:
    try:
        return argv.parse(words, version)
    except argv.ArgvError:
        return None


def disagreement(words: list[str], verdict: dict[str, Any] | None, version: str) -> str:
    """What the rebuilt parser says otherwise; "" if it says the same."""
    ours = rebuilt(words, version)
    if ours is None or verdict is None:
        return "" if ours is verdict else f"{words}: vLLM {'refuses' if verdict is None else 'takes'}"
    differ = {name for name, value in verdict.items() if value != "…" and str(ours.get(name)) != str(value)}
    return f"{words}: vLLM reads {verdict}, we read {ours}" if differ else ""


@pytest.mark.parametrize("version", catalogue.versions())
def test_the_rebuilt_parser_agrees_with_vllms_own(version: str) -> None:
    compared = [disagreement(words, verdict, version) for words, verdict in verdicts(version)]
    assert len(compared) > 30_000
    assert [text for text in compared if text] == []


@pytest.mark.parametrize("version", catalogue.versions())
def test_what_was_recorded_covers_every_argument(version: str) -> None:
    known = catalogue.load(version)
    recorded = [words for words, _ in verdicts(version)]
    assert recorded == list(record.cases(known)), "record again: python -m vllm_chart.engine.record tests/unit/verdicts"


@pytest.mark.skipif(not importlib.util.find_spec("vllm"), reason="needs vLLM, whose parser it asks")
def test_the_rebuilt_parser_agrees_with_the_vllm_that_is_installed() -> None:
    from vllm_chart.engine import extract

    version = extract.version()
    known = catalogue.load(version)
    parser = extract.command_parser()
    told = (disagreement(words, record.ask(parser, words, known), version) for words in record.cases(known))
    assert [text for text in told if text] == []


def test_thousands_of_argument_lists_a_second() -> None:
    words = [
        "m",
        "--max-model-len=8k",
        "--gpu-memory-utilization",
        "0.9",
        "--enable-prefix-caching",
        "--max-num-seqs=64",
    ]
    argv.parse(words, "0.33.0")
    start = time.process_time()
    for _ in range(1000):
        argv.parse(words, "0.33.0")
    assert time.process_time() - start < 1
