"""Where a model's config.json comes from: a path, the Hub (kept in a cache), or the package's own facts."""

import dataclasses
import datetime
import functools
import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from vllm_chart.findings import UnavailableError
from vllm_chart.sizing import hub
from vllm_chart.sizing.hub import UnknownModelError

__all__ = ["Source", "UnknownModelError", "UnreadableConfigError", "find", "local", "shipped"]


class UnreadableConfigError(Exception):
    """A file that is no config.json; the text says why."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A config, where it is from, how far it is to be trusted, and the bytes of the weights where they are known."""

    config: Mapping[str, Any]
    origin: str
    confidence: str
    """"config": the model's own file; "derived": put together from a relative's; "docs": from documentation."""
    weight_bytes: int | None = None
    note: str = ""


def find(
    model: str,
    *,
    path: Path | None = None,
    revision: str = "",
    endpoint: str = "",
    offline: bool = False,
    use_cache: bool = True,
) -> Source:
    """The config of a model: of `path` where given, of a local directory, of the Hub, or of the package's facts.

    The Hub's answers are kept in a cache; without `use_cache` nothing depends on what happens to be in it. `HF_TOKEN`
    opens gated models; `HF_HUB_OFFLINE=1` is as `offline`.

    Raises UnknownModelError where the Hub has no such model, UnavailableError where it doesn't answer or keeps the
    model from this token and nothing else has it, UnreadableConfigError for a file that is none.
    """
    if path is not None:
        return local(path)
    if Path(model).is_absolute() and _is_directory(Path(model)):
        return local(Path(model))
    if Path(model).is_absolute():
        raise UnavailableError(f"{model} is a path in the pod: give its config.json with --config")
    if "://" in model:
        raise UnavailableError(f"{model} is an address, and no name of the Hub's: give its config.json with --config")
    offline = offline or os.environ.get("HF_HUB_OFFLINE") == "1"
    revision, endpoint = revision or "main", hub.endpoint_of(endpoint)
    folder = hub.cached(model, revision, endpoint) if use_cache else None
    kept = _kept(model, folder)
    if kept and folder and (offline or hub.is_fresh(folder, revision)):
        return kept
    known = shipped().get(model)
    if offline:
        if known:
            return known
        raise UnavailableError(
            f"{model} is not among the {len(shipped())} models that are known offline: give --config"
        )
    try:
        files = hub.download(model, revision, endpoint)
    except (UnavailableError, UnknownModelError) as error:
        if instead := (kept if isinstance(error, UnavailableError) else None) or known:
            return instead
        raise
    found = _downloaded(model, endpoint, files)
    hub.keep(files, folder)
    return found


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long, a folder that may not be read
        return False


def _kept(model: str, folder: Path | None) -> Source | None:
    """What a folder of the cache has; None where that is nothing, or nothing that can be read."""
    if folder is None or not hub.is_kept(folder):
        return None
    try:
        source = local(folder)
    except UnreadableConfigError:
        return None
    day = datetime.date.fromtimestamp((folder / hub.CONFIG).stat().st_mtime)
    return dataclasses.replace(source, origin=f"the Hub's {model} of {day}, in {folder}")


def _downloaded(model: str, endpoint: str, files: Mapping[str, bytes]) -> Source:
    config, *index = (_object(files[name], f"{endpoint}'s {name} of {model}") for name in hub.FILES if name in files)
    size = _total(index[0], f"the index of {model}") if index else None
    return Source(config, f"the Hub's {model}", "config", size)


def local(path: Path) -> Source:
    """The config of a directory or a file, and beside it the size of the weights.

    Raises UnreadableConfigError where there is no config.json, or where it or a file beside it is broken.
    """
    file = path / hub.CONFIG if path.is_dir() else path
    config = _read(file)
    quantized = file.parent / "hf_quant_config.json"
    if "quantization_config" not in config and quantized.is_file():  # as vLLM finds modelopt's (config/model.py)
        own = _read(quantized).get("quantization")
        if not isinstance(own, Mapping):
            raise UnreadableConfigError(f"{quantized} says nothing under quantization")
        config["quantization_config"] = {"quant_method": "modelopt", **own}
    return Source(config, str(file), "config", weight_bytes(file.parent))


def _read(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UnreadableConfigError."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UnreadableConfigError(f"{file}: {error.strerror}") from error
    return _object(text, str(file))


def _object(text: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise UnreadableConfigError(f"{name} is nested too deeply to be read") from error
    except ValueError as error:
        raise UnreadableConfigError(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UnreadableConfigError(f"{name} is not a JSON object")
    return value


def weight_bytes(directory: Path) -> int | None:
    """Bytes of the tensors in a directory: the index's `total_size`, else by the headers of its safetensors files.

    Raises UnreadableConfigError for an index or a file that is broken.
    """
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        return _total(_read(index), str(index))
    files = sorted(directory.glob("*.safetensors"))
    return sum(_tensor_bytes(file) for file in files) or None


def _total(index: Mapping[str, Any], name: str) -> int | None:
    metadata = index.get("metadata") or {}
    total = metadata.get("total_size") if isinstance(metadata, Mapping) else metadata
    if not total:
        return None
    if not isinstance(total, int | float) or not 0 < total < _MOST_BYTES:
        raise UnreadableConfigError(f"{name}: its total_size is no number of bytes: {total!r}")
    return int(total)


_MOST_BYTES = 1 << 50
"""A petabyte, which no checkpoint has."""


def _tensor_bytes(file: Path) -> int:
    """Bytes of the tensors in a safetensors file: the end of the last, as its header (a length, then JSON) tells."""
    try:
        with file.open("rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length > file.stat().st_size:
                raise UnreadableConfigError(
                    f"{file} holds no tensors: is it a Git LFS pointer? Fetch it with git lfs pull"
                )
            header = _object(stream.read(length), f"the header of {file}")
    except OSError as error:
        raise UnreadableConfigError(f"{file}: {error.strerror}") from error
    try:
        ends = [int(tensor["data_offsets"][1]) for name, tensor in header.items() if name != "__metadata__"]
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableConfigError(f"the header of {file} has a tensor without its place") from error
    return max(ends, default=0)


@functools.cache
def shipped() -> Mapping[str, Source]:
    """The models whose architecture comes with the package, by Hub id: `vllm_chart/data/models.json`."""
    rows = json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text(encoding="utf-8"))
    return {
        row["id"]: Source(row["config"], row["source"], row["confidence"], note=row.get("note", "")) for row in rows
    }
