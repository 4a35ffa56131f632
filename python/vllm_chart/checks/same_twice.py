"""Whether a chart renders the same values to the same objects."""

import json

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests

CHECK = Check(
    "same-twice",
    "Rendering the same values twice gives the same objects.",
    "A tool that compares them (Argo CD, Flux) would never come to rest.",
    "Rendered objects",
)


def check(first: Manifests, second: Manifests) -> list[Finding]:
    """What differs between two renders of the same values: a random name, the time of day."""
    pairs = zip(first, second, strict=False)
    different = [a.where for a, b in pairs if json.dumps(a) != json.dumps(b)]
    if len(first) == len(second) and not different:
        return []
    return [Finding(CHECK.name, ", ".join(different), "the same values rendered twice are not the same")]
