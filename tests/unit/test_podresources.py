"""The scheduler's arithmetic, by the rules of Kubernetes' own.

Expected values follow k8s.io/component-helpers/resource/helpers.go, whose comment on init containers is:
"InitContainerUse(i) = sum(Resources of restartable init containers with index < i) + Resources of i-th init container".
"""

from decimal import Decimal
from typing import Any

import pytest
from kubernetes.client import V1PodSpec

from vllm_chart.rendered import podresources
from vllm_chart.rendered.podresources import PodResources

Json = dict[str, Any]


def one(name: str, requests: Json | None = None, limits: Json | None = None, **more: Any) -> Json:
    return {"name": name, "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


def sidecar(name: str, cpu: str) -> Json:
    return one(name, {"cpu": cpu}, restartPolicy="Always")


def both(spec: Json) -> list[PodResources]:
    """As it is written, and as the Kubernetes client reads it."""
    return [podresources.read(spec), podresources.read(V1PodSpec.model_validate(spec))]


REQUESTS = [
    pytest.param({"containers": [one("a", {"cpu": "1"}), one("b", {"cpu": "500m"})]}, {"cpu": "1.5"}, id="sum"),
    # SetDefaults_Pod, pkg/apis/core/v1/defaults.go
    pytest.param({"containers": [one("a", limits={"cpu": "2"})]}, {"cpu": "2"}, id="limits are requests"),
    pytest.param({"containers": [one("a", {"cpu": "1"}, {"cpu": "2"})]}, {"cpu": "1"}, id="a request stays"),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"}, {"cpu": "2", "nvidia.com/gpu": "1"})]},
        {"cpu": "1", "nvidia.com/gpu": "1"},
        id="each resource for itself",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "initContainers": [one("i", {"cpu": "3"}), one("j", {"cpu": "2"})]},
        {"cpu": "3"},
        id="the biggest init container",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "3"})], "initContainers": [one("i", {"cpu": "2", "memory": "1Gi"})]},
        {"cpu": "3", "memory": "1073741824"},
        id="each resource at its own time",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "3"})], "initContainers": [sidecar("s", "2")]},
        {"cpu": "5"},
        id="a sidecar is added",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "initContainers": [one("i", {"cpu": "4"}), sidecar("s", "2")]},
        {"cpu": "4"},
        id="a sidecar after an init container is not there beside it",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "initContainers": [sidecar("s", "2"), one("i", {"cpu": "4"})]},
        {"cpu": "6"},
        id="a sidecar before an init container is there beside it",
    ),
    pytest.param(
        {
            "containers": [one("a", {"cpu": "1"})],
            "initContainers": [sidecar("s", "1"), one("i", {"cpu": "2"}), sidecar("t", "3"), one("j", {"cpu": "1"})],
        },
        {"cpu": "5"},
        id="sidecars add up in their order",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "overhead": {"cpu": "250m", "memory": "64Mi"}},
        {"cpu": "1.25", "memory": "67108864"},
        id="the runtime's overhead",
    ),
    # Pod-level resources: PodRequests, and defaultPodRequests in pkg/apis/core/v1/defaults.go
    pytest.param(
        {"containers": [one("a", {"cpu": "1", "nvidia.com/gpu": "1"})], "resources": {"requests": {"cpu": "4"}}},
        {"cpu": "4", "nvidia.com/gpu": "1"},
        id="the pod's own instead of the sum",
    ),
    pytest.param(
        {"containers": [one("a")], "resources": {"limits": {"cpu": "4"}}}, {"cpu": "4"}, id="the pod's limits"
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "resources": {"limits": {"cpu": "4"}}},
        {"cpu": "1"},
        id="the containers' requests under the pod's limits",
    ),
    pytest.param(
        {"containers": [one("a", {"cpu": "1"})], "resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "1"}},
        {"cpu": "3"},
        id="overhead on top of the pod's own",
    ),
]


@pytest.mark.parametrize(("spec", "expected"), REQUESTS)
def test_what_the_scheduler_counts(spec: Json, expected: Json) -> None:
    for pod in both(spec):
        assert pod.total_requests() == {resource: Decimal(amount) for resource, amount in expected.items()}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [one("a", {"cpu": "1"})]}, {}),
        ({"containers": [one("a", limits={"cpu": "1"})], "initContainers": [sidecar("s", "9")]}, {"cpu": "1"}),
        (
            {"containers": [one("a", limits={"cpu": "1"})], "overhead": {"cpu": "1", "memory": "1Gi"}},
            {"cpu": "2"},
        ),
        ({"containers": [one("a", limits={"cpu": "1"})], "resources": {"limits": {"cpu": "4"}}}, {"cpu": "4"}),
    ],
    ids=["no limit", "only what has one", "overhead beside a limit only", "the pod's own"],
)
def test_what_a_pod_may_have(spec: Json, expected: Json) -> None:
    for pod in both(spec):
        assert pod.total_limits() == {resource: Decimal(amount) for resource, amount in expected.items()}


def test_a_quantity_that_is_none() -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        podresources.read({"containers": [one("a", {"cpu": "two"})]})
