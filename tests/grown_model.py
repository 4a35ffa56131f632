"""A model of a size: the tokenizer and the shape of a tiny one, and as many random weights as are asked for.

The same bytes wherever it runs, so that a Hub, a registry and a store have the same files. Standard library only,
because it also runs in pods: `python grown_model.py FOLDER TARGET HIDDEN LAYERS`.
"""

import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WEIGHTS = "model.safetensors"
HEAD = 64
#: bfloat16 of either sign from 2^-7 to 2^-5, about what a model's weights are initialized with: sign and exponent.
_HIGH = bytes(0xBC if byte & 0x80 else 0x3C for byte in range(256))
_ONE = b"\x80\x3f"
_SEED = 502


def grow(folder: Path, target: Path, hidden: int, layers: int) -> None:
    """Write a Llama as that of `folder`, but for its size, into the folder `target`. It answers at random.

    hidden: the width, a multiple of 64; the inner one is four times that, so that a layer has about 32 bytes for each
    of its square.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.is_file() and file.name != WEIGHTS:
            shutil.copyfile(file, target / file.name)
    config = json.loads((folder / "config.json").read_text())
    heads = hidden // HEAD
    config |= {
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "head_dim": HEAD,
    }
    (target / "config.json").write_text(json.dumps(config, indent=2))
    _write(target / WEIGHTS, dict(_shapes(config)))


def _shapes(config: dict[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of transformers' LlamaForCausalLM whose embeddings are its head too."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{layer}.{name}.weight", (width,)
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            yield f"model.layers.{layer}.self_attn.{name}.weight", (width, width)
        for name in ("gate_proj", "up_proj"):
            yield f"model.layers.{layer}.mlp.{name}.weight", (inner, width)
        yield f"model.layers.{layer}.mlp.down_proj.weight", (width, inner)
    yield "model.norm.weight", (width,)


def _write(file: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """https://github.com/huggingface/safetensors#format"""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + _bytes(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    draw = random.Random(_SEED)
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            out.write(_ONE * shape[0] if len(shape) == 1 else _random(draw, _bytes(shape)))


def _bytes(shape: tuple[int, ...]) -> int:
    return 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)


def _random(draw: random.Random, size: int) -> bytes:
    data = bytearray(size)
    data[0::2] = draw.randbytes(size // 2)
    data[1::2] = draw.randbytes(size // 2).translate(_HIGH)
    return bytes(data)


if __name__ == "__main__":
    _, folder, target, hidden, layers = sys.argv
    grow(Path(folder), Path(target), int(hidden), int(layers))
