"""Objects of a cluster as its API returns them, for what is concluded from them."""

from typing import Any

from kubernetes.client import CoreV1Event, V1Node, V1Pod

from vllm_chart.live.diagnose import Snapshot
from vllm_chart.rendered.workload import Workload, read

POD_UID = "7d9a"
CLAIM_UID = "c1a1"
Json = dict[str, Any]


def node(name: str, *, labels: Json | None = None, taints: list[Json] | None = None, **allocatable: str) -> V1Node:
    offered = {
        "cpu": "32",
        "memory": "128Gi",
        **{key.replace("gpu", "nvidia.com/gpu"): v for key, v in allocatable.items()},
    }
    return V1Node.model_validate(
        {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"taints": taints or []},
            "status": {"allocatable": offered},
        }
    )


GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
GPU_LABEL = {"doks.digitalocean.com/gpu-brand": "nvidia"}
NODES = [
    node("cpu"),
    node("gpu-1", labels=GPU_LABEL, taints=[GPU_TAINT], gpu="1"),
    node("gpu-2", labels=GPU_LABEL, taints=[GPU_TAINT], gpu="2"),
]


def pod(
    *,
    name: str = "llm-vllm-5c8-x2x",
    spec: Json | None = None,
    requests: Json | None = None,
    limits: Json | None = None,
    status: Json | None = None,
) -> V1Pod:
    container = {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "args": ["meta-lama/Llama-3.1-8B", "--port=8000"],
        "resources": {"requests": requests or {}, "limits": limits or {}},
        "startupProbe": {"periodSeconds": 10, "failureThreshold": 180},
    }
    return V1Pod.model_validate(
        {
            "metadata": {
                "name": name,
                "uid": POD_UID,
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "llm-vllm-5c8", "uid": "r2"}
                ],
            },
            "spec": {
                "nodeSelector": GPU_LABEL,
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "containers": [container],
                **(spec or {}),
            },
            "status": status or {},
        }
    )


def container_status(ready: bool = False, restarts: int = 0, **states: Json) -> Json:
    """state= and lastState= as Kubernetes writes them."""
    return {
        "name": "vllm",
        "image": "vllm/vllm-openai:v0.33.0",
        "imageID": "",
        "ready": ready,
        "restartCount": restarts,
        **states,
    }


def waiting(reason: str, message: str = "", **more: Any) -> Json:
    return {"containerStatuses": [container_status(state={"waiting": {"reason": reason, "message": message}}, **more)]}


def crashed(exit_code: int = 1, reason: str = "Error", ready: bool = False, message: str = "") -> Json:
    state: Json = {"running": {}} if ready else {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    last = {"terminated": {"exitCode": exit_code, "reason": reason, "message": message or None}}
    return {"containerStatuses": [container_status(ready=ready, restarts=3, state=state, lastState=last)]}


def unschedulable(message: str) -> Json:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def event(reason: str, message: str, uid: str = POD_UID) -> CoreV1Event:
    return CoreV1Event.model_validate(
        {"metadata": {"name": "e"}, "involvedObject": {"uid": uid}, "reason": reason, "message": message}
    )


def deployment(conditions: list[Json] | None = None, ready: int = 0, replicas: int = 1) -> Workload:
    return read(
        {
            "kind": "Deployment",
            "metadata": {"name": "llm-vllm", "namespace": "ai"},
            "spec": {"replicas": replicas, "selector": {}, "template": {}},
            "status": {"conditions": conditions or [], "readyReplicas": ready},
        }
    )


def snapshot(*pods: V1Pod, conditions: list[Json] | None = None, ready: int = 0, **more: Any) -> Snapshot:
    """A release `llm` of one Deployment in its second revision."""
    replica_sets = [
        {
            "metadata": {
                "name": name,
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "llm-vllm", "uid": "d"}],
            },
        }
        for name, revision in (("llm-vllm-9ff", "9"), ("llm-vllm-5c8", "10"))
    ]
    workloads = [deployment(conditions, ready)]
    return Snapshot(
        "llm", "ai", **{"workloads": workloads, "between": replica_sets, "pods": pods, "nodes": NODES, **more}
    )
