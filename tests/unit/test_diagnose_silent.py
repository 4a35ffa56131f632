"""A release that serves nothing while none of its containers says so: held back, unseen, on a node that is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes.client import V1Node, V1Pod

from tests.cluster_objects import container_status, pod, snapshot
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose import explain

NOW = datetime(2026, 11, 29, 1, tzinfo=UTC)
READY = {"containerStatuses": [container_status(ready=True, state={"running": {}})]}


def told(one: V1Pod, seconds: int = 600, ready: int = 0, **more: Any) -> list[Finding]:
    """What is said of a release of that pod, so many seconds after it was made."""
    assert one.metadata
    one.metadata.creation_timestamp = NOW - timedelta(seconds=seconds)
    return explain(snapshot(one, ready=ready, at=NOW, **more))


def on(status: str) -> V1Node:
    condition = {"type": "Ready", "status": status, "message": "Kubelet stopped posting node status."}
    return V1Node.model_validate({"metadata": {"name": "gpu-1"}, "status": {"conditions": [condition]}})


@pytest.mark.parametrize(
    ("gate", "remedy"),
    [
        ("kueue.x-k8s.io/admission", "kubectl describe workloads.kueue.x-k8s.io --namespace ai"),
        ("example.com/approved", "see that its controller runs"),
    ],
)
def test_a_gate_that_holds_a_pod_back(gate: str, remedy: str) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    [finding] = told(
        pod(spec={"schedulingGates": [{"name": gate}]}, status={"phase": "Pending", "conditions": [condition]})
    )
    assert (finding.check, finding.severity) == ("scheduling", "error")
    assert gate in finding.message
    assert remedy in finding.remedy


def test_a_scheduler_that_is_not_there() -> None:
    unseen = pod(spec={"schedulerName": "gpu-scheduler"}, status={"phase": "Pending"})
    [finding] = told(unseen)
    assert (finding.check, finding.severity) == ("scheduling", "error")
    assert "the scheduler gpu-scheduler has not looked at it" in finding.message
    assert "schedulerName" in finding.remedy


def test_a_new_pod_has_a_minute() -> None:
    [finding] = told(pod(status={"phase": "Pending"}), seconds=5)
    assert (finding.check, finding.severity, finding.message) == ("starting", "info", "0 of 1 replicas are ready")


SCHEDULED = {"type": "PodScheduled", "status": "True"}


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Pending", "conditions": [SCHEDULED]},
        {"phase": "Running", "conditions": [SCHEDULED, {"type": "Ready", "status": "False"}], **READY},
    ],
    ids=["before its kubelet saw it", "after its kubelet was lost"],
)
@pytest.mark.parametrize("ready", ["Unknown", "False"])
def test_a_node_that_is_lost(status: dict[str, Any], ready: str) -> None:
    [finding] = told(pod(spec={"nodeName": "gpu-1"}, status=status), nodes=[on(ready)])
    assert (finding.check, finding.severity) == ("node", "error")
    assert "its node gpu-1 is not ready: Kubelet stopped posting node status." in finding.message
    assert "kubectl describe node gpu-1" in finding.remedy


@pytest.mark.parametrize("nodes", [[on("True")], None], ids=["node in order", "node not to be seen"])
def test_a_pod_that_is_not_ready_though_its_containers_are(nodes: list[V1Node] | None) -> None:
    gate = 'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    condition = {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": gate}
    [finding] = told(pod(spec={"nodeName": "gpu-1"}, status={"conditions": [condition], **READY}), nodes=nodes)
    assert (finding.check, finding.severity) == ("not-ready", "error")
    assert gate in finding.message
    assert "0 of 1 replicas are ready" in finding.message


def test_what_ended_on_a_node_before_it_was_shut_down_is_not_lost_with_it() -> None:
    """The kubelet ends its pods then, and they stay beside those that are made anew."""
    ended = pod(spec={"nodeName": "gpu-1"}, status={"phase": "Failed", "reason": "Terminated"})
    assert told(ended, ready=1, nodes=[on("Unknown")]) == []


def test_a_node_that_is_lost_is_no_matter_to_a_pod_that_is_ready() -> None:
    """The controller of nodes takes a pod's readiness away together with the node's."""
    status = {"conditions": [{"type": "Ready", "status": "True"}], **READY}
    assert told(pod(spec={"nodeName": "gpu-1"}, status=status), ready=1, nodes=[on("Unknown")]) == []
