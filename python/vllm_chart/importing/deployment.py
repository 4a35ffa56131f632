"""Workloads whose pods run `vllm serve`, as values: a release each, with the objects that belong to it."""

from collections.abc import Iterator, Sequence
from typing import Any

from vllm_chart.importing import companions
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.engine import engine_of
from vllm_chart.importing.objects import HOOK, Object, cover_metadata
from vllm_chart.importing.pod import PodReader, owned_labels
from vllm_chart.importing.release import Release
from vllm_chart.importing.source import Part, Path

Json = Any

#: Kinds that have pods, and where their template is.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "Pod": (),
}
_STATEFUL = {
    "volumeClaimTemplates": "a claim for each pod that outlives it is not in the chart: write persistence with "
    "ReadWriteMany for one that all share, or persistence.ephemeral: true for one each that goes with the pod",
    "podManagementPolicy": "",
    "updateStrategy": "",
    "serviceName": "",
    "persistentVolumeClaimRetentionPolicy": "",
    "ordinals": "",
}


def made(objects: Sequence[Object], makers: Sequence[str]) -> dict[Path, Object]:
    """Objects that another one of the file makes, by their paths: `kubectl get all` lists Pods beside their Deployment.

    makers: kinds that become releases themselves.
    """
    found = {}
    by_name = {(one.namespace, one.kind, one.name): one for one in objects if one.kind in makers}
    for one in objects:
        owners = one.get("metadata", "ownerReferences")
        for owner in owners.items() if owners else []:
            kind, name = str(owner.value_of("kind")), str(owner.value_of("name"))
            # The ReplicaSet between a Deployment and its Pods may not be in the file.
            above = name.removesuffix(f"-{one.labels.get('pod-template-hash')}")
            maker = by_name.get((one.namespace, kind, name)) or by_name.get((one.namespace, "Deployment", above))
            if owner.value_of("controller") and maker:
                found[one.path] = maker
    return found


def workloads(objects: Sequence[Object]) -> Iterator[tuple[Object, Part, Part]]:
    """Those that run an engine: the object, its pod template, and the engine's container. Helm's hooks serve none."""
    for one in objects:
        if one.value_of("metadata", "annotations", HOOK):
            continue
        template = one.get(*TEMPLATES[one.kind]) if one.kind in TEMPLATES else None
        pod = template.get("spec") if template else None
        container = engine_of(pod) if pod else None
        if template and container:
            yield one, template, container


def take(one: Object, template: Part, container: Part, others: Sequence[Object]) -> Release:
    """The release of a workload. others: the objects beside it; those that belong to it are told of."""
    draft = Draft(one.name or "llm", str(one.path[0]))
    _metadata(draft, one, template)
    pod = template.get("spec")
    assert pod
    reader = PodReader(draft, pod, container)
    reader.take()
    if one.kind != "Pod":
        _spec(draft, one)
    findings = [*reader.findings, *companions.take(draft, one, pod, template.get("metadata", "labels"), reader, others)]
    return Release(draft, reader.told, reader.arguments.version, findings, one.namespace)


def _metadata(draft: Draft, one: Object, template: Part) -> None:
    annotations = cover_metadata(one, "name the release: `helm install NAME`")
    pod = template.path != one.path
    for key, annotation in annotations.items():
        draft.put(annotation, ("deploymentAnnotations" if pod else "podAnnotations", key), annotation.value)
    _labels(draft, one.get("metadata", "labels"), "commonLabels" if pod else "podLabels")
    if not pod:
        return
    metadata = template.get("metadata")
    for key, part in _map(metadata.get("annotations") if metadata else None).items():
        draft.put(part, ("podAnnotations", key), part.value)
    _labels(draft, metadata.get("labels") if metadata else None, "podLabels")
    if metadata:
        metadata.cover("pods are called by their workload", "name", "namespace", "creationTimestamp")


def _map(part: Part | None) -> dict[str, Part]:
    return part.fields() if part else {}


def _labels(draft: Draft, labels: Part | None, into: str) -> None:
    for key, label in _map(labels).items():
        if key in owned_labels():
            label.covered("the chart sets it")
        elif (draft.get("commonLabels") or {}).get(key) == label.value:
            label.carried(f"commonLabels.{key}")
        else:
            draft.put(label, (into, key), label.value)


def _spec(draft: Draft, one: Object) -> None:
    spec = one.get("spec")
    assert spec
    draft.take(spec.get("replicas"), "replicaCount")
    for key in ("minReadySeconds", "revisionHistoryLimit"):
        draft.take(spec.get(key), key)
    if strategy := spec.get("strategy"):
        draft.put(strategy, "strategy", strategy.value)
        if strategy.value_of("type") == "Recreate":
            draft.values["strategy"] = {"type": "Recreate", "rollingUpdate": None}
    spec.cover("the chart selects its pods by name and instance", "selector")
    spec.cover("the chart computes it from startup.budgetSeconds", "progressDeadlineSeconds")
    if (paused := spec.get("paused")) and not paused.value:
        paused.covered("as Kubernetes has it")
    if one.kind == "StatefulSet":
        for key, remedy in _STATEFUL.items():
            if field := spec.get(key):
                severity: Any = "error" if key == "volumeClaimTemplates" else "warning"
                field.left("the chart runs a Deployment, whose replicas are alike", remedy, severity)
