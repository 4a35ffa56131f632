"""What is said of a download that engines wait for: how far it is, what holds it up, why it gave up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes.client import CoreV1Event, V1EnvVar, V1Pod

from tests.cluster_objects import container_status, event, pod, snapshot
from tests.programs import program
from vllm_chart.findings import Finding
from vllm_chart.live import diagnose
from vllm_chart.live.engine_log import explain as known

NAME, JOB_UID = "llm-vllm-download-0123456789", "j0b"
WHERE = f"Job/{NAME}"
Json = dict[str, Any]


def job(*conditions: Json, hours_ago: float = 0) -> Json:
    started = datetime.now(UTC) - timedelta(hours=hours_ago)
    return {
        "metadata": {"name": NAME, "uid": JOB_UID},
        "spec": {"activeDeadlineSeconds": 4500, "template": {"spec": {"containers": [{"name": "download"}]}}},
        "status": {"conditions": list(conditions), "startTime": started.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }


def failed(reason: str) -> Json:
    return {"type": "Failed", "status": "True", "reason": reason}


def attempt(number: int, phase: str, state: Json, **more: Any) -> V1Pod:
    status = container_status(state=state) | {"name": "download"}
    return V1Pod.model_validate(
        {
            "metadata": {
                "name": f"{NAME}-{number}",
                "uid": f"p{number}",
                "creationTimestamp": f"2026-11-28T12:0{number}:00Z",
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": NAME, "uid": JOB_UID}],
            },
            "spec": {"containers": [{"name": "download", "image": "vllm/vllm-openai:v0.33.0"}]},
            "status": {"phase": phase, "containerStatuses": [status], **more},
        }
    )


WAITS = pod(
    spec={"initContainers": [{"name": "wait-for-download", "image": "a:1"}]},
    status={
        "initContainerStatuses": [container_status(state={"running": {}}) | {"name": "wait-for-download"}],
        "containerStatuses": [container_status(state={"waiting": {"reason": "PodInitializing"}})],
    },
)
RUNS = attempt(1, "Running", {"running": {}})
ENDED = attempt(0, "Failed", {"terminated": {"exitCode": 1, "reason": "Error"}})
KILLED = attempt(0, "Failed", {"terminated": {"exitCode": 137, "reason": "OOMKilled"}})


def told(*pods: V1Pod, of: Json, log: str = "", **more: Any) -> list[Finding]:
    logs = {(each.metadata.name or "", "download"): log for each in pods if each.metadata}
    return diagnose.explain(snapshot(WAITS, *pods, jobs=[of], logs=logs, **more))


def of_job(found: list[Finding]) -> Finding:
    (one,) = [finding for finding in found if finding.check == "download"]
    return one


def test_how_far_it_is_is_no_error_and_engines_that_wait_are_not_told_of_twice() -> None:
    found = told(RUNS, of=job(), log="12.0 of 140.0 GiB, 110 MB/s\n")
    assert of_job(found).message == "it fetches: 12.0 of 140.0 GiB, 110 MB/s"
    assert of_job(found).severity == "info"
    assert "wait-for-download" not in str(found)


def test_attempts_that_failed_are_told_while_it_goes_on() -> None:
    found = [
        finding for finding in told(ENDED, RUNS, of=job(), log="a.bin: its sha256 is 1") if "attempts" in str(finding)
    ]
    assert "1 of its attempts failed: a.bin: its sha256 is 1" in found[0].message


@pytest.mark.parametrize(
    ("reason", "pods", "said", "remedy"),
    [
        ("PodFailurePolicy", (ENDED,), "it gave up: org/name at v9: no such revision", "helm upgrade"),
        ("BackoffLimitExceeded", (KILLED,), "killed for its memory", "helm upgrade"),
        ("DeadlineExceeded", (), "it was not complete after 4500 s", "download.budgetSeconds"),
        ("BackoffLimitExceeded", (), "its pods are gone", "kubectl delete job --namespace ai"),
    ],
)
def test_one_that_gave_up_says_why(reason: str, pods: tuple[V1Pod, ...], said: str, remedy: str) -> None:
    found = of_job(told(*pods, of=job(failed(reason)), log="org/name at v9: no such revision"))
    assert (found.where, found.severity) == (WHERE, "error")
    assert said in found.message
    assert remedy in found.remedy


def of_pod(reason: str, message: str) -> CoreV1Event:
    involved = {"kind": "Pod", "name": f"{NAME}-x7k2p", "uid": "gone"}
    return CoreV1Event.model_validate(
        {"metadata": {"name": "e"}, "involvedObject": involved, "reason": reason, "message": message}
    )


NO_NODE = of_pod("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.")


@pytest.mark.parametrize(
    ("events", "said", "remedy"),
    [
        ([NO_NODE], "its pod never ran: 0/3 nodes are available: 3 Insufficient memory.", "mend that"),
        ([of_pod("Failed", 'Failed to pull image "a:1": not found')], "never ran: Failed to pull image", "mend that"),
        ([event("FailedCreate", "exceeded quota: one", JOB_UID)], "never ran: exceeded quota: one", "mend that"),
        # It waited for a node first, and then fetched.
        ([NO_NODE, of_pod("Started", "Started container download")], "not complete after 4500 s", "budgetSeconds"),
        ([event("FailedScheduling", "another release's", "other")], "not complete after 4500 s", "budgetSeconds"),
    ],
    ids=["no node", "no image", "no pod", "late", "of another"],
)
def test_a_budget_is_not_blamed_where_the_pod_never_ran(events: list[CoreV1Event], said: str, remedy: str) -> None:
    found = of_job(told(of=job(failed("DeadlineExceeded")), events=events))
    assert said in found.message
    assert remedy in found.remedy


def test_a_budget_is_blamed_where_the_event_of_a_start_may_be_gone() -> None:
    found = of_job(told(of=job(failed("DeadlineExceeded"), hours_ago=1.25), events=[NO_NODE]))
    assert "download.budgetSeconds" in found.remedy


def test_a_budget_is_blamed_where_an_attempt_left_its_log() -> None:
    found = of_job(told(RUNS, of=job(failed("DeadlineExceeded")), events=[NO_NODE], log="1 of 2 GiB"))
    assert "download.budgetSeconds" in found.remedy


@pytest.mark.parametrize(("disabled", "offered"), [("0", True), ("1", False)])
def test_less_memory_is_offered_only_where_it_is_to_be_had(disabled: str, offered: bool) -> None:
    killed = KILLED.model_copy(deep=True)
    assert killed.spec
    killed.spec.containers[0].env = [V1EnvVar(name="HF_HUB_DISABLE_XET", value=disabled)]
    found = of_job(told(killed, of=job(failed("BackoffLimitExceeded"))))
    assert ("download.xet: false" in found.message) == offered


def test_one_that_was_ahead_of_its_time_is_a_warning() -> None:
    found = of_job(told(ENDED, of=job(failed("PodFailurePolicy")), log="no such revision", ready=1))
    assert found.severity == "warning"


def test_one_that_is_complete_is_not_told_of() -> None:
    assert not [each for each in told(ENDED, of=job({"type": "Complete", "status": "True"})) if each.where == WHERE]


def test_one_that_finds_no_node_is_told_as_any_pod() -> None:
    message = "0/3 nodes are available: 3 node(s) didn't match pod affinity rules."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    found = told(attempt(1, "Pending", {"waiting": {"reason": ""}}, conditions=[condition]), of=job())
    assert any(finding.check == "scheduling" and NAME in finding.where for finding in found)


def test_one_whose_image_is_not_there_is_told_as_any_pod() -> None:
    found = told(attempt(1, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}), of=job())
    assert any(finding.check == "image" and NAME in finding.where for finding in found)


def test_one_whose_pods_are_refused_says_so() -> None:
    refused = event("FailedCreate", "pods is forbidden: exceeded quota", JOB_UID)
    assert "exceeded quota" in of_job(told(of=job(), events=[refused])).message


def test_an_engine_that_waited_too_long_points_to_the_job(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    program("wait_for_download").wait({tmp_path / "marker": "org/name"}, "app=x", 0)
    found = known(capsys.readouterr().out)
    assert found
    assert found.check == "download"
    assert "download.budgetSeconds" in found.remedy
