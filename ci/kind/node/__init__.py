"""The image of the cluster's nodes: kind's own where a registry answers, else built by `build.py`."""

import dataclasses
import hashlib
from pathlib import Path

from ci import versions
from ci.engine import Engine, registry_reachable
from ci.kind.node import build
from ci.shell import step, succeeds


@dataclasses.dataclass(frozen=True)
class NodeImage:
    """An image for `kind create cluster --image`, and whether it brings a CNI plugin."""

    reference: str
    has_cni: bool


def ensure(engine: Engine) -> NodeImage:
    """The node image, in the engine: pulled, or built once per set of pins. Raises HarnessError."""
    if registry_reachable():
        if engine.image_id(versions.KIND_NODE_IMAGE) is None:
            with step("Pull the node image", remedy="VLLM_CHART_IMAGES=build builds it instead."):
                engine.run("pull", versions.KIND_NODE_IMAGE)
        return NodeImage(versions.KIND_NODE_IMAGE, has_cni=True)
    reference = f"vllm-chart/node:v{versions.KUBERNETES}-{_fingerprint()}"
    if engine.image_id(reference) is None:
        with step("Build the node image", remedy="It needs 15 GB of disk, the Go proxy and Debian's mirror."):
            build.build(engine, reference)
            _forget_others(engine, reference)
    return NodeImage(reference, has_cni=False)


def _forget_others(engine: Engine, reference: str) -> None:
    """Remove the images of earlier builds, but for one that a cluster still runs on."""
    listing = engine.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", reference.partition(":")[0])
    for other in set(listing.splitlines()) - {reference}:
        succeeds(engine.docker, "image", "rm", other, env=engine.env)


def _fingerprint() -> str:
    """A short name for all that the image is made of, besides Kubernetes: pins, and the files beside this one."""
    pins = (versions.KIND, versions.CONTAINERD, versions.ETCD, versions.COREDNS, versions.LOCAL_PATH_PROVISIONER)
    digest = hashlib.sha256(" ".join((*pins, versions.DEBIAN)).encode())
    for path in sorted(Path(__file__).parent.iterdir()):
        if path.is_file() and path.name != "__init__.py":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
