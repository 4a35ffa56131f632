"""What a file holds, by its form, and the releases that come of it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from vllm_chart import redaction, support
from vllm_chart.checks import schemas
from vllm_chart.findings import Finding, WrongCallError
from vllm_chart.importing import companions, deployment, kserve, objects, production_stack, secrets
from vllm_chart.importing.release import Release
from vllm_chart.importing.source import Field, Ledger
from vllm_chart.rendered.manifests import Manifests, Object

Json = Any

#: What a file may be, as `--from` names it.
FORMS = ("deployment", "production-stack", "kserve")
_WANTED = (
    "give what runs one, as `kubectl get deployment,service,pvc -o yaml` or `helm template` write it, or values of "
    "production-stack"
)


@dataclasses.dataclass
class Imported:
    """Releases, and what became of each field of what they come of.

    sources: the objects of the file, by what they are called in the fields' paths.
    """

    releases: list[Release]
    fields: list[Field]
    sources: dict[str, Json]

    @property
    def findings(self) -> list[Finding]:
        left = [field.finding() for field in self.fields if field.fate == "left"]
        return [*left, *(finding for release in self.releases for finding in release.findings)]


def read(text: str, name: str, form: str = "auto") -> Imported:
    """The releases of a file. name: of the file, for messages. form: one of FORMS, or "auto", which reads all of them.

    Raises WrongCallError for what is none of the forms.
    """
    ledger = Ledger()
    documents = objects.read(text, name)
    _refuse_other_types(documents, name)
    found = objects.objects(ledger, documents)
    readers = {"deployment": _deployments, "production-stack": _stacks, "kserve": _services}
    chosen = readers.values() if form == "auto" else [readers[form]]
    makers = (*deployment.TEMPLATES, *(kserve.KINDS if form == "auto" else ()))
    made = deployment.made(found, makers)
    try:
        releases = [release for reader in chosen for release in reader([one for one in found if one.path not in made])]
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        if all(schemas.knows(Object(document), support.KUBERNETES[-1]) for document in documents):
            raise
        # No schema is aboard that would say it by the field: of KServe, of a Rollout, of values.
        # A number's text is quoted behind a colon, and may be anything.
        reason = str(error).partition(": ")[0] or "a part of it is missing"
        raise WrongCallError(f"{name}: a field has another form than it should have: {reason}") from error
    if not releases and not any(companions.holds_engine(one) for one in found):
        wanted = "no engine" if form == "auto" else f"nothing of {form}"
        raise WrongCallError(f"{name}: {wanted} is in it: {_kinds(found)}: {_WANTED}")
    for one in found:
        if maker := made.get(one.path):
            one.covered(f"{maker} makes it")
    _rest(ledger, found)
    known = secrets.written_out(documents).union(*(release.draft.secrets for release in releases))
    for release in releases:
        release.findings += secrets.scrub(release.draft, known)
        release.draft.secrets = known
        release.findings = [redaction.told_without(finding, known) for finding in release.findings]
        release.words = release.words and [redaction.without(word, known) for word in release.words]
    fields = [_without(field, known) for field in dict.fromkeys(ledger.fields)]
    return Imported(releases, fields, {str(one.path[0]): one.value for one in found})


def _without(field: Field, known: set[str]) -> Field:
    texts: dict[str, Any] = {name: redaction.without(getattr(field, name), known) for name in ("reason", "remedy")}
    return dataclasses.replace(field, **texts)


def _refuse_other_types(documents: Sequence[Json], name: str) -> None:
    """Raises WrongCallError for what an API server would not take either: a text where a list belongs."""
    for document in documents:
        if not isinstance(document.get("metadata") or {}, dict):
            raise WrongCallError(f"{name}: {document.get('kind')}: metadata: a map is expected here")
    manifests = Manifests([Object(document, name) for document in documents if "kind" in document])
    for finding in schemas.of_another_type(manifests, support.KUBERNETES[-1]):
        # The words before it are the value, which may be secret.
        wanted = finding.message.rpartition(" is not of type ")[2]
        raise WrongCallError(f"{name}: {finding.where}: what is there is not of type {wanted}")


def _deployments(found: Sequence[objects.Object]) -> list[Release]:
    engines = list(deployment.workloads(found))
    own = {one.path for one, _, _ in engines}
    others = [one for one in found if one.path not in own]
    return [deployment.take(*engine, others) for engine in engines]


def _stacks(found: Sequence[objects.Object]) -> list[Release]:
    return [release for one in found if production_stack.holds(one.value) for release in production_stack.take(one)]


def _services(found: Sequence[objects.Object]) -> list[Release]:
    services = [one for one in found if one.kind in kserve.KINDS]
    others = [one for one in found if one not in services]
    engines = [one for one in services if kserve.runs_engine(one, others)]
    for one in services:
        if one not in engines:
            one.left("no container of it runs vLLM", "it stays an object of its own", "info")
    return [kserve.take(one, others) for one in engines]


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
