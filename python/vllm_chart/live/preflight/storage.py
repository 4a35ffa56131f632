"""Volumes: those that the release makes, and those that are there."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes.client import V1PersistentVolume, V1StorageClass

from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.needs import needs
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines
from vllm_chart.rendered.quantities import parse_quantity

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """Which volumes will not be there, or not for all pods."""
    yield from _own_claims(wanted.manifests, snapshot)
    yield from _shared_claim(wanted, snapshot)


def _own_claims(manifests: Manifests, snapshot: Snapshot) -> Iterator[Finding]:
    """Claims of the release, or of each of its pods: does a class make their volumes, or is there one that fits?"""
    claims = [(claim.where, claim["spec"]) for claim in manifests.all("PersistentVolumeClaim")]
    for pod, _ in engines(manifests):
        ephemeral = [(volume["name"], volume["ephemeral"]) for volume in pod.all("volumes") if volume.get("ephemeral")]
        claims += [(f"{pod.where}: volume {name}", one["volumeClaimTemplate"]["spec"]) for name, one in ephemeral]
    for where, spec in claims:
        wanted = spec.get("storageClassName")
        if wanted == "":
            yield from _static(where, spec, snapshot)
        elif snapshot.classes is not None:
            names = [(class_.metadata.name if class_.metadata else None) or "" for class_ in snapshot.classes]
            there = f"the cluster has {', '.join(sorted(names)) or 'none'}"
            remedy = "write one that exists in persistence.storageClassName, or `-` for a volume made by hand"
            if wanted is not None and wanted not in names:
                yield Finding("storage", f"StorageClass/{wanted}", f"there is none; {there}", remedy)
            elif wanted is None and not any(map(_is_default, snapshot.classes)):
                yield Finding("storage", where, f"no StorageClass is the default; {there}", remedy)


def _is_default(class_: V1StorageClass) -> bool:
    annotations = (class_.metadata.annotations if class_.metadata else None) or {}
    return annotations.get(DEFAULT_CLASS) == "true"


def _static(where: str, claim: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.volumes is None or any(_answers(volume, claim) for volume in snapshot.volumes):
        return
    modes = ", ".join(claim["accessModes"])
    yield Finding(
        "storage",
        where,
        f"no PersistentVolume without a class is free that is {modes} and large enough",
        "create one, or write a class in persistence.storageClassName",
    )


def _answers(volume: V1PersistentVolume, wanted: Mapping[str, Any]) -> bool:
    spec = volume.spec
    if spec is None or spec.storage_class_name or not (volume.status and volume.status.phase == "Available"):
        return False
    size = parse_quantity((spec.capacity or {}).get("storage", "0"))
    large_enough = size >= parse_quantity(wanted["resources"]["requests"]["storage"])
    return large_enough and set(wanted["accessModes"]) <= set(spec.access_modes or [])


def _shared_claim(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """A claim that is there already, and that one node at a time may mount."""
    scale = wanted.scale
    pods = (scale.most + wanted.workload.surge(scale.most)) * wanted.workload.pods_per_replica
    for need in needs(wanted.manifests):
        claim = snapshot.found.get((need.kind, need.name))
        if need.kind != "PersistentVolumeClaim" or claim is None:
            continue
        where = f"PersistentVolumeClaim/{need.name}"
        if claim.status and claim.status.phase == "Lost":
            yield Finding("storage", where, "its volume is gone", "restore the volume, or name another claim")
        modes = set((claim.spec.access_modes if claim.spec else None) or [])
        if pods > 1 and modes and not modes & {"ReadWriteMany", "ReadOnlyMany"}:
            yield Finding(
                "storage",
                where,
                f"{_pods(wanted, pods)} at a time would mount it, and its {', '.join(sorted(modes))} allows one node",
                f"write {_one(wanted)}: 1 and strategy.rollingUpdate.maxSurge: 0, or name a ReadWriteMany claim",
                "warning",  # pods of one node may share it
            )


def _pods(wanted: Wanted, pods: int) -> str:
    autoscaler = wanted.scale.autoscaler
    return f"{pods} pods" + (f" ({autoscaler.where} may go to {wanted.scale.most})" if autoscaler else "")


def _one(wanted: Wanted) -> str:
    """What is written so that there is one replica."""
    autoscaler = wanted.scale.autoscaler
    return autoscaler.keys[1] if autoscaler else "replicaCount"
