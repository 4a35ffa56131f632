"""The KV cache as vLLM's allocator lays it out: bytes per token, blocks, tokens, concurrency.

All layers draw blocks from one pool. Layers alike form a group, and groups are made equal in bytes per block: by
larger blocks for layers with smaller tokens, by padding, and by dividing the larger kinds into several groups
(v1/core/kv_cache_utils.py:2159, `get_kv_cache_groups`). Given the memory, the counts are exact.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from vllm_chart.sizing.arithmetic import ceil_div, round_up
from vllm_chart.sizing.model.architecture import Attention, GatedDeltaNet, LatentAttention, Mamba2, Model
from vllm_chart.sizing.model.drafts import Draft
from vllm_chart.sizing.model.quantization import DTYPE_BYTES
from vllm_chart.sizing.model.weights import stage_layers
from vllm_chart.sizing.vllm_releases import Release


class CacheError(Exception):
    """A cache that has no formula here; the text says which."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What of the engine's arguments the cache depends on."""

    tensor: int = 1
    pipeline: int = 1
    context: int = 1
    """`--decode-context-parallel-size`: the ranks that share out a request's tokens."""
    dtype: str = "auto"
    """`--kv-cache-dtype`"""
    block_size: int = 16
    max_length: int = 0
    batch_tokens: int = 2048
    """`--max-num-batched-tokens`"""
    overlapped: bool = True
    """Whether the next batch is scheduled while one runs (`--async-scheduling`)."""
    hybrid: bool = True
    """False: `--disable-hybrid-kv-cache-manager`."""
    prefix_caching: bool | None = None
    state_dtype: str = "auto"
    """`--mamba-ssm-cache-dtype`"""
    speculative_tokens: int = 0
    """Tokens drafted at once, each with a state of its own in recurrent layers."""
    release: Release = dataclasses.field(default_factory=lambda: Release((0, 32, 0)))

    @property
    def caches_states(self) -> bool:
        """Whether the states at the end of a prompt's blocks are kept for the prefix cache, as told or by default."""
        if self.prefix_caching is None:
            return self.release.caches_state_prefixes
        return self.prefix_caching and self.release.can_cache_state_prefixes


@dataclasses.dataclass(frozen=True)
class Spec:
    """How one layer keeps its part of a request (v1/kv_cache_interface.py)."""

    kind: Literal["full", "sliding", "chunked", "state", "cross"]
    block_size: int
    page: int
    """Bytes of one block of one layer."""
    window: int | None = None
    checkpoints: int = 0
    """States that are kept beside, from inside a prompt, where prefixes are cached."""

    def blocks(self, setting: Setting, length: int) -> int:
        """Blocks that one request of `length` tokens takes (`max_memory_usage_bytes` and
        `max_admission_blocks_per_request` of each spec)."""
        if self.kind == "state":
            return (2 + self.checkpoints if setting.caches_states else 1) + setting.speculative_tokens
        if self.kind == "cross":  # `CrossAttentionSpec`: the encoder's tokens, whatever the request's
            return ceil_div(self.window or 0, self.block_size)
        if self.kind == "full" or self.window is None:
            return ceil_div(ceil_div(length, setting.context), self.block_size)
        batches = setting.pipeline + setting.overlapped if setting.release.counts_batches_in_flight else 1
        in_flight = batches * setting.batch_tokens
        if self.kind == "chunked":
            return ceil_div(min(self.window + in_flight, length), self.block_size)
        return ceil_div(min(self.window - 1 + in_flight, length), self.block_size) + 1


@dataclasses.dataclass(frozen=True)
class Group:
    """Layers that share a block table; `page` is the bytes of one of its blocks over all of its layers."""

    spec: Spec
    layers: int
    page: int


@dataclasses.dataclass(frozen=True)
class Cache:
    """A laid-out cache; `memory` in bytes per GPU."""

    groups: tuple[Group, ...]
    setting: Setting
    token_bytes: int
    """Bytes that one more token takes on one GPU while no window is full yet."""
    fixed_bytes: int
    """Bytes that a request takes on one GPU however long it is: states of recurrent layers."""

    @property
    def block_bytes(self) -> int:
        """Bytes of one block of the pool: the largest group's (v1/core/kv_cache_utils.py:1520)."""
        return max((group.page for group in self.groups), default=0)

    def request_blocks(self, length: int) -> int:
        """Blocks that one request of this many tokens takes, over all groups."""
        return sum(group.spec.blocks(self.setting, length) for group in self.groups)

    def request_bytes(self, length: int) -> int:
        """What vLLM says is needed "to serve at least one request with the model's max seq len" (:2337)."""
        return self.request_blocks(length) * self.block_bytes

    def blocks(self, memory: int) -> int:
        """Blocks that fit in this much memory."""
        return memory // self.block_bytes if self.groups else 0

    def concurrency(self, memory: int, length: int) -> float:
        """How many requests of this length the pool holds at once (:1195)."""
        return self.blocks(memory) / self.request_blocks(length) if self.groups else 0.0

    def tokens(self, memory: int, length: int) -> int:
        """The tokens that vLLM logs as "GPU KV cache size" (:2300)."""
        if not self.groups:
            return 0
        if self.setting.release.counts_tokens_by_request:
            return int(self.concurrency(memory, length) * length)
        smallest = min(group.spec.block_size for group in self.groups)
        return self.blocks(memory) // len(self.groups) * smallest * self.setting.context

    def fits(self, memory: int, length: int) -> bool:
        """Whether a request of this length fits, as vLLM checks it on start (:1003)."""
        reserve = self.block_bytes if self.setting.release.reserves_null_block else 0
        return memory - reserve > 0 and self.request_bytes(length) <= memory - reserve

    def longest(self, memory: int, limit: int) -> int:
        """The longest request that fits, up to `limit`; 0 where not even one token does (:2369)."""
        if not self.groups or not self.fits(memory, 1):
            return 0
        low, high = 1, limit
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.fits(memory, middle) else (low, middle - 1)
        return low

    def sentence(self, memory: int, length: int, device: str = "GPU") -> str:
        """The line that vLLM will log (:2316)."""
        return (
            f"{device} KV cache size: {self.tokens(memory, length):,} tokens, "
            f"Maximum concurrency for {length:,} tokens per request: {self.concurrency(memory, length):.2f}x"
        )


def lay_out(model: Model, setting: Setting, stage: int = 0, draft: Draft | None = None) -> Cache:
    """The cache of one GPU of a pipeline stage; a draft's layers have theirs in the last.

    The groups come from all layers of the model; each stage then keeps the layers that it has
    (v1/core/kv_cache_utils.py:2486, `_project_kv_cache_groups_to_worker`).

    Raises CacheError for a KV dtype without a formula.
    """
    setting = dataclasses.replace(setting, block_size=_aligned_block(model, setting))
    owners = [
        (index, spec)
        for index, layer in enumerate(model.layers)
        for mixer in (layer.mixer, layer.cross)
        for spec in _specs(model, mixer, setting)
    ]
    if owners and draft:
        owners += [
            (len(model.layers) - 1, spec)
            for layer in draft.layers
            for spec in _specs(draft.model, layer.mixer, setting)
        ]
    if not setting.hybrid or any(spec.kind == "chunked" for _, spec in owners):
        owners = _unified(owners)
    start, end = stage_layers(len(model.layers), stage, setting.pipeline)
    groups = []
    for members in _groups(owners):
        here = [spec for index, spec in members if start <= index < end]
        if here or setting.pipeline == 1:
            groups.append(Group(members[0][1], len(here), sum(spec.page for spec in here)))
    local = [spec for index, spec in owners if start <= index < end]
    return Cache(
        groups=tuple(groups),
        setting=setting,
        token_bytes=sum(spec.page // spec.block_size for spec in local if spec.kind not in ("state", "cross")),
        fixed_bytes=sum(spec.page * spec.blocks(setting, 1) for spec in local if spec.kind in ("state", "cross")),
    )


Owned = tuple[int, Spec]


def _unified(owners: Sequence[Owned]) -> list[Owned]:
    """Windows counted as full attention: without the hybrid manager, and by default with chunked attention
    (config/vllm.py:2149-2168, v1/core/kv_cache_utils.py:1690)."""
    if not any(spec.kind == "full" for _, spec in owners):
        return list(owners)
    return [
        (index, dataclasses.replace(spec, kind="full", window=None) if spec.kind != "state" else spec)
        for index, spec in owners
    ]


def _groups(owners: Sequence[Owned]) -> list[list[Owned]]:
    """Layers divided into groups of equal bytes per block (v1/core/kv_cache_utils.py:2159)."""
    if not owners:
        return []
    kinds = {(spec.kind, spec.window, spec.block_size) for _, spec in owners}
    if len(kinds) == 1:  # one kind of layer, of one page size or several: a single group
        return [list(owners)]
    page = max(spec.page for _, spec in owners)
    buckets: dict[Spec, list[Owned]] = {}
    for index, spec in owners:
        grown = _grown(spec, page)
        buckets.setdefault(grown, []).append((index, grown))
    # As many layers in each group as the rarest kind has, unless the kinds are nearly equal (:1449-1462).
    size = min(len(bucket) for bucket in buckets.values())
    largest = max(len(bucket) for bucket in buckets.values())
    if largest < 1.5 * size:
        size = largest
    return [
        bucket[i::parts] for bucket in buckets.values() for parts in [ceil_div(len(bucket), size)] for i in range(parts)
    ]


def _grown(spec: Spec, page: int) -> Spec:
    """A spec brought to the common page size, by a larger block where that divides, else by padding (:1292)."""
    if spec.kind == "state" or page % spec.page:
        return dataclasses.replace(spec, page=page)
    return dataclasses.replace(spec, page=page, block_size=spec.block_size * (page // spec.page))


# Specs of a layer


SPARSE_MLA = {"fp8_ds_mla": 656, "nvfp4_ds_mla": 352}
"""Bytes of a token in the packed caches of sparse MLA: for FP8 512 values, 4 scales of 4 bytes, and 64 rotated values
of 2 bytes (layers/attention/mla_attention.py:1386)."""

TURBOQUANT = {
    "turboquant_k8v4": (8, 4),
    "turboquant_4bit_nc": (4, 4),
    "turboquant_k3v4_nc": (3, 4),
    "turboquant_3bit_nc": (3, 3),
}
"""Bits of a key's and a value's elements (layers/quantization/turboquant/config.py:20)."""

ESTIMATED = (*TURBOQUANT, "ultraquant_4bit")
"""Formats of which some layers keep another one, so that the count is an estimate."""


def element_bytes(model: Model, dtype: str) -> int:
    """Bytes of one cached value for a `--kv-cache-dtype` that stores values one by one.

    Raises CacheError for one that vLLM doesn't know either.
    """
    if dtype == "auto":
        scheme = (model.quantization or {}).get("kv_cache_scheme") or {}
        fp8 = scheme.get("num_bits") == 8 or (model.quantization or {}).get("kv_cache_quant_algo") == "FP8"
        return 1 if fp8 else DTYPE_BYTES[model.dtype]
    if dtype in DTYPE_BYTES:
        return DTYPE_BYTES[dtype]
    if dtype.startswith(("fp8", "int8", "int4", "nvfp4", "turboquant", "ultraquant")):
        return 1
    raise CacheError(f"no formula for --kv-cache-dtype {dtype}")


def head_bytes(model: Model, dim: int, dtype: str) -> int:
    """Bytes of the key and the value of one token and head."""
    if dtype.endswith("_per_token_head"):  # a float32 scale each (v1/attention/backends/triton_attn.py:284)
        return 2 * (dim // 2 if dtype.startswith("int4") else dim) + 8
    if dtype.startswith("nvfp4"):  # a scale per 16 values (utils/torch_utils.py:556)
        return 2 * (dim // 2 + dim // 16)
    if dtype in TURBOQUANT:  # a norm or a scale beside the packed bits, and an even sum (turboquant/config.py:128-176)
        key, value = TURBOQUANT[dtype]
        keys = dim if key == 8 else ceil_div(dim * key, 8) + 2
        return round_up(keys + ceil_div(dim * value, 8) + 4, 2)
    if dtype == "ultraquant_4bit":  # a scale per 32 values
        return 2 * (dim // 2 + dim // 32)
    return 2 * dim * element_bytes(model, dtype)


def _specs(model: Model, mixer: object, setting: Setting) -> list[Spec]:
    block = setting.block_size
    if isinstance(mixer, Attention):
        if mixer.shares_cache or not mixer.cached:
            return []
        page = block * attention_token(model, mixer, setting)
        if mixer.encoder_tokens:
            # The batch's tokens stand for the encoder's (v1/worker/gpu_model_runner.py:544).
            return [Spec("cross", block, page, max(mixer.encoder_tokens, setting.batch_tokens))]
        kind: Literal["full", "sliding", "chunked"] = (
            "sliding" if mixer.window else "chunked" if mixer.chunk else "full"
        )
        return [Spec(kind, block, page, mixer.window or mixer.chunk)]
    if isinstance(mixer, LatentAttention):
        sparse = mixer.index_dim > 0
        value = element_bytes(model, setting.dtype)
        packed = "fp8_ds_mla" if sparse and value == 1 and setting.dtype != "nvfp4_ds_mla" else setting.dtype
        token = SPARSE_MLA.get(packed, (mixer.latent + mixer.rope_dim) * value)
        specs = [Spec("full", block, block * token)]
        if sparse:  # the indexer's keys: 8-bit, one float32 scale per 128 (models/deepseek_v2.py:640)
            specs.append(Spec("full", block, block * (mixer.index_dim + mixer.index_dim // 128 * 4)))
        return specs
    if isinstance(mixer, Mamba2 | GatedDeltaNet):
        page = max(state_bytes(model, mixer, setting), block * _attention_token(model, setting))
        checkpointed = isinstance(mixer, Mamba2) and setting.release.checkpoints_states
        return [Spec("state", block, page, checkpoints=int(checkpointed))]
    return []


def attention_token(model: Model, mixer: Attention, setting: Setting) -> int:
    """Bytes of one token in one attention layer on one GPU: key and value of each KV head that the rank has
    (v1/kv_cache_interface.py:586; config/model.py:1663, `get_num_kv_heads`)."""
    heads = max(1, mixer.kv_heads // setting.tensor)
    return heads * head_bytes(model, mixer.head_dim, setting.dtype)


def _attention_token(model: Model, setting: Setting) -> int:
    """The same for the first layer with attention, which the blocks of a hybrid model go by; 0 without one."""
    for layer in model.layers:
        if isinstance(layer.mixer, Attention):
            return attention_token(model, layer.mixer, setting)
        if isinstance(layer.mixer, LatentAttention):
            return (layer.mixer.latent + layer.mixer.rope_dim) * element_bytes(model, setting.dtype)
    return 0


def state_bytes(model: Model, mixer: Mamba2 | GatedDeltaNet, setting: Setting) -> int:
    """Bytes of one request's state in one layer on one GPU: the convolution's last inputs, those of the tokens that are
    drafted at once among them, and the recurrent state (model_executor/layers/mamba/mamba_utils.py:150-330)."""
    value = DTYPE_BYTES[model.dtype]
    named = setting.state_dtype
    if named == "auto":
        default = "float32" if isinstance(mixer, Mamba2) and model.type == "nemotron_h" else model.dtype
        named = str(model.text.get("mamba_ssm_cache_dtype") or model.text.get("mamba_ssm_dtype") or default)
    state = DTYPE_BYTES.get(named, value)
    if isinstance(mixer, Mamba2):
        groups = mixer.groups if mixer.groups % setting.tensor == 0 else setting.tensor
        convolved = mixer.heads * mixer.head_dim + 2 * groups * mixer.state
        recurrent = mixer.heads * mixer.head_dim * mixer.state
    else:
        convolved = 2 * mixer.key_heads * mixer.key_dim + mixer.value_heads * mixer.value_dim
        recurrent = mixer.value_heads * mixer.value_dim * mixer.key_dim
    inputs = mixer.kernel - 1 + setting.speculative_tokens
    return convolved // setting.tensor * inputs * value + recurrent // setting.tensor * state


def _aligned_block(model: Model, setting: Setting) -> int:
    """A hybrid model's block: long enough for attention's page to hold a state (platforms/interface.py:939)."""
    states = [
        state_bytes(model, m, setting) for layer in model.layers if isinstance(m := layer.mixer, Mamba2 | GatedDeltaNet)
    ]
    token = _attention_token(model, setting)
    if not states or not token:
        return setting.block_size
    unit = max(setting.block_size, 128) if model.latent else setting.block_size
    return max(setting.block_size, unit * ceil_div(max(states), (unit * token)))
