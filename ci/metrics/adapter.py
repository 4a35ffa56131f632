"""Writes a LoRA adapter that changes nothing, for a model of the local cluster's."""

import json
from pathlib import Path

RANK = 4


def write(model: Path, folder: Path) -> None:
    """Write an adapter of the attention's projections, all zero, as PEFT saves them.

    model: the model's folder, whose config.json says how large they are.
    """
    config = json.loads((model / "config.json").read_text())
    hidden, width = config["hidden_size"], config["head_dim"]
    sizes = {"q_proj": config["num_attention_heads"] * width, "v_proj": config["num_key_value_heads"] * width}
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for name, size in sizes.items():
            prefix = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            tensors[f"{prefix}.lora_A.weight"] = (RANK, hidden)
            tensors[f"{prefix}.lora_B.weight"] = (size, RANK)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": RANK, "target_modules": [*sizes]}
    (folder / "adapter_config.json").write_text(
        json.dumps(about | {"base_model_name_or_path": "model", "bias": "none"})
    )
    (folder / "adapter_model.safetensors").write_bytes(_zeros(tensors))


def _zeros(tensors: dict[str, tuple[int, int]]) -> bytes:
    """Tensors of zeros in the format of https://huggingface.co/docs/safetensors/index#format."""
    head, end = {}, 0
    for name, shape in tensors.items():
        start, end = end, end + 2 * shape[0] * shape[1]
        head[name] = {"dtype": "BF16", "shape": shape, "data_offsets": (start, end)}
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)
