"""Makes LoRA adapters as PEFT saves them, good ones and broken ones, for a tiny Llama."""

import json
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: Rows and columns of what an adapter adds to, by the projection's name: hidden size 256, four heads of 64, two of KV.
SHAPES: Mapping[str, tuple[int, int]] = {"self_attn.q_proj": (256, 256), "self_attn.v_proj": (128, 256)}
LAYERS = 2


def floats(count: int, scale: float, seed: str) -> bytes:
    """Numbers as float32, the same for the same seed."""
    numbers = random.Random(seed)
    return struct.pack(f"<{count}f", *(numbers.gauss(0, scale) for _ in range(count)))


def safetensors(tensors: Mapping[str, tuple[tuple[int, ...], bytes]]) -> bytes:
    """A file of tensors: the length of a header, the header, and what it tells of
    (https://huggingface.co/docs/safetensors/index#format)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values())


def make(
    folder: Path,
    *,
    base: str = "org/model",
    rank: int = 8,
    scale: float = 0.5,
    prefix: str = "base_model.model.model.layers",
    shapes: Mapping[str, tuple[int, int]] = SHAPES,
    layers: int = LAYERS,
    **config: Any,
) -> Path:
    """Save an adapter; returns its folder. scale: how far its weights are from 0. config: more for its config."""
    tensors = {}
    for layer in range(layers):
        for name, (rows, columns) in shapes.items():
            at = f"{prefix}.{layer}.{name}"
            tensors[f"{at}.lora_A.weight"] = ((rank, columns), floats(rank * columns, scale, f"{folder.name} {at} A"))
            tensors[f"{at}.lora_B.weight"] = ((rows, rank), floats(rows * rank, scale, f"{folder.name} {at} B"))
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": sorted({name.rpartition(".")[2] for name in shapes}),
        "bias": "none",
        "modules_to_save": None,
        "use_dora": False,
    }
    (folder / "adapter_config.json").write_text(json.dumps(said | config))
    return folder


def cut(folder: Path) -> Path:
    """Leave half of an adapter's weights, as a download that broke off does."""
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return folder


def emptied(folder: Path) -> Path:
    (folder / "adapter_model.safetensors").unlink()
    return folder


#: The six that people have: how each is made at a path, and what is said of it before the engine starts; nothing of
#: the one that only its answers betray (vllm-project/vllm#34186). Of another base is who has another width.
BROKEN: Mapping[str, tuple[Callable[..., Path], str]] = {
    "rank": (
        lambda path, **of: make(path, rank=32, **of),
        "its rank is 32, and there is room for 16: write lora.maxRank: 32",
    ),
    "base": (
        lambda path, **of: make(path, **of | {"base": "other/model", "shapes": {"self_attn.q_proj": (512, 512)}}),
        "it was trained for a model of another width (512, and this one has",
    ),
    "names": (lambda path, **of: make(path, prefix="base_model.model.transformer.h", **of), ""),
    "empty": (lambda path, **of: emptied(make(path, **of)), "has no adapter_model.safetensors"),
    "dora": (lambda path, **of: make(path, use_dora=True, **of), "it has DoRA (use_dora), which vLLM does not serve"),
    "truncated": (lambda path, **of: cut(make(path, **of)), "is not whole"),
}
