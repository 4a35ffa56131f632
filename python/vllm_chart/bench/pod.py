"""The pod that measures: the release's own image, with the volumes in which its model lies, and without a GPU."""

import dataclasses
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client

from vllm_chart.bench import driver
from vllm_chart.bench.subject import Model, Objectives, Subject
from vllm_chart.cluster.api import Cluster

Json = Mapping[str, Any]

NAME = "vllm-chart-bench"
CONTAINER = "bench"
#: vLLM's images are 10 GB, and a node may not have it yet.
START_SECONDS = 900
#: Its command line and the tool's start, which imports vLLM, for each step.
STEP_MARGIN_SECONDS = 300
#: More than a search ever has: doubled up to 4096, and halved between.
MOST_STEPS = 24
USER = 2000

#: What the tool needs of the engine's environment: where the tokenizer is, and the way to it.
_COPIED = ("HF_", "HUGGING", "TRANSFORMERS_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "HTTP_PROXY", "HTTPS_PROXY")
_SCRATCH = "/tmp"
_GROUPS = ("runAsGroup", "fsGroup", "supplementalGroups", "seLinuxOptions")
#: A claim that pods on several nodes may mount.
_SHARED = {"ReadWriteMany", "ReadOnlyMany"}


@dataclasses.dataclass(frozen=True)
class Storage:
    """What the volumes of the release's pod mean for one beside it."""

    volumes: Sequence[Json]
    mounts: Sequence[Json]
    has_to_share_a_node: bool
    """A claim is mounted that one node mounts at a time."""
    keeps_files: bool
    """A claim is mounted: what the engine has downloaded is there."""


@dataclasses.dataclass(frozen=True)
class Load:
    """What is asked of the release. An empty list of steps is a search."""

    steps: Sequence[Mapping[str, float]]
    most: int
    input_tokens: int
    output_tokens: int
    spread: float
    step_seconds: float
    requests: int
    seed: int


def plan(subject: Subject, model: Model, load: Load, objectives: Objectives) -> dict[str, Any]:
    """What the program of the pod is told."""
    flags = [*model.flags, *(["--insecure"] if subject.front.url.startswith("https:") else [])]
    return {
        "url": subject.front.url,
        "model": model.served,
        "tokenizer": model.tokenizer,
        "revision": model.revision,
        "flags": flags,
        **dataclasses.asdict(load),
        "slo": objectives.plain,
    }


def storage(cluster: Cluster, subject: Subject) -> Storage:
    """The volumes of the release's pod that another pod can mount beside it, to read."""
    modes = {
        str(claim): _modes(cluster, subject.release.namespace, str(claim))
        for volume in subject.pod["spec"].get("volumes") or []
        if (claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"))
    }
    return _storage(subject.pod, subject.engine, modes)


def _modes(cluster: Cluster, namespace: str, claim: str) -> set[str]:
    """A claim's access modes; those of most claims where it can't be read."""
    try:
        found = cluster.core.read_namespaced_persistent_volume_claim(claim, namespace)
    except (client.ApiException, urllib3.exceptions.HTTPError):
        return {"ReadWriteOnce"}
    return set((found.spec.access_modes if found.spec else None) or ["ReadWriteOnce"])


def _storage(pod: Json, engine: Json, modes: Mapping[str, set[str]]) -> Storage:
    volumes: list[Json] = []
    mounts: list[Json] = []
    shares = keeps = False
    by_name = {str(volume["name"]): volume for volume in pod["spec"].get("volumes") or []}
    for mount in engine.get("volumeMounts") or []:
        volume = by_name.get(str(mount["name"]), {})
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not _is_of_use(volume, mount) or (claim and modes[claim] == {"ReadWriteOncePod"}):
            continue
        scratch = bool(volume.keys() & {"emptyDir", "ephemeral"})
        volume = {"name": volume["name"], "emptyDir": {}} if scratch else volume
        if volume not in volumes:
            volumes.append(volume)
        mounts.append(mount if scratch else {**mount, "readOnly": True})
        if claim:
            keeps, shares = True, shares or not modes[claim] & _SHARED
    return Storage(volumes, mounts, shares, keeps)


def _is_of_use(volume: Json, mount: Json) -> bool:
    """Models and their tokenizers; not shared memory, the engine's own programs, tokens or keys."""
    kinds = volume.keys() - {"name"}
    path = str(mount["mountPath"])
    named = mount["name"] in ("shm", "tmp", "lifecycle") or path.startswith("/var/run/secrets/")
    return bool(kinds) and not named and not kinds & {"secret", "hostPath", "downwardAPI"}


def manifest(
    subject: Subject, model: Model, load: Load, objectives: Objectives, storage: Storage, image: str = ""
) -> dict[str, Any]:
    """The pod. It holds to the restricted Pod Security Standard, and no selector of the release finds it."""
    pod, engine = subject.pod["spec"], subject.engine
    told = json.dumps(plan(subject, model, load, objectives))
    steps = len(load.steps) or MOST_STEPS
    container = {
        "name": CONTAINER,
        "image": image or engine["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", Path(driver.__file__).read_text(encoding="utf-8"), told],
        "env": _environment(subject, storage),
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "8Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": _SCRATCH}, *storage.mounts],
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        # Whoever started it may be gone.
        "activeDeadlineSeconds": int(steps * (5 * load.step_seconds + STEP_MARGIN_SECONDS)),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _user(pod, engine),
        "affinity": _beside(subject, storage),
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}, *storage.volumes],
    }
    for field in ("imagePullSecrets", "tolerations"):
        if pod.get(field):
            spec[field] = pod[field]
    return {"metadata": {"generateName": f"{NAME}-", "labels": {"app.kubernetes.io/name": NAME}}, "spec": spec}


def _user(pod: Json, engine: Json) -> dict[str, Any]:
    """The engine's user and groups, who can read its files; the chart's where it is root, or the image's own."""
    own = {**(pod.get("securityContext") or {}), **(engine.get("securityContext") or {})}
    kept = {name: own[name] for name in _GROUPS if name in own}
    policy = {"fsGroupChangePolicy": "OnRootMismatch"} if "fsGroup" in kept else {}
    user = own.get("runAsUser") or USER
    return {"runAsNonRoot": True, "runAsUser": user, **kept, **policy, "seccompProfile": {"type": "RuntimeDefault"}}


def _beside(subject: Subject, storage: Storage) -> dict[str, Any]:
    """On a node of the release, where the image is; on that of its first pod where a claim has only one."""
    own = str(subject.pod["spec"].get("nodeName"))
    if storage.has_to_share_a_node:
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_on(own)]}}}
    rather = [{"weight": 100, "preference": _on(node)} for node in subject.nodes]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rather}}


def _on(node: str) -> dict[str, Any]:
    return {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}


def _environment(subject: Subject, storage: Storage) -> list[dict[str, Any]]:
    engine = subject.engine
    copied = [dict(each) for each in engine.get("env") or [] if str(each["name"]).upper().startswith(_COPIED)]
    own = {
        "HOME": _SCRATCH,
        "USER": "vllm",
        "LOGNAME": "vllm",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CACHE_ROOT": f"{_SCRATCH}/vllm",
        "XDG_CACHE_HOME": f"{_SCRATCH}/cache",
        "HF_MODULES_CACHE": f"{_SCRATCH}/modules",
        # The image asks for all GPUs of the node (NVIDIA_VISIBLE_DEVICES=all), which NVIDIA's runtime would give it:
        # https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
        "NVIDIA_VISIBLE_DEVICES": "void",
    }
    # The Service is asked straight: a proxy would be measured with it.
    host = urllib.parse.urlsplit(subject.front.url).hostname or ""
    given = {str(each["name"]): str(each.get("value") or "") for each in engine.get("env") or []}
    for name in ("NO_PROXY", "no_proxy"):
        own[name] = ",".join(filter(None, (given.get(name), host)))
    if storage.keeps_files:
        # The cache is there to read: to look for something newer would mean to write.
        copied = [each for each in copied if each["name"] != "HF_HUB_OFFLINE"]
        own["HF_HUB_OFFLINE"] = "1"
    variables = copied + [{"name": name, "value": value} for name, value in own.items()]
    if secret := subject.front.api_key_secret:
        # What `vllm bench serve` sends as a bearer: vllm/benchmarks/lib/endpoint_request_func.py:173 of 0.33.
        variables.append({"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": dict(secret)}})
    return variables
