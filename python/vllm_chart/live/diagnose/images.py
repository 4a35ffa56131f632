"""Images that can't be pulled."""

import re
from collections.abc import Iterable

from kubernetes.client import CoreV1Event, V1Pod

from vllm_chart.live.diagnose.objects import is_about

REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
"""Why a container waits whose image is not there."""

UNMOUNTED = "ImageVolumeMountFailed"
"""What the container runtime says of an image that is there and can't be mounted: `ErrImageVolumeMountFailed` of
k8s.io/cri-api 0.37, pkg/errors."""


def volume(pod: V1Pod, message: str) -> str:
    """The image of a volume that a container waits for in this message; "" if it waits for its own.

    The kubelet says the same of both: pkg/kubelet/kuberuntime/kuberuntime_manager.go of Kubernetes 1.37,
    `toKubeContainerImageVolumes`.
    """
    volumes = (pod.spec.volumes if pod.spec else None) or ()
    references = (each.image.reference for each in volumes if each.image and each.image.reference)
    return next((reference for reference in references if f'"{reference}"' in message), "")


def pull_error(pod: V1Pod, image: str, events: Iterable[CoreV1Event]) -> str:
    """The registry's own words: in back-off the container's status has forgotten them, the event has not."""
    said = (event.message or "" for event in events if event.reason == "Failed" and is_about(event, pod))
    return next((message for message in said if f'Failed to pull image "{image}"' in message), "")


def remedy(message: str) -> str:
    """What to change for the words of the container runtime or of the registry."""
    if re.search(r"couldn't parse image name|invalid reference format", message):
        return "correct image.repository, image.tag or image.digest (or global.imageRegistry)"
    if re.search(r"no match(?:ing manifest)? for (?:platform|linux)", message):
        return (
            "the image is not built for the node's processor: write the image.tag of its architecture, or choose "
            "nodes with nodeSelector kubernetes.io/arch"
        )
    if "no space left on device" in message:
        return "free the node's disk, or choose nodes with a larger one in nodeSelector: the image is ten gigabytes"
    if re.search(r"429 Too Many Requests|toomanyrequests", message):
        return "name an account's pull secret in imagePullSecrets, or write a mirror in global.imageRegistry"
    if re.search(r"not present with pull policy of Never", message):
        return "load the image on the node, or write image.pullPolicy: IfNotPresent"
    if re.search(r"unauthorized|denied|authentication required|authorization failed|forbidden", message, re.I):
        return "name a pull secret in imagePullSecrets, or correct image.repository"
    if re.search(r"dial tcp|no such host|timeout|timed out|x509|EOF", message):
        return (
            "the node can't reach the registry: write one that it reaches in global.imageRegistry or "
            "image.repository, or load the image on the node"
        )
    return "write image.repository and image.tag (or image.digest) of an image that exists"


def remedy_of_volume(message: str) -> str:
    """The same for the image that model.image mounts."""
    if "no space left on device" in message:
        return (
            "free the node's disk, or choose nodes with a larger one in nodeSelector: while a model is pulled it takes "
            "twice its size"
        )
    if re.search(r"429 Too Many Requests|toomanyrequests", message):
        return "name an account's pull secret in imagePullSecrets, or write a mirror in model.image.reference"
    if re.search(r"not present with pull policy of Never", message):
        return "load the image on the node, or write model.image.pullPolicy: IfNotPresent"
    if re.search(r"unauthorized|denied|authentication required|authorization failed|forbidden", message, re.I):
        return "name a pull secret in imagePullSecrets, or correct model.image.reference"
    if re.search(r"dial tcp|no such host|timeout|timed out|x509|EOF", message):
        return "the node can't reach the registry: write one that it reaches in model.image.reference"
    return "write the model.image.reference of an image that exists"


def remedy_of_mount(message: str) -> str:
    """For an image of a volume that was pulled; containerd's words: internal/cri/server/container_image_mount.go,
    `ensureImageSubPath`."""
    if re.search(r"no such file or directory|only directory subpath|not a directory|escapes", message):
        return "write in model.image.subPath the folder of the image with config.json, or leave it empty for its top"
    return "an image that the node's container runtime can mount: containerd takes images only, CRI-O artifacts too"
