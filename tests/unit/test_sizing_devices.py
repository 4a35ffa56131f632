"""Plans for what is no GPU, or a part of one: no word of GPUs, and no other maker's products."""

import re
from typing import Any

import pytest

from tests.commands import run
from vllm_chart.findings import Exit
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import gpus

TPU = ("gpu.resourceName=google.com/tpu", "gpu.count=4", "image.repository=a/tpu", "image.tag=v0.20.0")
NEURON = ("gpu.resourceName=aws.amazon.com/neuron", "parallelism.tensorParallelSize=2", "image.repository=a/neuron",
          "image.tag=0.13.0")  # fmt: skip
LENGTH = "engine.args.max-model-len=8192"


def plan(*sets: str, options: tuple[str, ...] = (), model: str = "Qwen/Qwen3-8B") -> Any:
    given = [word for text in (f"model.id={model}", LENGTH, *sets) for word in ("--set", text)]
    return run("plan", "--offline", *given, *options)


@pytest.mark.parametrize("device", [TPU, NEURON])
def test_no_plan_says_gpu_of_what_is_none(device: tuple[str, ...]) -> None:
    listed, planned = plan(*device), plan(*device, options=("--gpu-memory", "47GiB"))
    too_small = plan(*device, options=("--gpu-memory", "2GiB"))

    for result in (listed, planned, too_small):
        said = re.sub("--gpu-memory|gpu-memory-utilization|gpu[.]count", "", result.stdout)
        assert "gpu" not in said.lower(), said
    assert "weights per worker" in planned.stdout


def test_the_plan_of_a_cpu_says_gpu_of_nothing() -> None:
    result = plan("engine.device=cpu", "resources.limits.memory=64Gi")

    assert "gpu" not in re.sub("gpu-memory-utilization", "", result.stdout).lower()
    assert "weights" in result.stdout


@pytest.mark.parametrize(
    ("resource", "maker"), [("nvidia.com/gpu", "NVIDIA"), ("amd.com/gpu", "AMD"), ("habana.ai/gaudi", "Intel Gaudi")]
)
def test_products_are_those_of_the_maker_whose_plugin_is_asked(resource: str, maker: str) -> None:
    result = plan(f"gpu.resourceName={resource}", "image.repository=a/b", "image.tag=v0.33.0")
    rows = re.findall(r"^ +\d+ x (.*)$", result.stdout, re.MULTILINE)

    assert rows
    assert all(row.startswith(maker) for row in rows)


def test_of_other_devices_the_memory_has_to_be_given() -> None:
    result = plan(*TPU)

    assert result.exit_code == Exit.OK
    assert "of TPU chips, no memory is known: give that of one worker by --gpu-memory" in result.stdout


def test_a_slice_has_no_more_memory_than_its_name_says() -> None:
    whole = gpus.find("h100-80gb")
    slice_ = gpus.sliced(whole, "nvidia.com/mig-1g.10gb")

    assert 9.75 * GIB <= slice_.memory <= 10 * GIB
    assert gpus.sliced(whole, "nvidia.com/mig-7g.80gb").memory == whole.memory
    assert gpus.sliced(whole, "nvidia.com/gpu") == whole
    result = plan("gpu.resourceName=nvidia.com/mig-1g.10gb", options=("--gpu", "h100-80gb"))
    assert result.exit_code == Exit.REFUSED
    assert "a slice of 10 GB of NVIDIA H100 80GB SXM has" in result.stdout
