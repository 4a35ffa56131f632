"""What vLLM's own parser said to argument lists, and where the rebuilt one says otherwise."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vllm_chart.vllm_args import argv

#: What was recorded of each version, by `ci/run catalogue`.
FOLDER = Path(__file__).parent / "unit" / "verdicts"

Verdict = dict[str, Any] | None
"""The values that vLLM read, or None where it refused."""


def read(recorded: bytes) -> Iterator[tuple[list[str], Verdict]]:
    """Argument lists with their verdicts. recorded: the file of `ci.catalogue.record`."""
    for line in gzip.decompress(recorded).decode().splitlines()[1:]:
        words, verdict = json.loads(line)
        yield words, verdict


def rebuilt(words: list[str], version: str) -> Verdict:
    """What the rebuilt parser says."""
    try:
        return argv.parse(words, version)
    except argv.ArgvError:
        return None


def disagreement(words: list[str], verdict: Verdict, version: str) -> str:
    """What the rebuilt parser says otherwise; "" if it says the same."""
    ours = rebuilt(words, version)
    if ours is None or verdict is None:
        return "" if ours is verdict else f"{words}: vLLM {'refuses' if verdict is None else 'takes'}"
    differ = {name for name, value in verdict.items() if value != "…" and str(ours.get(name)) != str(value)}
    return f"{words}: vLLM reads {verdict}, we read {ours}" if differ else ""
