"""Who counts the replicas: the values, an autoscaler among the extraObjects, or somebody else; and a claim for each."""

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, findings, hold
from vllm_chart import checks
from vllm_chart.helm import render


def scaler(least: int, most: int, target: str = "llm-vllm") -> str:
    return (
        "extraObjects: [{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: llm}, spec: "
        f"{{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}, minReplicas: {least}, "
        f"maxReplicas: {most}, metrics: []}}}}]"
    )


KEDA = (
    "extraObjects: [{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: llm}, spec: "
    "{scaleTargetRef: {name: llm-vllm}, minReplicaCount: 4, maxReplicaCount: 8, triggers: []}}]"
)
RWO = "persistence: {enabled: true, accessModes: [ReadWriteOnce]"
DOWNLOADED = f"{RWO}}}, download: {{enabled: true}}"
#: What the chart's own autoscaler counts.
GROWN = (
    "autoscaling: {enabled: true, kind: KEDA, maxReplicas: 4, prometheus: {address: 'http://prometheus:9090'}}, "
    "serviceMonitor: {enabled: true}"
)
RWX = "persistence: {enabled: true, accessModes: [ReadWriteMany]}"

ROWS: list[Row] = [
    ("left to an autoscaler elsewhere", "replicaCount: null", ""),
    ("left to one here", f"{{replicaCount: null, {scaler(2, 4)}}}", ""),
    ("left to one here, KEDA", f"{{replicaCount: null, {KEDA}}}", ""),
    ("none for the night", "replicaCount: 0", ""),
    ("a budget of one's own, autoscaler elsewhere", "{replicaCount: null, podDisruptionBudget: {minAvailable: 1}}", ""),
    (
        "a budget of one's own, autoscaler here",
        f"{{replicaCount: null, podDisruptionBudget: {{minAvailable: 1}}, {scaler(2, 4)}}}",
        "",
    ),
    (
        "a budget that blocks",
        f"{{replicaCount: null, podDisruptionBudget: {{minAvailable: 2}}, {scaler(2, 4)}}}",
        "error: podDisruptionBudget.minAvailable: 2 of 2 replicas blocks every node drain",
    ),
    (
        "one volume for all, grown by an autoscaler",
        f"{{replicaCount: null, {scaler(1, 4)}, {RWO}}}}}",
        "error: persistence.accessModes: 4 replicas cannot share a ReadWriteOnce volume",
    ),
    (
        "one volume for all, and nothing but the autoscaler to bound",
        f"{{replicaCount: null, {scaler(1, 4)}, {RWO}}}}}",
        "error: or at most 1 in HorizontalPodAutoscaler llm, or persistence.ephemeral: true",
    ),
    (
        "two, and more by an autoscaler",
        f"{{replicaCount: 2, {scaler(1, 4)}, {RWO}}}}}",
        "error: or replicaCount: 1 and at most 1 in HorizontalPodAutoscaler llm",
    ),
    (
        "one volume for all, grown by the chart's autoscaler",
        f"{{{GROWN}, {RWO}}}}}",
        "error: or autoscaling.maxReplicas: 1, or persistence.ephemeral: true for a claim each",
    ),
    ("as that says, filled by a Job", f"{{{GROWN.replace('4', '1', 1)}, {DOWNLOADED}}}", ""),
    ("a shared volume", f"{{replicaCount: null, {scaler(1, 4)}, {RWX}}}", ""),
    # A claim for each pod.
    (
        "one volume for two",
        f"{{replicaCount: 2, {RWO}}}}}",
        "error: or replicaCount: 1, or persistence.ephemeral: true for a claim each",
    ),
    (
        "one volume, an old pod and a new one",
        f"{{strategy: {{rollingUpdate: {{maxSurge: 1}}}}, {RWO}}}}}",
        "error: persistence.ephemeral: true for a claim each",
    ),
    ("a claim each", f"{{replicaCount: 2, {RWO}, ephemeral: true}}}}", ""),
    ("a claim each, with surge", f"{{strategy: {{rollingUpdate: {{maxSurge: 1}}}}, {RWO}, ephemeral: true}}}}", ""),
    ("a claim each, autoscaled", f"{{replicaCount: null, {scaler(1, 4)}, {RWO}, ephemeral: true}}}}", ""),
    (
        "a claim each of one node's disks",
        "persistence: {enabled: true, ephemeral: true, storageClassName: local-nvme}",
        "",
    ),
    (
        "a claim each for one pod at a time",
        "persistence: {enabled: true, ephemeral: true, accessModes: [ReadWriteOncePod]}",
        "",
    ),
    (
        "a claim each, and one for all",
        "persistence: {enabled: true, ephemeral: true, existingClaim: models}",
        "error: persistence.ephemeral: pods with a claim each do not share models",
    ),
    (
        "a claim each, and none",
        "persistence: {ephemeral: true}",
        "error: persistence.ephemeral: true, but persistence.enabled is false",
    ),
    (
        "a claim each that is never filled",
        "persistence: {enabled: true, ephemeral: true, accessModes: [ReadOnlyMany]}",
        "error: nothing could ever be written",
    ),
    (
        "one claim that exists, two replicas",
        "{replicaCount: 2, persistence: {enabled: true, existingClaim: models, accessModes: [ReadWriteOnce]}}",
        "error: write accessModes: [ReadWriteMany], or replicaCount: 1",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_replicas_and_their_volumes(text: str, expected: str) -> None:
    hold(text, expected)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (f"{{{GROWN}, {DOWNLOADED}}}", "write accessModes: [ReadWriteMany], or autoscaling.maxReplicas: 1"),
        (
            f"{{strategy: {{rollingUpdate: {{maxSurge: 1}}}}, {DOWNLOADED}}}",
            "write maxSurge: 0 and maxUnavailable: 1, or accessModes: [ReadWriteMany]",
        ),
    ],
)
def test_a_claim_each_is_no_remedy_where_a_job_fills_the_volume(text: str, remedy: str) -> None:
    """It would be refused in turn."""
    (found,) = findings(text)
    assert str(found).endswith(remedy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{{replicaCount: 2, {KEDA}}}", "2 is set beside ScaledObject/llm, which has 4 to 8"),
        (f"{{replicaCount: 1, {scaler(1, 3)}}}", "1 is set beside HorizontalPodAutoscaler/llm, which has 1 to 3"),
        (f"{{{KEDA}}}", "1 is set beside ScaledObject/llm"),
        (f"{{replicaCount: null, {KEDA}}}", ""),
        (f"{{replicaCount: 2, {scaler(1, 3, 'other')}}}", ""),
    ],
)
def test_two_who_count_are_told_of_each_other(text: str, said: str) -> None:
    manifests = render(values={"model": {"id": "org/name"}} | values_from_yaml(text))
    findings = [one for one in checks.inspect(manifests, "1.37") if one.check == "replicas-have-one-owner"]
    assert [(one.severity, one.remedy) for one in findings] == (
        [("warning", "write replicaCount: null")] if said else []
    )
    assert all(said in one.message for one in findings)
    assert ("Every upgrade sets the replicas back" in manifests.notes) == bool(said)


@pytest.mark.parametrize(("text", "replicas"), [("{}", 1), ("replicaCount: 0", 0), ("replicaCount: null", None)])
def test_the_deployment_says_what_the_values_say(text: str, replicas: int | None) -> None:
    manifests = render(values={"model": {"id": "org/name"}} | values_from_yaml(text))
    assert manifests.one("Deployment")["spec"].get("replicas") == replicas


def test_a_claim_for_each_pod_is_in_the_pod() -> None:
    values = values_from_yaml(
        "{model: {id: a/b}, replicaCount: 2, persistence: {enabled: true, ephemeral: true, size: 50Gi, "
        "storageClassName: fast, annotations: {example.com/a: b}}}"
    )
    manifests = render(values=values)
    volumes = manifests.one("Deployment")["spec"]["template"]["spec"]["volumes"]
    (template,) = (one["ephemeral"]["volumeClaimTemplate"] for one in volumes if one["name"] == "cache")

    assert template["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "50Gi"}},
        "storageClassName": "fast",
    }
    assert template["metadata"]["labels"]["app.kubernetes.io/instance"] == "llm"
    assert template["metadata"]["annotations"] == {"example.com/a": "b"}
    assert not manifests.all("PersistentVolumeClaim")
    assert "its claim goes with it" in manifests.notes
