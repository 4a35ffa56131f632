"""Fetches LoRA adapters and looks at each before the engine starts, which would find the same only once the model is
loaded, or never.

An init container runs it. What is wrong ends it, in words that name the adapter and what to write; what only looks odd
is printed. `sync_adapters.py` asks the same of an adapter that is added later. Standard library, and huggingface_hub of
the engine's image for what is on the Hub. Sources are files of vLLM 0.33.
"""

import argparse
import fnmatch
import json
import math
import os
import struct
import sys
from pathlib import Path

# What vLLM makes room for: config/lora.py, MaxLoRARanks.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
# What vLLM reads of an adapter: lora/peft_helper.py, from_local_dir, and lora/lora_model.py, from_local_checkpoint.
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
OTHER_WEIGHTS = ("adapter_model.bin", "adapter_model.pt")
PATTERNS = [CONFIG, "adapter_model.*"]
# In the directory of an adapter that is here whole.
FETCHED = ".fetched"
# Of the weights that are no LoRA layer's: lora/utils.py, parse_fine_tuned_lora_name and is_base_embedding_weights.
LAYERS = (".lora_A.weight", ".lora_B.weight", ".lora_embedding_A", ".lora_embedding_B")
# Initial weights that leave the base model as it is: lora/peft_helper.py, _init_is_supported.
INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
# Models whose layers of the names below have the hidden state as their input. Others may have more: what is not known
# here is left to vLLM.
PLAIN = (
    *("llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text"),
    *("granite", "granitemoe", "olmo2", "cohere", "cohere2", "starcoder2"),
)
FROM_HIDDEN = ("q_proj", "k_proj", "v_proj", "qkv_proj", "gate_proj", "up_proj", "gate_up_proj")
# The longest header that safetensors itself reads: MAX_HEADER_SIZE in its src/tensor.rs.
LONGEST_HEADER = 100_000_000


class BrokenError(Exception):
    """The adapter cannot be served; the text says why, and what to write."""


class LaterError(Exception):
    """The Hub does not answer now: the next try may succeed."""


def fetch(adapter):
    """Bring an adapter of the Hub into its directory. adapter: {name, source, revision, path}.

    A commit that is here whole is not asked for again, and is what is served of a branch where the Hub does not answer.
    Raises BrokenError for what the Hub does not have, LaterError where it does not answer and nothing is here whole.
    """
    source, revision, path = adapter["source"], adapter.get("revision", ""), Path(adapter["path"])
    if source.startswith("/"):
        return
    mark = path / FETCHED
    pinned = len(revision) == 40 and not set(revision) - set("0123456789abcdef")
    offline = os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "on", "yes", "true")
    if mark.exists() and (pinned or offline):
        return
    if offline:
        raise BrokenError(f"{source} is not in the cache, and hub.offline forbids the Hub: write the path of a copy")
    from huggingface_hub import HfApi, errors, hf_hub_download

    try:
        # Not snapshot_download: without the Hub, that returns a directory with half of the files as if it were whole.
        info = HfApi().model_info(source, revision=revision or None)
        if mark.exists() and mark.read_text() != info.sha:
            mark.unlink()  # until all files are those of the other commit
        names = [file.rfilename for file in info.siblings or ()]
        for name in names:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in PATTERNS):
                # Unless forced, it takes a file of another commit where the Hub does not answer.
                hf_hub_download(source, name, revision=info.sha, local_dir=path, force_download=not mark.exists())
    except errors.GatedRepoError as error:
        raise BrokenError(f"{source} is gated: accept its terms, and name a token in hub.tokenSecretRef") from error
    except errors.RevisionNotFoundError as error:
        raise BrokenError(f"{source} has no revision {revision}: write a branch, a tag or a commit of it") from error
    except errors.RepositoryNotFoundError as error:
        message = f"the Hub has no {source}, or not for this token: correct source, or hub.tokenSecretRef"
        raise BrokenError(message) from error
    except Exception as error:  # errors of its HTTP library come through, of another one since 1.0
        failed = f"{source} could not be fetched: {error}".replace("\n", " ")
        if not mark.exists():
            raise LaterError(failed) from error
        say(adapter, f"{failed}: going on with commit {mark.read_text()}, which is here")
        return
    if CONFIG not in names:
        raise BrokenError(f"{source} has no {CONFIG}: it is no adapter, or a folder of it is: mount a copy of that")
    mark.write_text(info.sha)


def config_of(path):
    """What adapter_config.json says."""
    if not path.is_dir():
        raise BrokenError(f"there is no directory {path}: correct source, or mount the volume that has it")
    try:
        config = json.loads((path / CONFIG).read_text())
    except FileNotFoundError as error:
        raise BrokenError(f"{path} has no {CONFIG}: write the directory that has it") from error
    except (OSError, ValueError) as error:
        raise BrokenError(f"{path / CONFIG} cannot be read ({error}): fetch it again") from error
    if not isinstance(config, dict):
        raise BrokenError(f"{path / CONFIG} is no object: fetch it again")
    return config


def look_at_config(config, max_rank):
    """What lora/peft_helper.py refuses (from_dict, validate_legal), and other kinds of PEFT, which it does not."""
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise BrokenError(f"it is a {kind} adapter, and vLLM serves LoRA alone: leave it out")
    missing = [key for key in ("r", "lora_alpha", "target_modules") if config.get(key) is None]
    if missing:
        raise BrokenError(f"its {CONFIG} has no {', '.join(missing)}: fetch it again, or leave it out")
    pattern = config.get("rank_pattern")
    ranks = [config["r"], *(pattern.values() if isinstance(pattern, dict) else ())]
    if not all(isinstance(rank, int) and rank > 0 for rank in ranks):
        raise BrokenError(f"its {CONFIG} has a rank (r) of {max(ranks, key=str)}: leave it out")
    check_rank(max(ranks), max_rank)
    unsupported = {
        "DoRA (use_dora)": config.get("use_dora"),
        "a bias (bias)": config.get("bias", "none") != "none" or config.get("lora_bias"),
        "activation tokens (aLoRA)": config.get("alora_invocation_tokens"),
        "replicated layers (layer_replication)": config.get("layer_replication"),
        "block-diagonal LoRA (use_bdlora)": config.get("use_bdlora"),
        "QALoRA (use_qalora)": config.get("use_qalora"),
        "whole modules (modules_to_save)": set(config.get("modules_to_save") or ()) - {"classifier", "score"},
    }
    found = [name for name, value in unsupported.items() if value]
    init = config.get("init_lora_weights", True)
    if isinstance(init, str) and init.lower() not in INITS:
        found.append(f"changed weights of the base model (init_lora_weights: {init})")
    if found:
        raise BrokenError(f"it has {' and '.join(found)}, which vLLM does not serve: train or convert it without")


def check_rank(rank, max_rank):
    if rank > max_rank:
        step = next((step for step in RANKS if step >= rank), None)
        remedy = f"write lora.maxRank: {step}" if step else f"vLLM serves none above {RANKS[-1]}: leave it out"
        raise BrokenError(f"its rank is {rank}, and there is room for {max_rank}: {remedy}")


def header_of(file):
    """The tensors that a safetensors file says it has, each with its shape, if the file is as long as they are.

    The format: https://huggingface.co/docs/safetensors/index#format.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        (length,) = struct.unpack("<Q", start) if len(start) == 8 else (0,)
        if not 2 <= length <= min(size - 8, LONGEST_HEADER):
            raise BrokenError(f"{file} is not whole ({size} bytes): fetch it again")
        try:
            header = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
            shapes = {name: [int(size) for size in tensor["shape"]] for name, tensor in header.items()}
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise BrokenError(f"{file} is no safetensors file: fetch it again") from error
    if size != 8 + length + end:
        raise BrokenError(f"{file} is not whole: {size} bytes of {8 + length + end}: fetch it again")
    return shapes


def look_at_weights(path, max_rank, model):
    """Whether they are there, whole, LoRA's, and of the model's width. model: its config.json, empty if unknown."""
    file = path / WEIGHTS
    if not file.exists():
        if not any((path / name).exists() for name in OTHER_WEIGHTS):
            raise BrokenError(f"{path} has no {WEIGHTS}: it is empty, or not what save_pretrained of PEFT writes")
        return
    shapes = header_of(file)
    layers = {name: shape for name, shape in shapes.items() if name.endswith(LAYERS) and math.prod(shape)}
    if not layers:
        raise BrokenError(f"{file} has no weights of LoRA: leave it out, or fetch what PEFT wrote")
    widths = set()
    for name, shape in layers.items():
        module, _, part = name.removesuffix(".weight").rpartition(".")
        if part == "lora_A" and ".experts" not in name and len(shape) == 2:
            check_rank(shape[0], max_rank)
            if module.rpartition(".")[2] in FROM_HIDDEN:
                widths.add(shape[1])
    hidden = hidden_size(model)
    if hidden and widths and hidden not in widths:  # a vision tower's layers may have another one beside
        message = f"it was trained for a model of another width ({min(widths)}, and this one has {hidden})"
        raise BrokenError(f"{message}: leave it out, or write another model.id")


def hidden_size(model):
    """The width of a model, by its config.json; None for one whose layers are not known."""
    text = model.get("text_config")
    text = text if isinstance(text, dict) else model
    return text.get("hidden_size") if text.get("model_type") in PLAIN else None


def model_config(model):
    """The config.json of a model that is a directory; empty for one that is not here yet."""
    try:
        config = json.loads((Path(model) / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def oddity(config, names):
    """What may be on purpose: an adapter of a base of another name, "" if it is one of this model's names."""
    base = str(config.get("base_model_name_or_path") or "")
    last = base.rstrip("/").rpartition("/")[2].lower()
    if not base or any(last == name.rstrip("/").rpartition("/")[2].lower() for name in names):
        return ""
    return f"it was trained on {base}, and this is {names[0]}: of another model, its answers are worth nothing"


def look_at(adapter, max_rank, names, folder=""):
    """Raises BrokenError for an adapter that cannot be served; returns what is odd about it, or "".

    adapter: {name, source, revision, path}; names: the model's id, then the names that it is served by; folder: where
    the model is, if its id does not say so.
    """
    path = Path(adapter["path"])
    config = config_of(path)
    look_at_config(config, max_rank)
    look_at_weights(path, max_rank, model_config(folder or names[0]))
    return oddity(config, names)


def say(adapter, message):
    print(f"lora.adapters: {adapter['name']}: {message}", flush=True)


def told(error):
    """What went wrong, in words that `vllm-chart diagnose` knows (live/engine_log/known/adapters.py)."""
    return f"{'cannot be served' if isinstance(error, BrokenError) else 'not there yet'}: {error}"


def arguments(parser):
    """What this and sync_adapters.py are told alike."""
    parser.add_argument("--max-rank", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--folder", default="")
    parser.add_argument("--served", action="append", default=[])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--adapters", type=json.loads, required=True)
    arguments(parser)
    options = parser.parse_args()
    broken = 0
    for adapter in options.adapters:
        try:
            fetch(adapter)
            odd = look_at(adapter, options.max_rank, [options.model, *options.served], options.folder)
        except (BrokenError, LaterError) as error:
            broken += 1
            say(adapter, told(error))
        else:
            say(adapter, odd or f"ready at {adapter['path']}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
