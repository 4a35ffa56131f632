"""A draft beside the model, for speculative decoding: which layers it has, and its weights.

EAGLE drafts and multi-token prediction (MTP) add a layer or a few that share the model's embedding and, but for
EAGLE 3, its output layer (v1/spec_decode/llm_base_proposer.py:1391, `_maybe_share_embeddings`); any other draft is a
model of its own. All of it is in the last pipeline stage.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from vllm_chart.sizing.model import architecture, quantization, weights
from vllm_chart.sizing.model.architecture import Attention, Dense, LatentAttention, Layer, Model
from vllm_chart.sizing.model.quantization import Quantization
from vllm_chart.sizing.model.weights import Split, Weight
from vllm_chart.sizing.sources import Source, shipped

Kind = Literal["mtp", "eagle", "eagle3", "model"]

ON_HOST = ("ngram", "ngram_gpu", "suffix")
"""Methods without a model."""

DRAFT_VOCABULARY = 32000
"""Tokens that an EAGLE 3 draft usually keeps of the vocabulary (`draft_vocab_size` of the published ones)."""


@dataclasses.dataclass(frozen=True)
class Draft:
    """A draft: the model that its layers are of, and those of its layers that keep a cache."""

    kind: Kind
    model: Model
    layers: tuple[Layer, ...]
    head_rows: int = 0
    """Rows of an output layer of its own."""


def read(speculative: Mapping[str, Any], target: Model, source: Source | None = None) -> Draft | None:
    """The draft that a `--speculative-config` names; None for none, and where its layers are not known.

    `source`: its config, where it has one; else the package's facts have it, or it is like the model's own layers.
    """
    kind = _kind(speculative)
    if kind is None:
        return None
    source = source or shipped().get(_name(speculative))
    if kind == "model":
        if source is None:
            return None
        own = architecture.read(source.config)
        return Draft(kind, own, own.layers)
    last = next((layer for layer in reversed(target.layers) if _looks_at_all(layer)), None)
    if last is None:
        return None
    if kind == "mtp":
        text = target.text
        count = int(text.get("num_nextn_predict_layers") or text.get("mtp_num_hidden_layers") or 1)
        return Draft(kind, target, (dataclasses.replace(last, feed_forward=target.layers[-1].feed_forward),) * count)
    if source is not None:
        own = dataclasses.replace(architecture.read(source.config), type="llama")
        rows = int(own.text.get("draft_vocab_size") or own.vocabulary)
        return Draft(kind, own, own.layers, rows if kind == "eagle3" else 0)
    if not isinstance(last.feed_forward, Dense) or not isinstance(last.mixer, Attention):
        return None  # such drafts are dense Llama layers, of a width that the model doesn't tell
    rows = min(DRAFT_VOCABULARY, target.vocabulary)
    return Draft(kind, dataclasses.replace(target, type="llama"), (last,), rows if kind == "eagle3" else 0)


def repository(speculative: Mapping[str, Any], source: Source | None = None) -> tuple[str, Source | None]:
    """A draft with a repository of its own: its name, or "", and its config where that describes all of its files: an
    EAGLE draft's is a Llama's, of which it has a layer.

    `source`: its config, where it was read.
    """
    name = _name(speculative)
    return name, (source or shipped().get(name)) if _kind(speculative) == "model" else None


def _name(speculative: Mapping[str, Any]) -> str:
    return str(speculative.get("model") or "")


def _kind(speculative: Mapping[str, Any]) -> Kind | None:
    """The kind of a draft, by the method or, as vLLM does without one (config/speculative.py), by its name."""
    method, name = str(speculative.get("method") or ""), _name(speculative).lower()
    if method in ON_HOST or not (method or name):
        return None
    if method.endswith("mtp"):
        return "mtp"
    if method == "eagle3" or (not method and "eagle3" in name):
        return "eagle3"
    if method == "eagle" or (not method and "eagle-" in name):
        return "eagle"
    return "model" if method in ("", "draft_model") else None


def _looks_at_all(layer: Layer) -> bool:
    mixer = layer.mixer
    return isinstance(mixer, LatentAttention) or (
        isinstance(mixer, Attention) and not (mixer.window or mixer.chunk or mixer.shares_cache)
    )


def size(draft: Draft, target: Model, split: Split, stage: int, quantized: Quantization | None) -> int:
    """Bytes of the draft's weights on one GPU of a pipeline stage; `quantized`: the model's own quantization, which
    MTP's layers share."""
    if stage != split.pipeline - 1:
        return 0
    scheme = quantized if draft.kind == "mtp" else quantization.read(draft.model.quantization, target.dtype)
    alone = dataclasses.replace(split, pipeline=1)
    return sum(weights.size(weight, target.dtype, scheme) for weight in _weights(draft, target, alone, split.pipeline))


def _weights(draft: Draft, target: Model, split: Split, stages: int) -> Iterator[Weight]:
    if draft.kind == "model":
        yield from weights.language_weights(draft.model, split)
        return
    hidden = draft.model.hidden
    numbered = draft.kind == "mtp" and "num_nextn_predict_layers" in target.text
    for index, layer in enumerate(draft.layers):
        name = f"layers.{len(target.layers) + index}" if numbered else f"{draft.kind}.layers.{index}"
        yield from weights.layer_weights(draft.model, layer, split, name)
    # What joins it to the model: two vectors in, one out (qwen3_5_mtp.py:64, llama_eagle.py:60), three for EAGLE 3
    # (llama_eagle3.py:177), whose first layer also reads both its inputs side by side (:52).
    yield Weight(f"{draft.kind}.fc", hidden, (3 if draft.kind == "eagle3" else 2) * hidden, linear=False)
    yield Weight(f"{draft.kind}.norms", hidden, 3, linear=False)
    if draft.kind == "eagle3" and isinstance(mixer := draft.layers[0].mixer, Attention):
        rows = (mixer.heads // split.tensor + 2 * max(1, mixer.kv_heads // split.tensor)) * mixer.head_dim
        yield Weight("eagle3.side_by_side", rows, hidden)
    if draft.head_rows:
        yield Weight("eagle3.lm_head", draft.head_rows // split.tensor, hidden, linear=False)
    if stages > 1:  # the model's embedding is in another stage
        yield Weight(f"{draft.kind}.embed_tokens", target.vocabulary // split.tensor, hidden, linear=False)
