"""GPUs that come by claims, and the workers that use them."""

from collections.abc import Mapping
from typing import Any

import pytest

from vllm_chart import checks, helm
from vllm_chart.findings import Finding
from vllm_chart.rendered import claims
from vllm_chart.rendered.pods import engines


def request(**fields: Any) -> dict[str, Any]:
    return {"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com", **fields}}


def template(*requests: Mapping[str, Any], kind: str = "ResourceClaimTemplate") -> dict[str, Any]:
    spec = {"devices": {"requests": list(requests)}}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "eight"},
        "spec": {"spec": spec} if kind == "ResourceClaimTemplate" else spec,
    }


def values(*objects: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    key = (
        "resourceClaimName" if any(each["kind"] == "ResourceClaim" for each in objects) else "resourceClaimTemplateName"
    )
    return {
        "model": {"id": "meta-llama/Llama-3.1-8B"},
        "gpu": {"count": 0},
        "resourceClaims": [{"name": "gpus", key: "eight"}],
        "resources": {"claims": [{"name": "gpus"}]},
        "extraObjects": list(objects),
        **more,
    }


EIGHT = request(allocationMode="ExactCount", count=8)
NETWORK = {"name": "nic", "exactly": {"deviceClassName": "rdma.example.com", "count": 2}}


@pytest.mark.parametrize(
    ("objects", "claimed"),
    [
        ([template(EIGHT)], claims.Claimed(8)),
        ([template(EIGHT, kind="ResourceClaim")], claims.Claimed(8)),
        ([template(request())], claims.Claimed(1)),
        ([template({"name": "g", "deviceClassName": "gpu.nvidia.com", "count": 4})], claims.Claimed(4)),  # v1beta1
        ([template(EIGHT, request(count=2))], claims.Claimed(10)),
        ([template(request(allocationMode="All"))], claims.Claimed(every=True)),
        ([template(EIGHT, NETWORK)], claims.Claimed(8)),
        ([template(EIGHT, request(deviceClassName="acme"))], claims.Claimed(8, unknown=True)),
        (
            [template({"name": "g", "firstAvailable": [{"deviceClassName": "a"}]})],
            claims.Claimed(unknown=True),
        ),
        ([template(request(deviceClassName="mig.nvidia.com"))], claims.Claimed(unknown=True)),
        ([], claims.Claimed(unknown=True)),
    ],
)
def test_gpus_of_a_claim_are_counted(objects: list[dict[str, Any]], claimed: claims.Claimed) -> None:
    manifests = helm.render(values=values(*objects))
    [(pod, container)] = engines(manifests)
    assert claims.gpus(manifests, pod, container) == claimed


def test_a_container_may_take_one_request_of_a_claim() -> None:
    two = {"claims": [{"name": "gpus", "request": "two"}]}
    manifests = helm.render(values=values(template(EIGHT, {**request(count=2), "name": "two"}), resources=two))
    [(pod, container)] = engines(manifests)
    assert claims.gpus(manifests, pod, container) == claims.Claimed(2)


def found(given: dict[str, Any]) -> list[Finding]:
    return [finding for finding in checks.validate(values=given) if finding.check == "gpu"]


def test_eight_gpus_for_one_worker_are_told() -> None:
    [finding] = found(values(template(EIGHT)))
    assert (finding.where, finding.severity) == ("parallelism.tensorParallelSize", "warning")
    assert "claims 8 GPUs, and vLLM uses 1 of them" in finding.message
    assert finding.remedy == "write 8, or claim 1"


def test_a_split_that_leaves_some_idle_is_told_with_the_product() -> None:
    [finding] = found(values(template(EIGHT), parallelism={"tensorParallelSize": 4}))
    assert finding.remedy == "write sizes whose product is 8, or claim 4"


@pytest.mark.parametrize(
    "given",
    [
        values(template(EIGHT), parallelism={"tensorParallelSize": 8}),
        values(template(EIGHT), parallelism={"tensorParallelSize": 4, "pipelineParallelSize": 2}),
        values(template(request())),
        values(template(EIGHT, request(deviceClassName="acme"))),
        values(template(request(allocationMode="All")), parallelism={"tensorParallelSize": 8}),
        values(),
    ],
)
def test_what_is_used_or_not_known_is_not_told_of(given: dict[str, Any]) -> None:
    assert found(given) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            values(template(request(count=4)), parallelism={"tensorParallelSize": 8}),
            "8 workers, each with a GPU",
        ),
        (values(template(request(allocationMode="All"))), "claims every GPU of its node"),
        (values(template(EIGHT), resources={}), "gets none of the pod's claims"),
    ],
)
def test_other_mismatches(given: dict[str, Any], said: str) -> None:
    [finding] = found(given)
    assert said in finding.message
    assert finding.severity == "warning"
