"""A release that came of what was imported."""

import dataclasses
from collections.abc import Sequence

from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft


@dataclasses.dataclass
class Release:
    """The values of one model.

    words: the engine's arguments in the source, which follow `vllm serve`, without keys; None where they aren't known.
    version: of the parser that reads them. findings: what is to say of it beside the fields.
    """

    draft: Draft
    words: Sequence[str] | None
    version: str
    findings: list[Finding]
