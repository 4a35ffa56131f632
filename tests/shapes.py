"""Small models of every shape that a KV cache has, and what vLLM 0.32.0's CPU engine logs for each.

Each line was written down from an engine that vLLM's own configuration built, with random weights.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from vllm_chart import helm
from vllm_chart.sizing import checkpoint, plan, settings
from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.plan import Plan
from vllm_chart.sizing.sources import Source

RECORDED_BY = "0.32.0"


@dataclasses.dataclass(frozen=True)
class Shape:
    """A model's config.json, `engine.args` of the chart, and the line that vLLM logs for them."""

    config: Mapping[str, Any]
    args: Mapping[str, Any]
    logged: str

    def values(self, folder: str) -> dict[str, Any]:
        """The chart's values, for a model in a folder."""
        args = {"load-format": "dummy", "enforce-eager": True, "kv-cache-memory-bytes": "64M", **self.args}
        return {
            "image": {"tag": f"v{RECORDED_BY}-x86_64"},
            "model": {"id": folder},
            "engine": {"device": "cpu", "args": args},
            "gpu": {"count": 0},
        }

    def plan(self) -> Plan:
        """What is planned for these values."""
        values = self.values("org/shape")
        told = settings.from_release(helm.render(values=values), helm.merged_values(values=values), RECORDED_BY)
        read = checkpoint.read(told, Source(self.config, "", "config"))
        return plan.make(told, read, gpus.host(8 * GIB))


BASE = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 4, "head_dim": 32, "vocab_size": 512, "max_position_embeddings": 4096, "rms_norm_eps": 1e-6,
    "torch_dtype": "bfloat16", "hidden_act": "silu", "tie_word_embeddings": True,
}  # fmt: skip
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **BASE}
GROUPED = {"num_key_value_heads": 2}
GEMMA = {"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 32, "sliding_window": 512}
GEMMA_3 = {
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", **BASE, **GEMMA, "num_hidden_layers": 8,
    "num_key_value_heads": 1, "sliding_window_pattern": 6,
}  # fmt: skip
SIXTH = ["sliding_attention"] * 5 + ["full_attention"]
GEMMA_4 = {
    "architectures": ["Gemma4ForCausalLM"], "model_type": "gemma4_text", **BASE, **GROUPED, "num_hidden_layers": 6,
    "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 512, "global_head_dim": 64,
    "num_global_key_value_heads": 1, "layer_types": SIXTH,
}  # fmt: skip
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 64, "norm_topk_prob": True}
LATENT = {
    **{key: value for key, value in BASE.items() if key != "head_dim"}, **EXPERTS,
    "kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128, "n_routed_experts": 4,
    "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1, "routed_scaling_factor": 1.0,
}  # fmt: skip

SHAPES = {
    "mha": Shape(
        LLAMA,
        {},
        "CPU KV cache size: 43,648 tokens, Maximum concurrency for 4,096 tokens per request: 10.66x",
    ),
    "gqa": Shape(
        LLAMA | GROUPED,
        {"max-model-len": 1000},
        "CPU KV cache size: 85,250 tokens, Maximum concurrency for 1,000 tokens per request: 85.25x",
    ),
    "mqa, short blocks": Shape(
        LLAMA | {"num_key_value_heads": 1, "head_dim": 64},
        {"block-size": 32, "max-model-len": 777},
        "CPU KV cache size: 84,848 tokens, Maximum concurrency for 777 tokens per request: 109.20x",
    ),
    "fp8": Shape(
        LLAMA | GROUPED | {"head_dim": 64},
        {"kv-cache-dtype": "fp8"},
        "CPU KV cache size: 87,296 tokens, Maximum concurrency for 4,096 tokens per request: 21.31x",
    ),
    "float32": Shape(
        LLAMA | GROUPED,
        {"dtype": "float32"},
        "CPU KV cache size: 43,648 tokens, Maximum concurrency for 4,096 tokens per request: 10.66x",
    ),
    "sliding window": Shape(
        {**BASE, **GROUPED, "architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 512},
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 399,067 tokens, Maximum concurrency for 4,096 tokens per request: 97.43x",
    ),
    "experts (Mixtral)": Shape(
        {
            **BASE,
            **GROUPED,
            "architectures": ["MixtralForCausalLM"],
            "model_type": "mixtral",
            "sliding_window": None,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
        },
        {},
        "CPU KV cache size: 87,296 tokens, Maximum concurrency for 4,096 tokens per request: 21.31x",
    ),
    "experts (Qwen)": Shape(
        {
            **BASE,
            **GROUPED,
            **EXPERTS,
            "architectures": ["Qwen3MoeForCausalLM"],
            "model_type": "qwen3_moe",
            "num_experts": 4,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
        },
        {},
        "CPU KV cache size: 87,296 tokens, Maximum concurrency for 4,096 tokens per request: 21.31x",
    ),
    "every other window (Gemma 2)": Shape(
        {
            **BASE,
            **GEMMA,
            "architectures": ["Gemma2ForCausalLM"],
            "model_type": "gemma2",
            "num_hidden_layers": 4,
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
        },
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 53,773 tokens, Maximum concurrency for 4,096 tokens per request: 13.13x",
    ),
    "five windows of six (Gemma 3)": Shape(
        GEMMA_3,
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 207,126 tokens, Maximum concurrency for 4,096 tokens per request: 50.57x",
    ),
    "longer heads every sixth layer (Gemma 4)": Shape(
        GEMMA_4,
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 80,659 tokens, Maximum concurrency for 4,096 tokens per request: 19.69x",
    ),
    "and fewer of them, whose keys are their values": Shape(
        GEMMA_4 | {"attention_k_eq_v": True},
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 125,203 tokens, Maximum concurrency for 4,096 tokens per request: 30.57x",
    ),
    "and layers that read another's cache": Shape(
        GEMMA_4 | {"num_hidden_layers": 12, "layer_types": SIXTH * 2, "num_kv_shared_layers": 4},
        {"max-num-batched-tokens": 256},
        "CPU KV cache size: 69,905 tokens, Maximum concurrency for 4,096 tokens per request: 17.07x",
    ),
    "latent (DeepSeek-V2)": Shape(
        {
            **LATENT,
            "architectures": ["DeepseekV2ForCausalLM"],
            "model_type": "deepseek_v2",
            "q_lora_rank": None,
            "topk_method": "greedy",
            "scoring_func": "softmax",
        },
        {"block-size": 16},
        "CPU KV cache size: 19,408 tokens, Maximum concurrency for 4,096 tokens per request: 4.74x",
    ),
    "latent (DeepSeek-V3)": Shape(
        {
            **LATENT,
            "architectures": ["DeepseekV3ForCausalLM"],
            "model_type": "deepseek_v3",
            "q_lora_rank": 64,
            "topk_method": "noaux_tc",
            "scoring_func": "sigmoid",
        },
        {"block-size": 16, "max-model-len": 3000},
        "CPU KV cache size: 19,356 tokens, Maximum concurrency for 3,000 tokens per request: 6.45x",
    ),
    "states (Nemotron-H)": Shape(
        {
            **BASE,
            **GROUPED,
            "architectures": ["NemotronHForCausalLM"],
            "model_type": "nemotron_h",
            "num_hidden_layers": 5,
            "hybrid_override_pattern": "M-M*-",
            "mamba_num_heads": 4,
            "mamba_head_dim": 32,
            "n_groups": 2,
            "ssm_state_size": 16,
            "conv_kernel": 4,
            "use_conv_bias": True,
            "chunk_size": 64,
        },
        {"max-model-len": 2048},
        "CPU KV cache size: 190,650 tokens, Maximum concurrency for 2,048 tokens per request: 93.09x",
    ),
    "windows and experts (gpt-oss)": Shape(
        {
            **BASE,
            **GROUPED,
            "architectures": ["GptOssForCausalLM"],
            "model_type": "gpt_oss",
            "num_hidden_layers": 4,
            "sliding_window": 128,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
        },
        {"max-num-batched-tokens": 512},
        "CPU KV cache size: 110,376 tokens, Maximum concurrency for 4,096 tokens per request: 26.95x",
    ),
    "windows as full attention": Shape(
        GEMMA_3,
        {"disable-hybrid-kv-cache-manager": True},
        "CPU KV cache size: 65,536 tokens, Maximum concurrency for 4,096 tokens per request: 16.00x",
    ),
}
