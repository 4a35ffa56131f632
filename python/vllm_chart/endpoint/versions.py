"""Whether an endpoint's image is of the Envoy that its configuration is proved with."""

import re
from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests

NAME = "envoy-version"
CHECKS = (
    Check(
        NAME,
        "The endpoint's image is of the Envoy that its configuration is tried with.",
        "Some of its filters are work in progress in Envoy: another version may not take their settings.",
        "Endpoint",
    ),
)
#: In a tag that says one: v1.40.0, contrib-v1.40-latest.
VERSION = re.compile(r"(?:^|[^\d.])(1\.\d+)(?:\.\d+)?(?![\d.])")


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """A warning of an image with another minor version of Envoy; none where its tag says none.

    values: the merged values. app_version: Envoy's version that an empty image.tag stands for.
    """
    tag = str((values.get("image") or {}).get("tag") or "")
    proved = ".".join(app_version.split(".")[:2])
    found = VERSION.search(tag)
    if found is None or found[1] == proved:
        return []
    message = f"is Envoy {found[1]}, and the configuration is tried with {proved}"
    remedy = "leave it empty, or ask that Envoy first: `envoy --mode validate` with the ConfigMap's files"
    return [Finding(NAME, "image.tag", message, remedy, severity="warning")]
