"""What a file holds, by its form, and the releases that come of it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from vllm_chart.findings import Finding, WrongCallError
from vllm_chart.importing import companions, deployment, objects
from vllm_chart.importing.release import Release
from vllm_chart.importing.source import Field, Ledger

Json = Any

#: What a file may be, as `--from` names it.
FORMS = ("deployment",)


@dataclasses.dataclass
class Imported:
    """Releases, and what became of each field of what they come of."""

    releases: list[Release]
    fields: list[Field]

    @property
    def findings(self) -> list[Finding]:
        left = [field.finding() for field in self.fields if field.fate == "left"]
        return [*left, *(finding for release in self.releases for finding in release.findings)]


def read(text: str, name: str, form: str = "auto") -> Imported:
    """The releases of a file. name: of the file, for messages. form: one of FORMS, or "auto".

    Raises WrongCallError for what is none of the forms.
    """
    documents = objects.read(text, name)
    ledger = Ledger()
    found = objects.objects(ledger, documents)
    releases = _deployments(found)
    if not releases and not any(companions.holds_engine(one) for one in found):
        raise WrongCallError(f"{name}: no engine is in it: {_kinds(found)}")
    _rest(ledger, found)
    return Imported(releases, ledger.fields)


def _deployments(found: Sequence[objects.Object]) -> list[Release]:
    engines = list(deployment.workloads(found))
    own = {one.path for one, _, _ in engines}
    others = [one for one in found if one.path not in own]
    return [deployment.take(*engine, others) for engine in engines]


def _rest(ledger: Ledger, found: Sequence[objects.Object]) -> None:
    """Name what no release has spoken of: whole objects by their reason, and fields of others."""
    told = {field.path[0] for field in ledger.fields}
    for one in found:
        if one.path[0] not in told:
            one.left(*companions.reason(one))
    for one in found:
        ledger.rest(one.path, one.value)


def _kinds(found: Sequence[objects.Object]) -> str:
    names = ", ".join(dict.fromkeys(str(one.path[0]) for one in found[:5]))
    return f"{names}{' …' if len(found) > 5 else ''}"
