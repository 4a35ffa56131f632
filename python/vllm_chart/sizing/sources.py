"""Where a model's config.json comes from: a path, the Hub (kept in a cache), or the package's own facts."""

import dataclasses
import functools
import json
import os
import struct
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vllm_chart.findings import UnavailableError

HUB = "https://huggingface.co"
TIMEOUT_SECONDS = 10.0


class UnknownModelError(Exception):
    """The Hub has no such model; the text says so."""


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
    model: str, *, path: Path | None = None, revision: str = "", endpoint: str = "", offline: bool = False
) -> Source:
    """The config of a model: of `path` where given, of a local directory, of the Hub, or of the package's facts.

    The Hub's answers are kept in the cache; `HF_TOKEN` opens gated models; `HF_HUB_OFFLINE=1` is as `offline`.

    Raises UnknownModelError where the Hub has no such model, UnavailableError where it doesn't answer or keeps the
    model from this token and nothing else has it, UnreadableConfigError for a file that is none.
    """
    if path is not None:
        return local(path)
    if Path(model).is_absolute() and Path(model).is_dir():
        return local(Path(model))
    if Path(model).is_absolute():
        raise UnavailableError(f"{model} is a path in the pod: give its config.json with --config")
    cached = _cache(model, revision)
    if (cached / "config.json").is_file():
        return dataclasses.replace(local(cached), origin=f"the Hub's {model}, in {cached}")
    known = shipped().get(model)
    if offline or os.environ.get("HF_HUB_OFFLINE") == "1":
        if known:
            return known
        raise UnavailableError(
            f"{model} is not among the {len(shipped())} models that are known offline: give --config"
        )
    try:
        download(model, revision or "main", cached, endpoint or os.environ.get("HF_ENDPOINT") or HUB)
    except (UnavailableError, UnknownModelError):
        if known:
            return known
        raise
    return dataclasses.replace(local(cached), origin=f"the Hub's {model}")


def local(path: Path) -> Source:
    """The config of a directory or a file, and beside it the size of the weights.

    Raises UnreadableConfigError where there is no config.json or it is no JSON object.
    """
    file = path / "config.json" if path.is_dir() else path
    try:
        config = json.loads(file.read_text())
    except OSError as error:
        raise UnreadableConfigError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise UnreadableConfigError(f"{file} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise UnreadableConfigError(f"{file} is not a JSON object")
    quantized = file.parent / "hf_quant_config.json"
    if "quantization_config" not in config and quantized.is_file():  # as vLLM finds modelopt's (config/model.py)
        config["quantization_config"] = {
            "quant_method": "modelopt",
            **json.loads(quantized.read_text())["quantization"],
        }
    return Source(config, str(file), "config", weight_bytes(file.parent))


def weight_bytes(directory: Path) -> int | None:
    """Bytes of the tensors in a directory: the index's `total_size`, else by the headers of its safetensors files."""
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        total = json.loads(index.read_text()).get("metadata", {}).get("total_size")
        return int(total) if total else None
    files = sorted(directory.glob("*.safetensors"))
    return sum(_tensor_bytes(file) for file in files) or None


def _tensor_bytes(file: Path) -> int:
    """Bytes of the tensors in a safetensors file: the end of the last, as its header (a length, then JSON) tells."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > file.stat().st_size:
            raise UnreadableConfigError(f"{file} holds no tensors: is it a Git LFS pointer? Fetch it with git lfs pull")
        header = json.loads(stream.read(length))
    return max((tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"), default=0)


@functools.cache
def shipped() -> Mapping[str, Source]:
    """The models whose architecture comes with the package, by Hub id: `vllm_chart/data/models.json`."""
    rows = json.loads((resources.files("vllm_chart") / "data" / "models.json").read_text())
    return {
        row["id"]: Source(row["config"], row["source"], row["confidence"], note=row.get("note", "")) for row in rows
    }


def _cache(model: str, revision: str) -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "vllm-chart" / "hub" / quote(model, safe="") / quote(revision or "main", safe="")


def download(model: str, revision: str, into: Path, endpoint: str) -> None:
    """Fetch config.json, and the index of the weights where there is one, into a directory.

    Raises UnknownModelError where the Hub has no such model, UnavailableError where it keeps it from this token or
    doesn't answer.
    """
    import requests  # a tenth of a second, which only this needs

    token = os.environ.get("HF_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    found = {}
    for name in ("config.json", "model.safetensors.index.json"):
        url = f"{endpoint.rstrip('/')}/{model}/resolve/{quote(revision, safe='')}/{name}"
        try:
            answer = requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise UnavailableError(f"{endpoint} does not answer ({type(error).__name__}): give --config") from error
        if answer.status_code in (401, 403):
            remedy = "its token may not read it: accept its terms at the Hub" if token else "set HF_TOKEN"
            raise UnavailableError(
                f"{model} is gated or private: {remedy} (https://huggingface.co/{model}), or give --config"
            )
        if answer.ok:
            found[name] = answer.content
        elif name == "config.json" and answer.status_code == 404:
            raise UnknownModelError(f"{endpoint} has no {model} at revision {revision}: is model.id spelt right?")
        elif name == "config.json":
            raise UnavailableError(f"{endpoint} answers {answer.status_code}: try again, or give --config")
    into.mkdir(parents=True, exist_ok=True)
    for name, content in reversed(found.items()):  # config.json last: its presence means that all is there
        (into / name).write_bytes(content)
