"""GPUs whose memory is the host's: what vLLM claims of it has to be free when it starts."""

import dataclasses

import pytest

from vllm_chart.sizing import checkpoint, plan, refusals, sources
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.gpus import Gpu
from vllm_chart.sizing.settings import Engine

LLAMA = "meta-llama/Llama-3.1-8B"


def said(gpu: Gpu, utilization: float | None = None) -> list[str]:
    engine = Engine(LLAMA, utilization=utilization, max_length=8192)
    made = plan.make(engine, checkpoint.read(engine, sources.shipped()[LLAMA]), gpu)
    return [str(finding) for finding in refusals.check(made) if finding.severity == "warning"]


@pytest.mark.parametrize("name", ["gb10", "NVIDIA-GB10", "dgx-spark", "thor"])
def test_the_default_share_of_a_unified_memory_may_not_be_free(name: str) -> None:
    [told] = said(gpus.find(name))
    assert "shares with the operating system" in told
    assert "0.92, the default," in told
    assert "write 0.85 or less" in told


def test_what_is_free_of_an_idle_machine_is_named_where_it_was_reported() -> None:
    assert "111.95 GiB of memory" in said(gpus.find("gb10"))[0]
    assert "111.00 GiB to 114.50 GiB where nothing else runs" in said(gpus.find("gb10"))[0]


@pytest.mark.parametrize("name", ["gb10", "thor", "strix-halo"])
def test_a_smaller_share_is_not_told_of(name: str) -> None:
    assert said(gpus.find(name), utilization=0.8) == []


def test_a_part_of_the_hosts_memory_may_be_claimed_whole() -> None:
    half = gpus.find("strix-halo")
    assert said(half) == []
    assert "write 0.86 or less" in said(dataclasses.replace(half, memory=120 * GIB))[0]


@pytest.mark.parametrize("name", ["h100-80gb", "gh200-96gb", "mi300x"])
def test_a_gpu_with_memory_of_its_own_keeps_the_default(name: str) -> None:
    assert said(gpus.find(name)) == []
