"""A model's layers, read out of its config.json: which attention, which feed-forward, of which size.

Only what sizes depend on is kept. Where a config leaves something out, transformers' default for that model
type holds, as it does in vLLM.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from vllm_chart.sizing.arithmetic import round_up

Config = Mapping[str, Any]


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Raise `ConfigError` for whatever an odd config trips up: configs come from anywhere, in any shape."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ConfigError(f"its config is not of a known shape ({type(error).__name__}: {error})") from error


MOST = 1 << 24
"""More than any width or vocabulary has: the largest are some hundred thousand."""
MOST_LAYERS = 2048
"""More than any model has: the deepest have some hundred."""


class ConfigError(Exception):
    """A config.json that can't be read as a language model; the text says which key is missing or odd."""


@dataclasses.dataclass(frozen=True)
class Attention:
    """Attention with a key and a value per token and KV head (MHA, GQA, MQA)."""

    heads: int
    kv_heads: int
    head_dim: int
    window: int | None = None
    """Tokens that a sliding-window layer looks back on; None: all of them."""
    chunk: int | None = None
    """Tokens of a chunk in chunked local attention (Llama 4)."""
    cached: bool = True
    """False in an encoder, which keeps nothing between steps."""
    shares_cache: bool = False
    """Whether it reads the cache of an earlier layer instead of keeping its own (Gemma's shared layers)."""
    gated: bool = False
    """Whether the query projection also yields an output gate (Qwen3-Next)."""
    encoder_tokens: int = 0
    """Positions of the encoder that a cross-attention layer looks at; 0: it is no such layer."""


@dataclasses.dataclass(frozen=True)
class LatentAttention:
    """Multi-head latent attention (MLA): one latent vector per token, whatever the number of heads."""

    heads: int
    query_rank: int | None
    latent: int
    rope_dim: int
    nope_dim: int
    value_dim: int
    index_heads: int = 0
    index_dim: int = 0
    """Size of the sparse indexer's key per token (DeepSeek-V3.2); 0 without one."""


@dataclasses.dataclass(frozen=True)
class Mamba2:
    """A state-space layer, whose state per request does not grow with the tokens."""

    heads: int
    head_dim: int
    groups: int
    state: int
    kernel: int
    conv_bias: bool = True
    bias: bool = False


@dataclasses.dataclass(frozen=True)
class GatedDeltaNet:
    """Linear attention of Qwen3-Next and Qwen3.5: a state per request, and a short convolution."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int


@dataclasses.dataclass(frozen=True)
class Dense:
    """A feed-forward of one width; gated: with two projections upwards instead of one."""

    width: int
    gated: bool = True


@dataclasses.dataclass(frozen=True)
class Experts:
    """A mixture of experts, and the feed-forward (if any) that every token passes."""

    count: int
    per_token: int
    width: int
    shared_width: int = 0
    gated: bool = True
    shared_gate: bool = False
    """Whether a learnt gate weighs the shared expert (Qwen)."""
    correction_bias: bool = False
    """Whether the router has a bias per expert that only picks (DeepSeek-V3 and its kin)."""
    latent: int = 0
    """Width that the routed experts work on, where it is not the hidden size (Nemotron Super)."""
    beside: Dense | None = None
    """A dense feed-forward that runs beside the experts with norms of its own (Gemma 4)."""


Mixer = Attention | LatentAttention | Mamba2 | GatedDeltaNet
FeedForward = Dense | Experts


@dataclasses.dataclass(frozen=True)
class Layer:
    """One decoder layer; either half may be missing."""

    mixer: Mixer | None
    feed_forward: FeedForward | None
    cross: Attention | None = None
    """Attention over an encoder's output (Whisper)."""


@dataclasses.dataclass(frozen=True)
class Model:
    """What sizes depend on. `raw` is the whole config, `text` the language model's part of it."""

    architecture: str
    type: str
    hidden: int
    vocabulary: int
    tied: bool
    dtype: str
    max_length: int
    """The longest context that vLLM serves without being told."""
    limit: int
    """The longest that it can be told."""
    layers: tuple[Layer, ...]
    quantization: Config | None
    raw: Config
    text: Config

    @property
    def heads(self) -> int:
        """The number of attention heads, which vLLM wants divisible by the tensor-parallel size."""
        return int(self.text.get("num_attention_heads") or 0)

    @property
    def recurrent(self) -> bool:
        """Whether any layer keeps a state instead of a cache."""
        return any(isinstance(layer.mixer, Mamba2 | GatedDeltaNet) for layer in self.layers)

    @property
    def latent(self) -> bool:
        """Whether the model uses multi-head latent attention."""
        return any(isinstance(layer.mixer, LatentAttention) for layer in self.layers)

    @property
    def routed(self) -> bool:
        """Whether any layer is a mixture of experts."""
        return any(isinstance(layer.feed_forward, Experts) for layer in self.layers)


TIED_BY_DEFAULT = {
    "gemma",
    "whisper",
    "starcoder2",
    "smollm3",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "gemma4",
    "gemma4_text",
    "opt",
    "gpt2",
    "cohere",
    "cohere2",
}
"""Model types whose transformers config class ties the embeddings where config.json doesn't say."""

DTYPES = {"float16": "float16", "half": "float16", "bfloat16": "bfloat16", "float": "float32", "float32": "float32"}


def read(config: Config) -> Model:
    """The model that a config.json describes.

    Raises ConfigError where a size is missing that no default stands in for.
    """
    nested: Config = next(
        (config[key] for key in ("text_config", "llm_config", "thinker_config") if config.get(key)), {}
    )
    text = {**config, **nested}
    text |= nested.get("text_config") or {}  # Qwen-Omni: thinker_config.text_config
    model_type = str(text.get("text_model_type") or text.get("model_type") or "")
    outer_type = str(config.get("model_type") or model_type)
    architectures = config.get("architectures") or [""]
    if _max_length(text) < 1:
        raise ConfigError(f"its config allows a context of {_max_length(text)} tokens")
    return Model(
        architecture=architectures[0],
        type=model_type,
        hidden=_size(text, "hidden_size", "n_embd", "d_model"),
        vocabulary=_size(text, "vocab_size"),
        tied=model_type in ENCODERS  # without an output layer at all
        or bool(_first(text, "tie_word_embeddings", default=bool({model_type, outer_type} & TIED_BY_DEFAULT))),
        dtype=_dtype(text, config),
        max_length=_max_length(text),
        limit=max(_max_length(text), _limit(text)),
        layers=tuple(_layers(text, model_type)),
        quantization=config.get("quantization_config") or nested.get("quantization_config"),
        raw=config,
        text=text,
    )


def _first(config: Config, *keys: str, default: Any = None) -> Any:
    return next((config[key] for key in keys if config.get(key) is not None), default)


def _size(config: Config, *keys: str) -> int:
    value = _first(config, *keys)
    if not isinstance(value, int):
        raise ConfigError(f"config.json has no {' or '.join(keys)}: is it the config of a language model?")
    if not 0 < value <= MOST:
        raise ConfigError(f"{keys[0]} of {value} in config.json is no size")
    return value


def _layer_count(config: Config, *keys: str) -> int:
    count = _size(config, *keys)
    if count > MOST_LAYERS:
        raise ConfigError(f"{keys[0]} of {count} in config.json is no number of layers")
    return count


def _dtype(text: Config, config: Config) -> str:
    """As vLLM's `--dtype auto`: float32 is served as float16 or bfloat16 (config/model.py `_resolve_auto_dtype`)."""
    named = str(_first(text, "dtype", "torch_dtype", default=_first(config, "dtype", "torch_dtype", default="")))
    dtype = DTYPES.get(named.removeprefix("torch."), "bfloat16")
    return "bfloat16" if dtype == "float32" else dtype


SCALED_ALREADY = {None, "default", "su", "longrope", "llama3", "yarn", "deepseek_yarn", "mrope", "proportional"}
"""Kinds of rope scaling that `max_position_embeddings` already includes, or that have no factor."""


def _max_length(text: Config) -> int:
    """The longest context that vLLM serves without being told (config/model.py:2527, `_get_and_verify_max_len`)."""
    keys = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_target_positions")
    length = int(_first(text, *keys, default=2048))
    rope: Config = text.get("rope_scaling") or text.get("rope_parameters") or {}
    kind = rope.get("rope_type") or rope.get("type")
    if kind == "longrope":
        return int(text.get("original_max_position_embeddings") or length)
    if kind in SCALED_ALREADY or str(text.get("model_type")).startswith("gemma3"):
        return length
    return int(length * float(rope.get("factor") or 1.0))


def _limit(text: Config) -> int:
    """The longest context that the config allows: with longrope, and by `model_max_length`, more than the default."""
    rope: Config = text.get("rope_scaling") or text.get("rope_parameters") or {}
    stretched = (rope.get("rope_type") or rope.get("type")) == "longrope"
    return max(int(text.get("max_position_embeddings") or 0) * stretched, int(text.get("model_max_length") or 0))


def _layers(text: Config, model_type: str) -> list[Layer]:
    if text.get("decoder_layers"):
        return _decoder_of_a_pair(text)
    if model_type in ENCODERS:
        feed_forward = Dense(_width(text), gated=model_type in ("nomic_bert", "modernbert", "new"))
        heads = _size(text, "num_attention_heads", "n_head")
        attention = Attention(heads, heads, _size(text, "hidden_size", "n_embd") // heads, cached=False)
        return [Layer(attention, feed_forward)] * _layer_count(text, "num_hidden_layers", "n_layer")
    if text.get("block_configs"):
        return [_nemotron_nas(text, block) for block in text["block_configs"]]
    pattern = _hybrid_pattern(text)
    if pattern:
        return [_nemotron_h(text, kind) for kind in pattern]
    count = _layer_count(text, "num_hidden_layers", "n_layer", "num_layers")
    kinds = _attention_kinds(text, model_type, count)
    first_sharing = count - int(text.get("num_kv_shared_layers") or 0)
    return [
        Layer(_mixer(text, model_type, kind, index >= first_sharing), _feed_forward(text, model_type, index))
        for index, kind in enumerate(kinds)
    ]


# Mixers

Kind = Literal["full_attention", "sliding_attention", "chunked_attention", "linear_attention"]


def _attention_kinds(text: Config, model_type: str, count: int) -> Sequence[str]:
    """The kind of each layer: `layer_types` where the config has it, else the rule of the model type in
    transformers' config class, else sliding throughout where a window is set, as in vLLM's Attention layer."""
    named = text.get("layer_types")
    if named:
        return list(named)[:count]
    window = text.get("sliding_window")
    if interval := text.get("full_attention_interval"):
        return ["full_attention" if (i + 1) % interval == 0 else "linear_attention" for i in range(count)]
    if model_type == "gemma2":
        return ["full_attention" if i % 2 else "sliding_attention" for i in range(count)]
    pattern = text.get("sliding_window_pattern") or text.get("_sliding_window_pattern")
    if isinstance(pattern, str):
        return ["sliding_attention" if pattern[i % len(pattern)] == "L" else "full_attention" for i in range(count)]
    if model_type.startswith(("gemma3", "cohere2", "exaone4")) and (pattern or window):
        every = int(pattern or (4 if model_type == "cohere2" else 6))
        return ["sliding_attention" if (i + 1) % every else "full_attention" for i in range(count)]
    if model_type.startswith("llama4") and text.get("attention_chunk_size"):
        without_rope = text.get("no_rope_layers") or [int((i + 1) % 4 != 0) for i in range(count)]
        return ["chunked_attention" if has_rope else "full_attention" for has_rope in without_rope]
    if window and text.get("use_sliding_window", True) and not model_type.startswith("qwen"):
        return ["sliding_attention"] * count
    if window and text.get("use_sliding_window"):
        full = int(text.get("max_window_layers") or count)
        return ["full_attention" if i < full else "sliding_attention" for i in range(count)]
    return ["full_attention"] * count


def _mixer(text: Config, model_type: str, kind: str, shares_cache: bool) -> Mixer:
    if text.get("kv_lora_rank"):
        return LatentAttention(
            heads=_size(text, "num_attention_heads"),
            query_rank=text.get("q_lora_rank"),
            latent=_size(text, "kv_lora_rank"),
            rope_dim=_size(text, "qk_rope_head_dim"),
            nope_dim=_size(text, "qk_nope_head_dim"),
            value_dim=_size(text, "v_head_dim"),
            index_heads=int(text.get("index_n_heads") or 0),
            index_dim=int(text.get("index_head_dim") or 0),
        )
    if kind == "linear_attention":
        return GatedDeltaNet(
            key_heads=_size(text, "linear_num_key_heads"),
            value_heads=_size(text, "linear_num_value_heads"),
            key_dim=_size(text, "linear_key_head_dim"),
            value_dim=_size(text, "linear_value_head_dim"),
            kernel=_size(text, "linear_conv_kernel_dim"),
        )
    heads = _size(text, "num_attention_heads", "n_head")
    kv_heads = int(_first(text, "num_key_value_heads", default=1 if text.get("multi_query") else heads))
    head_dim = int(
        _first(text, "head_dim", "attention_head_dim", default=_size(text, "hidden_size", "n_embd") // heads)
    )
    if kind == "full_attention" and text.get("global_head_dim"):  # Gemma 4's global layers are shaped otherwise
        head_dim = int(text["global_head_dim"])
        if text.get("attention_k_eq_v"):  # transformers/models/gemma4/configuration_gemma4.py:216
            kv_heads = int(text.get("num_global_key_value_heads") or kv_heads)
    return Attention(
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        window=int(text["sliding_window"]) if kind == "sliding_attention" else None,
        chunk=int(text["attention_chunk_size"]) if kind == "chunked_attention" else None,
        shares_cache=shares_cache,
        gated=bool(_first(text, "attn_output_gate", default=model_type == "qwen3_next")),
    )


# Feed-forwards


def _feed_forward(text: Config, model_type: str, index: int) -> FeedForward:
    experts = int(_first(text, "num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", default=0))
    if not experts or not _is_routed(text, model_type, index):
        return _dense(text, model_type)
    named = _first(text, "moe_intermediate_size", "expert_ffn_hidden_size")
    width = int(named) if named else _width(text)
    return Experts(
        count=experts,
        per_token=int(_first(text, "num_experts_per_tok", "top_k_experts", "moe_top_k", default=1)),
        width=width,
        shared_width=_shared_width(text, model_type, width),
        shared_gate=model_type.startswith(("qwen2_moe", "qwen3_next", "qwen3_5_moe")),
        correction_bias=text.get("topk_method") == "noaux_tc"
        or bool(text.get("use_routing_bias"))
        or model_type.startswith(("glm4_moe", "kimi_k2", "deepseek_v3")),
        beside=_dense(text, model_type) if text.get("enable_moe_block") else None,
    )


def _width(text: Config) -> int:
    return _size(text, "intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size")


def _dense(text: Config, model_type: str) -> Dense:
    if model_type.startswith("llama4"):
        return Dense(_size(text, "intermediate_size_mlp"))
    return Dense(_width(text), gated=model_type not in UNGATED)


UNGATED = {"opt", "gpt2", "phi", "starcoder2", "falcon", "gpt_neox", "gpt_bigcode", "nemotron"}
"""Model types whose feed-forward has one projection upwards."""


def _is_routed(text: Config, model_type: str, index: int) -> bool:
    """Whether layer `index` holds experts, as vLLM's model files say (deepseek_v2.py, qwen3_moe.py, llama4.py)."""
    if "enable_moe_block" in text and not text["enable_moe_block"]:
        return False
    if index in (text.get("mlp_only_layers") or ()):
        return False
    if model_type.startswith("llama4"):
        return (index + 1) % int(text.get("interleave_moe_layer_step") or 1) == 0
    if "first_k_dense_replace" in text:
        return index >= int(text["first_k_dense_replace"]) and index % int(text.get("moe_layer_freq") or 1) == 0
    return (index + 1) % int(text.get("decoder_sparse_step") or 1) == 0


def _shared_width(text: Config, model_type: str, width: int) -> int:
    if model_type.startswith("llama4"):
        return width
    named = _first(
        text, "shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size"
    )
    if named is not None:
        return int(named)
    return width * int(text.get("n_shared_experts") or 0)


def _decoder_of_a_pair(text: Config) -> list[Layer]:
    """The decoder of an encoder-decoder model, whose every layer also looks at the encoder (models/whisper.py)."""
    heads = _size(text, "decoder_attention_heads")
    dim = _size(text, "d_model") // heads
    own = Attention(heads, heads, dim)
    cross = Attention(heads, heads, dim, encoder_tokens=int(text.get("max_source_positions") or 1500))
    return [Layer(own, Dense(_size(text, "decoder_ffn_dim"), gated=False), cross)] * _size(text, "decoder_layers")


ENCODERS = {
    "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "nomic_bert", "modernbert", "new", "electra",
}  # fmt: skip
"""Model types of encoders, which attend both ways and keep no cache (`EncoderOnlyAttentionSpec`)."""


# Models whose layers are listed one by one


def _hybrid_pattern(text: Config) -> str:
    pattern = text.get("hybrid_override_pattern")
    if pattern:
        return str(pattern).replace("|", "")
    letters = {"mamba": "M", "attention": "*", "moe": "E", "mlp": "-"}
    blocks = text.get("layers_block_type") if "mamba_num_heads" in text else None
    return "".join(letters[block] for block in blocks or ())


def _nemotron_h(text: Config, kind: str) -> Layer:
    """One layer of a Nemotron-H pattern: M mamba, * attention, E experts, - feed-forward (models/nemotron_h.py)."""
    if kind == "M":
        return Layer(
            Mamba2(
                heads=_size(text, "mamba_num_heads"),
                head_dim=_size(text, "mamba_head_dim"),
                groups=_size(text, "n_groups"),
                state=_size(text, "ssm_state_size"),
                kernel=_size(text, "conv_kernel"),
                conv_bias=bool(text.get("use_conv_bias", True)),
                bias=bool(text.get("use_bias")),
            ),
            None,
        )
    if kind == "*":
        return Layer(_mixer(text, "nemotron_h", "full_attention", shares_cache=False), None)
    if kind == "-":
        return Layer(None, Dense(_width(text), gated=False))
    width = _size(text, "moe_intermediate_size")
    return Layer(
        None,
        Experts(
            count=_size(text, "n_routed_experts"),
            per_token=_size(text, "num_experts_per_tok"),
            width=width,
            shared_width=_shared_width(text, "nemotron_h", width) if text.get("n_shared_experts") else 0,
            gated=False,
            correction_bias=True,
            latent=int(text.get("moe_latent_size") or 0),
        ),
    )


def _nemotron_nas(text: Config, block: Config) -> Layer:
    """One block of a Nemotron-NAS model, each with its own heads and width (models/nemotron_nas.py)."""
    attention: Config = block.get("attention") or {}
    ffn: Config = block.get("ffn") or {}
    heads = _size(text, "num_attention_heads")
    in_group = _first(block, "n_heads_in_group", default=attention.get("n_heads_in_group"))
    multiplier = _first(block, "ffn_mult", default=ffn.get("ffn_mult"))
    mixer = None
    if in_group and not _first(block, "attn_no_op", default=attention.get("no_op")):
        mixer = Attention(heads, heads // int(in_group), _size(text, "hidden_size") // heads)
    feed_forward = None
    if multiplier and not _first(block, "ffn_no_op", default=ffn.get("no_op")):
        # Rounded up to a multiple of 256, as transformers' DeciLM does.
        width = int(2 * float(multiplier) * _size(text, "hidden_size") / 3)
        feed_forward = Dense(round_up(width, 256))
    return Layer(mixer, feed_forward)
