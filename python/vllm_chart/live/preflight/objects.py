"""Whether the objects are there that a release names and does not bring along, and are as they should be."""

import base64
from collections.abc import Iterator, Mapping, Sequence

from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.needs import Need


def explain(needed: Sequence[Need], snapshot: Snapshot) -> Iterator[Finding]:
    """Which of them are not there, or not as they should be."""
    hidden = sorted({need.kind for need in needed if (need.kind, need.name) not in snapshot.found})
    if hidden:
        yield Finding("objects", "cluster", f"{', '.join(hidden)}: not yours to see, and so not looked at", "", "info")
    for need in needed:
        if (need.kind, need.name) not in snapshot.found:
            continue
        found = snapshot.found[need.kind, need.name]
        where = f"{need.kind}/{need.name}"
        if found is None:
            yield Finding("objects", where, "there is none", f"create it{_how(need)}, or correct {need.value}")
            continue
        if need.kind in ("Secret", "ConfigMap") and need.key:
            yield from _wrong_key(need, where, {**(found.data or {}), **(getattr(found, "binary_data", None) or {})})


def _how(need: Need) -> str:
    return f": {_created(need)}" if need.kind == "Secret" and need.key else ""


def _created(need: Need) -> str:
    kind = "secret generic" if need.kind == "Secret" else "configmap"
    return f"`kubectl create {kind} {need.name} --from-literal={need.key}=…`"


def _wrong_key(need: Need, where: str, data: Mapping[str, str]) -> Iterator[Finding]:
    if need.key not in data:
        there = ", ".join(sorted(data)) or "none"
        yield Finding("objects", where, f"it has no key {need.key}, but: {there}", f"add it, or correct {need.value}")
    elif need.header:
        written = data[need.key]
        value = base64.b64decode(written) if need.kind == "Secret" else written.encode()  # a ConfigMap's is plain text
        remedy = f"write it anew: {_created(need)}"
        if not value.strip():
            yield Finding("secret-text", f"{where}: {need.key}", "it is empty", remedy)
        elif value != value.strip():
            yield Finding("secret-text", f"{where}: {need.key}", "it ends or begins with white space", remedy)
        elif not all(0x20 < byte < 0x7F for byte in value):
            why = ": plain text under data, where base64 belongs, becomes this" if need.kind == "Secret" else ""
            yield Finding("secret-text", f"{where}: {need.key}", f"it is not text{why}", remedy)
