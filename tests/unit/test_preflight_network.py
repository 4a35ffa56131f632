"""Preflight of the network: whether anybody enforces policies."""

from collections.abc import Sequence
from typing import Any

import pytest
from kubernetes.client import V1Pod

from tests.cluster_objects import node
from tests.preflights import NODES, preflight, said
from vllm_chart.findings import Finding

NARROWED = "networkPolicy: {ingress: {from: [{podSelector: {}}]}}"
OUT = "networkPolicy: {egress: {enabled: true}}"


def daemon(name: str, image: str = "a:1", args: Sequence[str] = (), kind: str = "DaemonSet") -> V1Pod:
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": True}
    metadata = {"name": f"{name}-x2x", "namespace": "kube-system", "ownerReferences": [owner]}
    container = {"name": "a", "image": image, "args": [*args]}
    return V1Pod.model_validate({"metadata": metadata, "spec": {"containers": [container]}})


def about(values: str, pods: list[V1Pod] | None, **cluster: Any) -> list[Finding]:
    return [one for one in preflight(values, pods=pods, **cluster) if one.check == "network-policies"]


@pytest.mark.parametrize(
    "pod",
    [
        daemon("calico-node"),
        daemon("cilium"),
        daemon("anetd"),
        daemon("ovnkube-node"),
        daemon("kube-router"),
        daemon("kindnet", "docker.io/kindest/kindnetd:v20240813-c6f155d6"),
        daemon("kindnet", "docker.io/kindest/kindnetd:v20260131-a1b2c3d4"),
        daemon("aws-node", args=["--enable-ipv6=false", "--enable-network-policy=true"]),
        daemon("kube-flannel-ds", "registry.k8s.io/networking/kube-network-policies:v0.8.0"),
    ],
    ids=lambda pod: pod.metadata.name,
)
@pytest.mark.parametrize("values", ["", NARROWED])
def test_a_plugin_that_enforces_is_no_news(values: str, pod: V1Pod) -> None:
    assert about(values, [daemon("kube-proxy"), pod]) == []


IDLE = [
    daemon("kube-flannel-ds"),
    daemon("kindnet", "docker.io/kindest/kindnetd:v20240513-cd2ac642"),
    daemon("aws-node", args=["--enable-network-policy=false"]),
]


@pytest.mark.parametrize("pod", IDLE, ids=lambda pod: pod.metadata.name)
@pytest.mark.parametrize(("values", "severity"), [("", "info"), (NARROWED, "warning"), (OUT, "warning")])
def test_a_plugin_that_does_not_is_named(values: str, severity: str, pod: V1Pod) -> None:
    [finding] = about(values, [daemon("kube-proxy"), pod])
    assert finding.severity == severity
    assert "nobody is kept out" in finding.message


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        ([], "its DaemonSets tell nothing"),
        ([daemon("kube-proxy"), daemon("calico-node", kind="ReplicaSet")], "its DaemonSets tell nothing"),
        ([daemon("kindnet", "mirror.example.com/kindnetd@sha256:0")], "its DaemonSets tell nothing"),
        ([daemon("aws-node")], "its DaemonSets tell nothing"),
        (None, "its pods are not yours to see"),
    ],
)
def test_what_cannot_be_told_is_said_of_values_that_count_on_it(pods: list[V1Pod] | None, words: str) -> None:
    [finding] = about(NARROWED, pods)
    assert (finding.severity, words in finding.message) == ("info", True)
    assert about("", pods) == []


def test_k3s_has_its_own() -> None:
    nodes = [*NODES, node("k3s")]
    assert nodes[-1].status
    nodes[-1].status.node_info = (
        type(nodes[-1].status)
        .model_validate({"nodeInfo": dict.fromkeys(_INFO, "a") | {"kubeletVersion": "v1.37.1+k3s1"}})
        .node_info
    )
    assert about(NARROWED, [daemon("kube-flannel-ds")], nodes=nodes) == []


_INFO = (
    *("architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "kubeletVersion"),
    *("machineID", "operatingSystem", "osImage", "systemUUID"),
)


def test_without_a_policy_there_is_nothing_to_enforce() -> None:
    assert about("networkPolicy: {enabled: false}", [daemon("kube-flannel-ds")]) == []
    assert "network-policies" not in said(preflight("", pods=[daemon("cilium")]))
