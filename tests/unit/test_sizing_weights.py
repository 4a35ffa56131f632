"""Weights by architecture: the counts that publishers list, the splits over GPUs, and the bytes of quantized ones."""

import dataclasses
import json
from importlib import resources
from typing import Any

import pytest

from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.model import adapters, architecture, quantization, vision, weights
from vllm_chart.sizing.model.architecture import ConfigError, Experts
from vllm_chart.sizing.model.quantization import UnknownQuantizationError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.vllm_releases import Release

ROWS: list[dict[str, Any]] = json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text())
MODELS = {row["id"]: row for row in ROWS}

#: Where a listed count holds more or less than the language model, in parameters (listed less computed).
LISTED_OTHERWISE = {
    "meta-llama/Llama-2-7b-hf": 2048,  # the old checkpoint stores its rotations: 32 layers x 64
    "meta-llama/Llama-2-7b-chat-hf": 2048,
    "deepseek-ai/DeepSeek-V3.2": -851524864,  # listed as V3, without the indexer
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": -2944,  # the routers' correction biases: 23 layers x 128
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4": -2944,
}

#: Listed with the block for multi-token prediction, with scales, or with what vLLM doesn't load.
LISTED_WITH_MORE = (
    "Qwen/Qwen3-Next",
    "Qwen/Qwen3.5",
    "Qwen/Qwen3.6",
    "RedHatAI/Qwen3.5",
    "nvidia/Qwen3.6",
    "nvidia/NVIDIA-Nemotron-3-Super",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8",
    "RedHatAI/Llama-4-Maverick",
    "llava-hf/",
)


def model(name: str) -> architecture.Model:
    return architecture.read(MODELS[name]["config"])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_known_model_is_read(name: str) -> None:
    read = model(name)
    assert weights.known(read)
    assert weights.parameters(read) > 0
    quantization.read(read.quantization, read.dtype)


@pytest.mark.parametrize("name", sorted(name for name, row in MODELS.items() if row.get("listedParameters")))
def test_parameters_are_those_that_the_publisher_lists(name: str) -> None:
    row, read = MODELS[name], model(name)
    counted = weights.parameters(read)
    if "languageParameters" in row:
        assert counted == row["languageParameters"]
    tower = vision.read(read)
    counted += tower.parameters if tower else 0
    if name.startswith(LISTED_WITH_MORE) or (tower and not tower.exact):
        assert counted == pytest.approx(row["listedParameters"], rel=0.03)
        return
    assert row["listedParameters"] - counted == LISTED_OTHERWISE.get(name, 0)


#: Families that aren't among the known models: the count that their publisher lists, and the config it comes from.
FAMILIES: list[tuple[str, int, dict[str, int | bool]]] = [
    ("qwen2_moe", 14_315_784_192, {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 16,
     "intermediate_size": 5632, "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
     "num_experts": 60, "vocab_size": 151936, "tie_word_embeddings": False}),
    ("gemma", 8_537_680_896, {"hidden_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
     "intermediate_size": 24576, "head_dim": 256, "vocab_size": 256000}),
    ("starcoder2", 7_173_923_840, {"hidden_size": 4608, "num_hidden_layers": 32, "num_attention_heads": 36,
     "num_key_value_heads": 4, "intermediate_size": 18432, "vocab_size": 49152}),
    ("cohere", 34_980_831_232, {"hidden_size": 8192, "num_hidden_layers": 40, "num_attention_heads": 64,
     "intermediate_size": 22528, "vocab_size": 256000}),
    ("smollm3", 3_075_098_624, {"hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16,
     "num_key_value_heads": 4, "intermediate_size": 11008, "vocab_size": 128256}),
    ("olmoe", 6_919_161_856, {"hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 16,
     "intermediate_size": 1024, "num_experts": 64, "vocab_size": 50304, "tie_word_embeddings": False}),
    ("granite", 8_170_848_256, {"hidden_size": 4096, "num_hidden_layers": 40, "num_attention_heads": 32,
     "num_key_value_heads": 8, "intermediate_size": 12800, "vocab_size": 49155, "tie_word_embeddings": True}),
    ("olmo3", 7_298_011_136, {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
     "intermediate_size": 11008, "vocab_size": 100278, "tie_word_embeddings": False}),
    ("glm4", 9_400_279_040, {"hidden_size": 4096, "num_hidden_layers": 40, "num_attention_heads": 32,
     "num_key_value_heads": 2, "head_dim": 128, "intermediate_size": 13696, "vocab_size": 151552,
     "tie_word_embeddings": False, "attention_bias": True}),
    ("whisper", 1_543_490_560, {"d_model": 1280, "encoder_layers": 32, "decoder_layers": 32,
     "decoder_attention_heads": 20, "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120, "vocab_size": 51866,
     "num_mel_bins": 128, "max_source_positions": 1500, "max_target_positions": 448}),
    ("xlm-roberta", 567_754_752 - 1_050_624, {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
     "intermediate_size": 4096, "vocab_size": 250002, "max_position_embeddings": 8194}),  # less types and pooler
]  # fmt: skip


@pytest.mark.parametrize(("family", "listed", "config"), FAMILIES, ids=[family for family, _, _ in FAMILIES])
def test_other_families_are_counted_too(family: str, listed: int, config: dict[str, int | bool]) -> None:
    read = architecture.read({"model_type": family, **config})
    assert weights.known(read)
    tower = vision.read(read)
    assert weights.parameters(read) + (tower.parameters if tower else 0) == listed


def test_multi_token_prediction_is_all_that_qwen35_lists_besides() -> None:
    read = model("Qwen/Qwen3.5-35B-A3B")
    tower = vision.read(read)
    assert tower is not None
    assert weights.parameters(read) + tower.parameters == 35_107_181_936  # listed for checkpoints without the block


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_ranks_share_the_linear_layers_and_repeat_the_norms(ranks: int) -> None:
    read = model("meta-llama/Llama-3.1-8B")
    split = weights.language_weights(read, Split(tensor=ranks))
    whole = weights.language_weights(read)
    assert sum(w.elements for w in split if w.linear) * ranks == sum(w.elements for w in whole if w.linear)
    norms = [sum(w.elements for w in each if "norm" in w.name) for each in (split, whole)]
    assert norms[0] == norms[1]


def test_kv_heads_are_repeated_where_there_are_more_ranks() -> None:
    read = model("Qwen/Qwen2-7B-Instruct")  # 4 KV heads of 128
    keys = [w for w in weights.language_weights(read, Split(tensor=7)) if w.name == "layers.0.self_attn.k_proj"]
    assert keys[0].rows == 128


@pytest.mark.parametrize(
    ("layers", "stages", "sizes"),
    [(32, 2, [16, 16]), (61, 4, [15, 15, 16, 15]), (30, 4, [7, 8, 8, 7]), (62, 8, [7, 8, 8, 8, 8, 8, 8, 7])],
)
def test_pipeline_stages_are_vllms(layers: int, stages: int, sizes: list[int]) -> None:
    bounds = [weights.stage_layers(layers, stage, stages) for stage in range(stages)]
    assert [end - start for start, end in bounds] == sizes
    assert bounds[-1][1] == layers


def test_embeddings_are_on_the_first_and_the_last_stage() -> None:
    read = model("Qwen/Qwen3-32B")
    names = [{w.name for w in weights.language_weights(read, Split(pipeline=2), stage)} for stage in (0, 1)]
    assert "embed_tokens" in names[0] - names[1]
    assert "lm_head" in names[1] - names[0]
    tied = model("Qwen/Qwen3-0.6B")
    assert "embed_tokens" in {w.name for w in weights.language_weights(tied, Split(pipeline=2), 1)}


def test_expert_parallelism_shares_out_experts_and_not_their_width() -> None:
    read = model("Qwen/Qwen3-30B-A3B")
    parallel = Split(tensor=2, data=4, expert_parallel=True)
    up = next(w for w in weights.language_weights(read, parallel) if w.name == "layers.0.mlp.experts.gate_up_proj")
    assert (up.copies, up.rows) == (128 // 8, 2 * 768)
    up = next(
        w for w in weights.language_weights(read, Split(tensor=4)) if w.name.endswith("0.mlp.experts.gate_up_proj")
    )
    assert (up.copies, up.rows) == (128, 2 * 768 // 4)


def bytes_of(name: str) -> float:
    read = model(name)
    quantized = quantization.read(read.quantization, read.dtype)
    return sum(weights.size(w, read.dtype, quantized) for w in weights.language_weights(read)) / GIB


@pytest.mark.parametrize(
    ("name", "logged"),
    [
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", 67.72),
        ("Qwen/Qwen2.5-0.5B-Instruct-AWQ", 0.4315),
        ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", 37.09),
        ("Qwen/QwQ-32B-AWQ", 18.15),
        ("LGAI-EXAONE/EXAONE-4.0-32B-FP8", 30.99),
    ],
)
def test_quantized_weights_are_what_vllm_logs(name: str, logged: float) -> None:
    assert bytes_of(name) == pytest.approx(logged, rel=0.015)


@pytest.mark.parametrize(
    ("config", "rows", "columns", "size"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, 1024, 4096, 1024 * 4096 // 2 + 1024 * 32 * 2.5),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 1000, 4096, 1000 * 4096 + 8 * 32 * 4),
        ({"quant_method": "fp8"}, 1024, 4096, 1024 * 4096),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, 1024, 4096, 1024 * 4096 // 2 + 1024 * 256),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 1024, 4096, 1024 * 4096 // 2 + 1024 * 64 * 4),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, 1024, 4096, 1024 * 4096 + 1024 * 4),
    ],
)
def test_bytes_of_a_matrix(config: dict[str, Any], rows: int, columns: int, size: float) -> None:
    quantized = quantization.read(config, "bfloat16")
    assert quantized is not None
    assert quantized.scheme("layers.0.mlp.down_proj").size(rows, columns) == size
    assert quantized.scheme("lm_head").size(rows, columns) == 2 * rows * columns


def test_gptqs_exceptions_stay_as_they_are() -> None:
    """vllm-project/vllm#36973: "Model loading took 21.05 GiB", of which the vision tower and the rotations are 0.95."""
    read = quantization.read(MODELS["Qwen/Qwen3.5-35B-A3B-GPTQ-Int4"]["config"]["quantization_config"], "bfloat16")
    assert read is not None
    kept = (
        "layers.3.self_attn.q_proj",
        "layers.0.linear_attn.out_proj",
        "layers.0.mlp.shared_experts.up_proj",
        "lm_head",
    )
    assert all(read.scheme(name) == read.plain for name in kept)
    assert read.scheme("layers.0.mlp.experts.down_proj") == read.default
    assert read.default.size(1024, 4096) == 1024 * 4096 // 2 + 1024 * 32 * 2  # symmetric: no zero points
    assert bytes_of("Qwen/Qwen3.5-35B-A3B-GPTQ-Int4") == pytest.approx(21.05 - 0.95, rel=0.01)


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("lm_head", "lm_head", True),
        ("re:.*mlp.gate$", "layers.3.mlp.gate", True),
        ("re:.*mlp.gate$", "layers.3.mlp.gate_proj", False),
        ("model.layers.*.self_attn", "layers.3.self_attn.q_proj", True),
        ("language_model.model.layers.*.self_attn.q_proj", "layers.3.self_attn.q_proj", True),
        ("gate", "layers.3.mlp.gate_proj", False),
        ("model.language_model.layers.1.mlp*", "layers.1.mlp.up_proj", True),
        ("model.language_model.layers.1.mlp*", "layers.10.mlp.up_proj", False),
        ("backbone.layers.5.mixer.q_proj", "layers.5.self_attn.q_proj", True),
    ],
)
def test_ignored_modules(pattern: str, name: str, meant: bool) -> None:
    group = {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}
    config = {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}, "ignore": [pattern]}
    quantized = quantization.read(config, "bfloat16")
    assert quantized is not None
    assert (quantized.scheme(name) == quantized.plain) is meant


def test_an_unknown_quantization_is_named() -> None:
    with pytest.raises(UnknownQuantizationError, match="'exotic'"):
        quantization.read({"quant_method": "exotic"}, "bfloat16")
    with pytest.raises(UnknownQuantizationError, match="--quantization awq"):
        quantization.by_flag("awq", "bfloat16")


def test_experts_for_mxfp4_are_padded_as_the_kernels_want() -> None:
    read = model("openai/gpt-oss-20b")
    padded = Split(expert_multiples=(128, 256))
    down = next(w for w in weights.language_weights(read, padded) if w.name == "layers.0.mlp.experts.down_proj")
    assert (down.rows, down.columns) == (3072, 2944)


SMALL = {
    "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
    "intermediate_size": 96, "vocab_size": 1000, "tie_word_embeddings": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "extra", "values"),
    [
        # q, k, v and gate and up have an A each: of 64 inputs, and 64, 32, 32, 96 and 96 outputs; o and down have one.
        ("qwen2", {}, 5 * 64 + 64 + 32 + 32 + 96 + 96 + (64 + 64) + (96 + 64)),
        # The embeddings are adapted too.
        ("qwen3", {}, 5 * 64 + 64 + 32 + 32 + 96 + 96 + (64 + 64) + (96 + 64) + 2 * (1000 + 64)),
        # Attention, and four experts of 32 with three matrices each; the embeddings.
        ("qwen3_moe", {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
         3 * 64 + 64 + 32 + 32 + (64 + 64) + 4 * (2 * (64 + 32) + 32 + 64) + 2 * (1000 + 64)),
    ],
)  # fmt: skip
def test_adapters_have_two_matrices_for_each_part(family: str, extra: dict[str, int], values: int) -> None:
    read = architecture.read({"model_type": family, **SMALL, **extra})
    assert adapters.size(read, Split(), 0, 3, 8, Release((0, 32, 0))) == 3 * 8 * values * 2


@pytest.mark.parametrize(
    ("name", "slots", "rank", "release", "logged"),
    [
        ("meta-llama/Llama-2-7b-chat-hf", 1, 8, (0, 8, 5), 12.5986 - 12.5524),  # vllm-project/vllm#16668
        ("Qwen/Qwen3-4B", 64, 16, (0, 27, 1), 12.49 - 7.50),  # less the weights
    ],
)
def test_adapters_take_what_vllm_logs(
    name: str, slots: int, rank: int, release: tuple[int, int, int], logged: float
) -> None:
    size = adapters.size(model(name), Split(), 0, slots, rank, Release(release))
    assert size / GIB == pytest.approx(logged, rel=0.1)


def test_a_config_without_sizes_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="hidden_size"):
        architecture.read({"architectures": ["X"]})


def test_layers_of_hybrid_models_are_told_apart() -> None:
    nano = model("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")
    kinds = [type(layer.mixer).__name__ for layer in nano.layers]
    assert (kinds.count("Mamba2"), kinds.count("Attention"), kinds.count("NoneType")) == (23, 6, 23)
    coder = model("Qwen/Qwen3-Coder-Next")
    kinds = [type(layer.mixer).__name__ for layer in coder.layers]
    assert (kinds.count("GatedDeltaNet"), kinds.count("Attention")) == (36, 12)
    maverick = model("meta-llama/Llama-4-Maverick-17B-128E-Instruct")
    assert sum(isinstance(layer.feed_forward, Experts) for layer in maverick.layers) == 24


def test_float32_checkpoints_are_served_in_sixteen_bits() -> None:
    assert model("allenai/OLMo-2-1124-7B").dtype == "bfloat16"
    assert dataclasses.replace(model("Qwen/Qwen3-8B"), dtype="float16").dtype == "float16"


@pytest.mark.parametrize(
    ("flag", "method", "model", "words"),
    [
        ("fp8", "awq", "Qwen/Qwen2.5-7B-Instruct-AWQ", "fp8 is not the awq by which"),
        ("awq", "compressed-tensors", "RedHatAI/x-w4a16", "awq is not the compressed-tensors by which"),
        ("gptq_marlin", "", "Qwen/Qwen3-8B", "is not quantized, and gptq_marlin needs"),
        ("awq_marlin", "awq", "a/b", ""),
        ("moe_wna16", "gptq", "a/b", ""),
        ("humming", "fp8", "a/b", ""),
        ("fp8", "", "Qwen/Qwen3-8B", ""),
        ("awq", "", "TheBloke/Llama-2-7B-AWQ", ""),  # in quant_config.json
        ("awq", "auto-round", "a/b", ""),
        (None, "awq", "a/b", ""),
    ],
)
def test_a_quantization_that_the_checkpoint_has_not(flag: str | None, method: str, model: str, words: str) -> None:
    said = quantization.refusal(flag, {"quant_method": method} if method else None, model)
    assert words in said if words else said == ""
