"""Memory, disk and devices, and where they are mounted."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from vllm_chart.checks.invariants.base import amount, broken, containers, general, invariant
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines, pods


@invariant
def shared_memory_is_sized(manifests: Manifests) -> Iterator[Finding]:
    """/dev/shm is memory of a size that fits in the container's limit: what it holds counts against that."""
    for pod, engine in engines(manifests):
        where = f"{pod.where}: {engine.path}volumeMounts"
        names = [mount.get("name") for mount in engine.all("volumeMounts") if mount.get("mountPath") == "/dev/shm"]
        volumes = [volume.get("emptyDir") or {} for volume in pod.all("volumes") if volume.get("name") in names]
        if not any(volume.get("medium") == "Memory" and volume.get("sizeLimit") for volume in volumes):
            yield broken(where, "has no memory of a given size at /dev/shm")
            continue
        size, limit = volumes[0]["sizeLimit"], engine.resources("limits").get("memory")
        if limit is not None and amount(size).compare(amount(limit)) in (0, 1):
            yield broken(where, f"/dev/shm of {size} does not fit in the memory limit of {limit}")


@general
def requests_fit_the_limits(manifests: Manifests) -> Iterator[Finding]:
    """No container asks for more than its limit, in quantities that can be read: the API server refuses it."""
    for pod, container in containers(manifests):
        where = f"{pod.where}: {container.path}resources"
        limits, requests = container.resources("limits"), container.resources("requests")
        for kind, quantities in (("limits", limits), ("requests", requests)):
            for name, given in quantities.items():
                if math.isnan(amount(given)):
                    yield broken(f"{where}.{kind}.{name}", f"{given!r} is not a quantity")
        for name in limits.keys() & requests.keys():
            if amount(requests[name]).compare(amount(limits[name])) == 1:
                yield broken(f"{where}.requests.{name}", f"{requests[name]} is more than the limit {limits[name]}")


@general
def devices_are_asked_for_as_limited(manifests: Manifests) -> Iterator[Finding]:
    """GPUs and other extended resources are whole, and request and limit the same: the API server refuses others.

    https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources
    """
    for pod, container in containers(manifests):
        limits, requests = container.resources("limits"), container.resources("requests")
        for name in sorted(limits.keys() | requests.keys()):
            if "/" in name and not name.startswith("kubernetes.io/"):
                where = f"{pod.where}: {container.path}resources.limits.{name}"
                limit = amount(limits.get(name, 0))
                if limit % 1 or limit != amount(requests.get(name, limit)):
                    yield broken(where, "request and limit have to be the same whole number")


@invariant
def gpus_stay_hidden_from_the_test(manifests: Manifests) -> Iterator[Finding]:
    """Other containers with the engine's image see no GPU: the image asks for all that the node has."""
    images = {engine.get("image") for _, engine in engines(manifests)}
    for pod, container in containers(manifests):
        if container.get("image") in images and not container.is_engine:
            hidden = [v for v in container.all("env") if v.get("name") == "NVIDIA_VISIBLE_DEVICES"]
            if [variable.get("value") for variable in hidden] != ["void"]:
                yield broken(f"{pod.where}: {container.path}env", "NVIDIA_VISIBLE_DEVICES is not void")


@general
def volumes_and_mounts_agree(manifests: Manifests) -> Iterator[Finding]:
    """Every mount has its volume and every volume a mount, each name and path once: the API server refuses others."""
    for pod in pods(manifests):
        names = Counter(volume.get("name") for volume in pod.all("volumes"))
        mounts = [mount for container in pod.containers for mount in container.all("volumeMounts")]
        for name, times in names.items():
            if times > 1:
                yield broken(f"{pod.where}: volumes", f"{name!r} is there {times} times")
            if name not in {mount.get("name") for mount in mounts}:
                yield broken(f"{pod.where}: volumes", f"{name!r} is mounted nowhere", severity="warning")
        for container in pod.containers:
            paths = Counter(str(mount.get("mountPath")).rstrip("/") for mount in container.all("volumeMounts"))
            where = f"{pod.where}: {container.path}volumeMounts"
            for mount in container.all("volumeMounts"):
                if mount.get("name") not in names:
                    yield broken(where, f"{mount.get('name')!r} is not a volume of the pod")
            for path in (path for path, times in paths.items() if times > 1):
                yield broken(where, f"{path} is mounted more than once")


@invariant
def the_kept_cache_fits(manifests: Manifests) -> Iterator[Finding]:
    """What LMCache may keep on disk fits in the pod's limit: its setting is for each worker (LMCache#1399)."""
    for pod, engine in engines(manifests):
        sizes = [re.match(r"--(?:tensor|pipeline|data)-parallel-size=(\d+)", a) for a in engine.all("args")]
        workers = math.prod(int(found[1]) for found in sizes if found)
        limit = engine.resources("limits").get("ephemeral-storage")
        for variable in engine.all("env"):
            if variable.get("name") == "LMCACHE_MAX_LOCAL_DISK_SIZE" and limit is not None:
                kept = amount(variable.get("value") or 0)
                if (kept * workers * 2**30).compare(amount(limit)) == 1:
                    where = f"{pod.where}: {engine.path}env.LMCACHE_MAX_LOCAL_DISK_SIZE"
                    message = f"{kept} GiB for each of {workers} workers exceeds the ephemeral-storage limit of {limit}"
                    yield broken(where, message, "divide it by the workers, and leave room beside it", "warning")
