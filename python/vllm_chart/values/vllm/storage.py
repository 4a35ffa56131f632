"""Memory and disk of a pod: /dev/shm, and the volume for weights and compile caches."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.values.base import NAME_REMEDY, SUBDOMAIN, Annotations, Block, Pattern, Reference, Size
from vllm_chart.values.kubernetes import INSIDE_PATTERN, INSIDE_REMEDY


class Shm(Block):
    """/dev/shm, always a memory-backed emptyDir: the container runtime's own 64 MiB crash vLLM's workers."""

    remedies = {
        "size": "write shm.sizeLimit",
        "enabled": "leave it out: /dev/shm is always mounted",
        "limit": "write shm.sizeLimit",
    }

    size_limit: Size = Field(
        "",
        description="Its size, which counts against the memory limit as it is used. Empty: 1Gi and 1Gi more per worker "
        "(vLLM needs 160Mi + 240Mi per worker, the rest is for NCCL), and what settings keep there: "
        "`kv-offloading-size`, OffloadingConnector, a cache of images, … What a killed container left there goes "
        "at the next one's start, where the chart sets `PYTHONPATH` (shutdown.closeConnections, hang.seconds) and no "
        "other container mounts it.",
    )


class Persistence(Block):
    """A PersistentVolumeClaim for weights and compile caches. Without it they live as long as the pod."""

    remedies = {
        "storageClass": "write persistence.storageClassName",
        "accessMode": "write persistence.accessModes: [ReadWriteOnce]",
        "claimName": "write persistence.existingClaim",
        "pvcName": "write persistence.existingClaim",
        "keep": "write persistence.retain",
        "path": "write persistence.mountPath",
        "perReplica": "write persistence.ephemeral",
    }

    enabled: bool = Field(
        False, description="Mount a claim at mountPath. False: an emptyDir, which outlives the container, not the pod."
    )
    existing_claim: Reference = Field("", description="Use this claim instead of creating one.")
    ephemeral: bool = Field(
        False,
        description="A claim for each pod, made with the pod and gone with it (a generic ephemeral volume): for "
        "replicas, or surge, on storage that one node mounts at a time. It outlives a crash of the container, and "
        "every new pod downloads again.",
    )
    storage_class_name: Annotated[str, Pattern(f"^(-|{SUBDOMAIN})?$", NAME_REMEDY, 253)] = Field(
        "",
        description="Empty: the cluster's default class. `-`: no class (static volume). Fixed on a live release, as a "
        "claim's class is.",
    )
    access_modes: list[Literal["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany", "ReadWriteOncePod"]] = Field(
        [],
        description="Empty: ReadWriteOnce, which one replica without surge can use. Several replicas need "
        "ReadWriteMany, or a claim each (ephemeral). Fixed on a live release, as a claim's modes are.",
    )
    size: Size = Field(
        "100Gi",
        description="At least the weights, twice when a revision changes. On a live release it can only grow, where "
        "the storage class allows that.",
    )
    annotations: Annotations = Field({}, description="Annotations of the claim.")
    retain: bool = Field(True, description="Keep the claim when the release is uninstalled.")
    mount_path: Annotated[str, Pattern("^/[^:]*[^:/][^:]*$", "write an absolute path below the root")] = Field(
        "/cache", description="Where the volume is mounted: the Hub cache and vLLM's caches live below it."
    )
    sub_path: Annotated[str, Pattern(INSIDE_PATTERN, INSIDE_REMEDY)] = Field(
        "", description="Directory of the volume to mount, so that releases can share one."
    )
