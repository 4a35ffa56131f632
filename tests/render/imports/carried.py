"""Whether the values have what is told to be carried: its key, and its texts and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.helm import merged_values
from vllm_chart.importing import read, source

Json = Any

#: What a text of the source becomes, by the key it is carried to. None: nothing, for it is what is meant without it.
MEANT: Mapping[tuple[str, str], str | None] = {
    ("image", "vllm/vllm-openai"): "",
    ("image.repository", "vllm/vllm-openai"): "",
    ("gpu.count", "1"): "",
    # As many as the GPUs of a pod.
    ("parallelism", "2"): None,
    ("env.VLLM_USE_V1", "1"): "0",  # of `v0`
    ("persistence.mountPath", "/root/.cache/huggingface"): "/cache",
    ("volumes", "pvc://weights/qwen3-8b"): "weights",
    ("model.id", "hf://facebook/opt-125m"): "facebook/opt-125m",
    ("model.id", "hf://Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8"): "Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8",
    ("model.id", "hf://Qwen/Qwen2.5-7B-Instruct"): "Qwen/Qwen2.5-7B-Instruct",
    ("model.image.reference", "oci+native://registry.example.com/models/qwen3-8b:v1"): (
        "registry.example.com/models/qwen3-8b:v1"
    ),
    ("lora.adapters", "hf://acme/k8s-lora:0123abc"): "acme/k8s-lora",
    ("volumes", "pvc://adapters/sql/v2"): "adapters",
    # The delay, and the period times the failures.
    **{("startup.budgetSeconds", text): "602" for text in ("2", "1", "600")},
    **{("startup.budgetSeconds", text): "300" for text in ("0", "5", "60")},
    # Less the sleep before it.
    ("shutdown.drainSeconds", "130"): "70",
    ("hub.tokenSecretRef", "False"): None,  # that it's optional
    ("service.extraPorts", "http"): "port-8080",
    ("service.extraPorts", "TCP"): None,
}
#: Lists of arguments, which are held to the engine's own, and the key of arguments that come one by one.
ARGUMENTS = ("args", "command", "extraArgs")
ARGUMENTS_KEY = "engine.args"


def unwritten(found: read.Imported, values: Mapping[str, Json]) -> Iterator[str]:
    """Of fields that are told as carried: keys which neither the values nor the defaults have, and texts and numbers
    which are at none of the keys that their field is carried to."""
    keys: dict[source.Path, list[str]] = {}
    for field in found.fields:
        if field.fate == "carried":
            keys.setdefault(field.path, []).extend(field.into.split(", "))
    with_defaults = merged_values(values=values)
    for path, into in keys.items():
        at = {key: list(_below(with_defaults, key.split("."))) for key in into}
        yield from (f"{source.written(path)}: no key {key}" for key, there in at.items() if not there)
        if path[-1] in ARGUMENTS or ARGUMENTS_KEY in into:
            continue
        value = _of(found.sources[str(path[0])], path[1:])
        for leaf in source.leaves((), value):
            if not _names_a_variable((*path, *leaf)) and not _is_there(_of(value, leaf), at):
                yield f"{source.written((*path, *leaf))}: not at {', '.join(into)}"


def _is_there(said: Json, at: Mapping[str, Sequence[Json]]) -> bool:
    if not isinstance(said, str | int | float):
        return True
    for key, there in at.items():
        texts = {text for value in there for text in _texts(value)}
        said_there = str(said).rsplit(":", 1) if key == "image" else [str(said)]
        meant = {text: MEANT.get((key, text), text) for text in said_there}
        if all(other is None or texts & {text, other} for text, other in meant.items()):
            return True
    return False


def _names_a_variable(path: source.Path) -> bool:
    """A variable's name is the key itself, or what the chart sets for the key."""
    return path[-1] == "name" and path[-3:-2] == ("env",)


def _below(value: Json, steps: Sequence[str]) -> Iterator[Json]:
    """By keys that may have dots themselves."""
    if not steps:
        yield value
    for length in range(1, len(steps) + 1) if isinstance(value, Mapping) else ():
        if (step := ".".join(steps[:length])) in value:
            yield from _below(value[step], steps[length:])


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield str(key)
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
    else:
        yield str(value)


def _of(value: Json, path: source.Path) -> Json:
    for step in path:
        value = value[step]
    return value
