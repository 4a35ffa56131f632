"""A model's checkpoint, read once: its layers, its quantization, and how well the size of its weights is known."""

import dataclasses

from vllm_chart.sizing.model import architecture, drafts, quantization, vision, weights
from vllm_chart.sizing.model.architecture import Model
from vllm_chart.sizing.model.drafts import Draft
from vllm_chart.sizing.model.quantization import Quantization, UnknownQuantizationError
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine
from vllm_chart.sizing.sources import Source

UNKNOWN_SPREAD = 0.1
"""How far the weights may be off where the family's weights or the quantization are not known for sure."""
MEASURED_SPREAD = 0.03
"""The same where the checkpoint's own size stands in: what vLLM doesn't load, or adds."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A model, in the dtype and the quantization that an engine serves it in."""

    model: Model
    source: Source
    quantized: Quantization | None = None
    factor: float | None = None
    """By what the computed weights have to be multiplied to be those of the checkpoint's files, where these stand in
    for formulas that don't hold for sure; else None."""
    draft: Draft | None = None
    """The draft for speculative decoding, where its layers are known."""
    draft_source: Source | None = None
    """The config that was read of a draft with one of its own."""
    refused: str = ""
    """Why vLLM does not take the quantization that is asked for, of which there is no plan then; else ""."""

    @property
    def spread(self) -> float:
        """How far the weights may be off, as a share of them."""
        if self.factor is not None:
            return MEASURED_SPREAD
        return 0.0 if self.source.confidence == "config" and weights.known(self.model) else UNKNOWN_SPREAD


def read(engine: Engine, source: Source, draft_source: Source | None = None) -> Checkpoint:
    """The checkpoint that a config describes, as the engine serves it.

    draft_source: the config of its draft for speculative decoding, where it has one of its own.

    Raises ConfigError for a config of another shape, UnknownQuantizationError where there is no formula.
    """
    with architecture.reading():
        model = _with_dtype(architecture.read(source.config), engine.dtype)
        if refused := quantization.refusal(engine.quantization, model.quantization, engine.model):
            return Checkpoint(model, source, refused=refused)
        quantized = _quantization(engine.quantization, model, source)
        draft = drafts.read(engine.speculative, model, draft_source)
        return Checkpoint(model, source, quantized, _factor(model, source, quantized), draft, draft_source)


def _with_dtype(model: Model, dtype: str) -> Model:
    """The model in the dtype that the engine serves it in (`--dtype`)."""
    named = {"half": "float16", "float": "float32"}.get(dtype, dtype)
    return model if named == "auto" else dataclasses.replace(model, dtype=named)


def _quantization(flag: str | None, model: Model, source: Source) -> Quantization | None:
    """The checkpoint's quantization, or the one that a flag applies on loading; None for none, and for one without a
    formula where the checkpoint's size stands in for it."""
    try:
        quantized = quantization.read(model.quantization, model.dtype)
    except UnknownQuantizationError:
        if source.weight_bytes is None:
            raise
        return None
    if quantized is None and flag:
        return quantization.by_flag(flag, model.dtype)
    return quantized


def _factor(model: Model, source: Source, quantized: Quantization | None) -> float | None:
    """`Checkpoint.factor`: for a family or a quantization without a formula, where the files' size is known."""
    if source.weight_bytes is None or (weights.known(model) and (quantized or not model.quantization)):
        return None
    computed = sum(
        weights.size(weight, model.dtype, quantized)
        for weight in (*weights.language_weights(model), *vision.weights(model, Split()))
        if not weight.derived
    )
    return source.weight_bytes / computed
