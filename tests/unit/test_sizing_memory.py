"""What the engine takes besides weights and cache: the rules that decide which tensors count, by release and model."""

import dataclasses
import json
from importlib import resources
from typing import Any

import pytest

from vllm_chart.sizing import checkpoint, plan, refusals
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import estimate as memory
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.estimate import Batch
from vllm_chart.sizing.model import architecture, encoder
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine
from vllm_chart.sizing.sources import shipped
from vllm_chart.sizing.vllm_releases import Release

CONFIGS: dict[str, Any] = {
    row["id"]: row["config"] for row in json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text())
}
BATCH = Batch(tokens=2048, requests=256, length=4096)


def model(name: str) -> architecture.Model:
    return architecture.read(CONFIGS[name])


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Qwen/Qwen3-8B", (0, 22, 0)),
        ("Qwen/Qwen3-8B-FP8", (0, 24, 0)),  # before, none that is quantized
        ("meta-llama/Llama-3.1-8B", (0, 23, 0)),
        ("Qwen/Qwen2.5-7B-Instruct", (0, 25, 0)),
        ("Qwen/Qwen2.5-VL-7B-Instruct", (0, 25, 0)),  # images make no difference
        ("Qwen/Qwen3-30B-A3B", (0, 29, 0)),  # experts
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", (0, 29, 0)),  # states
    ],
)
def test_the_second_runner_came_to_one_family_after_the_other(name: str, first: tuple[int, int, int]) -> None:
    releases = [(0, minor, 0) for minor in range(8, 34)]
    assert next(each for each in releases if memory.uses_second_runner(model(name), Release(each))) == first
    assert all(memory.uses_second_runner(model(name), Release(each)) for each in releases if each >= first)


@pytest.mark.parametrize(
    ("name", "release", "counted"),
    [
        ("Qwen/Qwen3-32B", (0, 20, 0), False),
        ("Qwen/Qwen3-32B", (0, 21, 0), True),  # on the first runner
        ("Qwen/Qwen3-32B", (0, 27, 1), False),  # the second has no estimate yet
        ("Qwen/Qwen3-30B-A3B", (0, 27, 1), True),  # still on the first
        ("Qwen/Qwen3-32B", (0, 29, 0), True),
    ],
)
def test_graphs_count_where_the_runner_estimates_them(name: str, release: tuple[int, int, int], counted: bool) -> None:
    names = [each.name for each in memory.estimates(model(name), Split(), BATCH, Release(release))]
    assert ("CUDA graphs" in names) is counted


def test_the_drivers_context_counts_in_old_releases() -> None:
    def reserve(release: tuple[int, int, int]) -> int:
        return sum(each.bytes for each in memory.estimates(model("Qwen/Qwen3-8B"), Split(), BATCH, Release(release)))

    assert reserve((0, 9, 0)) - reserve((0, 9, 1)) == memory.context().bytes > 0


@pytest.mark.parametrize(
    ("name", "length", "release", "tokens"),
    [
        # "Encoder cache will be initialized with a budget of ..." in public logs of these:
        ("Qwen/Qwen2.5-VL-7B-Instruct", 128000, (0, 23, 0), 114688),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 128000, (0, 8, 5), 98304),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", 65536, (0, 11, 0), 153600),
        ("Qwen/Qwen3.5-122B-A10B", 131072, (0, 16, 0), 16384),
        # By the same rules:
        ("Qwen/Qwen2.5-VL-7B-Instruct", 8192, (0, 23, 0), 16384),
        ("Qwen/Qwen2.5-VL-7B-Instruct", 0, (0, 23, 0), 16384),  # no videos
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", 0, (0, 11, 0), 16384),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", 65536, (0, 13, 0), 16384),
    ],
)
def test_the_largest_item_is_vllms(name: str, length: int, release: tuple[int, int, int], tokens: int) -> None:
    assert encoder.item_tokens(model(name), length, Release(release)) == tokens


def test_an_encoders_run_takes_what_vllm_logged() -> None:
    """0.23 on an 80 GB A100 at a share of 0.22: "Available KV cache memory: -14.28 GiB" beside 15.67 GiB of weights and
    0.53 GiB of graphs, so 15.5 GiB for the run and the driver."""
    batch = Batch(tokens=2048, requests=256, length=128000)
    found = memory.activations(model("Qwen/Qwen2.5-VL-7B-Instruct"), Split(), batch, Release((0, 23, 0)))
    assert found.bytes / GIB == pytest.approx(0.22 * 79.25 + 14.28 - 15.67 - 0.53, rel=0.1)
    assert found.why.startswith("the vision encoder")


def test_no_encoder_runs_where_nothing_is_accepted() -> None:
    qwen = model("Qwen/Qwen2.5-VL-7B-Instruct")
    assert encoder.peak(qwen, Split(), 2048, 0, Release((0, 23, 0))) == (0, 0)


def test_a_warm_start_copies_no_embedding() -> None:
    qwen, release = model("Qwen/Qwen3-14B"), Release((0, 29, 0))
    cold, warm = (
        memory.activations(qwen, Split(), Batch(2048, 256, 4096, compiled=compiled), release)
        for compiled in (False, True)
    )
    assert cold.bytes == 2 * 2048 * 5120 * 2 + memory.embedding(qwen, Split())
    assert warm.bytes < cold.bytes / 4


def test_a_model_that_takes_images_compiles_no_embedding() -> None:
    qwen, release = model("Qwen/Qwen3.5-27B"), Release((0, 26, 0))
    text = memory.activations(qwen, Split(), Batch(2048, 256, 4096, encoder_tokens=0), release)
    images = memory.activations(qwen, Split(), Batch(2048, 256, 4096), release)
    assert text.why.startswith("the compiler's benchmark of the embedding")
    assert images.why.startswith("the vision encoder")
    assert text.bytes > images.bytes > memory.embedding(qwen, Split()) / 2


def test_graphs_are_captured_with_adapters_and_without() -> None:
    qwen = model("Qwen/Qwen3-8B")
    batches = Batch(2048, 256, 4096), Batch(2048, 256, 4096, adapted=True)
    plain, adapted = (memory.graphs(qwen, Split(), batch, Release((0, 32, 0))) for batch in batches)
    assert adapted.why.split()[0] == str(2 * int(plain.why.split()[0]))


@pytest.mark.parametrize(
    ("release", "requests", "sizes"),
    [
        ((0, 8, 5), 1, 67),  # "Capturing CUDA graph shapes: 100%|...| 67/67" whatever the requests
        ((0, 10, 2), 256, 67),
        ((0, 11, 0), 4, 4),  # 1, 2, 4 and 8
        ((0, 11, 1), 256, 51),  # "PIECEWISE=51 (largest=512), FULL=35 (largest=256)"
    ],
)
def test_the_sizes_that_are_captured(release: tuple[int, int, int], requests: int, sizes: int) -> None:
    assert len(memory.capture_sizes(Batch(2048, requests, 4096), Release(release))) == sizes


def test_graphs_that_the_share_does_not_count_need_room_beside_it() -> None:
    """0.27.1 on an RTX 4090 at 0.92 ran out of memory for 1.28 GiB of graphs, and at 0.8 it started."""
    source = shipped()["Qwen/Qwen3-4B"]
    engine = Engine("x", release=Release((0, 27, 1)), loras=1, utilization=0.92)
    gpu = gpus.of_memory(round(23.52 * GIB))
    full = plan.make(engine, checkpoint.read(engine, source), gpu)
    assert (full.starts("worst"), full.starts("best")) == (False, True)
    part = plan.make(dataclasses.replace(engine, utilization=0.6), full.checkpoint, gpu)
    assert part.stage.captures("worst")
    high = plan.make(dataclasses.replace(engine, utilization=0.97), full.checkpoint, gpu)
    assert [f.severity for f in refusals.check(high) if f.where.endswith("utilization")] == ["warning"]
    counted = plan.make(dataclasses.replace(engine, release=Release((0, 29, 0))), high.checkpoint, gpu)
    assert counted.stage.graphs is None


@pytest.mark.parametrize(
    ("release", "twice"), [((0, 26, 0), False), ((0, 27, 1), True), ((0, 30, 0), True), ((0, 31, 0), False)]
)
def test_the_spread_includes_a_block_that_is_counted_twice(release: tuple[int, int, int], twice: bool) -> None:
    """On an RTX 5090, 0.28 left 5.16 GiB to a Qwen3-32B-AWQ, where once would have left 6.7."""
    qwen = model("Qwen/Qwen3-14B")
    found = memory.activations(qwen, Split(), BATCH, Release(release))
    assert (found.high - found.bytes >= memory.embedding(qwen, Split())) is twice
