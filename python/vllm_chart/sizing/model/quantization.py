"""Bytes of a weight matrix in the formats that checkpoints come in.

A quantized checkpoint leaves some modules as they are; which ones, its `quantization_config` says in the words of
the tool that made it. Names are compared without the prefixes that differ between a checkpoint and vLLM.
"""

import dataclasses
import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from vllm_chart.sizing.arithmetic import ceil_div
from vllm_chart.sizing.model.architecture import Config
from vllm_chart.sizing.vllm_releases import Release

DTYPE_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4}
OLDEST_CAPABILITY = {
    "awq": 7.5,
    "awq_marlin": 7.5,
    "fp8": 7.5,
    "fbgemm_fp8": 8.0,
    "mxfp4": 8.0,
    "experts_int8": 8.0,
}
"""The compute capability from which vLLM runs a method (`get_min_capability` in quantization/auto_awq.py:234,
fp8.py:147, fbgemm_fp8.py:67, mxfp4.py:72, experts_int8.py:43); none is said where more than the method decides."""
SCALE_BYTES = 4
"""Scales of FP8 weights are float32 (quantization/utils/w8a8_utils.py, `ChannelQuantScaleParameter` and kin)."""


class UnknownQuantizationError(Exception):
    """A quantization that this package has no formula for; the text names it."""


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How one matrix is stored: bits per element, and what comes with each group of them."""

    bits: float
    group: int | None = None
    """Elements of a row that share scales; None: all of them."""
    rows_per_group: int = 1
    group_bytes: float = 0.0
    """Bytes of scales and zero points of one group."""

    def size(self, rows: int, columns: int) -> int:
        """Bytes of a matrix of `rows` outputs and `columns` inputs."""
        groups = ceil_div(columns, self.group) if self.group else 1
        return round(rows * columns * self.bits / 8 + ceil_div(rows, self.rows_per_group) * groups * self.group_bytes)


@dataclasses.dataclass(frozen=True)
class Quantization:
    """A checkpoint's quantization: the default scheme of its linear layers, and the exceptions."""

    method: str
    default: Scheme
    plain: Scheme
    ignored: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Scheme], ...] = ()
    """Patterns of names with a scheme of their own; the first that matches holds."""
    experts_only: bool = False

    def scheme(self, name: str) -> Scheme:
        """The scheme of the linear layer of this name ("layers.3.mlp.down_proj")."""
        for pattern, scheme in self.overrides:
            if _matches(pattern, name):
                return scheme
        if self.overrides and name == "lm_head":
            return self.plain
        if (self.experts_only and ".experts" not in name) or any(_matches(p, name) for p in self.ignored):
            return self.plain
        return self.default


PREFIXES = re.compile(r"^(model|language_model|backbone|transformer|thinker)\.")
MODULE_ALIASES = {"block_sparse_moe": "mlp", "feed_forward": "mlp", "mixer": "self_attn"}


def canonical(name: str) -> str:
    """A module's name without the prefixes in which a checkpoint and vLLM differ."""
    while PREFIXES.match(name):
        name = PREFIXES.sub("", name)
    return ".".join(MODULE_ALIASES.get(part, part) for part in name.split("."))


def _matches(pattern: str, name: str) -> bool:
    """Whether an entry of an ignore list means this module: a name, a part of one, a wildcard or a "re:" expression."""
    if pattern.startswith("re:"):
        expression = pattern[3:].replace(r"\.mixer", r"\.self_attn")
        return bool(re.match(expression, name) or re.match(expression, f"model.{name}"))
    pattern = canonical(pattern)
    whole_or_parent = fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(name, f"{pattern}.*")
    return whole_or_parent or f".{pattern}." in f".{name}."


def read(config: Config | None, dtype: str) -> Quantization | None:
    """The quantization that a `quantization_config` describes; None for none.

    Raises UnknownQuantizationError for a method without a formula here.
    """
    if not config:
        return None
    method = str(config.get("quant_method") or config.get("quant_algo") or "").lower()
    plain = Scheme(8 * DTYPE_BYTES[dtype])
    ignored = tuple(_ignored(config))
    if method in ("awq", "awq_marlin", "gptq", "gptq_marlin", "auto-round", "auto_round"):
        group = int(config.get("group_size") or 128)
        # Symmetric GPTQ keeps no zero points: empty ones replace them (kernels/linear/mixed_precision/marlin.py:172).
        zero_points = not (method.startswith("gptq") and config.get("sym", True))
        scheme = _integer(int(config.get("bits") or 4), group, zero_points=zero_points)
        # GPTQModel's exceptions: "-:" leaves what it matches as it is (layers/quantization/utils/gptq_utils.py).
        ignored += tuple(f"re:{key[2:]}" for key in config.get("dynamic") or () if key.startswith("-:"))
        if not config.get("lm_head"):
            ignored = (*ignored, "lm_head")
        return Quantization(method, scheme, plain, ignored)
    if method in ("fp8", "fbgemm_fp8"):
        block = config.get("weight_block_size")
        scheme = _fp8(tuple(block) if block else None, per_channel=method == "fbgemm_fp8")
        return Quantization(method, scheme, plain, (*ignored, "lm_head"))
    if method == "compressed-tensors":
        return _compressed_tensors(config, plain, ignored)
    if method in ("modelopt", "modelopt_fp4", "modelopt_mixed", "mixed_precision", "nvfp4"):
        return _modelopt(config, plain, ignored)
    if method in ("mxfp4", "gpt_oss_mxfp4"):
        return Quantization(method, MXFP4, plain, (*ignored, "lm_head"), experts_only=True)
    if method == "bitsandbytes":
        eight = bool(config.get("load_in_8bit"))
        # One float32 per 64 weights: vLLM undoes the nesting of scales on loading (`_dequantize_dq`).
        scheme = Scheme(8, None, 1, SCALE_BYTES) if eight else Scheme(4, 64, 1, SCALE_BYTES)
        return Quantization(method, scheme, plain, (*ignored, *(config.get("llm_int8_skip_modules") or ()), "lm_head"))
    raise UnknownQuantizationError(f"no formula for quantization {method or 'without a quant_method'!r}")


def by_flag(flag: str, dtype: str) -> Quantization:
    """The quantization that `--quantization` applies to a checkpoint that is not quantized (fp8, bitsandbytes).

    Raises UnknownQuantizationError for one that needs a checkpoint made for it.
    """
    plain = Scheme(8 * DTYPE_BYTES[dtype])
    if flag in ("fp8", "fp8_per_tensor"):  # one scale a matrix (quantization/fp8.py, `Fp8OnlineLinearMethod`)
        return Quantization(flag, _fp8(None, per_channel=False), plain, ("lm_head",))
    if flag == "bitsandbytes":
        return Quantization(flag, Scheme(4, 64, 1, SCALE_BYTES), plain, ("lm_head",))
    raise UnknownQuantizationError(
        f"--quantization {flag} needs a checkpoint made for it: its config.json says nothing of one"
    )


#: What `--quantization` may say of a checkpoint by its own method; "humming" of any. Other methods take whatever it
#: says, or are not looked at. Source: `override_quantization_method` in quantization/auto_awq.py, auto_gptq.py,
#: moe_wna16.py and humming.py, and `ModelConfig._verify_quantization` (config/model.py).
NAMES = {
    "awq": ("awq", "awq_marlin", "auto_awq", "marlin", "moe_wna16"),
    "gptq": ("gptq", "gptq_marlin", "auto_gptq", "marlin", "moe_wna16"),
    "fp8": ("fp8",),
    "compressed-tensors": ("compressed-tensors",),
}


def refusal(flag: str | None, config: Config | None, model: str) -> str:
    """Why vLLM does not take `--quantization` for a checkpoint with this `quantization_config`; "" where it does, or
    where that is not known."""
    method = str((config or {}).get("quant_method") or "").lower()
    asked = {name: method for method, names in NAMES.items() for name in names if name not in ("marlin", "moe_wna16")}
    if not flag or flag not in asked:
        return ""
    if method in NAMES and flag not in NAMES[method]:
        return f"{flag} is not the {method} by which {model} is quantized"
    # Old checkpoints have it in a file of its own, and in their name.
    if not config and asked[flag] != "fp8" and asked[flag] not in model.lower():
        return f"{model} is not quantized, and {flag} needs a checkpoint that is"
    return ""


MXFP4 = Scheme(4, 32, 1, 1)
"""Blocks of 32 with an 8-bit exponent (OCP microscaling; quantization/mxfp4.py)."""
NVFP4 = Scheme(4, 16, 1, 1)
"""Blocks of 16 with an FP8 scale (quantization/modelopt.py, `ModelOptNvFp4Config`)."""


def expert_multiples(quantized: Quantization | None, capability: float | None, release: Release) -> tuple[int, int]:
    """To what multiples an expert's width and the hidden size are padded for MXFP4 kernels: Triton's on Hopper, else
    Marlin's and TensorRT-LLM's (fused_moe/oracle/mxfp4.py:816; Triton's own layout pads the hidden size as they do).
    Before Triton's kernels came with vLLM, Hopper had Marlin's (vllm-project/vllm#33155)."""
    if quantized is None or quantized.default != MXFP4:
        return 1, 1
    return (64 if capability == 9.0 and release.brings_triton_kernels else 128), 256


def _integer(bits: int, group: int, zero_points: bool) -> Scheme:
    """AWQ, GPTQ and packed integers: a 16-bit scale per group, and a zero point of the weights' width."""
    return Scheme(bits, group if group > 0 else None, 1, 2 + (bits / 8 if zero_points else 0))


def _fp8(block: tuple[int, ...] | None, *, per_channel: bool) -> Scheme:
    if block:
        return Scheme(8, block[1], block[0], SCALE_BYTES)
    return Scheme(8, None, 1, SCALE_BYTES) if per_channel else Scheme(8)


def _compressed_tensors(config: Config, plain: Scheme, ignored: tuple[str, ...]) -> Quantization:
    groups = config.get("config_groups") or {
        "group_0": {
            "weights": {
                "num_bits": config.get("weights_num_bits", 4),
                "type": config.get("weights_type", "int"),
                "group_size": 32 if config.get("weights_type") == "int" else None,
                "strategy": "group" if config.get("weights_type") == "int" else "channel",
            },
            "targets": ["Linear"],
        }
    }
    schemes = [(group.get("targets") or ["Linear"], _weights_scheme(group["weights"])) for group in groups.values()]
    default = next((scheme for targets, scheme in schemes if "Linear" in targets), plain)
    overrides = tuple(
        (t, scheme) for targets, scheme in schemes for t in targets if t != "Linear" and "Linear" not in t
    )
    return Quantization("compressed-tensors", default, plain, (*ignored, "lm_head"), overrides)


def _weights_scheme(weights: Config) -> Scheme:
    """The scheme of a `weights` block of compressed-tensors and modelopt."""
    bits = int(weights["num_bits"])
    if weights.get("type") == "int":
        group = int(weights.get("group_size") or -1)
        if bits == 8:
            return Scheme(8, group if group > 0 else None, 1, SCALE_BYTES)
        return _integer(bits, group, zero_points=not weights.get("symmetric", True))
    if bits == 4:
        return MXFP4 if weights.get("group_size") == 32 else NVFP4
    block = weights.get("block_structure") or weights.get("weight_block_size")
    return _fp8(tuple(block) if block else None, per_channel=weights.get("strategy") == "channel")


def _modelopt(config: Config, plain: Scheme, ignored: tuple[str, ...]) -> Quantization:
    algorithms = {"FP8": _fp8(None, per_channel=False), "NVFP4": NVFP4, "W4A16_NVFP4": NVFP4}
    layers = config.get("quantized_layers") or {}
    overrides = tuple((name, algorithms[str(layer["quant_algo"])]) for name, layer in layers.items())
    if overrides:
        return Quantization("modelopt", plain, plain, (), overrides)
    algorithm = str(config.get("quant_algo") or "").upper()
    if algorithm not in algorithms:
        raise UnknownQuantizationError(f"no formula for modelopt's {algorithm or 'unnamed algorithm'}")
    return Quantization("modelopt", algorithms[algorithm], plain, (*ignored, "lm_head"))


def _ignored(config: Config) -> Iterator[str]:
    for key in ("ignore", "modules_to_not_convert", "exclude_modules", "ignored_layers"):
        entries: Any = config.get(key) or ()
        yield from (str(entry) for entry in entries)
