"""Memory for LoRA adapters: buffers for `--max-loras` of them at once, whether or not any is loaded.

Every layer that can be adapted gets, for each slot, two matrices of the rank: A over its inputs and B over its outputs
(lora/layers/base_linear.py:100). Fused projections have an A for each of their parts (column_parallel_linear.py:184).
"""

from vllm_chart.sizing.model.architecture import Experts, Model
from vllm_chart.sizing.model.quantization import DTYPE_BYTES
from vllm_chart.sizing.model.weights import Split, Weight, language_weights
from vllm_chart.sizing.vllm_releases import Release

WITH_EMBEDDINGS = (
    "llama", "qwen3", "qwen3_moe", "mixtral", "granite", "granitemoe", "cohere", "cohere2", "exaone4", "nemotron_h",
    "nemotron-nas",
)  # fmt: skip
"""Model types whose embeddings can be adapted (`embedding_modules` in their files in model_executor/models)."""

EXTRA_ROWS = 256
"""Rows that an adapter could add to the vocabulary (`lora_extra_vocab_size`, config/lora.py of 0.11)."""


def size(model: Model, split: Split, stage: int, slots: int, rank: int, release: Release) -> int:
    """Bytes of the buffers on one GPU of a pipeline stage."""
    first, last = stage == 0, stage == split.pipeline - 1
    linear = [w for w in language_weights(model, split, stage) if w.linear and w.name != "lm_head"]
    values = sum(_of(w, model, release) for w in linear) * rank
    if model.type in WITH_EMBEDDINGS:
        # The embedding's A has a row per token (vocab_parallel_embedding.py:49), the output layer's B too
        # (logits_processor.py:84), which is not split.
        values += (first + last) * (model.vocabulary + model.hidden) * rank
        if release.extends_vocabulary:
            values += last * EXTRA_ROWS * model.hidden
    # The rows by which the model's own embedding and output layer grow, once for all adapters.
    grown = (first + last) * EXTRA_ROWS * model.hidden if release.extends_vocabulary else 0
    return (slots * values + grown) * DTYPE_BYTES[model.dtype]


def _of(weight: Weight, model: Model, release: Release) -> int:
    """Values of one slot per unit of rank for a layer."""
    if ".experts." not in weight.name:
        return weight.rows + weight.columns
    if not release.adapts_experts:
        return 0
    gated = any(isinstance(layer.feed_forward, Experts) and layer.feed_forward.gated for layer in model.layers)
    parts = 2 if gated and weight.name.endswith("gate_up_proj") else 1
    return weight.copies * (weight.rows + parts * weight.columns)
