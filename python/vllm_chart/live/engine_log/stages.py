"""How far a start of vLLM is, and how long its stages took, by the marks in a log that has timestamps.

Marks: vllm/v1/worker/gpu_model_runner.py:4979, :5089 and :6517, model_executor/model_loader/default_loader.py:507 and
weight_utils.py:538, compilation/monitor.py:20 and :40, compilation/decorators.py:327, v1/engine/core.py:413,
entrypoints/launchers/api_server/entry.py:139 of 0.33; 0.32 has the same. What is usual: the middle four fifths of the
starts whose logs are in tests/unit/data/kv-cache-logs.json, and this project's own on two CPUs.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from vllm_chart.live.engine_log import lines


class Stage(NamedTuple):
    """A stage of a start: what the engine does, and how long that takes elsewhere."""

    name: str
    doing: str
    usual: str


IMAGE = Stage("image", "its image is pulled and its volumes are attached", "minutes where a node has not got it: 10 GB")
IMPORT = Stage("import", "it imports vLLM and PyTorch", "20 to 60 s, the more on few or busy CPUs")
DOWNLOAD = Stage("download", "it looks for the weights, and downloads them", "their size by the network's speed")
LOAD = Stage("load", "it loads the weights", "4 to 180 s; 0.1 to 4 GiB/s")
COMPILE = Stage("compile", "it compiles the model", "a minute or two; a second where its cache is kept (persistence)")
GRAPHS = Stage("graphs", "it captures CUDA graphs", "2 to 30 s")
WARM_UP = Stage("warm up", "it measures its memory, makes its KV cache and warms up", "half a minute")
SERVE = Stage("serve", "it opens its port", "seconds")

_BEGINS = (
    (r"Starting to load model ", DOWNLOAD),
    (r"Time spent downloading weights|Loading safetensors|Filesystem type for checkpoints", LOAD),
    (r"Loading weights took|Model loading took", WARM_UP),
    (r"Starting torch\.compile|for vLLM's torch\.compile|Dynamo bytecode transform time", COMPILE),
    (r"torch\.compile took|saved AOT compiled function|Directly load AOT compilation", WARM_UP),
    (r"Capturing CUDA graph", GRAPHS),
    (r"Graph capturing finished", WARM_UP),
    (r"init engine \(|Starting vLLM server on", SERVE),
)


#: What says whether the compiled model of an earlier start was there: compilation/backends.py:311 and :402,
#: compilation/decorators.py:327 and :753 of 0.33; 0.32 says the same. A start that compiles some of it says both.
_HIT = r"Directly load (?:AOT compilation|the compiled graph\(s\))"
_MISSED = r"Cache the graph of compile range|saved AOT compiled function"
#: It was there, and could not be loaded: compilation/decorators.py:340 of 0.33, :333 of 0.32.
_NOT_LOADED = r"Compiling model again due to a load failure from \S+, reason: (.+)"


class Progress(NamedTuple):
    """Where a start is: the stage, its seconds so far, and those of the stages before it, by their names."""

    stage: Stage
    seconds: float
    before: dict[str, float]


def progress(log: str, started: datetime, now: datetime) -> Progress:
    """How far the start is that this log is of. started, now: when its container began, and when it was asked for."""
    stage, since = IMPORT, started
    before: dict[str, float] = {}
    for line in lines.read(log):
        begun = _begun(line.text)
        if begun and begun != stage:
            until = line.time or since
            before[stage.name] = before.get(stage.name, 0.0) + between(since, until)
            stage, since = begun, until
    seconds = before.pop(stage.name, 0.0) + between(since, now)
    return Progress(stage, seconds, before)


def reached(log: str) -> Stage:
    """The stage that a start has come to."""
    begun = [stage for line in lines.read(log) if (stage := _begun(line.text))]
    return begun[-1] if begun else IMPORT


def compile_cache(log: str) -> str:
    """Whether a start found the compiled model of an earlier one: "hit", "missed", "found, but not loaded: …" with
    vLLM's reason, or "" where it has not come so far, or compiles nothing."""
    texts = [line.text for line in lines.read(log)]
    for text in texts:
        if failed := re.search(_NOT_LOADED, text):
            return f"found, but not loaded: {failed[1]}"
    if any(re.search(_MISSED, text) for text in texts):
        return "missed"
    return "hit" if any(re.search(_HIT, text) for text in texts) else ""


def _begun(text: str) -> Stage | None:
    return next((stage for pattern, stage in _BEGINS if re.search(pattern, text)), None)


def between(since: datetime, until: datetime) -> float:
    """Seconds between two moments; none where clocks that differ have the later one before."""
    return max(0.0, (until - since).total_seconds())


def told(before: Mapping[str, float]) -> str:
    """Stages that are over, with their seconds, in words; empty if none took as much as one."""
    return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in before.items() if seconds >= 1)
