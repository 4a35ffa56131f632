"""What a vision encoder takes while memory is profiled: vLLM runs it on the largest item, and keeps what it returns.

The budget is that of one item of the largest kind, or the batch's tokens if that is more
(v1/core/encoder_cache_manager.py:316, `compute_mm_encoder_budget`). A video's size depends on the model's length.
"""

from vllm_chart.sizing.arithmetic import ceil_div
from vllm_chart.sizing.model import vision
from vllm_chart.sizing.model.architecture import Model
from vllm_chart.sizing.model.quantization import DTYPE_BYTES
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.vllm_releases import Release

ITEM_TOKENS = {
    "qwen2_vl": 16384, "qwen2_5_vl": 16384, "qwen2_5_omni": 16384, "qwen3_vl": 16384, "qwen3_5": 16384, "gemma3": 256,
    "gemma4": 2496, "llama4": 2465, "pixtral": 3025, "mistral3": 3025, "llava": 2928,
}  # fmt: skip
"""Tokens of the largest item that the processor makes, by model type (`get_image_size_with_most_features` and
`get_num_image_tokens` of each family; Qwen: 16,777,216 or 12,845,056 pixels in squares of 32 or 28; Gemma 4: a video,
"max_tokens_per_mm_item (2496)")."""

FRAMES = ("qwen2_vl", "qwen2_5_vl", "qwen2_5_omni")
"""Model types whose videos are as many pairs of the largest frames as the model's length holds."""

PAIRS = 7
"""Pairs of frames at most (`_MAX_FRAMES_PER_VIDEO`, models/qwen2_vl.py:115); 16 frames before 0.11 come to the same,
because eight pairs are longer than these models' 128,000 tokens."""

PADDED = 12.5
"""How many tokens Qwen3-VL counted for each of a video's, timestamps included (models/qwen3_vl.py:672 of 0.11)."""

VIDEO_TOKENS = 12288
"""Tokens of Qwen3-VL's largest video: 25,165,824 pixels over all frames, in squares of 32 and pairs of frames."""


def item_tokens(model: Model, length: int, release: Release) -> int:
    """Tokens of the largest image or video, for prompts up to this length; 0: of the largest image."""
    kind = str(model.raw.get("model_type"))
    tokens = next((size for prefix, size in ITEM_TOKENS.items() if kind.startswith(prefix)), 4096)
    if kind.startswith(FRAMES):
        # Before 0.10.2, an image was thought to be in the same prompt (models/qwen2_vl.py:957 of 0.10.0).
        room = length - (0 if release.number >= (0, 10, 2) else tokens)
        return tokens * max(1, min(PAIRS, room // tokens))
    if kind.startswith("qwen3_vl") and release.pads_videos and length:
        return round(VIDEO_TOKENS * PADDED)
    return tokens


def peak(model: Model, split: Split, batch_tokens: int, item: int, release: Release) -> tuple[int, int]:
    """Bytes that the encoder's output keeps, and the peak of its own run; `item`: the largest one's tokens, 0: none is
    accepted.

    One block's tensors live at once, none of them compiled: in the attention the residual, the normed input, queries,
    keys and values, a copy of the first two and their rotated form, and the output; in the feed-forward the residual,
    both inputs of the norm and its output, the projections upwards and their product (models/qwen2_5_vl.py:318-410).
    The pixels stay beside them.
    """
    tower = vision.read(model)
    if tower is None or not item:
        return 0, 0
    value = DTYPE_BYTES[model.dtype]
    config = model.raw.get("vision_config") or {}
    tokens = max(batch_tokens, item)
    # Where the tokens of a video were padded, only the padded output is as long (v1/worker/gpu_model_runner.py:3378
    # of 0.11); the encoder runs on what is really there.
    padded = str(model.raw.get("model_type")).startswith("qwen3_vl") and release.pads_videos
    run = round(tokens / PADDED) if padded and item > max(batch_tokens, VIDEO_TOKENS) else tokens
    deep = len(config.get("deepstack_visual_indexes") or ())
    held = tokens * model.hidden * (1 + deep) * value
    patches = run * int(config.get("spatial_merge_size") or 1) ** 2
    pixels = 3 * int(config.get("temporal_patch_size") or 1) * int(config.get("patch_size") or 14) ** 2
    hidden, width = tower.hidden, (3 if tower.gated else 2) * ceil_div(tower.width, split.tensor)
    live = max(2 * hidden + 8 * ceil_div(hidden, split.tensor), 4 * hidden + width)
    return held, patches * (live + pixels) * value
