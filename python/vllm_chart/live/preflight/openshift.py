"""OpenShift: whether its SecurityContextConstraints let the pods in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.cluster import openshift
from vllm_chart.cluster.openshift import RESTRICTED, Refusal
from vllm_chart.findings import Finding, Severity
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """What the constraints that come nearest refuse of the pods, where none lets them in."""
    annotations = _annotations(snapshot)
    usable, severity = _usable(snapshot, annotations)
    told: dict[str, Finding] = {}
    for spec, _ in wanted.parts:
        refused = {
            openshift.name_of(constraints): openshift.refusals(constraints, spec, annotations) for constraints in usable
        }
        if admitting := [name for name, refusals in refused.items() if not refusals]:
            where = f"SecurityContextConstraints/{' or '.join(sorted(admitting))}"
            told.setdefault("", Finding("security-constraints", where, "lets the pods in", severity="info"))
            continue
        if not refused:
            continue
        # What is given to everyone comes first among equals: it needs no grant.
        name = min(refused, key=lambda name: (len(refused[name]), name != openshift.name_of(RESTRICTED)))
        finding = _finding(name, refused[name], wanted, severity)
        told.setdefault(finding.message, finding)
    refusing = [finding for finding in told.values() if finding.severity != "info"]
    yield from refusing or told.values()


def _usable(snapshot: Snapshot, annotations: Mapping[str, str]) -> tuple[Sequence[Mapping[str, Any]], Severity]:
    """The constraints that the pods' service account may use. Where that can't be known: those for everyone, and what
    they refuse is a warning."""
    if snapshot.constraints and snapshot.usable is not None:
        mine = [candidate for candidate in snapshot.constraints if openshift.name_of(candidate) in snapshot.usable]
        return mine or [RESTRICTED], "error"
    if snapshot.constraints or openshift.UID_RANGE in annotations:
        listed = [
            candidate
            for candidate in snapshot.constraints or ()
            if openshift.name_of(candidate) == openshift.name_of(RESTRICTED)
        ]
        return listed or [RESTRICTED], "warning"
    return (), "warning"


def _finding(name: str, refused: Sequence[Refusal], wanted: Wanted, severity: Severity) -> Finding:
    messages = "; ".join(dict.fromkeys(refusal.message for refusal in refused))
    remedies = list(dict.fromkeys(refusal.remedy for refusal in refused))
    identity = {"runAsUser", "fsGroup"}
    remedy = "; ".join(remedies)
    if identity & {refusal.field for refusal in refused}:
        remedy += f": {openshift.FITS}"
    if identity >= {refusal.field for refusal in refused}:
        account = str(wanted.spec.service_account_name or "default")
        remedy += "; or " + openshift.GRANT.format(account=account, namespace=wanted.workload.namespace)
    message = f"none that the pods may use admits them; of {name}: {messages}"
    return Finding("security-constraints", f"SecurityContextConstraints/{name}", message, remedy, severity)


def _annotations(snapshot: Snapshot) -> Mapping[str, str]:
    metadata = snapshot.namespace.metadata if snapshot.namespace else None
    return (metadata.annotations if metadata else None) or {}
