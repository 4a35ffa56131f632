"""Objects are held against Kubernetes' schemas by a compiled one, and what is wrong is told in jsonschema's words."""

import subprocess
import sys
from typing import Any

import pytest

from tests.workloads import leader_worker_set
from vllm_chart import checks, support
from vllm_chart.checks import schemas
from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests, Object


def manifests(*objects: dict[str, Any]) -> Manifests:
    return Manifests([Object(one, "x.yaml") for one in objects])


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize("version", support.KUBERNETES)
def test_what_is_right_is_taken_without_a_word(version: str) -> None:
    assert schemas.check(manifests(service(ports=[{"port": 80}])), version) == []


@pytest.mark.parametrize(
    ("spec", "where", "words"),
    [
        ({"ports": [{"port": "eighty"}]}, "Service/a: spec.ports[0].port", "'eighty' is not of type 'integer'"),
        ({"prots": []}, "Service/a: spec", "'prots' was unexpected"),
    ],
)
def test_every_mistake_is_told_with_its_place(spec: dict[str, Any], where: str, words: str) -> None:
    found = schemas.check(manifests(service(ports=[{"port": 80}]), service(**spec)), "1.37")

    assert [(finding.where, finding.severity) for finding in found] == [(where, "error")]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("api_version", "kind"), [("example.com/v1", "PodMonitor"), ("example.com/v1", "Job"), ("v2", "Pod")]
)
def test_a_kind_of_somebody_elses_is_told_as_unchecked_each_time(api_version: str, kind: str) -> None:
    custom = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": {"template": {"image": "a"}}}

    for _ in range(2):
        (found,) = schemas.check(manifests(custom, service(ports=[{"port": 80}])), "1.37")
        assert (found.severity, found.message[:11]) == ("info", "not checked")


@pytest.mark.parametrize("field", ["metadata", "spec", "spec.containers", "spec.volumes"])
@pytest.mark.parametrize("wrong", [1, "x", [1], {"a": 1}], ids=str)
def test_of_a_workload_that_kubernetes_itself_has_not_the_pods_are_held_to_its_schemas(field: str, wrong: Any) -> None:
    group = leader_worker_set()
    assert [one.severity for one in schemas.check(manifests(group), "1.37")] == ["info"]

    pod = group["spec"]["leaderWorkerTemplate"]["workerTemplate"]
    *above, last = field.split(".")
    for key in above:
        pod = pod[key]
    pod[last] = wrong
    report = checks.check(values={"model": {"id": "org/name"}, "extraObjects": [group]}, kubernetes=["1.37"])
    found = [one for one in report.findings if one.check == "kubernetes-schema" and one.severity == "error"]
    assert any(f"leaderWorkerTemplate.workerTemplate.{field}" in one.where for one in found), report.findings


def pod_monitor(**spec: Any) -> dict[str, Any]:
    kind = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor"}
    return {**kind, "metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"selector": {}, **spec}}


@pytest.mark.parametrize(
    ("spec", "severity", "where", "words"),
    [
        (
            {"podMetricsEndpoints": [{"interval": "often"}]},
            "error",
            "podMetricsEndpoints[0].interval",
            "does not match",
        ),
        ({"selector": None}, "error", "selector", "None is not of type 'object'"),
        ({"sampelLimit": 1}, "warning", "", "'sampelLimit' was unexpected"),
    ],
)
def test_a_custom_resource_is_held_to_its_definition(
    spec: dict[str, Any], severity: str, where: str, words: str
) -> None:
    """An unknown field may be one of another release's."""
    assert schemas.check(manifests(pod_monitor(sampleLimit=1)), "1.37") == []
    (found,) = schemas.check(manifests(pod_monitor(**spec)), "1.37")

    assert (found.severity, found.where) == (severity, f"PodMonitor/a: spec{where and '.'}{where}")
    assert words in found.message


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("monitoring.coreos.com/v1 ServiceMonitor", "convertClassicHistogramsToNHCB"),
        ("monitoring.coreos.com/v1 PodMonitor", "scrapeClass"),
        ("monitoring.coreos.com/v1 PrometheusRule", "groups"),
        ("keda.sh/v1alpha1 ScaledObject", "fallback"),
        ("keda.sh/v1alpha1 TriggerAuthentication", "secretTargetRef"),
    ],
)
def test_definitions_of_custom_resources_are_aboard(kind: str, field: str) -> None:
    api_version, name = kind.split()
    wrong = {"apiVersion": api_version, "kind": name, "metadata": {}, "spec": {field: 7}}

    assert f"{name}/: spec.{field}" in [found.where for found in schemas.check(manifests(wrong), "1.37")]


def test_a_right_object_costs_no_import_of_jsonschema() -> None:
    program = """
import sys
from vllm_chart import checks
from vllm_chart.helm import render
assert checks.inspect(render(values={"model": {"id": "a/b"}}), "1.37") is not None
print([name for name in ("jsonschema", "kubernetes", "pydantic") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_compiled_schema_agrees_with_jsonschema() -> None:
    """On what the chart renders, and on it with a word or a number in the place of each value."""
    import jsonschema

    for object_ in render(values={"model": {"id": "a/b"}}):
        kind = schemas._kind(object_)
        schema = schemas._schema(*kind, "1.37")
        assert schema is not None
        accepts = schemas._accepts(frozenset([kind]), "1.37")
        validator = jsonschema.Draft202012Validator(schemas._whole(schema, "1.37"))
        for other in [object_, *altered(object_)]:
            assert accepts({" ".join(kind): other}) is validator.is_valid(dict(other)), other


def altered(node: Any) -> list[Any]:
    """Copies with one value replaced by another type's."""
    if isinstance(node, dict):
        return [
            {**node, key: one} for key, value in node.items() for one in [*altered(value), 1.5, "x", None, {"x": 1}]
        ]
    if isinstance(node, list):
        return [[*node[:place], one, *node[place + 1 :]] for place, value in enumerate(node) for one in altered(value)]
    return []
