"""A release in other kinds of workload is diagnosed by the same lines, asked of an API server as well."""

import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.api_server import cluster_of
from tests.cluster_objects import container_status, pod, snapshot, waiting
from tests.cluster_objects import event as recorded
from tests.workloads import leader_worker_set, stateful_set
from vllm_chart.cluster.api import refusal
from vllm_chart.findings import Finding, UnavailableError
from vllm_chart.live import diagnose
from vllm_chart.live.diagnose import Snapshot, explain
from vllm_chart.rendered.workload import read

Json = dict[str, Any]

NO_SECRET = 'secret "hf-token-secret" not found'
LABELS = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}
GROUP = "leaderworkerset.sigs.k8s.io/name"
HASH = "leaderworkerset.sigs.k8s.io/template-revision-hash"
REFUSED = (
    'create Pod llm-vllm-0 in StatefulSet llm-vllm failed error: pods "llm-vllm-0" is forbidden: violates PodSecurity'
)


def failing(name: str, labels: Json, owner: Json) -> Json:
    """A pod that waits for a Secret, as the API returns it."""
    return {
        "metadata": {"name": name, "namespace": "ai", "uid": name, "labels": {**LABELS, **labels}}
        | {"ownerReferences": [{"apiVersion": "apps/v1", "uid": "o", **owner}]},
        "spec": {"containers": [{"name": "vllm", "image": "i"}]},
        "status": waiting("CreateContainerConfigError", NO_SECRET),
    }


def live(item: Json, **status: Any) -> Json:
    return {**item, "metadata": {**item["metadata"], "namespace": "ai", "uid": "w"}, "status": status}


SET = {"kind": "StatefulSet", "name": "llm-vllm"}
STATEFUL: Json = {
    "/apis/apps/v1/namespaces/ai/statefulsets": [live(stateful_set(), updateRevision="b")],
    "/api/v1/namespaces/ai/pods": [
        failing("llm-vllm-1", {"controller-revision-hash": "b"}, SET),
        failing("llm-vllm-0", {"controller-revision-hash": "a"}, SET),
    ],
}
GROUPS: Json = {
    "/apis/leaderworkerset.x-k8s.io/v1/namespaces/ai/leaderworkersets": [live(leader_worker_set())],
    "/apis/apps/v1/namespaces/ai/statefulsets": [
        {
            "metadata": {
                "name": "llm-vllm",
                "uid": "s",
                "labels": {GROUP: "llm-vllm", HASH: "b"},
                "ownerReferences": [{"kind": "LeaderWorkerSet", "name": "llm-vllm", "uid": "w"}],
            }
        }
    ],
    "/api/v1/namespaces/ai/pods": [
        failing("llm-vllm-0", {GROUP: "llm-vllm", HASH: "b"}, SET),
        failing("llm-vllm-0-1", {GROUP: "llm-vllm", HASH: "b"}, {"kind": "StatefulSet", "name": "llm-vllm-0"}),
        failing("llm-vllm-1", {GROUP: "llm-vllm", HASH: "a"}, SET),
    ],
}
REST: Json = {f"/api/v1/namespaces/ai/{plural}": [] for plural in ("events", "persistentvolumeclaims", "pods")}


def asked(objects: Json, folder: Path) -> list[Finding]:
    with cluster_of({**REST, "/api/v1/nodes": [], **objects}, folder) as cluster:
        return diagnose.release("llm", "ai", cluster)


@pytest.mark.parametrize(
    ("objects", "where"),
    [
        (STATEFUL, "Pod/llm-vllm-1: container vllm"),
        (GROUPS, "Pod/llm-vllm-0: container vllm (and 1 more)"),
    ],
    ids=["StatefulSet", "LeaderWorkerSet"],
)
def test_pods_of_the_newest_revision_are_diagnosed(objects: Json, where: str, tmp_path: Path) -> None:
    [finding] = asked(objects, tmp_path)
    assert (finding.where, finding.check) == (where, "configuration")
    assert NO_SECRET in finding.message


def test_a_release_of_no_workload(tmp_path: Path) -> None:
    """A cluster without groups of pods answers 404 for them."""
    [finding] = asked({"/apis/apps/v1/namespaces/ai/deployments": []}, tmp_path)
    assert "there is no workload of a release 'llm'" in finding.message
    assert "not yours" not in finding.message


def test_kinds_that_may_not_be_listed(tmp_path: Path) -> None:
    groups = {"/apis/leaderworkerset.x-k8s.io/v1/namespaces/ai/leaderworkersets": 403}
    [finding] = asked(groups, tmp_path)
    assert "(LeaderWorkerSet: not yours to see)" in finding.message
    apps = {f"/apis/apps/v1/namespaces/ai/{plural}": 403 for plural in ("deployments", "statefulsets")}
    with pytest.raises(UnavailableError, match="refused"):
        asked({**groups, **apps}, tmp_path)


FAILED = recorded("FailedCreate", REFUSED, "w")


def event(uid: str) -> Json:
    return {"metadata": {"name": "e"}, "involvedObject": {"uid": uid}, "reason": "FailedCreate", "message": REFUSED}


@pytest.mark.parametrize(
    ("objects", "uid"), [(STATEFUL, "w"), (GROUPS, "w"), (GROUPS, "s")], ids=["StatefulSet", "group", "its leaders"]
)
def test_pods_whose_refusal_only_an_event_tells(objects: Json, uid: str, tmp_path: Path) -> None:
    events = {"/api/v1/namespaces/ai/events": [event("other"), event(uid)], "/api/v1/namespaces/ai/pods": []}
    [finding] = asked({**objects, **events}, tmp_path)
    assert finding.check == "pod-security"
    assert "podSecurityContext" in finding.remedy


def test_a_refusal_that_is_over_is_not_told() -> None:
    mine = pod(name="llm-vllm-0", status={})
    assert mine.metadata
    assert mine.metadata.owner_references
    mine.metadata.owner_references[0].name = "llm-vllm"
    there = snapshot(mine, workloads=[read(live(stateful_set()))], events=[FAILED])
    assert {finding.check for finding in explain(there)} == {"not-ready"}
    [told] = explain(snapshot(workloads=there.workloads, events=[FAILED]))
    assert told.check == "pod-security"


@pytest.mark.parametrize("item", [stateful_set(), leader_worker_set()], ids=["StatefulSet", "LeaderWorkerSet"])
def test_a_release_without_pods_yet(item: Json) -> None:
    [finding] = explain(Snapshot("llm", "ai", [read(live(item))]))
    assert (finding.where, finding.message) == (f"{item['kind']}/llm-vllm", "it has no pods yet")


LOG = "/api/v1/namespaces/ai/pods/llm-vllm-1/log"
UNREACHED = 'Get "https://10.0.0.7:10250/containerLogs/ai/llm-vllm-1/vllm": remote error: tls: internal error'


@pytest.mark.parametrize("refused", [500, 403])
def test_a_log_that_cannot_be_read_takes_nothing_from_the_rest(refused: int, tmp_path: Path) -> None:
    configuration, log = asked({**STATEFUL, LOG: refused}, tmp_path)
    assert configuration.check == "configuration"
    assert (log.check, log.severity) == ("log", "warning")
    assert log.message == f"its log can't be read: refused: {LOG}"


def test_a_start_whose_log_cannot_be_read_has_no_stage(tmp_path: Path) -> None:
    running = {"containerStatuses": [container_status(state={"running": {"startedAt": "2026-11-29T01:00:00Z"}})]}
    pods = [{**STATEFUL["/api/v1/namespaces/ai/pods"][0], "status": running}]
    log, starting = asked({**STATEFUL, "/api/v1/namespaces/ai/pods": pods, LOG: 500}, tmp_path)
    assert (log.check, starting.check, starting.message) == ("log", "starting", "not ready yet: it runs")


def test_a_refusal_is_told_in_the_api_servers_words() -> None:
    for body in (json.dumps({"kind": "Status", "message": UNREACHED}), f'{{"message":{json.dumps(UNREACHED)}}}'):
        error = client.ApiException(status=500, reason="Internal Server Error")
        error.body = body
        assert refusal(error) == UNREACHED


@pytest.mark.parametrize("times", [("lastTimestamp", "firstTimestamp"), ("eventTime", "eventTime")])
def test_events_are_read_in_the_order_in_which_they_came(times: tuple[str, str], tmp_path: Path) -> None:
    late, early = (
        {
            "metadata": {"name": "e"},
            "involvedObject": {"uid": "llm-vllm-1"},
            "message": message,
            time: f"2026-11-29T01:{minute}:00.000000Z",
        }
        for message, time, minute in (("Pulling image", times[0], 20), ("Scheduled", times[1], 10))
    )
    creating = {**STATEFUL["/api/v1/namespaces/ai/pods"][0], "status": waiting("ContainerCreating")}
    objects = {**STATEFUL, "/api/v1/namespaces/ai/pods": [creating], "/api/v1/namespaces/ai/events": [late, early]}
    [starting] = asked(objects, tmp_path)
    assert starting.message.endswith("last: Pulling image")
