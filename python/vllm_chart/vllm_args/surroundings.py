"""Warnings about what the engine's arguments and variables name beside the model: other repositories, host memory that
may grow, other processes."""

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines
from vllm_chart.vllm_args import repositories
from vllm_chart.vllm_args.argv import ArgvError
from vllm_chart.vllm_args.container import Told, read

REVISIONS = "revisions"

CHECKS = (
    Check(
        REVISIONS,
        "Where the model is pinned to a revision, the other repositories that the engine loads are pinned as well.",
        "A draft or tokenizer that changes on the Hub changes the service at the next restart, though the model stays.",
        "Engine",
    ),
)


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Warnings about a rendered release; none where the arguments cannot be read, which another check tells of.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    _, container = next(engines(manifests), (None, None))
    if container is None:
        return []
    image = values.get("image") or {}
    try:
        told = read(container, str(image.get("tag") or ("" if image.get("digest") else app_version)))
    except ArgvError:
        return []
    return [*_unpinned(told)]


def _unpinned(told: Told) -> Iterator[Finding]:
    if not told.arguments.get("revision"):
        return
    for found in repositories.named(told.arguments, told.environment):
        place = found.place
        if found.is_repository and place.revision and not found.pinned and found.text != told.arguments["model_tag"]:
            message = f"{found.text} is not pinned, though the model is, and changes when the Hub's does"
            remedy = f"write engine.args.{place.revision}, or the path of a mounted copy"
            yield Finding(REVISIONS, place.where, message, remedy, severity="warning")
