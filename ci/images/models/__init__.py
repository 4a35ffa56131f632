"""Tiny Llama models that know a few things, so that a right answer from the right model can be asserted."""

import hashlib
import os
from pathlib import Path

from ci import engine as engines
from ci import images, versions
from ci.images.models.facts import MODELS, SHARED_PROMPT, Facts
from ci.shell import cache_dir, only_one, publish, step

__all__ = ["MODELS", "SHARED_PROMPT", "Facts", "ensure", "path"]

FOLDER = Path(__file__).parent
SOURCES = ("facts.py", "train.py")


def path(name: str) -> Path:
    """The folder of a model in the cache, there or not. It is named by what the model was trained with."""
    digest = hashlib.sha256(versions.VLLM.encode())
    for source in SOURCES:
        digest.update((FOLDER / source).read_bytes())
    return cache_dir("models") / f"{name}-{digest.hexdigest()[:12]}"


def ensure(name: str) -> Path:
    """The folder of a model, which is trained in the engine image if need be.

    Args:
        name: a key of `MODELS`.

    Raises:
        HarnessError: there is no engine image to be had, or the training failed.
    """
    target = path(name)
    if not target.exists():
        images.ensure()
        with only_one("models"):
            if not target.exists():
                _train(name, target)
    return target


def _train(name: str, target: Path) -> None:
    engine = engines.ensure()
    with step(f"Train the model {name}", remedy="Has Docker 2 GB of memory left?"), publish(target) as work:
        package = "/src/ci/images/models"
        engine.run(
            *("run", "--rm", "--network=none", "--workdir=/src", "--entrypoint=python3"),
            # As the caller, so that the files are theirs.
            *(f"--user={os.getuid()}:{os.getgid()}", "--env=HOME=/tmp", "--env=HF_HUB_OFFLINE=1"),
            *(f"--volume={FOLDER / source}:{package}/{source}:ro" for source in SOURCES),
            *(f"--volume={work}:/model", versions.ENGINE_IMAGE),
            *("-m", "ci.images.models.train", name, "/model"),
        )
