"""Volumes: those that the release makes, and those that are there."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubernetes.client import V1PersistentVolume, V1StorageClass

from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.needs import needs
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered.pods import engines
from vllm_chart.rendered.quantities import parse_quantity

DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
"""Either makes a class the default: pkg/apis/storage/v1/util/helpers.go of Kubernetes 1.37, `IsDefaultAnnotation`."""


class _Claim(NamedTuple):
    """A claim of the release, or of each of its pods, whose names come before `name` then."""

    where: str
    spec: Mapping[str, Any]
    namespace: str
    name: str
    of_each_pod: bool

    def has(self, volume: V1PersistentVolume) -> bool:
        """Whether a volume is this claim's already."""
        holder = volume.spec.claim_ref if volume.spec else None
        if holder is None or holder.namespace != self.namespace:
            return False
        return (holder.name or "").endswith(f"-{self.name}") if self.of_each_pod else holder.name == self.name


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """Which volumes will not be there, or not for all pods."""
    for claim in _own_claims(wanted):
        yield from _without_volume(claim, snapshot)
    yield from _shared_claim(wanted, snapshot)


def _own_claims(wanted: Wanted) -> Iterator[_Claim]:
    """Claims of the release, and of each of its pods."""
    namespace = wanted.workload.namespace
    for claim in wanted.manifests.all("PersistentVolumeClaim"):
        yield _Claim(claim.where, claim["spec"], namespace, str(claim["metadata"]["name"]), of_each_pod=False)
    for pod, _ in engines(wanted.manifests):
        for volume in pod.all("volumes"):
            if ephemeral := volume.get("ephemeral"):
                name, spec = str(volume["name"]), ephemeral["volumeClaimTemplate"]["spec"]
                yield _Claim(f"{pod.where}: volume {name}", spec, namespace, name, of_each_pod=True)


def _without_volume(claim: _Claim, snapshot: Snapshot) -> Iterator[Finding]:
    """Whether a class makes its volume, or there is one that fits: a class that only volumes name is no object."""
    named = claim.spec.get("storageClassName")
    volumes, classes = snapshot.volumes, snapshot.classes
    if volumes is not None and any(_answers(volume, named or "", claim) for volume in volumes):
        return
    if named == "":
        if volumes is not None:
            modes = ", ".join(claim.spec["accessModes"])
            message = f"no PersistentVolume without a class is free that is {modes} and large enough"
            remedy = "create one, or write a class in persistence.storageClassName"
            yield Finding("storage", claim.where, message, remedy)
        return
    if classes is None or any(_makes(class_, named) for class_ in classes):
        return
    there = f"the cluster has {', '.join(sorted(map(_name, classes))) or 'none'}"
    there += "; its PersistentVolumes are not yours to see" if volumes is None else ""
    where = f"StorageClass/{named}" if named else claim.where
    message = "there is none" if named else "no StorageClass is the default"
    remedy = "write one that exists in persistence.storageClassName, or `-` for a volume made by hand"
    yield Finding("storage", where, f"{message}; {there}", remedy, "warning" if volumes is None else "error")


def _name(class_: V1StorageClass) -> str:
    return (class_.metadata.name if class_.metadata else None) or ""


def _makes(class_: V1StorageClass, named: str | None) -> bool:
    """Whether a class makes the volume of a claim that names one, or none."""
    if named is not None:
        return _name(class_) == named
    annotations = (class_.metadata.annotations if class_.metadata else None) or {}
    return any(annotations.get(name) == "true" for name in DEFAULT_CLASS)


def _answers(volume: V1PersistentVolume, class_: str, claim: _Claim) -> bool:
    """Whether a volume is the claim's, or free and of a size and modes that answer it."""
    spec = volume.spec
    if claim.has(volume):
        return True
    free = volume.status and volume.status.phase == "Available" and spec and not spec.claim_ref
    if not free or spec is None or (spec.storage_class_name or "") != class_:
        return False
    size = parse_quantity((spec.capacity or {}).get("storage", "0"))
    large_enough = size >= parse_quantity(claim.spec["resources"]["requests"]["storage"])
    return large_enough and set(claim.spec["accessModes"]) <= set(spec.access_modes or [])


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
