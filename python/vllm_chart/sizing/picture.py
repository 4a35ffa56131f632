"""Where a GPU's memory goes, as a bar in the terminal or as SVG."""

import dataclasses
from html import escape

from vllm_chart.sizing.arithmetic import GIB
from vllm_chart.sizing.plan import Plan

WIDTH = 72


@dataclasses.dataclass(frozen=True)
class Slice:
    """One part of a GPU's memory, in bytes, with its letter in the terminal and its colour in the SVG."""

    name: str
    bytes: int
    letter: str
    colour: str


def slices(planned: Plan) -> list[Slice]:
    """The parts of one GPU: they add up to its memory, or to more where the model doesn't fit."""
    stage = planned.stage
    estimates = {estimate.name: estimate.bytes for estimate in stage.estimates}
    parts = [
        Slice("weights", max(0, stage.weights - stage.lora), "W", "#3b6ea5"),
        Slice("LoRA", min(stage.lora, stage.weights), "R", "#5fa3c7"),
        Slice("KV cache", max(0, stage.available()), "K", "#58a55c"),
        Slice("activations", estimates.get("activations", 0) + estimates.get("request state", 0), "A", "#e0a030"),
        Slice("CUDA graphs", estimates.get("CUDA graphs", 0), "G", "#b0605a"),
        Slice("libraries", estimates.get("libraries", 0), "L", "#8d7bb5"),
    ]
    rest = planned.gpu.memory - sum(part.bytes for part in parts)
    return [part for part in (*parts, Slice("left alone", max(0, rest), ".", "#d8d8d8")) if part.bytes]


def bar(planned: Plan, width: int = WIDTH) -> str:
    """The GPU's memory as one line of letters, and a legend."""
    parts = slices(planned)
    total = max(planned.gpu.memory, sum(part.bytes for part in parts))
    letters, end = "", 0
    for part in parts:
        end += part.bytes
        letters += part.letter * (max(1, round(end / total * width) - len(letters)) if part.bytes else 0)
    legend = "\n".join(
        f"  {part.letter}  {part.name:<12} {part.bytes / GIB:8.2f} GiB  {part.bytes / total:5.1%}" for part in parts
    )
    return f"[{letters[:width]}]\n{legend}"


def svg(planned: Plan) -> str:
    """The same as an SVG document."""
    parts = slices(planned)
    total = max(planned.gpu.memory, sum(part.bytes for part in parts))
    boxes, rows, x = [], [], 20.0
    for index, part in enumerate(parts):
        width = part.bytes / total * 680
        boxes.append(f'<rect x="{x:.1f}" y="48" width="{width:.1f}" height="48" fill="{part.colour}"/>')
        y = 128 + 22 * index
        rows.append(
            f'<rect x="20" y="{y - 12}" width="14" height="14" fill="{part.colour}"/>'
            f'<text x="44" y="{y}">{escape(part.name)}</text>'
            f'<text x="300" y="{y}" text-anchor="end">{part.bytes / GIB:.2f} GiB</text>'
        )
        x += width
    title = f"{planned.engine.model or 'a model'} on {planned.gpu.product}, {planned.gpu.memory / GIB:.2f} GiB"
    height = 140 + 22 * len(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" font-family="sans-serif" font-size="14">\n'
        f'<title>{escape(title)}</title>\n<text x="20" y="30" font-size="16">{escape(title)}</text>\n'
        + "\n".join([*boxes, *rows])
        + "\n</svg>\n"
    )
