"""Secrets that are written out in what is imported: none goes into values, and each is told."""

from collections.abc import Iterator
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft
from vllm_chart.redaction import GONE, cleaned

Json = Any


def written_out(value: Json) -> set[str]:
    """The secrets that stand in objects, by their names and their forms, each without its quotes."""
    return cleaned(value).secrets


def scrub(draft: Draft, known: set[str]) -> Iterator[Finding]:
    """Take what is written out in other containers, in scripts and objects out of the values; each is told."""
    draft.values, places, _ = cleaned(draft.values, known)
    for place in dict.fromkeys(places):
        message = f"a secret is written out in what it comes from: the values have {GONE} in its place"
        yield Finding("import-secrets", place, message, "name a Secret there: {valueFrom: {secretKeyRef: {name, key}}}")
