"""Kinds of workload: one reader for what Helm rendered and for what an API server returned."""

import re
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

import vllm_chart
from tests.workloads import leader_worker_set, stateful_set
from vllm_chart.helm import render
from vllm_chart.rendered import scaling, workload
from vllm_chart.rendered.manifests import ManifestError, Manifests, Object
from vllm_chart.rendered.pods import pods
from vllm_chart.rendered.workload import UnknownKindError

MODEL = "model: {id: org/name}\n"


def rendered(text: str = "") -> Manifests:
    return render(values=values_from_yaml(MODEL + text))


def deployment(**spec: Any) -> workload.Workload:
    return workload.read({"kind": "Deployment", "metadata": {"name": "llm"}, "spec": spec})


def test_a_release_is_read_as_it_is_rendered() -> None:
    found = workload.engine(rendered("replicaCount: 3"))
    assert (found.where, found.namespace, found.replicas) == ("Deployment/llm-vllm", "default", 3)
    assert found.selector == found.written_selector
    assert found.selector == {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}
    assert found.pods_per_replica == 1
    assert found.front.runs_engine


def test_replicas_may_be_left_out() -> None:
    assert deployment().replicas is None
    assert deployment(replicas=0).replicas == 0


@pytest.mark.parametrize(
    ("strategy", "surge", "unavailable"),
    [
        ({}, 2, 1),  # 25 % of 5: up for the surge, down for what is taken away
        ({"type": "Recreate"}, 0, 5),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}, 0, 1),
        ({"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "50%"}}, 3, 2),
        ({"rollingUpdate": {"maxSurge": "14%"}}, 1, 1),
    ],
)
def test_what_a_rollout_adds_and_takes_away(strategy: Any, surge: int, unavailable: int) -> None:
    found = deployment(strategy=strategy)
    assert (found.surge(5), found.unavailable(5)) == (surge, unavailable)


def test_a_percentage_is_exact() -> None:
    """As floating point, 7 % of 100 is 7.000000000000001, which rounds up to 8."""
    assert deployment(strategy={"rollingUpdate": {"maxSurge": "7%"}}).surge(100) == 7


def test_a_stateful_set() -> None:
    found = workload.read(stateful_set())
    assert (found.surge(4), found.unavailable(4), found.deadline_seconds) == (0, 1, None)
    assert found.newest([]).labels == {}
    live = workload.read({**stateful_set(), "status": {"updateRevision": "llm-2", "readyReplicas": 1}})
    assert live.ready == 1
    assert live.newest([]).has({"controller-revision-hash": "llm-2"}, {"llm-vllm"})
    assert not live.newest([]).has({"controller-revision-hash": "llm-1"}, {"llm-vllm"})
    assert not live.newest([]).has({"controller-revision-hash": "llm-2"}, {"other"})


def test_a_group_of_a_leader_and_workers() -> None:
    found = workload.read(leader_worker_set(size=4))
    assert [(part.count, part.runs_engine) for part in found.parts] == [(1, True), (3, True)]
    assert found.pods_per_replica == 4
    assert (found.surge(2), found.unavailable(2), found.deadline_seconds) == (0, 1, None)
    assert found.written_selector == {}
    assert found.selector == {"leaderworkerset.sigs.k8s.io/name": "llm-vllm"}


def test_a_group_whose_leader_is_as_its_workers() -> None:
    group = leader_worker_set(size=3)
    del group["spec"]["leaderWorkerTemplate"]["leaderTemplate"]
    [part] = workload.read(group).parts
    assert part.count == 3


def test_the_newest_revision_of_a_group_is_its_leaders() -> None:
    found = workload.read(leader_worker_set())
    hashed = {"leaderworkerset.sigs.k8s.io/template-revision-hash": "b"}
    between: list[Any] = [{"metadata": {"name": "llm-vllm", "labels": hashed}}, {"metadata": {"name": "llm-vllm-0"}}]
    mine = {"leaderworkerset.sigs.k8s.io/name": "llm-vllm"}
    assert found.newest(between).has({**mine, **hashed}, {"llm-vllm-0"})
    assert not found.newest(between).has({**mine, "leaderworkerset.sigs.k8s.io/template-revision-hash": "a"}, set())


def test_pods_of_a_group_are_told_apart() -> None:
    found = list(pods(Manifests([Object(leader_worker_set())])))
    assert [pod.where for pod in found] == [
        "LeaderWorkerSet/llm-vllm: spec.leaderWorkerTemplate.leaderTemplate",
        "LeaderWorkerSet/llm-vllm: spec.leaderWorkerTemplate.workerTemplate",
    ]
    assert all(pod.workload for pod in found)


def test_the_chart_s_own_workload_is_the_engine_s() -> None:
    other = "extraObjects: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: other}, spec: {template: {spec: "
    assert workload.engine(rendered(other + "{containers: [{name: vllm}]}}}}]")).name == "llm-vllm"


def test_an_unknown_kind_is_named() -> None:
    spec = {"template": {"spec": {"containers": [{"name": "vllm"}]}}}
    rollout = Object(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "llm"}, "spec": spec}
    )
    with pytest.raises(UnknownKindError, match=r"Rollout/llm: Rollout is no kind of workload .* LeaderWorkerSet"):
        workload.engine(Manifests([rollout]))
    with pytest.raises(UnknownKindError, match="Job/x"):
        workload.read({"kind": "Job", "metadata": {"name": "x"}})


def test_no_workload_at_all_says_what_there_is() -> None:
    with pytest.raises(ManifestError, match="rendered: ConfigMap/a"):
        workload.engine(Manifests([Object({"kind": "ConfigMap", "metadata": {"name": "a"}})]))


def test_numbers_that_are_none_are_left_out() -> None:
    assert deployment(replicas="two").replicas is None
    assert workload.read({**leader_worker_set(), "spec": {"leaderWorkerTemplate": {"size": "x"}}}).pods_per_replica == 1
    assert workload.read({"kind": "StatefulSet", "spec": "x"}).replicas is None


@pytest.mark.parametrize("item", [{"spec": "x"}, {"spec": None}, {"spec": {"template": ["x"]}}, {}])
def test_an_object_that_is_not_in_order_is_read_as_empty(item: Any) -> None:
    assert [pod.spec for pod in pods(Manifests([Object({"kind": "DaemonSet", **item})]))] == [{}]


# -- autoscalers --------------------------------------------------------------------------------------------


def horizontal(name: str = "llm-vllm", **bounds: int) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "llm"}}
    return Object({**kind, "spec": {"scaleTargetRef": target, **bounds}})


def keda(**bounds: int) -> Object:
    kind = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "llm"}}
    return Object({**kind, "spec": {"scaleTargetRef": {"name": "llm-vllm"}, **bounds}})


@pytest.mark.parametrize(
    ("objects", "current", "replicas", "most"),
    [
        ([], None, 2, 2),
        ([], 5, 2, 2),  # the release's own number wins
        ([horizontal(minReplicas=3, maxReplicas=6)], None, 3, 6),
        ([horizontal(minReplicas=3, maxReplicas=6)], 5, 5, 6),
        ([horizontal(minReplicas=3, maxReplicas=6)], 9, 6, 6),
        ([horizontal(maxReplicas=6)], None, 1, 6),
        ([horizontal("other", minReplicas=3, maxReplicas=6)], None, 2, 2),
        ([keda(minReplicaCount=4, maxReplicaCount=8)], None, 4, 8),
        ([keda()], None, 1, 100),
    ],
)
def test_how_many_replicas_there_will_be(objects: list[Object], current: int | None, replicas: int, most: int) -> None:
    found = workload.engine(rendered("replicaCount: 2"))
    scale = scaling.scale(found, objects, current)
    assert (scale.replicas, scale.most) == (replicas, most)


def test_replicas_of_nobody_are_one_or_what_is_there() -> None:
    assert scaling.scale(deployment(), []).replicas == 1
    assert scaling.scale(deployment(), [], current=3).replicas == 3


# -- the house ----------------------------------------------------------------------------------------------

KNOWS_KINDS = "rendered/workload.py"
WRITES_FOR_USERS = ("values/", "load/asker.py", "cluster/prometheus.py", "live/preflight/network.py")
"""Texts of the values, a question that the load asks a model, a mode of PrometheusAgent's, names of network plugins."""
READS_OTHERS = ("importing/", "cli/import_values.py")
"""What is imported is other people's workloads, of kinds that the charts don't render."""


def test_no_other_file_knows_a_kind_of_workload() -> None:
    folder = Path(vllm_chart.__file__).parent
    names = "|".join([*(kind.name for kind in workload.SERVING), "ReplicaSet", "DaemonSet"])
    known = {
        f"{file.relative_to(folder)}:{number}"
        for file in folder.rglob("*.py")
        if not str(file.relative_to(folder)).startswith((KNOWS_KINDS, *WRITES_FOR_USERS, *READS_OTHERS))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(rf"\b(V1)?({names})(List|Spec|s)?\b", line)
    }
    assert known == set()
