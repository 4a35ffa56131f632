"""Volumes that a pod waits for."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kubernetes.client import CoreV1Event, V1Pod

from vllm_chart.cluster.conditions import condition
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import container_statuses, is_about, name_of, state, waits

_MOUNTS = (
    (
        r'configmap "[^"]*" not found|configmap references non-existent',
        "create the ConfigMap in the release's namespace, or correct volumes (or caBundle)",
    ),
    # pkg/volume/secret/secret.go of Kubernetes: of a key that is not there it names neither Secret nor namespace.
    (
        r'volume "object-storage" : (?:secret "[^"]*" not found|references non-existent secret key)',
        "create the Secret that objectStorage.credentialsSecretRef names, with the key credentials.json, or correct "
        "that name",
    ),
    (
        r'secret "[^"]*" not found|references non-existent secret key',
        "create the Secret in the release's namespace, with the keys that its volume names, or correct volumes",
    ),
    (
        r"Multi-Attach error",
        "a ReadWriteOnce volume serves one node: write persistence.accessModes: [ReadWriteMany], or one replica "
        "without surge",
    ),
    (
        r"no runtime for \S+ is configured|RuntimeHandler \S+ not supported",
        "the node's container runtime knows no such handler: correct runtimeClassName, or choose nodes with "
        "nodeSelector",
    ),
)


def mounts(pod: V1Pod, events: Iterable[CoreV1Event]) -> Iterator[Finding]:
    """What keeps the volumes of a pod, or the pod's sandbox, from being there, while its containers wait."""
    if not any(waits(status)[0] in ("ContainerCreating", "PodInitializing") for status in container_statuses(pod)):
        return
    if _are_there(pod):
        return
    for event in events:
        if event.reason in ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox") and is_about(event, pod):
            message = event.message or ""
            remedy = next(
                (remedy for pattern, remedy in _MOUNTS if re.search(pattern, message)),
                "see persistence, volumes and volumeMounts",
            )
            yield Finding("volume", f"Pod/{name_of(pod)}", message, remedy)


def _are_there(pod: V1Pod) -> bool:
    """Whether a pod has its volumes and its sandbox: events of what failed before that last for an hour.

    The condition is Kubernetes 1.29's; before, a container that has begun tells the same.
    """
    sandbox = condition(pod, "PodReadyToStartContainers")
    if sandbox:
        return bool(sandbox.status == "True")
    states = [state(status.state) for status in container_statuses(pod)]
    return any(each.running or each.terminated for each in states)


def pending_claims(pods: Sequence[V1Pod], snapshot: Snapshot) -> Iterator[Finding]:
    """Claims that no volume answers. One that only waits for its pod is in order: it has no such event."""
    used = {
        volume.persistent_volume_claim.claim_name
        for pod in pods
        for volume in (pod.spec.volumes if pod.spec else None) or []
        if volume.persistent_volume_claim
    }
    for claim in snapshot.claims:
        if name_of(claim) not in used or not claim.status or claim.status.phase != "Pending":
            continue
        for event in snapshot.events:
            if event.reason in ("ProvisioningFailed", "FailedBinding") and is_about(event, claim):
                yield Finding(
                    "volume",
                    f"PersistentVolumeClaim/{name_of(claim)}",
                    f"it gets no volume: {event.message}",
                    "write a class that exists in persistence.storageClassName (`kubectl get storageclass`), and "
                    "persistence.accessModes and persistence.size that it can give",
                )
