"""The rebuilt parser against vLLM's own: what vLLM's parser said to thousands of argument lists is in `verdicts/`."""

import importlib.util
import time

import pytest

from ci.catalogue import record
from tests import verdicts
from tests.verdicts import Verdict, disagreement
from vllm_chart.vllm_args import argv, catalogue


def recorded(version: str) -> list[tuple[list[str], Verdict]]:
    return [*verdicts.read((verdicts.FOLDER / f"{version}.jsonl.gz").read_bytes())]


@pytest.mark.parametrize("version", catalogue.versions())
def test_the_rebuilt_parser_agrees_with_vllms_own(version: str) -> None:
    compared = [disagreement(words, verdict, version) for words, verdict in recorded(version)]
    assert len(compared) > 30_000
    assert [text for text in compared if text] == []


@pytest.mark.parametrize("version", catalogue.versions())
def test_what_was_recorded_covers_every_argument(version: str) -> None:
    known = catalogue.load(version)
    asked = [words for words, _ in recorded(version)]
    assert asked == list(record.cases(known)), "record again: python -m ci.catalogue.record tests/unit/verdicts"


@pytest.mark.skipif(not importlib.util.find_spec("vllm"), reason="needs vLLM, whose parser it asks")
def test_the_rebuilt_parser_agrees_with_the_vllm_that_is_installed() -> None:
    from ci.catalogue import extract

    version = extract.version()
    known = catalogue.load(version)
    parser = extract.command_parser()
    told = (disagreement(words, record.ask(parser, words, known), version) for words in record.cases(known))
    assert [text for text in told if text] == []


def test_a_thousand_argument_lists_a_second() -> None:
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
