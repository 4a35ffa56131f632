"""OpenShift's SecurityContextConstraints, before an install and after it.

The constraints are those of an OpenShift 4.19, without the fields that say who may use them.
"""

from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml
from kubernetes.client import V1Namespace

from tests.api_server import cluster_of
from tests.cluster_objects import snapshot
from tests.preflights import preflight, said
from vllm_chart.cluster.openshift import RESTRICTED
from vllm_chart.findings import Finding
from vllm_chart.helm import render
from vllm_chart.live import diagnose
from vllm_chart.live.preflight import ask

Json = dict[str, Any]

VOLUMES = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"]
RANGES = {
    "openshift.io/sa.scc.uid-range": "1000680000/10000",
    "openshift.io/sa.scc.supplemental-groups": "1000680000/10000",
}
NAMESPACE = V1Namespace.model_validate({"metadata": {"name": "ai", "annotations": RANGES}})


def constraints(name: str, user: str, groups: str, seccomp: list[str], **more: Any) -> Json:
    common = {"supplementalGroups": {"type": "RunAsAny"}, "volumes": VOLUMES, "allowedCapabilities": None}
    strategies = {"runAsUser": {"type": user}, "fsGroup": {"type": groups}, "seccompProfiles": seccomp}
    return {"metadata": {"name": name}, **common, **strategies, **more}


RESTRICTED_V2 = constraints(
    "restricted-v2", "MustRunAsRange", "MustRunAs", ["runtime/default"], allowPrivilegeEscalation=False
)
NONROOT_V2 = constraints(
    "nonroot-v2", "MustRunAsNonRoot", "RunAsAny", ["runtime/default"], allowPrivilegeEscalation=False
)
ANYUID = constraints("anyuid", "RunAsAny", "RunAsAny", [], priority=10)
PRIVILEGED = constraints("privileged", "RunAsAny", "RunAsAny", ["*"], volumes=["*"], allowHostIPC=True)
EVERY = [ANYUID, NONROOT_V2, PRIVILEGED, RESTRICTED_V2]


def on_openshift(values: str, *usable: str, **cluster: Any) -> list[Finding]:
    there = {"namespace": NAMESPACE, "constraints": EVERY, "usable": frozenset(usable), **cluster}
    return [finding for finding in preflight(values, **there) if finding.check == "security-constraints"]


def test_the_defaults_under_the_constraints_for_everyone() -> None:
    [finding] = on_openshift("", "restricted-v2")
    assert finding.severity == "error"
    assert finding.where == "SecurityContextConstraints/restricted-v2"
    assert "runAsUser 2000 is not in 1000680000 to 1000689999" in finding.message
    assert "fsGroup 0 is not in 1000680000 to 1000689999" in finding.message
    assert "podSecurityContext.runAsUser: null; write podSecurityContext.fsGroup: null" in finding.remedy
    assert "group 0" in finding.remedy
    assert "`oc adm policy add-scc-to-user nonroot-v2 -z llm-vllm -n default`" in finding.remedy


def test_what_the_remedy_says_is_let_in() -> None:
    values = "podSecurityContext: {runAsUser: null, fsGroup: null}"
    [finding] = on_openshift(values, "restricted-v2")
    assert (finding.severity, finding.where) == ("info", "SecurityContextConstraints/restricted-v2")
    # and keeps to what the chart promises elsewhere: group 0, and no root.
    context = render(values=values_from_yaml("model: {id: a/b}\n" + values)).one("Deployment")["spec"]["template"][
        "spec"
    ]
    assert context["securityContext"]["runAsGroup"] == 0
    assert context["securityContext"]["runAsNonRoot"] is True


def test_the_defaults_under_constraints_that_are_granted() -> None:
    [finding] = on_openshift("", "restricted-v2", "nonroot-v2")
    assert (finding.severity, finding.where) == ("info", "SecurityContextConstraints/nonroot-v2")


def test_constraints_without_seccomp_profiles_refuse_one() -> None:
    """`anyuid` lets any user in, and no pod that names a profile."""
    [finding] = on_openshift("", "anyuid")
    assert finding.severity == "error"
    assert "write podSecurityContext.seccompProfile: null" in finding.remedy
    [finding] = on_openshift("podSecurityContext: {seccompProfile: null}", "anyuid")
    assert finding.severity == "info"


USER = "podSecurityContext: {runAsUser: null, fsGroup: null}\n"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (USER + "hostIPC: true", "hostIPC is not allowed"),
        (
            USER + "volumes: [{name: w, hostPath: {path: /w}}]\nvolumeMounts: [{name: w, mountPath: /w}]",
            "the volume w is a hostPath",
        ),
        (USER + "securityContext: {capabilities: {add: [IPC_LOCK]}}", "vllm adds IPC_LOCK"),
        ("podSecurityContext: {runAsUser: 1000680005, fsGroup: null, supplementalGroups: [44]}", ""),
        ("podSecurityContext: {runAsUser: 1000690000, fsGroup: null}", "runAsUser 1000690000 is not in 1000680000"),
        (USER + "securityContext: {runAsUser: 2000}", "write securityContext.runAsUser: null"),
    ],
)
def test_what_constraints_refuse(values: str, words: str) -> None:
    [finding] = on_openshift(values, "restricted-v2")
    assert finding.severity == ("error" if words else "info"), said([finding])
    assert words in said([finding])


def test_constraints_that_may_not_be_seen() -> None:
    """A user of one namespace: its annotations tell that this is OpenShift, and what everybody may use is known."""
    [finding] = on_openshift("", constraints=None, usable=None)
    assert (finding.severity, finding.where) == ("warning", "SecurityContextConstraints/restricted-v2")
    [finding] = on_openshift("", usable=None)
    assert finding.severity == "warning"


def test_another_kubernetes_has_none() -> None:
    assert on_openshift("", namespace=V1Namespace(), constraints=()) == []
    assert on_openshift("", namespace=V1Namespace(), constraints=None) == []


def test_what_everybody_may_use_is_as_openshift_has_it() -> None:
    assert RESTRICTED == {**RESTRICTED_V2, "allowedCapabilities": ["NET_BIND_SERVICE"]}


# -- asked of an API server -----------------------------------------------------------------------------------

PATH = "/apis/security.openshift.io/v1/securitycontextconstraints"
REVIEWS = "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews"
REST: Json = {
    f"/api/v1/{path}": []
    for path in (
        *("nodes", "pods", "persistentvolumes", "namespaces/default/limitranges"),
        "namespaces/default/resourcequotas",
    )
} | {"/apis/storage.k8s.io/v1/storageclasses": []}


def asked(objects: Json, folder: Path) -> ask.Snapshot:
    with cluster_of({**REST, **objects}, folder) as cluster:
        return ask.snapshot(cluster, render(values=values_from_yaml("model: {id: a/b}")))


def test_a_cluster_is_asked_who_may_use_them(tmp_path: Path) -> None:
    yes: Json = {"spec": {}, "status": {"allowed": True}}
    answer = asked({PATH: [RESTRICTED_V2], REVIEWS: yes}, tmp_path)
    assert answer.constraints == [RESTRICTED_V2]
    assert answer.usable == frozenset({"restricted-v2"})
    assert not answer.installed
    no: Json = {"spec": {}, "status": {"allowed": False}}
    assert asked({PATH: [RESTRICTED_V2], REVIEWS: no}, tmp_path).usable == frozenset()


@pytest.mark.parametrize(
    ("objects", "constraints_", "usable"),
    [
        ({}, (), frozenset()),
        ({PATH: 403}, None, frozenset()),
        ({PATH: [RESTRICTED_V2], REVIEWS: 403}, [RESTRICTED_V2], None),
    ],
    ids=["another Kubernetes", "not to be seen", "not to be asked"],
)
def test_what_a_cluster_does_not_say(objects: Json, constraints_: Any, usable: Any, tmp_path: Path) -> None:
    answer = asked(objects, tmp_path)
    assert (answer.constraints, answer.usable) == (constraints_, usable)


def test_a_release_that_is_there_is_read_with_its_replicas(tmp_path: Path) -> None:
    live = dict(render(values=values_from_yaml("model: {id: a/b}\nreplicaCount: 3")).one("Deployment"))
    answer = asked({"/apis/apps/v1/namespaces/default/deployments/llm-vllm": live}, tmp_path)
    assert answer.installed
    assert answer.replicas == 3


# -- of a release that is installed ----------------------------------------------------------------------------

REFUSED = (
    'pods "llm-vllm-5c8-x2x" is forbidden: unable to validate against any security context constraint: [provider '
    '"anyuid": Forbidden: not usable by user or serviceaccount, provider restricted-v2: .spec.securityContext.fsGroup: '
    "Invalid value: []int64{0}: 0 is not an allowed group, provider restricted-v2: .containers[0].runAsUser: Invalid "
    'value: 2000: must be in the ranges: [1000680000, 1000689999], provider "nonroot-v2": Forbidden: not usable by '
    'user or serviceaccount, provider "privileged": Forbidden: not usable by user or serviceaccount]'
)


def test_pods_that_constraints_refuse() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": REFUSED}
    [finding] = diagnose.explain(snapshot(conditions=[condition]))
    assert finding.check == "security-constraints"
    assert "0 is not an allowed group" in finding.message
    assert finding.message.endswith("must be in the ranges: [1000680000, 1000689999]]")
    assert "not usable" not in finding.message
    assert "write podSecurityContext: {runAsUser: null, fsGroup: null}" in finding.remedy
