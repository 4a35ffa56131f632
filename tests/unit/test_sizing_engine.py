"""What the engine is told, out of a chart's values, and what vLLM chooses by itself."""

from typing import Any

import pytest

from vllm_chart import helm
from vllm_chart.sizing import settings
from vllm_chart.sizing.arithmetic import GIB, quantity
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.memory.gpus import UnknownGpuError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine, SettingError
from vllm_chart.sizing.vllm_releases import Release


def read(**values: Any) -> Engine:
    given = {"model": {"id": "org/name"}, **values}
    return settings.from_release(helm.render(values=given), helm.merged_values(values=given), "0.33.0")


def flags(*extra: str, **args: Any) -> Engine:
    return read(
        engine={"args": {name.replace("_", "-"): value for name, value in args.items()}, "extraArgs": list(extra)}
    )


@pytest.mark.parametrize(
    ("values", "split"),
    [
        ({}, Split()),
        ({"gpu": {"count": 4}}, Split(tensor=4)),
        ({"gpu": {"count": 8}, "parallelism": {"pipelineParallelSize": 2}}, Split(tensor=4, pipeline=2)),
        ({"gpu": {"count": 8}, "parallelism": {"dataParallelSize": 8}}, Split(data=8)),
        ({"gpu": {"count": 2}, "parallelism": {"tensorParallelSize": 2}}, Split(tensor=2)),
        ({"engine": {"device": "cpu"}}, Split()),
    ],
)
def test_the_split_follows_the_gpus(values: dict[str, Any], split: Split) -> None:
    assert read(**values).split == split


@pytest.mark.parametrize(
    ("written", "tokens"),
    [(8192, 8192), ("8192", 8192), ("8k", 8000), ("8K", 8192), ("auto", -1), (-1, -1)],
)
def test_lengths_are_read_as_vllm_reads_them(written: Any, tokens: int) -> None:
    assert flags(max_model_len=written).max_length == tokens


def test_extra_arguments_count_too() -> None:
    told = flags(
        "--max-num-seqs", "64", "--kv-cache-dtype=fp8", "--enforce-eager", "-q", "awq", "--no-enable-prefix-caching"
    )
    assert (told.requests, told.kv_dtype, told.eager, told.quantization) == (64, "fp8", True, "awq")
    assert told.prefix_caching is False


def test_arguments_by_name() -> None:
    told = flags(
        gpu_memory_utilization="0.9", enable_expert_parallel=True, cpu_offload_gb=4, max_num_batched_tokens=1024,
        speculative_config={"method": "mtp", "num_speculative_tokens": 1}, dtype="half",
    )  # fmt: skip
    assert (told.share(), told.offload.budget, told.batch_tokens, told.drafted_tokens) == (0.9, 4.0 * 2**30, 1024, 1)
    assert told.split.expert_parallel
    assert flags(speculative_config='{"method": "eagle3", "model": "x/y"}').speculative["model"] == "x/y"


@pytest.mark.parametrize(
    ("limits", "language_only", "videos"),
    [
        ({}, False, True),
        ({"limit_mm_per_prompt": {"image": 0}}, True, True),
        ({"limit_mm_per_prompt": '{"image": 4, "video": 0}'}, False, False),
        ({"limit_mm_per_prompt": {"image": 0, "video": {"count": 0}}}, True, False),
        ({"limit_mm_per_prompt.video": 0}, False, False),
        ({"language_model_only": True}, True, True),
    ],
)
def test_limits_say_which_items_are_accepted(limits: dict[str, Any], language_only: bool, videos: bool) -> None:
    told = flags(**limits)
    assert (told.language_only, told.videos) == (language_only, videos)


def test_what_is_no_number_is_named_with_its_key() -> None:
    with pytest.raises(SettingError, match="invalid number value: 'lots'") as caught:
        flags("--max-model-len=lots")
    assert caught.value.where == "engine.args.max-model-len"


@pytest.mark.parametrize(
    ("tag", "release"),
    [("", (0, 33, 0)), ("v0.32.0-x86_64", (0, 32, 0)), ("v0.18.1rc1.dev88", (0, 18, 1)), ("nightly", (0, 33, 0))],
)
def test_the_release_is_that_of_the_image(tag: str, release: tuple[int, int, int]) -> None:
    assert read(image={"tag": tag}).release == Release(release)


@pytest.mark.parametrize(
    ("gpu", "release", "tokens", "requests"),
    [
        ("l40s", (0, 32, 0), 2048, 256), ("a100-80gb", (0, 32, 0), 2048, 256), ("h100-80gb", (0, 32, 0), 8192, 1024),
        ("b200", (0, 32, 0), 16384, 1024), ("b200", (0, 27, 1), 8192, 1024), ("a100-80gb", (0, 8, 5), 8192, 1024),
        ("l40s", (0, 8, 3), 2048, 1024), ("a100-80gb", (0, 8, 3), 2048, 1024), ("h100-80gb", (0, 8, 3), 8192, 1024),
        ("gb10", (0, 32, 0), 8192, 1024), ("gb10", (0, 33, 0), 2048, 256),
    ],
)  # fmt: skip
def test_batches_are_those_that_vllm_chooses(
    gpu: str, release: tuple[int, int, int], tokens: int, requests: int
) -> None:
    batch = Engine("x", release=Release(release)).batch(gpus.find(gpu), 4096)
    assert (batch.tokens, batch.requests) == (tokens, requests)


def test_a_batch_holds_no_more_requests_than_tokens() -> None:
    batch = Engine("x", batch_tokens=138).batch(gpus.find("h100"), 4096)
    assert batch.requests == 138


def test_the_cpu_engine_takes_its_cache_from_the_environment() -> None:
    given = {"device": "cpu", "args": {"kv-cache-memory-bytes": "64M"}}
    space = {"VLLM_CPU_KVCACHE_SPACE": "2"}
    assert read(engine={"device": "cpu"}, env=space).kv_memory == 2 * GIB
    assert read(engine=given, env=space).kv_memory == 2 * GIB  # which goes before the argument
    assert read(engine=given).kv_memory == 64 << 20
    assert read(engine={"device": "cpu"}).kv_memory == 4 * GIB  # the chart's own
    with pytest.raises(SettingError, match="whole number"):
        read(engine={"device": "cpu"}, env={"VLLM_CPU_KVCACHE_SPACE": "2.5"})


@pytest.mark.parametrize(
    ("engine", "overlapped"),
    [
        ({}, True),
        ({"device": "cpu"}, False),
        ({"args": {"async-scheduling": False}}, False),
        ({"extraArgs": ["--no-async-scheduling"]}, False),
        ({"args": {"speculative-config": {"method": "ngram", "num_speculative_tokens": 2}}}, False),
        ({"args": {"speculative-config": {"method": "eagle3", "num_speculative_tokens": 2}}}, True),
    ],
)
def test_batches_overlap_where_vllm_lets_them(engine: dict[str, Any], overlapped: bool) -> None:
    assert read(engine=engine).overlapped is overlapped


@pytest.mark.parametrize("name", ["h100-80gb", "H100", "NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB SXM"])
def test_a_gpu_goes_by_many_names(name: str) -> None:
    assert gpus.find(name).name == "h100-80gb"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("NVIDIA-L40S", "l40s"), ("Tesla-T4", "t4"), ("NVIDIA-A10G", "a10g"), ("NVIDIA-A100-SXM4-80GB", "a100-80gb"),
        ("NVIDIA-A100-PCIE-40GB", "a100-40gb"), ("nvidia-l4", "l4"), ("NVIDIA-H200", "h200"), ("NVIDIA-B200", "b200"),
        ("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", "rtx-pro-6000-server"),
        ("NVIDIA-GeForce-RTX-4090", "rtx-4090"), ("NVIDIA-GeForce-RTX-5090", "rtx-5090"),
        ("NVIDIA-H100-PCIe", "h100-pcie"), ("NVIDIA-H100-NVL", "h100-nvl"), ("nvidia-h100-80gb", "h100-80gb"),
        ("NVIDIA-H20", "h20"), ("AMD-Instinct-MI300X", "mi300x"), ("nvidia-tesla-t4", "t4"),
    ],
)  # fmt: skip
def test_labels_of_nodes_name_gpus(label: str, name: str) -> None:
    assert gpus.find(label).name == name


def test_an_unknown_gpu_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownGpuError, match=r"l40s.*--gpu-memory"):
        gpus.find("voodoo2")


@pytest.mark.parametrize(
    ("text", "size"),
    [("80GiB", 80 * GIB), ("12Gi", 12 * GIB), ("32G", 32 * 10**9), ("85e9", 85 * 10**9), ("a lot", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert quantity(text) == size
