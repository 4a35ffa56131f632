"""Published security advisories of vLLM that concern a release in an image, as warnings: it works all the same."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding

NAME = "security-advisories"

CHECK = Check(
    NAME,
    "The image's vLLM, by its tag, is past the security advisories that concern how it is run here.",
    "What a key or a setting seems to keep out comes in; an old image may be wanted all the same, for an old GPU.",
    "Engine",
)

Version = tuple[int, ...]

#: A tag that says whose version it is: rocm7.0.0_vllm_0.10.2_20251006.
_SAID = r"vllm[-_]?v?(\d+)\.(\d+)\.(\d+)"


@dataclasses.dataclass(frozen=True)
class Advisory:
    """Releases from `since` up to, and without, `fixed` do what `what` says; `otherwise`: what helps where only an old
    one runs."""

    name: str
    what: str
    otherwise: str
    since: Version
    fixed: Version
    source: str
    with_key: bool = False
    """Whether it concerns only who asks callers for a key."""


ADVISORIES = (
    Advisory(
        "CVE-2026-48746",
        "answers requests without the API key",
        "let nothing but your own applications reach it",
        (0, 3, 0),
        (0, 22, 0),
        "https://github.com/vllm-project/vllm/security/advisories/GHSA-94f4-hr76-p5j6",
        with_key=True,
    ),
    Advisory(
        "CVE-2026-27893",
        "runs code of some models' repositories in spite of trustRemoteCode: false",
        "serve only models whose publisher you trust",
        (0, 10, 1),
        (0, 18, 0),
        "https://github.com/vllm-project/vllm/security/advisories/GHSA-7972-pg2x-xr59",
    ),
    Advisory(
        "CVE-2026-22807",
        "runs code that a model's repository brings in spite of trustRemoteCode: false",
        "serve only models whose publisher you trust",
        (0, 10, 1),
        (0, 14, 0),
        "https://github.com/vllm-project/vllm/security/advisories/GHSA-2pc9-4j83-qjmr",
    ),
)


def check(values: Mapping[str, Any], tag: str) -> Iterator[Finding]:
    """Warnings for a release of vLLM. values: the merged values. tag: of the image; one that names none is passed over,
    as that of another repository is which numbers its tags itself."""
    repository = (values.get("image") or {}).get("repository") or ""
    own = re.fullmatch(r"|(.*/)?vllm/vllm-openai(-cpu|-rocm|-xpu)?", repository)
    named = re.search(r"(?:^v?|vllm[-_]?v?)(\d+)\.(\d+)\.(\d+)" if own else _SAID, tag)
    if not named:
        return
    version = tuple(int(number) for number in named.groups())
    key = bool(((values.get("auth") or {}).get("apiKeySecretRef") or {}).get("name"))
    trusted = bool((values.get("model") or {}).get("trustRemoteCode"))
    for advisory in ADVISORIES:
        concerned = key if advisory.with_key else not trusted
        if concerned and advisory.since <= version < advisory.fixed:
            release, fixed = (".".join(map(str, numbers)) for numbers in (version, advisory.fixed))
            yield Finding(
                NAME,
                "image.tag",
                f"vLLM {release} {advisory.what} ({advisory.name}, {advisory.source})",
                f"write v{fixed} or later; where only an old release runs, {advisory.otherwise}",
                "warning",
            )
