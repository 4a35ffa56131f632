"""The KV cache's layout: what vLLM logged for real models, and each rule of its allocator."""

import json
from importlib import resources
from typing import Any

import pytest

from tests.shapes import SHAPES
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import kvcache
from vllm_chart.sizing.memory.kvcache import CacheError, Setting
from vllm_chart.sizing.model import architecture
from vllm_chart.sizing.vllm_releases import Release

CONFIGS: dict[str, Any] = {
    row["id"]: row["config"] for row in json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text())
}
NOW, BEFORE = Release((0, 32, 0)), Release((0, 11, 0))


def cache(name: str, release: Release = NOW, **options: Any) -> kvcache.Cache:
    return kvcache.lay_out(architecture.read(CONFIGS[name]), Setting(release=release, **options))


@pytest.mark.parametrize(
    ("name", "options", "token"),
    [
        ("meta-llama/Llama-2-7b-hf", {}, 32 * 2 * 32 * 128 * 2),  # MHA
        ("meta-llama/Llama-3.1-8B", {}, 32 * 2 * 8 * 128 * 2),  # GQA
        ("meta-llama/Llama-3.1-8B", {"tensor": 4}, 32 * 2 * 2 * 128 * 2),
        ("meta-llama/Llama-3.1-8B", {"tensor": 16}, 32 * 2 * 1 * 128 * 2),  # a head is never split
        ("meta-llama/Llama-3.1-8B", {"dtype": "fp8"}, 32 * 2 * 8 * 128),
        ("google/gemma-3-1b-it", {"hybrid": False}, 26 * 2 * 1 * 256 * 2),  # MQA
        ("deepseek-ai/DeepSeek-V3", {"block_size": 64}, 61 * 576 * 2),  # MLA
        ("deepseek-ai/DeepSeek-V3", {"block_size": 64, "tensor": 8}, 61 * 576 * 2),  # the same on every rank
        ("deepseek-ai/DeepSeek-V3.2", {"block_size": 64, "dtype": "fp8"}, 61 * (656 + 132)),  # with its indexer
        ("nvidia/Llama-3.1-70B-Instruct-FP8", {}, 80 * 2 * 8 * 128),  # the checkpoint asks for an FP8 cache
    ],
)
def test_bytes_per_token(name: str, options: dict[str, Any], token: int) -> None:
    assert cache(name, **options).token_bytes == token


@pytest.mark.parametrize("name", SHAPES)
def test_the_plan_says_what_the_cpu_engine_logs(name: str) -> None:
    assert SHAPES[name].plan().sentence == SHAPES[name].logged


def test_a_pipeline_stage_keeps_its_own_layers() -> None:
    stages = [kvcache.lay_out(architecture.read(CONFIGS["Qwen/Qwen3-32B"]), Setting(pipeline=2), s) for s in (0, 1)]
    assert [stage.token_bytes for stage in stages] == [131072, 131072]


def test_the_sentence_is_vllms() -> None:
    tiny = architecture.read({"model_type": "llama", "hidden_size": 256, "num_hidden_layers": 2, "vocab_size": 320,
                              "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64,
                              "intermediate_size": 512})  # fmt: skip
    laid_out = kvcache.lay_out(tiny, Setting(block_size=128))
    assert laid_out.token_bytes == 1024
    assert laid_out.sentence(GIB, 2048, "CPU") == (
        "CPU KV cache size: 1,048,576 tokens, Maximum concurrency for 2,048 tokens per request: 512.00x"
    )


def test_sliding_windows_and_full_attention_form_groups_of_equal_size() -> None:
    gemma = cache("google/gemma-3-27b-it", BEFORE, batch_tokens=8192)
    assert [(group.spec.kind, group.layers) for group in gemma.groups] == [
        ("full", 10), ("sliding", 9), ("sliding", 9), ("sliding", 9), ("sliding", 9), ("sliding", 8), ("sliding", 8),
    ] or sorted(group.layers for group in gemma.groups) == [8, 8, 9, 9, 9, 9, 10]  # fmt: skip
    # As logged: 89,994 blocks over 7 groups make 205,696 tokens, and 50.05 requests of 4,096.
    memory = 89994 * gemma.block_bytes
    assert gemma.tokens(memory, 4096) == 205_696
    assert round(gemma.concurrency(memory, 4096), 2) == 50.05


def test_nearly_equal_kinds_share_the_larger_size() -> None:
    oss = cache("openai/gpt-oss-20b")
    assert [(group.spec.kind, group.layers) for group in oss.groups] == [("sliding", 12), ("full", 12)]


def test_a_window_bounds_what_a_request_takes() -> None:
    oss = cache("openai/gpt-oss-120b", BEFORE, batch_tokens=1024)
    full, window = 131072 // 16, -(-(127 + 1024) // 16) + 1
    assert oss.request_blocks(131072) == full + window


def test_states_are_padded_to_the_pages_of_attention() -> None:
    # As logged by 0.17.1 for Qwen3.5-35B-A3B with an FP8 cache: 5.18 GiB, 134,144 tokens, blocks of 2,096 tokens.
    hybrid = cache("Qwen/Qwen3.5-35B-A3B", Release((0, 17, 1)), dtype="fp8")
    assert {group.spec.block_size for group in hybrid.groups} == {2096}
    assert len(hybrid.groups) == 4
    assert hybrid.tokens(round(5.18 * GIB), 262144) == 134_144
    assert hybrid.fixed_bytes == 30 * 2096 * 1024


@pytest.mark.parametrize(
    ("release", "told", "states"),
    [
        ((0, 32, 0), False, 1), ((0, 32, 0), None, 2), ((0, 28, 0), None, 2), ((0, 27, 1), None, 1),
        ((0, 26, 0), True, 2), ((0, 14, 0), True, 1),
    ],
)  # fmt: skip
def test_prefix_caching_keeps_two_states_a_request(
    release: tuple[int, int, int], told: bool | None, states: int
) -> None:
    qwen = cache("Qwen/Qwen3.5-35B-A3B", Release(release), prefix_caching=told)
    assert qwen.request_blocks(1) == 3 * states + 1  # three groups of linear attention, one of full


@pytest.mark.parametrize(("drafted", "block"), [(0, 784), (2, 800)])
def test_a_state_holds_the_inputs_of_drafted_tokens(drafted: int, block: int) -> None:
    """ "Setting attention block size to 800 tokens" with two tokens drafted at once, and 784 without, in 0.28's logs of
    a Qwen3.8-27B on two GPUs."""
    qwen = cache("Qwen/Qwen3.8-27B", Release((0, 28, 0)), tensor=2, speculative_tokens=drafted)
    assert {group.spec.block_size for group in qwen.groups} == {block}


def test_chunked_attention_is_counted_as_full_by_default() -> None:
    scout = cache("meta-llama/Llama-4-Scout-17B-16E-Instruct", BEFORE, tensor=8)
    assert len(scout.groups) == 1
    assert scout.request_bytes(10_485_760) == 240 * GIB  # "240.00 GiB KV cache is needed"


def test_shared_caches_cost_nothing() -> None:
    gemma = dict(CONFIGS["google/gemma-4-31B-it"])
    shared = kvcache.lay_out(architecture.read({**gemma, "num_kv_shared_layers": 20}), Setting())
    alone = kvcache.lay_out(architecture.read({**gemma, "num_kv_shared_layers": 0}), Setting())
    assert shared.token_bytes < alone.token_bytes


def test_context_parallelism_multiplies_tokens() -> None:
    kimi = cache("moonshotai/Kimi-K2-Thinking", BEFORE, tensor=8, context=8, block_size=64)
    low, high = (kimi.tokens(round(size * GIB), 262144) for size in (46.795, 46.805))
    assert low <= 5_721_088 <= high


def test_the_longest_request_is_the_last_that_fits() -> None:
    llama = cache("meta-llama/Llama-3.1-8B")
    longest = llama.longest(3 * GIB, 131072)
    assert llama.fits(3 * GIB, longest)
    assert not llama.fits(3 * GIB, longest + 16)
    assert llama.longest(0, 131072) == 0
    assert llama.longest(64 * GIB, 131072) == 131072


def test_an_unknown_kv_dtype_is_named() -> None:
    with pytest.raises(CacheError, match="exotic"):
        cache("meta-llama/Llama-3.1-8B", dtype="exotic")


@pytest.mark.parametrize(
    ("dtype", "head"),
    [
        ("auto", 512),
        ("fp8_e4m3", 256),
        ("int8_per_token_head", 2 * 128 + 8),
        ("int4_per_token_head", 2 * 64 + 8),
        ("nvfp4", 2 * (64 + 8)),
        ("turboquant_k8v4", 128 + 64 + 4),
        ("turboquant_3bit_nc", 48 + 2 + 48 + 4),
    ],
)
def test_bytes_of_a_head_by_format(dtype: str, head: int) -> None:
    assert cache("meta-llama/Llama-3.1-8B", dtype=dtype).token_bytes == 32 * 8 * head


WHISPER = {
    "model_type": "whisper", "d_model": 1280, "encoder_layers": 32, "decoder_layers": 32, "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120, "vocab_size": 51866, "num_mel_bins": 128,
    "max_source_positions": 1500, "max_target_positions": 448,
}  # fmt: skip


def test_cross_attention_keeps_the_encoders_tokens() -> None:
    whisper = kvcache.lay_out(architecture.read(WHISPER), Setting(batch_tokens=2048))
    assert [(group.spec.kind, group.layers) for group in whisper.groups] == [("full", 32), ("cross", 32)]
    assert whisper.request_blocks(448) == 448 // 16 + 2048 // 16
