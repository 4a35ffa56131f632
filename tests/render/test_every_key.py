"""Every key of a chart's values changes what is rendered."""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from ci.generate import block_of, keys
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT, VLLM, Chart
from vllm_chart.helm import HelmError
from vllm_chart.rendered.manifests import Object
from vllm_chart.values.base import Block

#: Values in which every key of the chart has something other than its default, where that can be.
EVERYTHING = {"vllm": "everything.yaml", "vllm-endpoint": "endpoint-everything.yaml"}


def leaves(block: type[Block], parent: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every key of the values that is no block, as `(a.b.c, default)`."""
    for key, of_model in keys(block):
        if inner := block_of(of_model):
            yield from leaves(inner, (*parent, key))
        else:
            yield ".".join((*parent, key)), of_model.get_default()


LEAVES = {chart.name: dict(leaves(chart.values)) for chart in (VLLM, ENDPOINT)}


@dataclass(frozen=True)
class Tried:
    """How a key is tried where its value of everything.yaml beside its default, among all the rest, doesn't do."""

    value: Any = None
    """What is written instead of the value of everything.yaml; None: the default, or its opposite."""
    default: tuple[str, ...] = ()
    """Keys that have their defaults meanwhile: they overrule this one, or are refused with one of its two values."""
    among: Mapping[str, Any] = field(default_factory=dict)
    """What other keys have meanwhile, this one's own first value included."""
    alone: bool = False
    """Whether the rest has its defaults: too much of everything.yaml is refused with one of the two values."""


NO_DOWNLOAD = ("download.enabled", "download.nextRevision")
OF_THE_HUB = (*NO_DOWNLOAD, "model.revision")
IMAGE = "registry.example.com/models/qwen3-8b:1"
BUCKET = {"model.id": "s3://models/qwen3-8b"}
OF_A_LOAD_BALANCER = (
    "service.nodePort",
    "service.externalTrafficPolicy",
    "service.loadBalancerClass",
    "service.loadBalancerSourceRanges",
)
BY_TOKEN = Tried(
    [{"parameter": "bearerToken", "name": "other", "key": "b"}],
    ("autoscaling.prometheus.auth.triggerAuthenticationRef.name",),
    {"autoscaling.prometheus.auth.secretTargetRef": [{"parameter": "bearerToken", "name": "a", "key": "b"}]},
)


def metric(name: str) -> dict[str, Any]:
    """Of an HPA, one that there is without a pod."""
    target = {"type": "Value", "value": "1"}
    return {"type": "External", "external": {"metric": {"name": name}, "target": target}}


BY_HPA = {
    "autoscaling.enabled": True,
    "autoscaling.kind": "HPA",
    "autoscaling.minReplicas": 0,
    "autoscaling.maxReplicas": 2,
    "autoscaling.wakeUp.metrics": [metric("waiting")],
}
POD_MONITOR = {"serviceMonitor.enabled": False, "podMonitor.enabled": True}
MODELS = values_from_yaml((Path(__file__).parent / EVERYTHING["vllm-endpoint"]).read_text())["models"]

TRIED = {
    "vllm": {
        "model.id": Tried("org/other"),
        "model.image.reference": Tried(IMAGE, OF_THE_HUB),
        "model.image.pullPolicy": Tried("Always", OF_THE_HUB, {"model.image.reference": IMAGE}),
        "model.image.subPath": Tried("models", OF_THE_HUB, {"model.image.reference": IMAGE}),
        "model.chatTemplate": Tried("{{ messages }}", ("model.chatTemplateRef.name", "model.chatTemplateRef.key")),
        "hub.offline": Tried(default=NO_DOWNLOAD),
        "objectStorage.credentialsSecretRef.name": Tried("s3", OF_THE_HUB, BUCKET),
        "objectStorage.endpoint": Tried("https://minio.storage.svc:9000", OF_THE_HUB, BUCKET),
        "objectStorage.region": Tried("eu-central-1", OF_THE_HUB, BUCKET),
        "objectStorage.account": Tried("companymodels", OF_THE_HUB, {"model.id": "az://models/qwen3-8b"}),
        "engine.args": Tried({"api-server-count": 1}),
        "engine.passArguments": Tried(False, among={"command": ["/start.sh"]}, alone=True),
        "lora.maxLoras": Tried(5),
        "image.tag": Tried(default=("image.digest",)),
        "replicaCount": Tried(3, ("autoscaling.enabled",)),
        "startup.budgetSeconds": Tried(default=("startupProbe",)),
        "podDisruptionBudget.minAvailable": Tried(
            "50%", ("podDisruptionBudget.maxUnavailable",), {"autoscaling.minReplicas": 4}
        ),
        "autoscaling.kind": Tried("HPA"),
        "autoscaling.maxReplicas": Tried(5),
        "autoscaling.prometheus.address": Tried("http://prometheus:9090"),
        "autoscaling.prometheus.auth.secretTargetRef": BY_TOKEN,
        "autoscaling.prometheus.auth.triggerAuthenticationRef.name": Tried("other"),
        "autoscaling.wakeUp.httpAddon.hosts": Tried(["other.example.com"]),
        "autoscaling.wakeUp.metrics": Tried([metric("other")], among=BY_HPA, alone=True),
        "persistence.enabled": Tried(default=NO_DOWNLOAD),
        "persistence.existingClaim": Tried("models"),
        "persistence.ephemeral": Tried(default=NO_DOWNLOAD),
        "persistence.accessModes": Tried(["ReadWriteMany", "ReadOnlyMany"]),
        "download.enabled": Tried(default=("download.nextRevision",)),
        "volumes": Tried(default=("volumeMounts",)),
        "service.type": Tried(default=OF_A_LOAD_BALANCER),
        "service.sessionAffinity": Tried(default=("service.sessionAffinityConfig",)),
        "ingress.hosts": Tried(["other.example.com"]),
        "httpRoute.parentRefs": Tried([{"name": "other"}]),
        "inferencePool.endpointPickerRef.name": Tried("other"),
        "serviceMonitor.scheme": Tried(default=("serviceMonitor.tlsConfig",)),
        "podMonitor.scheme": Tried(default=("podMonitor.tlsConfig",)),
        "scrapeAnnotations.enabled": Tried(default=("serviceMonitor.enabled",)),
        "extraContainers": Tried(default=("service.extraPorts", "serviceMonitor.port")),
        "resourceClaims": Tried(default=("resources",)),
        "serviceAccount.create": Tried(default=("serviceAccount.annotations",)),
    },
    "vllm-endpoint": {
        "models": Tried({**MODELS, "more": {"service": "more"}}),
        "replicaCount": Tried(3, ("autoscaling.enabled",)),
        "image.digest": Tried(f"sha256:{'0' * 64}"),
        "clients.jwt.issuer": Tried("https://issuer.example.com"),
        "clients.jwt.audiences": Tried(["other"]),
        "clients.jwt.jwks": Tried({"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]}),
        "clients.jwt.jwksUri": Tried(
            "https://b/keys", ("clients.jwt.jwks",), {"clients.jwt.jwksUri": "https://a/keys"}
        ),
        "limits.rateLimitService.service": Tried("other"),
        "autoscaling.targetCPUUtilizationPercentage": Tried(
            among={"autoscaling.kind": "HPA", "autoscaling.prometheus": {}}
        ),
        "autoscaling.maxReplicas": Tried(8),
        "autoscaling.prometheus.address": Tried("http://other:9090"),
        "autoscaling.prometheus.auth.secretTargetRef": BY_TOKEN,
        "autoscaling.prometheus.auth.triggerAuthenticationRef.name": Tried("other"),
        "podDisruptionBudget.minAvailable": Tried(1, ("podDisruptionBudget.maxUnavailable",)),
        "service.type": Tried(default=OF_A_LOAD_BALANCER),
        "scrapeAnnotations.enabled": Tried(default=("serviceMonitor.enabled",)),
    },
}

#: Keys of whose two values one is refused, whatever the others have; nothing but that refusal is looked at here.
REFUSED = {
    "vllm": {"autoscaling.kind"},  # KEDA needs a Prometheus, and an HPA takes none
    "vllm-endpoint": {"autoscaling.kind"},
}


def get(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values[name]
    return values


def put(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The values with another value at a key."""
    first, _, rest = key.partition(".")
    return values | {first: put(values.get(first, {}), rest, value) if rest else value}


def two_values(chart: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values with the key, and the same with another value of it."""
    tried, default = TRIED[chart].get(key, Tried()), LEAVES[chart][key]
    text = (Path(__file__).parent / EVERYTHING[chart]).read_text()
    values = {"model": {"id": "org/model"}} if tried.alone else values_from_yaml(text)
    monitor = POD_MONITOR if key.startswith("podMonitor.") else {}
    meanwhile = monitor | {other: LEAVES[chart][other] for other in tried.default} | dict(tried.among)
    for other, value in meanwhile.items():
        values = put(values, other, value)
    value = tried.value
    if value is None:
        value = default if get(values, key) != default else not default
    return values, put(values, key, value)


def rendered(chart: Chart, values: dict[str, Any]) -> tuple[list[Object], str]:
    return _rendered(chart.folder, json.dumps(values))


@functools.lru_cache(maxsize=8)
def _rendered(folder: Path, values: str) -> tuple[list[Object], str]:
    """Most keys are tried beside the same values."""
    manifests = helm.render(chart=folder, values=json.loads(values))
    return [*manifests], manifests.notes


@pytest.mark.parametrize("chart", [VLLM, ENDPOINT], ids=lambda chart: chart.name)
def test_every_key_at_once_is_accepted(chart: Chart) -> None:
    everything = Path(__file__).parent / EVERYTHING[chart.name]
    assert helm.render(chart=chart.folder, values_files=[everything]).one("Deployment")


@pytest.mark.parametrize(
    ("chart", "key"),
    [pytest.param(chart, key, id=f"{chart.name}-{key}") for chart in (VLLM, ENDPOINT) for key in LEAVES[chart.name]],
)
def test_every_key_changes_what_is_rendered(chart: Chart, key: str) -> None:
    one, other = two_values(chart.name, key)
    before = rendered(chart, one)
    if key in REFUSED[chart.name]:
        with pytest.raises(HelmError, match="These values cannot work"):
            rendered(chart, other)
    else:
        assert rendered(chart, other) != before


@pytest.mark.parametrize("chart", EVERYTHING)
def test_no_key_is_left_in_the_tables_that_is_none(chart: str) -> None:
    assert TRIED[chart].keys() | REFUSED[chart] <= LEAVES[chart].keys()
