"""Sizing reads the rendered arguments by the parser that is held to vLLM's own verdicts."""

from typing import Any

import pytest

from vllm_chart import checks, helm, support
from vllm_chart.findings import has_errors
from vllm_chart.sizing import settings
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.check import check
from vllm_chart.sizing.settings import Engine, SettingError
from vllm_chart.sizing.vllm_releases import DEFAULT

MODEL = {"model": {"id": "meta-llama/Llama-3.1-8B"}}


def read(**values: Any) -> Engine:
    given = {**MODEL, **values}
    return settings.from_release(helm.render(values=given), helm.merged_values(values=given), "0.33.0")


@pytest.mark.parametrize("words", [["--max-model-len", "-1"], ["--max-model-len=-1"], ["--max-model-len", "auto"]])
def test_the_longest_that_fits_is_a_length(words: list[str]) -> None:
    values = {**MODEL, "engine": {"extraArgs": words}}
    assert read(engine={"extraArgs": words}).max_length == -1
    assert not has_errors(checks.validate(values=values))


@pytest.mark.parametrize(
    "engine",
    [
        {"args": {"speculative-config": {"model": "x/y", "num_speculative_tokens": 3}}},
        {"args": {"speculative-config.model": "x/y", "speculative-config.num_speculative_tokens": 3}},
        {"extraArgs": ["--speculative-config.model=x/y", "--speculative_config.num_speculative_tokens", "3"]},
        {"extraArgs": ["-sc", '{"model": "x/y", "num_speculative_tokens": 3}']},
        {"args": {"spec-model": "x/y", "spec-tokens": 3}},
    ],
)
def test_every_form_of_a_draft_is_read(engine: dict[str, Any]) -> None:
    assert read(engine=engine).speculative == {"model": "x/y", "num_speculative_tokens": 3}


def test_abbreviations_and_variables_are_read_as_vllm_gets_them() -> None:
    told = read(engine={"extraArgs": ["--max-num-se=7", "--gpu-memory-util", "$(SHARE)"]}, env={"SHARE": "0.5"})
    assert (told.requests, told.share()) == (7, 0.5)


def test_an_older_image_is_read_as_the_newest_and_that_is_said() -> None:
    old = {"image": {"tag": "v0.22.0"}, "engine": {"extraArgs": ["--swap-space=4", "--max-num-seqs=9"]}}
    told = read(**old)
    assert (told.requests, told.read_as) == (9, "0.33.0")
    assert read().read_as == ""
    assert read(**old, gpu={"count": 4}).split.tensor == 4


def test_what_an_older_image_may_take_is_no_error_of_the_check() -> None:
    values = {**MODEL, "image": {"tag": "v0.22.0"}, "engine": {"extraArgs": ["--max-num-seqs=1.5K"]}}
    manifests, merged = helm.render(values=values), helm.merged_values(values=values)
    with pytest.raises(SettingError, match=r"vLLM 0\.33\.0 refuses"):
        settings.from_release(manifests, merged, "0.33.0")
    assert check(manifests, merged, "0.33.0") == []


DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("image", "release", "assumed"),
    [
        ({}, "0.33.0", False),
        ({"tag": "v0.22.0-x86_64"}, "0.22.0", False),
        ({"tag": "v0.22.0", "digest": DIGEST}, "0.22.0", False),
        ({"tag": "gptoss"}, "0.10.1", False),
        ({"tag": "prod"}, "0.33.0", True),
        ({"digest": DIGEST}, "0.33.0", True),
        ({"repository": "rocm/vllm", "tag": "rocm6.4.1_vllm_0.9.1_20250715"}, "0.9.1", False),
        ({"repository": "nvcr.io/nvidia/vllm", "tag": "25.09-py3"}, "0.33.0", True),
        ({"repository": "lmcache/vllm-openai", "tag": "v0.3.5"}, "0.33.0", True),
    ],
)
def test_the_release_that_an_image_names(image: dict[str, str], release: str, assumed: bool) -> None:
    told = read(image=image, command=["vllm", "serve"])
    assert (str(told.release), told.assumed) == (release, assumed)


def test_the_release_of_the_chart_is_the_newest_that_is_sized() -> None:
    assert str(DEFAULT) == support.VLLM_DEFAULT


def test_each_worker_of_an_engine_takes_host_memory() -> None:
    arguments = {"prefill-context-parallel-size": 2, "cpu-offload-gb": 3}
    told = read(engine={"args": arguments}, gpu={"count": 4}, parallelism={"tensorParallelSize": 2})
    assert [(taken.where, taken.bytes) for taken in told.host_memory] == [("--cpu-offload-gb", 4 * 3 * GIB)]
