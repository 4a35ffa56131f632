"""Whether a cluster has what a release needs, asked before it is installed or changed.

`release` asks a cluster, `explain` draws the conclusions from what it answered. `explain` is pure, so each of its
conclusions has a test with recorded objects. Secrets are read, to see that a key is there and fit for an HTTP header;
nothing of them is ever said.
"""

import base64
import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from kubernetes import client
from kubernetes.client import (
    V1LimitRange,
    V1Namespace,
    V1Node,
    V1PersistentVolume,
    V1Pod,
    V1PodSpec,
    V1ResourceQuota,
    V1StorageClass,
)

from vllm_chart.checks import podsecurity
from vllm_chart.cluster import admission, scheduling
from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import Finding, Severity, UnavailableError
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Container, Pod, engines
from vllm_chart.rendered.quantities import parse_quantity
from vllm_chart.sizing import check as sizing
from vllm_chart.sizing.memory import nodes as gpu_nodes

ENFORCED = "pod-security.kubernetes.io/enforce"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
ARCHITECTURE = "kubernetes.io/arch"
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""A part of an image's tag, and the label of the nodes that can run it."""


@dataclasses.dataclass(frozen=True)
class Need:
    """An object that has to be there before the release is, and the key of the values that names it."""

    kind: str
    name: str
    value: str
    key: str = ""
    """Of a Secret or a ConfigMap."""
    header: bool = False
    """Whether the engine sends or compares it as part of an HTTP header."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What a cluster says at one moment. None is what the caller may not see."""

    namespace: V1Namespace | None
    nodes: Sequence[V1Node] | None = ()
    pods: Sequence[V1Pod] | None = ()
    installed: bool = False
    """Whether the release is there already, so that this would be an upgrade."""
    ranges: Sequence[V1LimitRange] | None = ()
    quotas: Sequence[V1ResourceQuota] | None = ()
    classes: Sequence[V1StorageClass] | None = ()
    volumes: Sequence[V1PersistentVolume] | None = ()
    found: Mapping[tuple[str, str], Any] = dataclasses.field(default_factory=dict)
    """The objects that are needed, by kind and name: None where there is none; what may not be read is left out."""


def release(
    manifests: Manifests,
    values: Mapping[str, Any],
    app_version: str,
    cluster: Cluster,
    *,
    autoscaled: bool = False,
) -> list[Finding]:
    """Say what a cluster lacks for a release, as `explain`.

    Raises `UnavailableError` when the cluster does not answer.
    """
    with asking_the_api_server():
        snapshot = _snapshot(cluster, manifests)
    return explain(manifests, values, app_version, snapshot, autoscaled=autoscaled)


def explain(
    manifests: Manifests,
    values: Mapping[str, Any],
    app_version: str,
    snapshot: Snapshot,
    *,
    autoscaled: bool = False,
) -> list[Finding]:
    """Draw the conclusions.

    values, app_version: the merged values that the manifests were rendered from, and the chart's appVersion.
    autoscaled: whether nodes come when pods ask for them, so that what no node offers now is a warning.
    """
    deployment = manifests.one("Deployment")
    spec = pod_spec(deployment)
    severity: Severity = "warning" if autoscaled else "error"
    return [
        *_namespace(manifests, snapshot),
        *_admission(deployment, spec, snapshot),
        *_missing(needs(manifests), snapshot),
        *_claims(manifests, snapshot),
        *_shared_claim(manifests, deployment, snapshot),
        *_nodes(deployment, spec, snapshot, severity),
        *_processor(manifests, spec, snapshot),
        *_gpu(manifests, spec, values, app_version, snapshot),
        *_shared_gpus(spec, snapshot),
        *_driver(manifests, spec, values, snapshot),
    ]


# -- what has to be there -----------------------------------------------------------------------------------

_VARIABLES = {"HF_TOKEN": "hub.tokenSecretRef", "VLLM_API_KEY": "auth.apiKeySecretRef"}
_VOLUMES = {"cache": "persistence.existingClaim", "ca-bundle": "caBundle.configMapName"}


def needs(manifests: Manifests) -> list[Need]:
    """What the engine's pods name and the release does not bring along."""
    own = {(found.kind, found.name) for found in manifests}
    every = [need for pod, _ in engines(manifests) for need in _of_pod(pod)]
    return [need for need in dict.fromkeys(every) if need.name and (need.kind, need.name) not in own]


def _of_pod(pod: Pod) -> Iterator[Need]:
    for container in pod.containers:
        yield from _of_container(container)
    for volume in pod.all("volumes"):
        value = _VOLUMES.get(volume["name"], "volumes")
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            yield from _of_source(source, value)
    for secret in pod.all("imagePullSecrets"):
        yield Need("Secret", secret.get("name", ""), "imagePullSecrets")
    for field, kind, value in (
        ("priorityClassName", "PriorityClass", "priorityClassName"),
        ("runtimeClassName", "RuntimeClass", "runtimeClassName"),
        ("serviceAccountName", "ServiceAccount", "serviceAccount.name"),
    ):
        yield Need(kind, pod.spec.get(field) or "", value)


def _of_container(container: Container) -> Iterator[Need]:
    path = "" if container.is_engine else container.path
    for variable in container.all("env"):
        name, source = variable.get("name"), variable.get("valueFrom") or {}
        value = _VARIABLES.get(name, f"env.{name}") if container.is_engine else f"{path}env"
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            reference = source.get(field) or {}
            if not reference.get("optional"):
                header = container.is_engine and name in _VARIABLES
                yield Need(kind, reference.get("name", ""), value, reference.get("key", ""), header)
    for source in container.all("envFrom"):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            reference = source.get(field) or {}
            if not reference.get("optional"):
                yield Need(kind, reference.get("name", ""), f"{path}envFrom")


def _of_source(source: Mapping[str, Any], value: str) -> Iterator[Need]:
    for field, kind, name in (
        ("secret", "Secret", "secretName"),
        ("secret", "Secret", "name"),  # of a projected volume
        ("configMap", "ConfigMap", "name"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):
        reference = source.get(field) or {}
        if reference.get("optional"):
            continue
        keys = [item["key"] for item in reference.get("items") or []] or [""]
        for key in keys:
            yield Need(kind, reference.get(name, ""), value, key)


def _missing(needed: Sequence[Need], snapshot: Snapshot) -> Iterator[Finding]:
    hidden = sorted({need.kind for need in needed if (need.kind, need.name) not in snapshot.found})
    if hidden:
        yield Finding("objects", "cluster", f"{', '.join(hidden)}: not yours to see, and so not looked at", "", "info")
    for need in needed:
        if (need.kind, need.name) not in snapshot.found:
            continue
        found = snapshot.found[need.kind, need.name]
        where = f"{need.kind}/{need.name}"
        if found is None:
            yield Finding("objects", where, "there is none", f"create it{_how(need)}, or correct {need.value}")
            continue
        if need.kind in ("Secret", "ConfigMap") and need.key:
            yield from _wrong_key(need, where, {**(found.data or {}), **(getattr(found, "binary_data", None) or {})})


def _how(need: Need) -> str:
    if need.kind == "Secret" and need.key:
        return f": `kubectl create secret generic {need.name} --from-literal={need.key}=…`"
    return ""


def _wrong_key(need: Need, where: str, data: Mapping[str, str]) -> Iterator[Finding]:
    if need.key not in data:
        there = ", ".join(sorted(data)) or "none"
        yield Finding("objects", where, f"it has no key {need.key}, but: {there}", f"add it, or correct {need.value}")
    elif need.header:
        value = base64.b64decode(data[need.key])
        remedy = f"write it anew: `kubectl create secret generic {need.name} --from-literal={need.key}=…`"
        if not value.strip():
            yield Finding("secret-text", f"{where}: {need.key}", "it is empty", remedy)
        elif value != value.strip():
            yield Finding("secret-text", f"{where}: {need.key}", "it ends or begins with white space", remedy)
        elif not all(0x20 < byte < 0x7F for byte in value):
            message = "it is not text: plain text under data, where base64 belongs, becomes this"
            yield Finding("secret-text", f"{where}: {need.key}", message, remedy)


# -- namespace and storage ----------------------------------------------------------------------------------


def _namespace(manifests: Manifests, snapshot: Snapshot) -> Iterator[Finding]:
    name = manifests.one("Deployment").namespace
    if snapshot.namespace is None:
        yield Finding(
            "namespace",
            f"Namespace/{name}",
            "there is none, or it is not yours to see",
            "create it, or install with --create-namespace",
            "warning",
        )
        return
    labels = (snapshot.namespace.metadata.labels if snapshot.namespace.metadata else None) or {}
    level = labels.get(ENFORCED, "privileged")
    for enforced in get_args(podsecurity.Level):
        if enforced == level:
            yield from podsecurity.check(manifests, enforced)


def _admission(deployment: Object, spec: V1PodSpec, snapshot: Snapshot) -> Iterator[Finding]:
    """LimitRanges and ResourceQuotas of the namespace."""
    replicas = int(deployment["spec"]["replicas"])
    if replicas:
        mine = [pod.spec for pod in snapshot.pods or () if pod.spec and _runs(pod) and _is_of(pod, deployment)]
        yield from admission.check(spec, replicas, snapshot.ranges or (), snapshot.quotas or (), admission.usage(mine))


def _claims(manifests: Manifests, snapshot: Snapshot) -> Iterator[Finding]:
    """Claims that the release makes: does a class make their volumes, or is there one that fits?"""
    for claim in manifests.all("PersistentVolumeClaim"):
        wanted = claim["spec"].get("storageClassName")
        if wanted == "":
            yield from _static(claim, snapshot)
        elif snapshot.classes is not None:
            names = [(found.metadata.name if found.metadata else None) or "" for found in snapshot.classes]
            there = f"the cluster has {', '.join(sorted(names)) or 'none'}"
            remedy = "write one that exists in persistence.storageClassName, or `-` for a volume made by hand"
            if wanted is not None and wanted not in names:
                yield Finding("storage", f"StorageClass/{wanted}", f"there is none; {there}", remedy)
            elif wanted is None and not any(map(_is_default, snapshot.classes)):
                yield Finding("storage", claim.where, f"no StorageClass is the default; {there}", remedy)


def _is_default(found: V1StorageClass) -> bool:
    annotations = (found.metadata.annotations if found.metadata else None) or {}
    return annotations.get(DEFAULT_CLASS) == "true"


def _static(claim: Object, snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.volumes is None or any(_answers(volume, claim) for volume in snapshot.volumes):
        return
    modes = ", ".join(claim["spec"]["accessModes"])
    yield Finding(
        "storage",
        claim.where,
        f"no PersistentVolume without a class is free that is {modes} and large enough",
        "create one, or write a class in persistence.storageClassName",
    )


def _answers(volume: V1PersistentVolume, claim: Object) -> bool:
    spec, wanted = volume.spec, claim["spec"]
    if spec is None or spec.storage_class_name or not (volume.status and volume.status.phase == "Available"):
        return False
    size = parse_quantity((spec.capacity or {}).get("storage", "0"))
    large_enough = size >= parse_quantity(wanted["resources"]["requests"]["storage"])
    return large_enough and set(wanted["accessModes"]) <= set(spec.access_modes or [])


def _shared_claim(manifests: Manifests, deployment: Object, snapshot: Snapshot) -> Iterator[Finding]:
    """A claim that is there already, and that one node at a time may mount."""
    pods = deployment["spec"]["replicas"] + surge(deployment)
    for need in needs(manifests):
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
                f"{pods} pods at a time would mount it, and its {', '.join(sorted(modes))} allows one node",
                "write replicaCount: 1 and strategy.rollingUpdate.maxSurge: 0, or name a ReadWriteMany claim",
                "warning",  # pods of one node may share it
            )


# -- nodes --------------------------------------------------------------------------------------------------


def pod_spec(deployment: Object) -> V1PodSpec:
    """The pod of a rendered Deployment, as the API would return it: quantities are text there."""
    spec = json.loads(json.dumps(deployment["spec"]["template"]["spec"]))
    for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
        for kind in ("limits", "requests"):
            quantities = (container.get("resources") or {}).get(kind)
            if quantities:
                container["resources"][kind] = {name: str(quantity) for name, quantity in quantities.items()}
    read: V1PodSpec = V1PodSpec.model_validate(spec)
    return read


def surge(deployment: Object) -> int:
    """How many pods a rollout starts beside the old ones.

    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
    """
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    most = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(most, str):
        return math.ceil(int(deployment["spec"]["replicas"]) * float(most.rstrip("%")) / 100)
    return int(most)


def _nodes(deployment: Object, spec: V1PodSpec, snapshot: Snapshot, severity: Severity) -> Iterator[Finding]:
    replicas = deployment["spec"]["replicas"]
    if snapshot.nodes is None:
        yield Finding("nodes", "cluster", "its nodes are not yours to see, and so not looked at", "", "info")
        return
    if not replicas:
        return
    causes = list(scheduling.never_fits(spec, snapshot.nodes))
    for cause in causes:
        yield Finding("nodes", deployment.where, cause.message, cause.remedy, severity)
    if causes or snapshot.pods is None:
        return
    places = _places(deployment, spec, snapshot.nodes, snapshot.pods)
    asked = ", ".join(f"{amount.normalize():f} {each}" for each, amount in scheduling.devices(spec).items())
    each = f"pods{f' of {asked}' if asked else ''}"
    if places < replicas:
        yield Finding(
            "nodes",
            deployment.where,
            f"{replicas} {each} are wanted, and there is room for {places}",
            f"write replicaCount: {places}, free nodes, or add some" if places else "free nodes, or add some",
            severity,
        )
    elif places < replicas + surge(deployment):
        yield Finding(
            "rollout",
            deployment.where,
            f"a rollout starts {surge(deployment)} {each} beside the {replicas}, and there is room for "
            f"{places - replicas}: it would wait for ever",
            "write strategy.rollingUpdate.maxSurge: 0 and maxUnavailable: 1, or add nodes",
            severity if snapshot.installed else "warning",
        )


def _places(deployment: Object, spec: V1PodSpec, nodes: Sequence[V1Node], pods: Sequence[V1Pod]) -> int:
    """Pods that find a place, if those that the Deployment has now went."""
    others = [pod.spec for pod in pods if pod.spec and _runs(pod) and not _is_of(pod, deployment)]
    return sum(
        scheduling.room(spec, node, [other for other in others if other.node_name == scheduling.name(node)])
        for node in nodes
        if scheduling.welcomes(spec, node)
    )


def _runs(pod: V1Pod) -> bool:
    return pod.status is None or pod.status.phase not in ("Succeeded", "Failed")


def _is_of(pod: V1Pod, deployment: Object) -> bool:
    selector: Mapping[str, str] = deployment["spec"]["selector"]["matchLabels"]
    metadata = pod.metadata
    return (
        metadata is not None
        and metadata.namespace == deployment.namespace
        and selector.items() <= (metadata.labels or {}).items()
    )


def _processor(manifests: Manifests, spec: V1PodSpec, snapshot: Snapshot) -> Iterator[Finding]:
    image = next(str(container["image"]) for _, container in engines(manifests))
    tag = image.rpartition("/")[2].partition(":")[2]
    wanted = next((label for part, label in ARCHITECTURES.items() if tag.endswith(part)), None)
    nodes = [node for node in snapshot.nodes or () if scheduling.welcomes(spec, node)]
    others = {there for node in nodes if (there := scheduling.labels(node).get(ARCHITECTURE)) not in (wanted, None)}
    if wanted and others:
        runnable = any(scheduling.labels(node).get(ARCHITECTURE) == wanted for node in nodes)
        yield Finding(
            "processor",
            "image.tag",
            f"{tag} is built for {wanted}, and nodes that may run it are {', '.join(sorted(map(str, others)))}",
            f"write nodeSelector: {{{ARCHITECTURE}: {wanted}}}" if runnable else "write the tag of their architecture",
            "warning" if runnable else "error",
        )


def _gpu(
    manifests: Manifests, spec: V1PodSpec, values: Mapping[str, Any], app_version: str, snapshot: Snapshot
) -> Iterator[Finding]:
    """Hold the model against the smallest GPU that it may come to run on."""
    if not scheduling.devices(spec) or snapshot.nodes is None:
        return
    nodes = [node for node in snapshot.nodes if scheduling.welcomes(spec, node)]
    try:
        gpu = gpu_nodes.smallest(nodes, values)
    except UnavailableError:
        return
    for finding in sizing.check(manifests, values, app_version, gpu):
        if finding.severity != "info":
            yield dataclasses.replace(finding, message=f"on {gpu.product}: {finding.message}")


def _shared_gpus(spec: V1PodSpec, snapshot: Snapshot) -> Iterator[Finding]:
    """Several GPUs of a node that hands out each GPU several times, by the label of NVIDIA's feature discovery."""
    asked = sum(amount for resource, amount in scheduling.devices(spec).items() if resource.startswith("nvidia.com/"))
    for node in snapshot.nodes or ():
        labels = scheduling.labels(node)
        if asked > 1 and scheduling.welcomes(spec, node) and labels.get("nvidia.com/gpu.replicas", "1") > "1":
            yield Finding(
                "nodes",
                f"Node/{scheduling.name(node)}",
                f"it hands out each GPU {labels['nvidia.com/gpu.replicas']} times, so that a pod's {asked:f} may be "
                f"one",
                "write gpu.count: 1, or choose nodes that share no GPUs with nodeSelector",
            )


#: The first driver of NVIDIA's for CUDA 13.0, on which the images of vLLM 0.32 and 0.33 stand (vllm/envs.py,
#: VLLM_MAIN_CUDA_VERSION). Source: https://docs.nvidia.com/deploy/cuda-compatibility/
DRIVER = 580
DRIVER_LABELS = ("nvidia.com/cuda.driver-version.major", "nvidia.com/cuda.driver.major")


def _driver(manifests: Manifests, spec: V1PodSpec, values: Mapping[str, Any], snapshot: Snapshot) -> Iterator[Finding]:
    """A driver that is older than vLLM's own image, by the labels of NVIDIA's feature discovery."""
    image = next(str(container["image"]) for _, container in engines(manifests))
    known = re.search(r"(?:^|/)vllm/vllm-openai:v0\.(?:3[23])\.\d+$", image)
    compatible = "VLLM_ENABLE_CUDA_COMPATIBILITY" in (values.get("env") or {})
    if not known or compatible or not any(name.startswith("nvidia.com/") for name in scheduling.devices(spec)):
        return
    for node in snapshot.nodes or ():
        major = next((found for label in DRIVER_LABELS if (found := scheduling.labels(node).get(label))), "")
        if scheduling.welcomes(spec, node) and major.isdigit() and int(major) < DRIVER:
            yield Finding(
                "driver",
                f"Node/{scheduling.name(node)}",
                f"its driver is R{major}, and the CUDA of {image} needs R{DRIVER}",
                "upgrade it, choose other nodes with nodeSelector, write the image.tag of an older CUDA, or on GPUs of "
                'data centres env: {VLLM_ENABLE_CUDA_COMPATIBILITY: "1"}',
            )


# -- asking -------------------------------------------------------------------------------------------------


def _snapshot(cluster: Cluster, manifests: Manifests) -> Snapshot:
    core, deployment = cluster.core, manifests.one("Deployment")
    namespace = deployment.namespace
    readers: dict[str, Callable[[str], Any]] = {
        "Secret": lambda each: core.read_namespaced_secret(each, namespace),
        "ConfigMap": lambda each: core.read_namespaced_config_map(each, namespace),
        "PersistentVolumeClaim": lambda each: core.read_namespaced_persistent_volume_claim(each, namespace),
        "ServiceAccount": lambda each: core.read_namespaced_service_account(each, namespace),
        "RuntimeClass": cluster.node.read_runtime_class,
        "PriorityClass": cluster.scheduling.read_priority_class,
    }
    found: dict[tuple[str, str], Any] = {}
    for need in needs(manifests):
        try:
            found[need.kind, need.name] = readers[need.kind](need.name)
        except client.ApiException as error:
            if error.status == 404:
                found[need.kind, need.name] = None
            elif error.status != 403:
                raise
    return Snapshot(
        namespace=_allowed(lambda: core.read_namespace(namespace)),
        nodes=_allowed(lambda: core.list_node().items),
        pods=_allowed(lambda: core.list_pod_for_all_namespaces().items),
        installed=_allowed(lambda: cluster.apps.read_namespaced_deployment(deployment.name, namespace)) is not None,
        ranges=_allowed(lambda: core.list_namespaced_limit_range(namespace).items),
        quotas=_allowed(lambda: core.list_namespaced_resource_quota(namespace).items),
        classes=_allowed(lambda: cluster.storage.list_storage_class().items),
        volumes=_allowed(lambda: core.list_persistent_volume().items),
        found=found,
    )


def _allowed(ask: Callable[[], Any]) -> Any:
    """What is answered; None where it is not allowed, or not there."""
    try:
        return ask()
    except client.ApiException as error:
        if error.status in (403, 404):
            return None
        raise
