"""Drafts for speculative decoding: which layers they have, and what those take."""

import json
from importlib import resources
from typing import Any

import pytest

from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import kvcache
from vllm_chart.sizing.memory.kvcache import Setting
from vllm_chart.sizing.model import architecture, drafts, quantization
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.sources import Source

CONFIGS: dict[str, Any] = {
    row["id"]: row["config"] for row in json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text())
}
LLAMA = "meta-llama/Llama-3.1-8B"
ALONE = Split()


def model(name: str) -> architecture.Model:
    return architecture.read(CONFIGS[name])


def size(name: str, speculative: dict[str, Any], split: Split = ALONE, stage: int = 0) -> int:
    target = model(name)
    draft = drafts.read(speculative, target)
    assert draft is not None
    return drafts.size(draft, target, split, stage, quantization.read(target.quantization, target.dtype))


@pytest.mark.parametrize(
    ("name", "speculative", "kind", "layers"),
    [
        (LLAMA, {"method": "eagle", "model": "some/draft"}, "eagle", 1),
        (LLAMA, {"model": "some/EAGLE3-LLaMA"}, "eagle3", 1),
        (LLAMA, {"model": "meta-llama/Llama-3.2-1B-Instruct"}, "model", 16),
        ("deepseek-ai/DeepSeek-V3", {"method": "deepseek_mtp"}, "mtp", 1),
        ("Qwen/Qwen3.5-35B-A3B", {"method": "mtp", "num_speculative_tokens": 2}, "mtp", 1),
    ],
)
def test_the_draft_is_known_by_its_method_or_name(
    name: str, speculative: dict[str, Any], kind: str, layers: int
) -> None:
    draft = drafts.read(speculative, model(name))
    assert draft is not None
    assert (draft.kind, len(draft.layers)) == (kind, layers)


@pytest.mark.parametrize(
    ("name", "speculative"),
    [
        (LLAMA, {}),
        (LLAMA, {"method": "ngram", "num_speculative_tokens": 3}),
        (LLAMA, {"method": "medusa", "model": "some/medusa"}),
        (LLAMA, {"model": "some/unknown"}),
        ("openai/gpt-oss-120b", {"method": "eagle3", "model": "some/draft"}),  # dense, and of an unknown width
    ],
)
def test_what_has_no_layers_or_unknown_ones_is_no_draft(name: str, speculative: dict[str, Any]) -> None:
    assert drafts.read(speculative, model(name)) is None


def test_an_eagle_draft_is_a_layer_and_what_joins_it() -> None:
    layer = (4096 + 2 * 1024) * 4096 + 4096 * 4096 + 3 * 14336 * 4096 + 2 * 4096
    joint = 2 * 4096 * 4096 + 3 * 4096
    assert size(LLAMA, {"method": "eagle"}) == 2 * (layer + joint)
    side_by_side, head = (4096 + 2 * 1024) * 4096, 32000 * 4096
    assert size(LLAMA, {"method": "eagle3"}) == 2 * (layer + joint + 4096 * 4096 + side_by_side + head)


def test_a_config_of_its_own_says_more_about_a_draft() -> None:
    own = Source({**CONFIGS[LLAMA], "num_hidden_layers": 2, "draft_vocab_size": 1000}, "a file", "config")
    draft = drafts.read({"method": "eagle3"}, model("openai/gpt-oss-120b"), own)
    assert draft is not None
    assert (len(draft.layers), draft.head_rows) == (2, 1000)


def test_multi_token_prediction_is_a_layer_in_the_models_own_quantization() -> None:
    """DeepSeek-V3 lists 14 B parameters for its block: 11.5 B without the embedding and the output layer that it shares
    with the model, in 8 bits but for the router, the joint and the norms."""
    found = size("deepseek-ai/DeepSeek-V3", {"method": "mtp"})
    assert found / 1e9 == pytest.approx(11.6, rel=0.02)
    listed = 35_951_822_704 - 35_107_181_936  # with the block, and without it
    assert size("Qwen/Qwen3.5-35B-A3B", {"method": "mtp"}) == 2 * listed


def test_a_draft_is_in_the_last_stage() -> None:
    split = Split(pipeline=2)
    first, last = (size(LLAMA, {"method": "eagle"}, split, stage) for stage in (0, 1))
    assert first == 0
    assert last - size(LLAMA, {"method": "eagle"}) == 2 * 128256 * 4096  # an embedding of its own


def test_drafts_keep_a_cache_beside_the_models() -> None:
    target = model(LLAMA)
    token = kvcache.lay_out(target, Setting()).token_bytes
    for speculative, layers in (({"method": "eagle"}, 1), ({"model": "meta-llama/Llama-3.2-1B-Instruct"}, 16)):
        draft = drafts.read(speculative, target)
        assert draft is not None
        head = 128 if layers == 1 else 64
        drafted = kvcache.lay_out(target, Setting(), 0, draft).token_bytes - token
        assert drafted == layers * 2 * 8 * head * 2
    # vllm-project/vllm#19996: "51.63 GiB, GPU KV cache size: 410,128 tokens"
    eagle = kvcache.lay_out(target, Setting(), 0, drafts.read({"method": "eagle"}, target))
    assert eagle.tokens(round(51.625 * GIB), 131072) <= 410_128 <= eagle.tokens(round(51.635 * GIB), 131072)
