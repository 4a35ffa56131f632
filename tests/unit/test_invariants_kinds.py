"""Every check of rendered objects reads a release in another kind of workload as it reads the chart's own."""

from collections.abc import Callable
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.preflights import preflight
from tests.workloads import instead, leader_worker_set, stateful_set
from vllm_chart.checks import invariants, podsecurity
from vllm_chart.findings import Finding
from vllm_chart.helm import app_version, merged_values, render
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import engines
from vllm_chart.sizing import check as sizing
from vllm_chart.vllm_args.check import check_release

Json = dict[str, Any]

KINDS = pytest.mark.parametrize("make", [stateful_set, leader_worker_set], ids=["StatefulSet", "LeaderWorkerSet"])


def checked(manifests: Manifests) -> list[tuple[str, str]]:
    """What is wrong, without the name of the object that it is wrong in."""
    found = [*invariants.check(manifests), *podsecurity.check(manifests)]
    return sorted({(finding.check, finding.message) for finding in found})


@KINDS
def test_a_release_that_is_in_order(make: Callable[[], Json]) -> None:
    assert checked(instead("", make())) == []


def mistaken(manifests: Manifests) -> Manifests:
    """With mistakes in every pod of the engine, which values cannot make."""
    for pod, _ in engines(manifests):
        [engine] = [container for container in pod.spec["containers"] if container["name"] == "vllm"]
        del engine["readinessProbe"], engine["terminationMessagePolicy"]
        engine["securityContext"]["privileged"] = True
        engine["command"] = ["sh", "-c"]
        engine["args"] += ["--max-modl-len=1"]
    return manifests


@KINDS
def test_what_is_wrong_in_it(make: Callable[[], Json]) -> None:
    expected = checked(mistaken(render(values=values_from_yaml("model: {id: org/name}"))))
    assert {name for name, _ in expected} >= {"engine-is-probed", "a-crash-tells-its-reason", "pod-security"}
    assert checked(mistaken(instead("", make()))) == expected


def test_a_selector_that_is_written_is_held_to_the_rule() -> None:
    item = stateful_set()
    item["spec"]["selector"]["matchLabels"]["app.kubernetes.io/version"] = "0.33.0"
    assert "selectors-never-change" in {name for name, _ in checked(instead("", item))}


@KINDS
def test_the_engine_s_arguments_and_its_memory(make: Callable[[str], Json]) -> None:
    text = "model: {id: meta-llama/Llama-3.1-8B}\nengine: {args: {max-model-len: 900000}}"
    values = merged_values(values=values_from_yaml(text))

    def said(manifests: Manifests) -> list[Finding]:
        lengths = sizing.check(manifests, values, app_version())
        return [*check_release(mistaken(manifests), values, app_version()), *lengths]

    own = said(render(values=values_from_yaml(text)))
    assert {"engine-arguments", "max-model-len"} <= {finding.check for finding in own}
    assert said(instead(text, make(text))) == own


# -- what users wrote, found in the wild ------------------------------------------------------------------------

EIGHT_BY_A_CLAIM = """
model: {id: Qwen/Qwen3-8B}
gpu: {count: 0}
resourceClaims: [{name: gpus, resourceClaimTemplateName: eight}]
resources: {claims: [{name: gpus}]}
extraObjects:
  - apiVersion: resource.k8s.io/v1
    kind: ResourceClaimTemplate
    metadata: {name: eight}
    spec:
      spec:
        devices:
          requests:
            - {name: gpu, exactly: {deviceClassName: gpu.nvidia.com, allocationMode: ExactCount, count: 8}}
"""
SCALED = """
model: {id: Qwen/Qwen3-8B}
replicaCount: 2
extraObjects:
  - apiVersion: keda.sh/v1alpha1
    kind: ScaledObject
    metadata: {name: llm}
    spec:
      scaleTargetRef: {name: llm-vllm}
      minReplicaCount: 4
      maxReplicaCount: 8
      triggers: [{type: prometheus, metadata: {serverAddress: "http://prometheus:9090", query: a, threshold: "5"}}]
"""


def test_gpus_of_a_claim_are_no_resource_of_a_node() -> None:
    """They are the scheduler's to find; nothing is said of GPUs that the pod does not ask for."""
    assert invariants.check(render(values=values_from_yaml(EIGHT_BY_A_CLAIM))) == []
    assert preflight(EIGHT_BY_A_CLAIM) == []


def test_replicas_beside_an_autoscaler_of_the_user_s_own() -> None:
    [finding] = invariants.check(render(values=values_from_yaml(SCALED)))
    assert (finding.check, finding.severity) == ("replicas-have-one-owner", "warning")
    assert "replicaCount: null" in finding.remedy
    [finding] = preflight(SCALED)
    assert "4 pods of 1 nvidia.com/gpu are wanted by ScaledObject/llm" in finding.message


def test_replicas_that_are_left_to_it() -> None:
    def left_out(manifests: Manifests) -> Manifests:
        spec = {name: value for name, value in manifests.one("Deployment")["spec"].items() if name != "replicas"}
        return Manifests([Object({**i, "spec": spec}, i.source) if i.kind == "Deployment" else i for i in manifests])

    assert invariants.check(left_out(render(values=values_from_yaml(SCALED)))) == []
    [finding] = preflight(SCALED, change=left_out)
    assert "4 pods" in finding.message
