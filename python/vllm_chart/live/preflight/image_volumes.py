"""Whether nodes mount images as volumes, where a pod has one."""

import re
from collections.abc import Iterator

from kubernetes.client import V1Node

from vllm_chart.cluster import nodes
from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted

#: Minor versions of the kubelet: since when it may mount a part of an image, and does so without its gate.
#: pkg/features/kube_features.go of Kubernetes 1.37, ImageVolume.
SINCE, BY_DEFAULT = 33, 35

GATE = "start the kubelet with --feature-gates=ImageVolume=true, the API server too"


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """The nodes that would take a pod and not its volume."""
    if not any(volume.image for spec, _ in wanted.parts for volume in spec.volumes or ()):
        return
    taken = [node for node in snapshot.nodes or () if any(nodes.welcomes(spec, node) for spec, _ in wanted.parts)]
    minors = {nodes.name(node): minor for node in taken if (minor := _minor(node)) is not None}
    old = sorted(name for name, minor in minors.items() if minor < SINCE)
    gated = sorted(name for name, minor in minors.items() if SINCE <= minor < BY_DEFAULT)
    if old:
        yield Finding(
            "image-volumes",
            f"Node/{', '.join(old)}",
            f"its kubelet is older than 1.{SINCE} and mounts no image: a pod there would have no model",
            "write nodeSelector for newer nodes, or a model.id without model.image",
            "error" if len(old) == len(minors) else "warning",
        )
    if gated:
        message = f"its kubelet mounts images only with its gate ImageVolume: by default it does from 1.{BY_DEFAULT} on"
        yield Finding("image-volumes", f"Node/{', '.join(gated)}", message, GATE, "warning")


def _minor(node: V1Node) -> int | None:
    info = node.status.node_info if node.status else None
    found = re.match(r"v?1\.(\d+)", info.kubelet_version or "") if info else None
    return int(found[1]) if found else None
