"""What is concluded from a cluster before an install; the objects are as its API returns them."""

import base64
from typing import Any

import pytest
from helm_python import values_from_yaml
from kubernetes.client import (
    V1ConfigMap,
    V1LimitRange,
    V1Namespace,
    V1Node,
    V1NodeSystemInfo,
    V1PersistentVolume,
    V1PersistentVolumeClaim,
    V1ResourceQuota,
    V1Secret,
    V1StorageClass,
)

from tests.cluster_objects import GPU_LABEL, GPU_TAINT, node
from tests.preflights import MODEL, NODES, OWN, TOLERANT, preflight, running, said
from vllm_chart.helm import app_version, merged_values, render
from vllm_chart.live.preflight import Snapshot, explain, needs


def secret(**data: bytes) -> V1Secret:
    return V1Secret.model_validate({"data": {key: base64.b64encode(value).decode() for key, value in data.items()}})


def test_a_cluster_that_has_everything() -> None:
    assert preflight("replicaCount: 2") == []


@pytest.mark.parametrize(
    ("values", "nodes", "words"),
    [
        ("tolerations: []", NODES, "tolerate it in tolerations"),
        ("gpu: {count: 8}", NODES, "write gpu.count: 1 or less"),
        ("gpu: {resourceName: amd.com/gpu}", NODES, "gpu.resourceName"),
        ("nodeSelector: {pool: h100}", NODES, "no node has the label pool=h100"),
        ("replicaCount: 1", [node("cpu")], "install the device plugin"),
        ("replicaCount: 3", NODES, "write replicaCount: 2"),
        (
            "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
            "[{matchExpressions: [{key: nvidia.com/gpu.product, operator: In, values: [TYPE]}]}]}}}",
            NODES,
            "nvidia.com/gpu.product",
        ),
    ],
)
def test_pods_that_find_no_node(values: str, nodes: list[V1Node], words: str) -> None:
    findings = preflight(values, nodes=nodes)
    assert words in said(findings)
    assert findings[0].severity == "error"
    assert preflight(values, autoscaled=True, nodes=nodes)[0].severity == "warning"


@pytest.mark.parametrize(
    ("operator", "value", "taint", "tolerated"),
    [
        ("Gt", "950", "951", True),
        ("Gt", "950", "950", False),
        ("Gt", "950", "many", False),
        ("Lt", "50", "5", True),
        ("Lt", "5", "07", False),
        ("Equal", "5", "5", True),
    ],
)
def test_taints_that_are_numbers(operator: str, value: str, taint: str, tolerated: bool) -> None:
    nodes = [node("gpu-1", labels=GPU_LABEL, taints=[{"key": "rate", "value": taint, "effect": "NoSchedule"}], gpu="1")]
    findings = preflight(f'tolerations: [{{key: rate, operator: {operator}, value: "{value}"}}]', nodes=nodes)

    assert ("rate=" not in said(findings)) == tolerated


def test_room_that_others_have_taken() -> None:
    assert "write replicaCount: 1" in said(preflight("replicaCount: 2", pods=[running("gpu-1")]))


def test_the_releases_own_pods_make_room() -> None:
    assert preflight("replicaCount: 2", installed=True, pods=[running("gpu-1", OWN), running("gpu-2", OWN)]) == []


def test_a_rollout_without_spare_gpus() -> None:
    values = "replicaCount: 2\nstrategy: {rollingUpdate: {maxSurge: 100%, maxUnavailable: 0}}"
    [finding] = preflight(values, installed=True)
    assert finding.check == "rollout"
    assert finding.severity == "error"
    assert "maxSurge: 0" in finding.remedy


@pytest.mark.parametrize(
    ("values", "kind", "found", "words"),
    [
        ("hub: {tokenSecretRef: {name: a}}", "Secret", None, "correct hub.tokenSecretRef"),
        ("hub: {tokenSecretRef: {name: a}}", "Secret", secret(other=b"hf_x"), "it has no key token, but: other"),
        ("hub: {tokenSecretRef: {name: a}}", "Secret", secret(token=b"hf_x\n"), "white space"),
        ("auth: {apiKeySecretRef: {name: a}}", "Secret", secret(**{"api-key": b"\xff\x00"}), "it is not text"),
        ("auth: {apiKeySecretRef: {name: a}}", "Secret", secret(**{"api-key": b""}), "it is empty"),
        ("caBundle: {configMapName: a}", "ConfigMap", None, "correct caBundle.configMapName"),
        ("imagePullSecrets: [{name: a}]", "Secret", None, "correct imagePullSecrets"),
        ("persistence: {enabled: true, existingClaim: a}", "PersistentVolumeClaim", None, "persistence.existingClaim"),
        ("runtimeClassName: a", "RuntimeClass", None, "correct runtimeClassName"),
        ("priorityClassName: a", "PriorityClass", None, "correct priorityClassName"),
    ],
)
def test_objects_that_the_values_name(values: str, kind: str, found: Any, words: str) -> None:
    findings = preflight(values, found={(kind, "a"): found})
    assert words in said(findings)
    assert "hf_x" not in said(findings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AKIAIOSFODNN7EXAMPLE", ""),
        ("minioadmin", ""),
        ("minioadmin\n", "write it anew: `kubectl create configmap a --from-literal=id=…`"),
    ],
)
def test_the_plain_text_of_a_config_map(text: str, words: str) -> None:
    values = "env: {AWS_ACCESS_KEY_ID: {valueFrom: {configMapKeyRef: {name: a, key: id}}}}"
    found = V1ConfigMap.model_validate({"data": {"id": text}})
    findings = preflight(values, found={("ConfigMap", "a"): found})
    assert bool(findings) == bool(words), said(findings)
    assert words in said(findings)
    assert "correct env.AWS_ACCESS_KEY_ID" in said(preflight(values, found={("ConfigMap", "a"): None}))


def test_what_may_not_be_read_is_said_and_no_error() -> None:
    [finding] = preflight("hub: {tokenSecretRef: {name: a}}")
    assert finding.severity == "info"
    assert "Secret" in finding.message


def test_what_the_release_brings_along_is_not_needed() -> None:
    values = values_from_yaml(
        MODEL
        + "envFrom: [{configMapRef: {name: a}}]\n"
        + "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]"
    )
    assert needs(render(values=values)) == []


def storage_class(
    name: str, default: str, annotation: str = "storageclass.kubernetes.io/is-default-class"
) -> V1StorageClass:
    annotations = {annotation: default}
    return V1StorageClass.model_validate(
        {"metadata": {"name": name, "annotations": annotations}, "provisioner": "a.example/b"}
    )


def test_a_class_that_is_not_there() -> None:
    classes = [storage_class("standard", "true")]
    assert preflight("persistence: {enabled: true}", classes=classes) == []
    assert "the cluster has standard" in said(
        preflight("persistence: {enabled: true, storageClassName: fast}", classes=classes)
    )
    assert "no StorageClass is the default" in said(
        preflight("persistence: {enabled: true}", classes=[storage_class("standard", "false")])
    )
    assert "create one" in said(preflight('persistence: {enabled: true, storageClassName: "-"}', classes=classes))


def volume(class_: str = "", *, size: str = "500Gi", phase: str = "Available", claim: str = "") -> V1PersistentVolume:
    holder = {"claimRef": {"namespace": "default", "name": claim}} if claim else {}
    spec = {
        "storageClassName": class_,
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
    }
    return V1PersistentVolume.model_validate({"spec": {**spec, **holder}, "status": {"phase": phase}})


MANUAL = "persistence: {enabled: true, storageClassName: manual}"


@pytest.mark.parametrize(
    ("values", "volumes"),
    [
        (MANUAL, [volume("manual")]),
        (MANUAL, [volume("manual", phase="Bound", claim="llm-vllm-cache")]),
        ("persistence: {enabled: true, ephemeral: true, storageClassName: manual}", [volume("manual")]),
        (
            "persistence: {enabled: true, ephemeral: true, storageClassName: manual}",
            [volume("manual", phase="Bound", claim="llm-vllm-5c8-x2x-cache")],
        ),
        ("persistence: {enabled: true}", [volume()]),
        ('persistence: {enabled: true, storageClassName: "-"}', [volume(phase="Bound", claim="llm-vllm-cache")]),
    ],
)
def test_a_volume_that_was_made_by_hand(values: str, volumes: list[V1PersistentVolume]) -> None:
    """Of a class that may be a name only, as in Kubernetes' own tutorial
    (https://kubernetes.io/docs/tasks/configure-pod-container/configure-persistent-volume-storage/)."""
    assert preflight(values, volumes=volumes) == []


@pytest.mark.parametrize(
    "other",
    [
        volume("fast"),
        volume("manual", size="1Gi"),
        volume("manual", phase="Released"),
        volume("manual", claim="another"),
        volume("manual", phase="Bound", claim="another"),
    ],
)
def test_a_volume_that_is_not_for_the_claim(other: V1PersistentVolume) -> None:
    [finding] = preflight(MANUAL, volumes=[other])
    assert (finding.where, finding.severity) == ("StorageClass/manual", "error")


def test_volumes_that_may_not_be_seen() -> None:
    [finding] = preflight(MANUAL, volumes=None)
    assert finding.severity == "warning"
    assert "not yours to see" in finding.message
    assert preflight('persistence: {enabled: true, storageClassName: "-"}', volumes=None) == []


def test_either_annotation_makes_a_class_the_default() -> None:
    beta = storage_class("gp2", "true", "storageclass.beta.kubernetes.io/is-default-class")
    assert preflight("persistence: {enabled: true}", classes=[beta]) == []


def test_a_claim_for_one_node_and_two_pods() -> None:
    claim = V1PersistentVolumeClaim.model_validate(
        {"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Bound"}}
    )
    values = "persistence: {enabled: true, existingClaim: a}\nreplicaCount: 2"
    assert "ReadWriteMany" in said(preflight(values, found={("PersistentVolumeClaim", "a"): claim}))


def test_the_model_is_held_against_the_nodes_gpu() -> None:
    labels = {**GPU_LABEL, "nvidia.com/gpu.product": "Tesla-T4"}
    nodes = [node("t4", labels=labels, taints=[GPU_TAINT], gpu="1")]
    values = values_from_yaml("model: {id: Qwen/Qwen3-32B}\n" + TOLERANT)
    findings = explain(
        render(values=values), merged_values(values=values), app_version(), Snapshot(V1Namespace(), nodes)
    )
    assert "on NVIDIA T4: the weights take" in said(findings)


def test_an_image_for_another_processor() -> None:
    nodes = [node("arm", labels={"kubernetes.io/arch": "arm64"}, taints=[GPU_TAINT], gpu="1")]
    assert "built for amd64" in said(preflight("image: {tag: v0.33.0-x86_64}", nodes=nodes))


def test_a_namespace_that_is_not_there() -> None:
    assert "--create-namespace" in said(preflight("replicaCount: 1", namespace=None))


# -- the namespace's bounds -----------------------------------------------------------------------------------


def limit_range(**item: Any) -> V1LimitRange:
    return V1LimitRange.model_validate(
        {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", **item}]}}
    )


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> V1ResourceQuota:
    return V1ResourceQuota.model_validate(
        {"metadata": {"name": "team"}, "spec": {"hard": hard, **spec}, "status": {"used": used or {}}}
    )


ROOMY = "resources: {requests: {cpu: 4, memory: 16Gi}, limits: {cpu: 8, memory: 32Gi}}"


@pytest.mark.parametrize(
    ("values", "item", "severity", "words"),
    [
        ("", {"default": {"memory": "1Gi"}}, "error", "limits the engine to 1.0Gi memory"),
        ("", {"default": {"memory": "64Gi"}}, "warning", "write resources.limits.memory"),
        ("", {"default": {"cpu": "500m"}}, "warning", "write resources.limits.cpu"),
        (ROOMY, {"max": {"memory": "16Gi"}}, "error", "lower resources.limits.memory"),
        (ROOMY, {"min": {"memory": "24Gi"}}, "error", "raise resources.requests.memory"),
        ("gpu: {count: 1}", {"max": {"nvidia.com/gpu": "0"}}, "error", "lower gpu.count"),
    ],
)
def test_what_a_limit_range_does_to_the_engine(values: str, item: Any, severity: str, words: str) -> None:
    findings = [found for found in preflight(values, ranges=[limit_range(**item)]) if found.check == "limit-range"]
    assert [found.severity for found in findings] == [severity], said(findings)
    assert words in said(findings)


def test_a_limit_range_that_the_values_keep_to() -> None:
    item = {"default": {"memory": "1Gi", "cpu": "500m"}, "max": {"memory": "64Gi"}, "min": {"cpu": "50m"}}
    assert preflight(ROOMY, ranges=[limit_range(**item)]) == []


@pytest.mark.parametrize(
    ("values", "hard", "used", "words"),
    [
        ("", {"limits.memory": "64Gi"}, {}, "write resources.limits.memory"),
        ("", {"requests.cpu": "64"}, {}, "write resources.requests.cpu"),
        (ROOMY, {"requests.memory": "24Gi"}, {"requests.memory": "12Gi"}, "12.0Gi of 24.0Gi are left"),
        (
            "replicaCount: 2",
            {"requests.nvidia.com/gpu": "3"},
            {"requests.nvidia.com/gpu": "2"},
            "write replicaCount: 1",
        ),
        ("", {"requests.nvidia.com/gpu": "1"}, {"requests.nvidia.com/gpu": "1"}, "lower gpu.count"),
        ("", {"pods": "1"}, {"pods": "1"}, "lower replicaCount"),
        ("", {"count/pods": "1"}, {"count/pods": "1"}, "lower replicaCount"),
    ],
)
def test_what_a_quota_does_not_let_in(values: str, hard: Any, used: Any, words: str) -> None:
    findings = [found for found in preflight(values, quotas=[quota(hard, used)]) if found.check == "quota"]
    assert len(findings) == 1, said(findings)
    assert words in said(findings)


def test_a_quota_that_has_room_or_is_of_other_pods() -> None:
    assert (
        preflight(ROOMY, quotas=[quota({"limits.memory": "64Gi", "requests.nvidia.com/gpu": "1", "pods": "9"})]) == []
    )
    assert preflight("", quotas=[quota({"pods": "0"}, scopes=["BestEffort"])]) == []
    # Of what no pod of the release asks for, a quota may be over-used since it was lowered.
    lowered = quota({"requests.amd.com/gpu": "4", "count/services": "1"}, {"requests.amd.com/gpu": "8"})
    assert preflight("", quotas=[lowered]) == []
    # What the release has already is its own.
    for taken in ({"requests.nvidia.com/gpu": "1"}, {"pods": "1"}, {"count/pods": "1"}):
        assert preflight("", quotas=[quota(taken, taken)], pods=[running("gpu-1", OWN)], installed=True) == []


def test_a_limit_range_s_defaults_answer_a_quota() -> None:
    ranges = [limit_range(default={"memory": "32Gi", "cpu": "8"}, defaultRequest={"memory": "16Gi", "cpu": "4"})]
    findings = preflight("", ranges=ranges, quotas=[quota({"limits.memory": "64Gi", "requests.cpu": "16"})])
    assert {found.check for found in findings} == {"limit-range"}


# -- what the labels of GPU nodes tell --------------------------------------------------------------------------


def labelled(**labels: str) -> V1Node:
    named = {f"nvidia.com/{key.replace('_', '.').replace('..', '-')}": value for key, value in labels.items()}
    return node("gpu-1", labels=named, taints=[GPU_TAINT], gpu="4")


def test_a_driver_that_is_older_than_the_image() -> None:
    old = [labelled(cuda_driver__version_major="535")]
    assert "its driver is R535" in said(preflight("", nodes=old))
    assert preflight("", nodes=[labelled(cuda_driver__version_major="580")]) == []
    assert preflight('env: {VLLM_ENABLE_CUDA_COMPATIBILITY: "1"}', nodes=old) == []
    assert preflight("image: {repository: registry.example.com/mine, tag: v1}", nodes=old) == []


def test_gpus_that_are_shared_are_not_several() -> None:
    shared = [labelled(gpu_replicas="4")]
    assert "write gpu.count: 1" in said(preflight("gpu: {count: 2}", nodes=shared))
    assert preflight("", nodes=shared) == []


def kubelets(*versions: str) -> list[V1Node]:
    """A GPU node for each version of the kubelet, and one without GPUs that is too old."""
    nodes = [node(f"gpu-{version}", labels=GPU_LABEL, taints=[GPU_TAINT], gpu="1") for version in versions]
    for each, version in zip([*nodes, node("cpu")], [*versions, "1.20"], strict=True):
        assert each.status is not None
        info = {name: "" for name, field in V1NodeSystemInfo.model_fields.items() if field.is_required()}
        each.status.node_info = V1NodeSystemInfo.model_validate(info | {"kubelet_version": f"v{version}.2+k3s1"})
    return nodes


@pytest.mark.parametrize(
    ("versions", "severities"),
    [
        (["1.37", "1.35"], []),
        (["1.37", "1.34"], ["warning"]),
        (["1.37", "1.32"], ["warning"]),
        (["1.32", "1.31"], ["error"]),
        (["1.33", "1.32"], ["warning", "warning"]),
    ],
)
def test_nodes_that_mount_no_image(versions: list[str], severities: list[str]) -> None:
    values = "model: {id: org/name, image: {reference: 'registry/models/a:1'}}"
    findings = [each for each in preflight(values, nodes=kubelets(*versions)) if each.check == "image-volumes"]
    assert [finding.severity for finding in findings] == severities


def test_nodes_are_not_asked_about_images_that_no_pod_has() -> None:
    assert [each for each in preflight("", nodes=kubelets("1.32")) if each.check == "image-volumes"] == []
