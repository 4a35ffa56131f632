"""The GPUs that a pod asks for by resource claims (dynamic resource allocation), as far as their templates are there.

A claim's shape: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/. In v1beta1
a request has its fields itself, later under `exactly`; `firstAvailable` lists alternatives.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Container, Pod

GPU_CLASS = re.compile(r"(^|[.-])gpu([.-]|$)")
"""Names of device classes of whole GPUs: gpu.nvidia.com, gpu.amd.com, gpu.intel.com."""

NETWORK_CLASS = re.compile(r"rdma|roce|infiniband|(^|[.-])(nic|net|dranet|imex|compute-domain[a-z-]*)([.-]|$)")
"""Names of device classes of what belongs to no GPU: network cards, and the domains of NVLink between nodes. Of any
other, such as a slice of a GPU or a class of the cluster's own, it is not known what it brings."""


@dataclasses.dataclass(frozen=True)
class Claimed:
    """GPUs that a container gets by claims.

    count: how many for sure. every: whether it gets all that a node has beside those. unknown: whether there are claims
    of which it is not known what they bring.
    """

    count: int = 0
    every: bool = False
    unknown: bool = False


def gpus(manifests: Manifests, pod: Pod, container: Container) -> Claimed:
    """The GPUs that a container of a rendered pod gets by claims; the templates are among the rendered objects."""
    claims = [
        claimed
        for reference in (container.get("resources") or {}).get("claims") or ()
        for claimed in _of_claim(manifests, pod, str(reference.get("name")), reference.get("request"))
    ]
    return Claimed(
        sum(claim.count for claim in claims),
        any(claim.every for claim in claims),
        any(claim.unknown for claim in claims),
    )


def _of_claim(manifests: Manifests, pod: Pod, name: str, only: str | None) -> Iterator[Claimed]:
    """What the requests of a claim bring; `only`: the one that the container names, else it gets all of them."""
    claim: dict[str, Any] = next((entry for entry in pod.all("resourceClaims") if entry.get("name") == name), {})
    requests = _requests(manifests, claim)
    if requests is None:
        yield Claimed(unknown=True)
        return
    for request in requests:
        if only in (None, "", request.get("name")):
            yield _of_request(request)


def _requests(manifests: Manifests, claim: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """The requests for devices of a pod's claim; None where the object is not among the rendered ones."""
    for kind, key, path in (
        ("ResourceClaimTemplate", "resourceClaimTemplateName", ("spec", "spec")),
        ("ResourceClaim", "resourceClaimName", ("spec",)),
    ):
        named = next((object_ for object_ in manifests.all(kind) if claim.get(key) == object_.name), None)
        if named is not None:
            inner: Any = named
            for step in (*path, "devices", "requests"):
                inner = inner.get(step) if isinstance(inner, Mapping) else None
            return [request for request in inner or () if isinstance(request, Mapping)]
    return None


def _of_request(request: Mapping[str, Any]) -> Claimed:
    exactly = request.get("exactly") or request
    if request.get("firstAvailable") or not isinstance(exactly, Mapping) or exactly.get("adminAccess"):
        return Claimed(unknown=True)  # which of the alternatives it is, the cluster decides
    name = str(exactly.get("deviceClassName") or "")
    if not GPU_CLASS.search(name):
        return Claimed(unknown=not NETWORK_CLASS.search(name))
    if exactly.get("allocationMode") == "All":
        return Claimed(every=True)
    count = exactly.get("count", 1)
    return Claimed(count) if isinstance(count, int) and count > 0 else Claimed(unknown=True)
