"""The rules across arguments against vLLM's own: of which lists vLLM made its configuration is in `verdicts/`."""

import gzip
import json

import pytest

from ci.catalogue import configure
from tests.verdicts import FOLDER
from vllm_chart.vllm_args import catalogue, rules
from vllm_chart.vllm_args.check import check_argv

NEWEST = catalogue.versions()[-1]

#: What vLLM refuses here only because the model, or the device it was asked on, is a small one.
NOT_OURS = ("Model Runner V1 does not support",)


def configured(version: str) -> list[tuple[list[str], str]]:
    """Argument lists, each with what vLLM refused it for, "" where it made its configuration."""
    lines = gzip.decompress((FOLDER / f"{version}-configured.jsonl.gz").read_bytes()).decode().splitlines()
    return [(words, refusal) for words, refusal in map(json.loads, lines)]


@pytest.mark.parametrize("version", catalogue.versions())
def test_what_vllm_makes_no_configuration_of_is_refused_and_nothing_else(version: str) -> None:
    wrong = []
    for words, refusal in configured(version):
        findings = check_argv(["m", *words], version)
        if bool(findings) != bool(refusal) and not any(said in refusal for said in NOT_OURS):
            wrong.append(f"{words}: vLLM: {refusal or 'takes it'}; we: {findings or 'take it'}")
    assert wrong == []


@pytest.mark.parametrize("version", catalogue.versions())
def test_what_was_recorded_covers_every_bound(version: str) -> None:
    asked = [words for words, _ in configured(version)]
    assert asked == list(configure.cases(catalogue.load(version))), "record again: ci/run catalogue -- VERSION"


@pytest.mark.parametrize("version", catalogue.versions())
def test_the_tables_name_arguments_of_vllms(version: str) -> None:
    known = {argument.dest for argument in catalogue.load(version).arguments}
    named = {*rules.NEEDS, *rules.NEEDS.values(), *rules.AT_MOST, *rules.AT_MOST.values()}
    assert named <= known


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--gpu-memory-utilization=90", "write 0.9"),
        ("--gpu-memory-utilization=0", "write more than 0"),
        ("--max-num-seqs=0", "write 1 or more"),
        ("--data-parallel-rpc-port=70000", "write 65535 or less"),
        ("--watermark=1", "write less than 1"),
        ("--video-pruning-rate=1.5", "less than 1"),
    ],
)
def test_a_number_out_of_bounds_has_a_remedy(word: str, said: str) -> None:
    [finding] = check_argv(["m", word], NEWEST)
    assert finding.where == word.partition("=")[0]
    assert said in finding.remedy


@pytest.mark.parametrize(
    ("words", "argument", "said"),
    [
        (["--offload-group-size=2", "--offload-num-in-group=4"], "--offload-num-in-group", "4 of the 2 layers"),
        (["--offload-backend=prefetch"], "--offload-num-in-group", "write offload-group-size: 1 or more"),
        (["--offload-group-size=8", "--offload-prefetch-step=0"], "--offload-prefetch-step", "write 1 or more"),
        (["--offload-group-size=8", "--offload-num-in-group=8"], "", ""),
        (["--offload-num-in-group=4", "--cpu-offload-gb=4"], "", ""),
    ],
)
def test_layers_that_are_offloaded_are_some_of_their_group(words: list[str], argument: str, said: str) -> None:
    found = check_argv(["m", *words], NEWEST)
    assert [finding.where for finding in found] == ([argument] if argument else [])
    assert all(said in str(finding) for finding in found)
