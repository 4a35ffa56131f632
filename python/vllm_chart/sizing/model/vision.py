"""Weights of a vision tower, or of Whisper's encoder, and of what joins it to the language model.

The blocks are split over the tensor-parallel ranks as the language model's are; patches, positions and the joining
layers are repeated (model_executor/models/vision.py, clip.py, siglip.py, pixtral.py, qwen2_5_vl.py, qwen3_vl.py,
mllama4.py). They stay unquantized in most checkpoints, and are small: what has no formula here is estimated.
"""

import dataclasses

from vllm_chart.sizing.arithmetic import ceil_div
from vllm_chart.sizing.model.architecture import Config, Model
from vllm_chart.sizing.model.weights import Split, Weight


@dataclasses.dataclass(frozen=True)
class Tower:
    """A vision tower: equal transformer blocks, and parameters beside them."""

    depth: int
    hidden: int
    width: int
    gated: bool = False
    bias: bool = True
    attention_biases: int = 4
    """How many of an attention's four projections have a bias."""
    norm: int = 2
    """Vectors of a norm: 2 with a bias, 1 without."""
    beside: int = 0
    """Parameters outside the blocks: patches, positions, joining layers."""
    exact: bool = True
    """Whether the counts are the architecture's own, not an estimate."""

    @property
    def block(self) -> int:
        """Parameters of one block."""
        attention = 4 * self.hidden * self.hidden + self.attention_biases * self.hidden * self.bias
        up = 2 if self.gated else 1
        feed_forward = (up + 1) * self.hidden * self.width + (up * self.width + self.hidden) * self.bias
        return attention + feed_forward + 2 * self.norm * self.hidden

    @property
    def parameters(self) -> int:
        """Parameters of the tower and of what joins it to the language model."""
        return self.depth * self.block + self.beside


def weights(model: Model, split: Split, stage: int = 0) -> list[Weight]:
    """The tower's weights on one GPU; it lives in the first pipeline stage."""
    tower = read(model)
    if tower is None or stage:
        return []
    return [
        Weight("vision.blocks", ceil_div(tower.block, split.tensor), copies=tower.depth, linear=False),
        Weight("vision.beside", tower.beside, linear=False),
    ]


def read(model: Model) -> Tower | None:
    """The vision tower of a multimodal config, None for a model without one."""
    if model.type == "whisper":
        return _whisper(model.raw)
    vision: Config | None = model.raw.get("vision_config")
    if not vision:
        return None
    kind = str(vision.get("model_type") or model.raw.get("model_type"))
    for prefix, build in BUILDERS.items():
        if kind.startswith(prefix):
            return build(vision, model)
    return _estimate(vision, model)


def _qwen2_5_vl(vision: Config, model: Model) -> Tower:
    hidden, merged = vision["hidden_size"], vision["hidden_size"] * vision.get("spatial_merge_size", 2) ** 2
    patches = vision.get("in_chans", 3) * vision.get("temporal_patch_size", 2) * vision["patch_size"] ** 2 * hidden
    out = vision.get("out_hidden_size", model.hidden)
    beside = patches + hidden + merged * merged + merged + merged * out + out
    return Tower(vision["depth"], hidden, vision["intermediate_size"], gated=True, norm=1, beside=beside)


def _qwen3_vl(vision: Config, model: Model) -> Tower:
    hidden, merged = vision["hidden_size"], vision["hidden_size"] * vision.get("spatial_merge_size", 2) ** 2
    patches = vision.get("in_channels", 3) * vision.get("temporal_patch_size", 2) * vision["patch_size"] ** 2 * hidden
    out = vision.get("out_hidden_size", model.hidden)
    merger = merged * merged + merged + merged * out + out
    deep = len(vision.get("deepstack_visual_indexes") or ()) * (2 * merged + merger)
    beside = patches + hidden + vision["num_position_embeddings"] * hidden + 2 * hidden + merger + deep
    return Tower(vision["depth"], hidden, vision["intermediate_size"], beside=beside)


def _clip(vision: Config, model: Model) -> Tower:
    """LLaVA uses the layer before the last, so vLLM loads one less (models/clip.py, `vision_feature_layer`)."""
    hidden = vision["hidden_size"]
    positions = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    patches = 3 * vision["patch_size"] ** 2 * hidden + hidden + positions * hidden + 2 * hidden
    projector = hidden * model.hidden + model.hidden + model.hidden * model.hidden + model.hidden
    newline = model.hidden if model.raw.get("use_image_newline_parameter") else 0
    return Tower(
        vision["num_hidden_layers"] - 1, hidden, vision["intermediate_size"], beside=patches + projector + newline
    )


def _siglip(vision: Config, model: Model) -> Tower:
    hidden = vision["hidden_size"]
    positions = (vision["image_size"] // vision["patch_size"]) ** 2
    patches = 3 * vision["patch_size"] ** 2 * hidden + hidden + positions * hidden + 2 * hidden
    projector = hidden * model.hidden + hidden  # Gemma 3: a projection and a norm
    return Tower(vision["num_hidden_layers"], hidden, vision["intermediate_size"], beside=patches + projector)


def _pixtral(vision: Config, model: Model) -> Tower:
    hidden = vision["hidden_size"]
    patches = vision.get("num_channels", 3) * vision["patch_size"] ** 2 * hidden + hidden
    merge = int(model.raw.get("spatial_merge_size") or 1) ** 2
    projector = hidden + merge * hidden * hidden + hidden * model.hidden + model.hidden * model.hidden
    beside = patches + projector
    return Tower(
        vision["num_hidden_layers"], hidden, vision["intermediate_size"], gated=True, bias=False, norm=1, beside=beside
    )


def _llama4(vision: Config, model: Model) -> Tower:
    hidden = vision["hidden_size"]
    positions = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    patches = 3 * vision["patch_size"] ** 2 * hidden + hidden + positions * hidden + 4 * hidden
    adapter = (
        vision["intermediate_size"] * vision["projector_input_dim"]
        + vision["projector_input_dim"] * vision["projector_output_dim"]
    )
    projector = vision["vision_output_dim"] * model.hidden
    beside = patches + adapter + projector
    return Tower(vision["num_hidden_layers"], hidden, vision["intermediate_size"], beside=beside)


def _whisper(config: Config) -> Tower:
    """models/whisper.py, `WhisperEncoder`: two convolutions over the spectrogram, and no bias of the keys."""
    hidden = config["d_model"]
    convolutions = config["num_mel_bins"] * hidden * 3 + hidden + hidden * hidden * 3 + hidden
    beside = convolutions + config["max_source_positions"] * hidden + 2 * hidden
    return Tower(config["encoder_layers"], hidden, config["encoder_ffn_dim"], attention_biases=3, beside=beside)


def _estimate(vision: Config, model: Model) -> Tower:
    """A plain tower of the depth and width that the config names; what joins it, as two square projections."""

    def number(*keys: str, default: int) -> int:
        return int(next((vision[key] for key in keys if isinstance(vision.get(key), int)), default))

    hidden = number("hidden_size", "embed_dim", "vt_hidden_size", "width", default=1152)
    depth = number("num_hidden_layers", "depth", "vt_num_hidden_layers", "layers", default=27)
    width = number("intermediate_size", "vt_intermediate_size", default=4 * hidden)
    positions = number("position_embedding_size", "num_position_embeddings", default=4096)
    gated = str(vision.get("model_type", "")).startswith("gemma4")
    beside = positions * hidden + 2 * hidden * model.hidden
    return Tower(depth, hidden, width, gated=gated, beside=beside, exact=False)


BUILDERS = {
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen3_vl": _qwen3_vl,
    "qwen3_5": _qwen3_vl,
    "clip": _clip,
    "siglip": _siglip,
    "pixtral": _pixtral,
    "llama4": _llama4,
}
