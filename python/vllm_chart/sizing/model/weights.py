"""A model's weights as vLLM lays them out on one GPU, matrix by matrix.

vLLM splits most linear layers over the tensor-parallel ranks by output (`ColumnParallelLinear`) or input
(`RowParallelLinear`, model_executor/layers/linear.py), repeats KV heads where there are fewer than ranks
(linear.py:1066-1070), repeats norms, routers and MLA's down-projections, and pads the vocabulary to a multiple of 64
(vocab_parallel_embedding.py:36). At one rank, the sum is the model's parameter count.
"""

import dataclasses
from collections.abc import Callable, Iterator

from vllm_chart.sizing.arithmetic import ceil_div, round_up
from vllm_chart.sizing.model import quantization
from vllm_chart.sizing.model.architecture import (
    Attention,
    Dense,
    Experts,
    GatedDeltaNet,
    LatentAttention,
    Layer,
    Mamba2,
    Model,
)
from vllm_chart.sizing.model.quantization import DTYPE_BYTES, Quantization

VOCABULARY_PADDING = 64


@dataclasses.dataclass(frozen=True)
class Split:
    """Over how many GPUs the parts of one replica are spread."""

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert_parallel: bool = False
    expert_multiples: tuple[int, int] = (1, 1)
    """To what multiples the kernels of the experts' quantization pad an expert's width and the hidden size."""

    @property
    def experts(self) -> int:
        """GPUs that share out the experts: all of tensor x data with expert parallelism
        (fused_moe/config.py, `FusedMoEParallelConfig.make`)."""
        return self.tensor * self.data if self.expert_parallel else 1

    @property
    def expert_width(self) -> int:
        """GPUs that share the width of each expert. Without expert parallelism, data-parallel replicas split the
        experts among them too (fused_moe/config.py: "TP = tp_size * dp_size")."""
        return 1 if self.expert_parallel else self.tensor * self.data


@dataclasses.dataclass(frozen=True)
class Weight:
    """Matrices of one shape on one GPU. A vector has one column."""

    name: str
    """Name of the module in the checkpoint, without the prefixes before "layers"."""
    rows: int
    columns: int = 1
    copies: int = 1
    linear: bool = True
    """Whether it is a linear layer, which quantization may shrink."""
    dtype: str | None = None
    """Where it is not the model's."""
    derived: bool = False
    """Whether vLLM makes it on loading, so that it is no parameter of the model."""

    @property
    def elements(self) -> int:
        """The number of values."""
        return self.rows * self.columns * self.copies


@dataclasses.dataclass(frozen=True)
class Traits:
    """In what a family's weights differ from Llama's; read in the family's file in model_executor/models."""

    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    head_norm: str = ""
    """"head": a norm over each head's query and key; "full": over all of them; "": none."""
    norms: int = 1
    """Norms before and after each half of a layer."""
    norm_bias: bool = False
    positions: int | None = None
    """Learnt positions beyond the maximum length; None: no learnt positions."""
    sinks: bool = False
    router_bias: bool = False
    expert_bias: bool = False
    layer_scalar: bool = False
    parallel: bool = False
    """Whether attention and feed-forward share one norm (Cohere)."""
    key_bias: bool = True
    """Whether a bias of the projections includes the keys' (Whisper's don't)."""


TRAITS: dict[str, Traits] = {
    "qwen2": Traits(qkv_bias=True),
    "qwen2_5_vl_text": Traits(qkv_bias=True),
    "qwen2_5_vl": Traits(qkv_bias=True),
    "qwen2_vl": Traits(qkv_bias=True),
    "qwen2_moe": Traits(qkv_bias=True),
    "qwen3": Traits(head_norm="head"),
    "qwen3_moe": Traits(head_norm="head"),
    "qwen3_vl_text": Traits(head_norm="head"),
    "qwen3_vl_moe_text": Traits(head_norm="head"),
    "qwen3_next": Traits(head_norm="head"),
    "qwen3_5_text": Traits(head_norm="head"),
    "qwen3_5_moe_text": Traits(head_norm="head"),
    "gemma2": Traits(norms=2),
    "gemma3_text": Traits(norms=2, head_norm="head"),
    "gemma4_text": Traits(norms=2, head_norm="head", layer_scalar=True),
    "olmo2": Traits(head_norm="full"),
    "exaone4": Traits(head_norm="head"),
    "minimax_m2": Traits(head_norm="full"),
    "gpt_oss": Traits(qkv_bias=True, out_bias=True, sinks=True, router_bias=True, expert_bias=True),
    "gemma": Traits(),
    "olmo3": Traits(head_norm="full"),
    "olmoe": Traits(head_norm="full"),
    "cohere": Traits(parallel=True),
    "cohere2": Traits(parallel=True),
    "starcoder2": Traits(qkv_bias=True, out_bias=True, mlp_bias=True, norm_bias=True),
    "glm4": Traits(norms=2),
    "whisper": Traits(qkv_bias=True, out_bias=True, mlp_bias=True, norm_bias=True, positions=0, key_bias=False),
    **dict.fromkeys(
        ("bert", "roberta", "xlm-roberta", "camembert"),
        Traits(qkv_bias=True, out_bias=True, mlp_bias=True, norm_bias=True, positions=0),
    ),
    "opt": Traits(qkv_bias=True, out_bias=True, mlp_bias=True, norm_bias=True, positions=2),
}
"""Families by model type; one that is missing has Llama's weights, with the biases that its config names."""


LLAMA_LIKE = {
    "llama", "llama4_text", "mistral", "ministral3", "mixtral", "phi3", "deepseek_v2", "deepseek_v3", "deepseek_v32",
    "kimi_k2", "glm4_moe", "granite", "granitemoe", "nemotron_h", "nemotron-nas", "seed_oss", "llama4", "mistral3",
    "smollm3", "qwen2_5_omni_text",
}  # fmt: skip
"""Families whose weights are Llama's but for what the config itself says."""


def known(model: Model) -> bool:
    """Whether the family's weights are known for sure."""
    return model.type in TRAITS or model.type in LLAMA_LIKE


def traits(model: Model) -> Traits:
    """The family's traits, with the biases and norms that the config itself turns on."""
    found = TRAITS.get(model.type, Traits())
    text = model.text
    if model.type.startswith(("glm4", "llama", "mistral", "granite", "seed_oss", "smollm3")):
        bias = bool(text.get("attention_bias") or text.get("qkv_bias"))
        found = dataclasses.replace(
            found,
            qkv_bias=bias,
            out_bias=bias and bool(text.get("attention_out_bias", model.type == "llama")),
            mlp_bias=bool(text.get("mlp_bias")),
        )
    if model.type.startswith("glm4_moe") and text.get("use_qk_norm"):
        found = dataclasses.replace(found, head_norm="head")
    return found


def language_weights(model: Model, split: Split = Split(), stage: int = 0) -> list[Weight]:
    """The language model's weights on one GPU of pipeline stage `stage`."""
    family = traits(model)
    first, last = stage == 0, stage == split.pipeline - 1
    start, end = stage_layers(len(model.layers), stage, split.pipeline)
    weights: list[Weight] = []
    vocabulary = round_up(model.vocabulary, VOCABULARY_PADDING) if split.tensor > 1 else model.vocabulary
    if first or (last and model.tied):
        weights.append(Weight("embed_tokens", _share(vocabulary, split.tensor), model.hidden, linear=False))
    if first and family.positions is not None:
        weights.append(Weight("embed_positions", model.max_length + family.positions, model.hidden, linear=False))
    for index in range(start, end):
        weights += layer_weights(model, model.layers[index], split, f"layers.{index}")
    if last:
        weights.append(Weight("norm", model.hidden, 1 + family.norm_bias, linear=False))
        if not model.tied:
            weights.append(Weight("lm_head", _share(vocabulary, split.tensor), model.hidden))
            if model.text.get("lm_head_bias"):
                weights.append(Weight("lm_head.bias", _share(vocabulary, split.tensor), linear=False))
    return weights


def stage_layers(layers: int, stage: int, stages: int) -> tuple[int, int]:
    """First and last-but-one layer of a pipeline stage, as `get_pp_indices` (distributed/utils.py:126): what is left
    over goes to the stages before the last."""
    sizes = [layers // stages] * stages
    for i in range(2, layers % stages + 2):
        sizes[-i] += 1
    return sum(sizes[:stage]), sum(sizes[: stage + 1])


def parameters(model: Model) -> int:
    """Parameters of the language model; a tied output layer counts once."""
    return sum(weight.elements for weight in language_weights(model) if not weight.derived)


def size(weight: Weight, dtype: str, quantized: Quantization | None) -> int:
    """Bytes of a weight on the GPU."""
    if weight.linear and quantized:
        scheme = quantized.scheme(weight.name)
    else:
        scheme = quantization.Scheme(8 * DTYPE_BYTES[weight.dtype or dtype])
    return scheme.size(weight.rows, weight.columns) * weight.copies


def rope_cache(model: Model) -> int:
    """Bytes of the table of rotations that comes with the weights: one row per position, shared by all layers
    (layers/rotary_embedding/base.py, `_compute_cos_sin_cache`)."""
    dims = {
        mixer.rope_dim if isinstance(mixer, LatentAttention) else mixer.head_dim
        for layer in model.layers
        if isinstance(mixer := layer.mixer, Attention | LatentAttention)
    }
    if model.type in ("opt", "nemotron_h"):
        return 0
    share = float(model.text.get("partial_rotary_factor") or 1.0)
    return round(sum(dims) * share * min(model.max_length, 1 << 20) * DTYPE_BYTES[model.dtype])


def _share(size: int, ranks: int) -> int:
    return ceil_div(size, ranks)


def layer_weights(model: Model, layer: Layer, split: Split, name: str) -> Iterator[Weight]:
    """The weights of one layer on one GPU."""
    family = traits(model)
    norm = (model.hidden, 1 + family.norm_bias)
    halves = [half for half in (layer.mixer, layer.cross, layer.feed_forward) if half is not None]
    shared = family.parallel and len(halves) > 1
    yield Weight(f"{name}.norm", *norm, copies=family.norms * (1 if shared else len(halves)), linear=False)
    if layer.cross is not None:
        yield from _attention(model, family, layer.cross, split, f"{name}.encoder_attn")
    if layer.mixer is not None:
        build: Callable[..., Iterator[Weight]] = MIXERS[type(layer.mixer)]
        yield from build(model, family, layer.mixer, split, f"{name}.self_attn")
    if isinstance(layer.feed_forward, Dense):
        yield from _dense(model.hidden, layer.feed_forward, split.tensor, f"{name}.mlp", bias=family.mlp_bias)
    elif isinstance(layer.feed_forward, Experts):
        yield from _experts(model, family, layer.feed_forward, split, f"{name}.mlp")
    if family.layer_scalar:
        yield Weight(f"{name}.layer_scalar", 1, linear=False, derived=True)


def _linear(name: str, rows: int, columns: int, *, bias: int = 0) -> Iterator[Weight]:
    yield Weight(name, rows, columns)
    if bias:
        yield Weight(f"{name}.bias", bias, linear=False)


def _attention(model: Model, family: Traits, mixer: Attention, split: Split, name: str) -> Iterator[Weight]:
    heads = _share(mixer.heads, split.tensor)
    kv_heads = max(1, mixer.kv_heads // split.tensor)
    rows = {"q_proj": heads * mixer.head_dim * (2 if mixer.gated else 1)}
    if not mixer.shares_cache:
        # Gemma 4's global layers have no value projection of their own; vLLM loads the keys' twice.
        rows |= {"k_proj": kv_heads * mixer.head_dim, "v_proj": kv_heads * mixer.head_dim}
    for projection, outputs in rows.items():
        copied = projection == "v_proj" and mixer.window is None and bool(model.text.get("attention_k_eq_v"))
        yield Weight(f"{name}.{projection}", outputs, model.hidden, derived=copied)
        if family.qkv_bias and (family.key_bias or projection != "k_proj"):
            yield Weight(f"{name}.{projection}.bias", outputs, linear=False)
    yield from _linear(f"{name}.o_proj", model.hidden, heads * mixer.head_dim, bias=model.hidden * family.out_bias)
    if family.head_norm == "head":
        yield Weight(f"{name}.norms", mixer.head_dim, copies=1 if mixer.shares_cache else 2, linear=False)
    elif family.head_norm == "full":
        yield Weight(f"{name}.norms", (heads + kv_heads) * mixer.head_dim, linear=False)
    if family.sinks:
        yield Weight(f"{name}.sinks", heads, linear=False)


def _latent_attention(model: Model, _: Traits, mixer: LatentAttention, split: Split, name: str) -> Iterator[Weight]:
    """models/deepseek_v2.py: the down-projections are repeated on every rank, the up-projections split by head."""
    heads = _share(mixer.heads, split.tensor)
    query = heads * (mixer.nope_dim + mixer.rope_dim)
    if mixer.query_rank:
        yield Weight(f"{name}.q_a_proj", mixer.query_rank, model.hidden)
        yield Weight(f"{name}.q_a_layernorm", mixer.query_rank, linear=False)
        yield Weight(f"{name}.q_b_proj", query, mixer.query_rank)
    else:
        yield Weight(f"{name}.q_proj", query, model.hidden)
    yield Weight(f"{name}.kv_a_proj_with_mqa", mixer.latent + mixer.rope_dim, model.hidden)
    yield Weight(f"{name}.kv_a_layernorm", mixer.latent, linear=False)
    up = heads * (mixer.nope_dim + mixer.value_dim)
    yield Weight(f"{name}.kv_b_proj", up, mixer.latent)
    # W_UK and W_UV, unpacked beside kv_b_proj (layers/attention/mla_attention.py:1220).
    yield Weight(f"{name}.absorbed", up, mixer.latent, linear=False, derived=True)
    yield Weight(f"{name}.o_proj", model.hidden, heads * mixer.value_dim)
    if mixer.index_heads and mixer.query_rank:
        yield Weight(f"{name}.indexer.wq_b", mixer.index_heads * mixer.index_dim, mixer.query_rank)
        yield Weight(f"{name}.indexer.wk", mixer.index_dim, model.hidden)
        yield Weight(f"{name}.indexer.k_norm", mixer.index_dim, 2, linear=False)
        yield Weight(f"{name}.indexer.weights_proj", mixer.index_heads, model.hidden, linear=False)


def _mamba2(model: Model, _: Traits, mixer: Mamba2, split: Split, name: str) -> Iterator[Weight]:
    """layers/mamba/mamba_mixer2.py: groups are repeated until the ranks divide them."""
    groups = mixer.groups if mixer.groups % split.tensor == 0 else split.tensor
    inner = mixer.heads * mixer.head_dim // split.tensor
    heads = mixer.heads // split.tensor
    convolved = inner + 2 * groups * mixer.state // split.tensor
    rows = inner + convolved + heads
    yield from _linear(f"{name}.in_proj", rows, model.hidden, bias=rows * mixer.bias)
    yield Weight(f"{name}.conv1d", convolved, mixer.kernel + mixer.conv_bias, linear=False)
    yield Weight(f"{name}.a_d_dt", heads, 3, linear=False, dtype="float32")
    yield Weight(f"{name}.norm", inner, linear=False)
    yield from _linear(f"{name}.out_proj", model.hidden, inner, bias=model.hidden * mixer.bias)


def _gated_delta_net(model: Model, _: Traits, mixer: GatedDeltaNet, split: Split, name: str) -> Iterator[Weight]:
    """layers/mamba/gdn: in_proj_qkvz, in_proj_ba, a short convolution, and out_proj, all split by head."""
    name = name.replace("self_attn", "linear_attn")
    keys = mixer.key_heads * mixer.key_dim // split.tensor
    values = mixer.value_heads * mixer.value_dim // split.tensor
    heads = mixer.value_heads // split.tensor
    yield Weight(f"{name}.in_proj_qkv", 2 * keys + values, model.hidden)
    yield Weight(f"{name}.in_proj_z", values, model.hidden)
    yield Weight(f"{name}.in_proj_ba", 2 * heads, model.hidden)
    yield Weight(f"{name}.conv1d", 2 * keys + values, mixer.kernel, linear=False)
    yield Weight(f"{name}.a_dt", heads, 2, linear=False, dtype="float32")
    yield Weight(f"{name}.norm", mixer.value_dim, linear=False)
    yield Weight(f"{name}.out_proj", model.hidden, values)


MIXERS: dict[type, Callable[..., Iterator[Weight]]] = {
    Attention: _attention,
    LatentAttention: _latent_attention,
    Mamba2: _mamba2,
    GatedDeltaNet: _gated_delta_net,
}


def _dense(hidden: int, dense: Dense, ranks: int, name: str, *, bias: bool = False) -> Iterator[Weight]:
    width = _share(dense.width, ranks)
    for projection in ("gate_proj", "up_proj") if dense.gated else ("up_proj",):
        yield from _linear(f"{name}.{projection}", width, hidden, bias=width * bias)
    yield from _linear(f"{name}.down_proj", hidden, width, bias=hidden * bias)


def _experts(model: Model, family: Traits, experts: Experts, split: Split, name: str) -> Iterator[Weight]:
    hidden = experts.latent or model.hidden
    count = _share(experts.count, split.experts)
    width_multiple, hidden_multiple = split.expert_multiples
    width = round_up(_share(experts.width, split.expert_width), width_multiple)
    hidden = round_up(hidden, hidden_multiple)
    yield Weight(f"{name}.gate", experts.count, model.hidden, linear=False)
    if experts.correction_bias:
        yield Weight(f"{name}.gate.e_score_correction_bias", experts.count, linear=False, dtype="float32")
    if family.router_bias:
        yield Weight(f"{name}.gate.bias", experts.count, linear=False)
    if experts.latent:
        yield Weight(f"{name}.fc1_latent_proj", experts.latent, model.hidden)
        yield Weight(f"{name}.fc2_latent_proj", model.hidden, experts.latent)
    projections = 2 if experts.gated else 1
    yield Weight(f"{name}.experts.gate_up_proj", projections * width, hidden, copies=count)
    yield Weight(f"{name}.experts.down_proj", hidden, width, copies=count)
    if family.expert_bias:
        yield Weight(f"{name}.experts.bias", projections * width + hidden, copies=count, linear=False)
    if experts.shared_width:
        shared = Dense(experts.shared_width, experts.gated)
        yield from _dense(model.hidden, shared, split.tensor, f"{name}.shared_experts")
    if experts.shared_gate:
        yield Weight(f"{name}.shared_expert_gate", 1, model.hidden, linear=False)
    if experts.beside:
        yield from _dense(model.hidden, experts.beside, split.tensor, name)
        # Gemma 4: three more norms, the router's own scale, and one per expert (models/gemma4.py:300-690).
        yield Weight(f"{name}.norms", model.hidden, copies=4, linear=False)
        yield Weight(f"{name}.per_expert_scale", experts.count, linear=False)
