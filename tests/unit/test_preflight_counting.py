"""How many pods of which size are counted before an install."""

from typing import Any

import pytest
from kubernetes.client import V1LimitRange, V1ResourceQuota, V1RuntimeClass

from tests.cluster_objects import GPU_LABEL, GPU_TAINT, node
from tests.preflights import NODES, OWN, preflight, running, said
from tests.workloads import leader_worker_set, stateful_set
from vllm_chart.rendered.manifests import Manifests, Object

#: One node, with little memory for its GPU.
SMALL = [node("gpu-1", labels=GPU_LABEL, taints=[GPU_TAINT], gpu="1")]
SMALL[0].status.allocatable["memory"] = "64Gi"  # type: ignore[union-attr, index]


# -- how big a pod is ----------------------------------------------------------------------------------------


def test_a_limit_without_a_request_is_requested() -> None:
    """The API server defaults requests to limits."""
    assert "it asks for 200.0Gi memory" in said(preflight("resources: {limits: {memory: 200Gi}}", nodes=SMALL))


def test_quantities_that_are_written_as_numbers() -> None:
    """An API server answers them as text, and so the client reads them."""
    resources = "resources: {limits: {memory: 214748364800}}"
    volume = "volumes: [{name: x, emptyDir: {sizeLimit: 1000000}}]\nvolumeMounts: [{name: x, mountPath: /x}]"
    assert "it asks for 200.0Gi memory" in said(preflight(f"{resources}\n{volume}", nodes=SMALL))


SIDECAR = """
resources: {requests: {memory: 60Gi}}
initContainers: [{name: proxy, image: "a:1", restartPolicy: Always, resources: {requests: {memory: 60Gi}}}]
"""


def test_a_sidecar_is_counted_beside_the_engine() -> None:
    found = said(preflight(SIDECAR, nodes=SMALL))
    assert "it asks for 120.0Gi memory, and the most that one node offers is 64.0Gi" in found
    assert "resources.requests.memory, together with proxy" in found
    assert preflight(SIDECAR.replace("restartPolicy: Always, ", ""), nodes=SMALL) == []


def test_a_sidecar_counts_in_a_quota() -> None:
    quota = V1ResourceQuota.model_validate({"metadata": {"name": "q"}, "spec": {"hard": {"requests.memory": "100Gi"}}})
    assert "a pod wants 120.0Gi requests.memory" in said(preflight(SIDECAR, quotas=[quota]))


def test_the_overhead_of_a_runtime_class() -> None:
    kata = V1RuntimeClass.model_validate({"handler": "kata", "overhead": {"podFixed": {"memory": "8Gi"}}})
    found = {("RuntimeClass", "kata"): kata}
    values = "runtimeClassName: kata\nresources: {requests: {memory: 60Gi}}"
    assert "it asks for 68.0Gi memory" in said(preflight(values, nodes=SMALL, found=found))
    kata.overhead = None
    assert preflight(values, nodes=SMALL, found=found) == []


@pytest.mark.parametrize(
    ("values", "item", "words"),
    [
        ("resources: {limits: {memory: 32Gi}}", {"max": {"memory": "16Gi"}}, "lower resources.limits.memory"),
        ("", {"max": {"memory": "16Gi"}}, "it has none [limit-range]\n    -> write resources.limits.memory"),
        ("resources: {requests: {cpu: 1}}", {"min": {"cpu": "2"}}, "raise resources.requests.cpu"),
        ("resources: {requests: {cpu: 2}}", {"min": {"cpu": "2"}}, ""),
        ("gpu: {count: 1}", {"max": {"nvidia.com/gpu": "1"}}, ""),
    ],
)
def test_bounds_of_a_pod_as_a_whole(values: str, item: Any, words: str) -> None:
    limits = {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Pod", **item}]}}
    found = preflight(values, ranges=[V1LimitRange.model_validate(limits)])
    assert bool(found) == bool(words), said(found)
    assert words in said(found)


# -- no node, now --------------------------------------------------------------------------------------------


def test_a_cluster_without_nodes() -> None:
    [finding] = preflight("", nodes=[])
    assert (finding.severity, finding.message, finding.remedy) == (
        "error",
        "the cluster has no node at all",
        "add nodes",
    )


def test_nodes_that_come_when_they_are_asked_for() -> None:
    [finding] = preflight("", autoscaled=True, nodes=[])
    assert finding.severity == "warning"
    assert finding.message == "the cluster has no node at all: an autoscaler of nodes has to add one"
    assert finding.remedy == "see that one of its node groups takes the pods, or add nodes"
    [finding] = preflight("nodeSelector: {pool: h100}", autoscaled=True)
    assert finding.message == "no node has the label pool=h100: an autoscaler of nodes has to add one"


def test_a_node_that_is_asked_for_by_name() -> None:
    """By its field, which is no label."""
    term = "{matchFields: [{key: metadata.name, operator: In, values: [gone]}]}"
    affinity = f"{{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{term}]}}}}}}"
    assert "which asks for metadata.name" in said(preflight(f"affinity: {affinity}"))


# -- how many -------------------------------------------------------------------------------------------------

KEDA = """
replicaCount: 1
extraObjects:
  - apiVersion: keda.sh/v1alpha1
    kind: ScaledObject
    metadata: {name: llm}
    spec:
      scaleTargetRef: {name: llm-vllm}
      minReplicaCount: %d
      maxReplicaCount: %d
      triggers: [{type: prometheus, metadata: {query: "sum(vllm:num_requests_waiting)", threshold: "5"}}]
"""


def test_what_an_autoscaler_begins_with_is_counted() -> None:
    """Not replicaCount, which it sets to its own minimum at once."""
    [finding] = preflight(KEDA % (4, 8))
    assert finding.severity == "error"
    assert "4 pods of 1 nvidia.com/gpu are wanted by ScaledObject/llm, and there is room for 2" in finding.message
    assert finding.remedy == "write ScaledObject/llm: minReplicaCount: 2, free nodes, or add some"


def test_what_an_autoscaler_may_go_to_is_a_warning() -> None:
    [finding] = preflight(KEDA % (1, 8))
    assert finding.severity == "warning"
    assert "ScaledObject/llm may go to 8 pods of 1 nvidia.com/gpu, and there is room for 2" in finding.message
    assert "write ScaledObject/llm: maxReplicaCount: 2" in finding.remedy
    assert preflight(KEDA % (0, 2)) == []
    assert preflight(KEDA % (1, 8), autoscaled=True) == []


def test_what_an_autoscaler_may_go_to_in_a_quota() -> None:
    hard = {"spec": {"hard": {"requests.nvidia.com/gpu": "2"}}, "metadata": {"name": "q"}}
    quota = [V1ResourceQuota.model_validate(hard)]
    at_once, later = preflight(KEDA % (4, 8), quotas=quota), preflight(KEDA % (2, 8), quotas=quota)
    assert [(each.check, each.severity) for each in at_once] == [("quota", "error"), ("nodes", "error")]
    assert "write ScaledObject/llm: minReplicaCount: 2" in said(at_once)
    assert [(each.check, each.severity) for each in later] == [("quota", "warning"), ("nodes", "warning")]
    assert "write ScaledObject/llm: maxReplicaCount: 2" in said(later)


def without_replicas(manifests: Manifests) -> Manifests:
    """As they are rendered where an autoscaler has them: `replicaCount: null`."""
    for item in manifests:
        item.get("spec", {}).pop("replicas", None)
    return manifests


def test_replicas_that_are_left_out() -> None:
    """One of a new workload; as many as there are of one that is there."""
    assert preflight("", change=without_replicas, nodes=SMALL) == []
    own = [running("gpu-1", OWN)]
    assert preflight("", change=without_replicas, installed=True, replicas=1, pods=own, nodes=SMALL) == []
    assert "3 pods of 1 nvidia.com/gpu" in said(preflight("", change=without_replicas, installed=True, replicas=3))


# -- other kinds ----------------------------------------------------------------------------------------------


def instead(other: Any) -> Any:
    """Another workload in the place of the release's own."""
    return lambda manifests: Manifests(
        [
            Object(other, item.source)
            if item.name == other["metadata"]["name"] and "template" in item.get("spec", {})
            else item
            for item in manifests
        ]
    )


def test_a_stateful_set_is_counted_alike() -> None:
    three = stateful_set("replicaCount: 3\ntolerations: [{operator: Exists}]")
    [finding] = preflight("", change=instead(three))
    assert finding.where == "StatefulSet/llm-vllm"
    assert "3 pods of 1 nvidia.com/gpu are wanted, and there is room for 2" in finding.message


@pytest.mark.parametrize(("size", "words"), [(2, ""), (3, "1 group of 3 pods of 3 nvidia.com/gpu is wanted")])
def test_a_group_needs_a_place_for_each_of_its_pods(size: int, words: str) -> None:
    group = leader_worker_set("tolerations: [{operator: Exists}]", size)
    found = preflight("", change=instead(group))
    assert bool(found) == bool(words), said(found)
    assert words in said(found)


def test_the_pods_of_a_group_may_differ() -> None:
    """A leader without a GPU leaves both nodes to the workers."""
    group = leader_worker_set("tolerations: [{operator: Exists}]", 3)
    leader = group["spec"]["leaderWorkerTemplate"]["leaderTemplate"]["spec"]["containers"][0]
    leader["resources"] = {}
    assert preflight("", change=instead(group)) == []


def test_a_group_counts_whole_in_a_quota() -> None:
    hard = {"spec": {"hard": {"pods": "3"}}, "metadata": {"name": "q"}}
    group = leader_worker_set("tolerations: [{operator: Exists}]\nreplicaCount: 2", 2)
    nodes = [*NODES, *(node(f"more-{n}", taints=[GPU_TAINT], gpu="1") for n in (1, 2))]
    [finding] = preflight("", change=instead(group), nodes=nodes, quotas=[V1ResourceQuota.model_validate(hard)])
    assert "4 pods want 4 pods, and 3 of 3 are left" in finding.message
    assert "write replicaCount: 1," in finding.remedy
