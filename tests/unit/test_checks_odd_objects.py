"""Objects of the user's own that Helm takes as they stand: what is wrong with them is told, and nothing else fails."""

from typing import Any

import pytest

from vllm_chart import checks
from vllm_chart.findings import Finding

Json = dict[str, Any]


def found(extra: Json) -> list[Finding]:
    values = {"model": {"id": "org/name"}, "extraObjects": [extra]}
    report = checks.check(values=values, kubernetes=["1.37"], pod_security="privileged")
    return [finding for finding in report if finding.severity != "info"]


def object_(api_version: str, kind: str, **fields: Any) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "mine"}, **fields}


def pod(**fields: Any) -> Json:
    return object_("v1", "Pod", spec={"containers": [{"name": "mine", "image": "a:v1"}], **fields})


def container(**fields: Any) -> Json:
    return pod(containers=[{"name": "mine", "image": "a:v1", **fields}])


def volume(**fields: Any) -> Json:
    return pod(volumes=[{"name": "a", **fields}])


def service(**spec: Any) -> Json:
    return object_("v1", "Service", spec={"selector": {"app.kubernetes.io/instance": "llm"}, **spec})


def policy(**spec: Any) -> Json:
    return object_("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, **spec})


def triggers(*items: Any) -> Json:
    return object_("keda.sh/v1alpha1", "ScaledObject", spec={"scaleTargetRef": {"name": "x"}, "triggers": [*items]})


def limits() -> Json:
    return {"limits": {"memory": "10GB"}, "requests": {"memory": "1Gi"}}


#: Each with what is told of it, and of it alone: the other checks leave out what has no form.
SHAPELESS = [
    (container(env=["x"]), "Pod/mine: spec.containers[0].env[0]"),
    (container(env=[None]), "Pod/mine: spec.containers[0].env[0]"),
    (container(livenessProbe="x"), "Pod/mine: spec.containers[0].livenessProbe"),
    (container(resources="x"), "Pod/mine: spec.containers[0].resources"),
    (
        container(securityContext={"capabilities": {"add": [{}]}}),
        "Pod/mine: spec.containers[0].securityContext.capabilities.add[0]",
    ),
    (pod(containers=["x"]), "Pod/mine: spec.containers[0]"),
    (pod(volumes=["x"]), "Pod/mine: spec.volumes[0]"),
    (pod(terminationGracePeriodSeconds="30s"), "Pod/mine: spec.terminationGracePeriodSeconds"),
    (volume(secret={"secretName": "a", "defaultMode": "0440"}), "Pod/mine: spec.volumes[0].secret.defaultMode"),
    (volume(secret="x"), "Pod/mine: spec.volumes[0].secret"),
    (pod(volumes=[{"image": {"reference": "a:latest"}}]), "Pod/mine: spec.volumes[0]"),
    (service(ports=[{"name": "http"}]), "Service/mine: spec.ports[0]"),
    (service(ports=[None]), "Service/mine: spec.ports[0]"),
    (service(selector="x"), "Service/mine: spec.selector"),
    (
        policy(podSelector={"matchExpressions": [{"key": "app"}]}),
        "NetworkPolicy/mine: spec.podSelector.matchExpressions[0]",
    ),
    (policy(ingress=["x"]), "NetworkPolicy/mine: spec.ingress[0]"),
    (triggers("a"), "ScaledObject/mine: spec.triggers[0]"),
    (object_("autoscaling/v2", "HorizontalPodAutoscaler"), "HorizontalPodAutoscaler/mine"),
]


@pytest.mark.parametrize(("extra", "where"), SHAPELESS, ids=[where for _, where in SHAPELESS])
def test_what_has_no_form_is_told_once(extra: Json, where: str) -> None:
    assert [(finding.check, finding.where) for finding in found(extra)] == [("kubernetes-schema", where)]


@pytest.mark.parametrize(
    "extra",
    [
        object_("v1", "Service"),
        object_("v1", "Service", spec=None),
        object_("policy/v1", "PodDisruptionBudget"),
        object_("networking.k8s.io/v1", "NetworkPolicy"),
        policy(ingress=[None]),
        policy(ingress=[{"from": [None]}]),
        container() | {"metadata": {"name": "mine", "annotations": None, "labels": None}},
    ],
    ids=lambda extra: f"{extra['kind']}-{extra.get('spec')}",
)
def test_what_is_left_out_or_null_is_empty(extra: Json) -> None:
    assert found(extra) == []


def test_what_is_no_quantity_is_told_of_and_compared_with_none() -> None:
    [finding] = found(container(resources=limits()))
    assert (finding.check, finding.message) == ("requests-fit-the-limits", "'10GB' is not a quantity")


def test_a_field_that_is_unknown_hides_nothing_else() -> None:
    names = {finding.check for finding in found(container(image="a:latest", immage="a:v1"))}
    assert names == {"kubernetes-schema", "images-are-pinned"}


def test_another_object_is_checked_beside_it() -> None:
    values = {
        "model": {"id": "org/name"},
        "extraObjects": [container(env=["x"]), container(image="a:latest") | {"metadata": {"name": "other"}}],
    }
    assert "Pod/other: containers[0].image" in {finding.where for finding in checks.check(values=values)}
