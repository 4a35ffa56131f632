"""A release that came of what was imported."""

import dataclasses
import itertools
from collections.abc import Sequence

from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft


@dataclasses.dataclass
class Release:
    """The values of one model.

    words: the engine's arguments in the source, which follow `vllm serve`, without keys; None where they aren't known.
    version: of the parser that reads them. findings: what is to say of it beside the fields.
    namespace: of the object that it comes of; empty where the source says none.
    """

    draft: Draft
    words: Sequence[str] | None
    version: str
    findings: list[Finding]
    namespace: str = ""


def names(releases: Sequence[Release]) -> list[str]:
    """What to call each, and its file: the object's name, with the namespace where two are alike, else with a number.

    Each is a name that Kubernetes takes, so none leads out of a directory.
    """
    plain = [release.draft.object_name for release in releases]
    found: list[str] = []
    for release, name in zip(releases, plain, strict=True):
        wanted = f"{name}-{release.namespace}" if plain.count(name) > 1 and release.namespace else name
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        found.append(next(one for one in itertools.chain([wanted], numbered) if one not in found))
    return found
