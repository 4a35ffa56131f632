"""Autoscaling: what is asked, how fast it acts, who writes `replicas`, and what a user's own autoscaler is told."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from ci import tools
from tests.api_server import Objects, cluster_of
from vllm_chart import checks, support
from vllm_chart.helm import HelmError, default_chart, render
from vllm_chart.rendered.manifests import Manifests

ON = "autoscaling: {enabled: true, maxReplicas: 6, prometheus: {address: 'http://prometheus:9090'}, %s}"
HPA = "autoscaling: {enabled: true, kind: HPA, maxReplicas: 6, %s}"


def rendered(text: str, **options: Any) -> Manifests:
    return render(values={"model": {"id": "org/name"}} | values_from_yaml(text), **options)


def triggers(text: str = ON % "", **options: Any) -> list[dict[str, Any]]:
    """The triggers of the ScaledObject."""
    spec = rendered(text, **options).one("ScaledObject")["spec"]
    return spec["triggers"]  # type: ignore[no-any-return]


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_the_queries_are_of_this_release_alone() -> None:
    requests, caches = (trigger["metadata"] for trigger in triggers(release="llm", namespace="models"))
    series = '{namespace="models",job="models/llm-vllm"}'

    assert requests["query"] == f"sum(vllm:num_requests_running{series} + vllm:num_requests_waiting{series})"
    assert caches["query"] == f"sum(max by (pod) (vllm:kv_cache_usage_perc{series}))"
    assert {trigger["metricType"] for trigger in triggers()} == {"AverageValue"}


def test_a_lost_prometheus_scales_nothing() -> None:
    """Neither by nulls that are taken for 0, nor by a fallback to less, nor by a query that makes a 0 of nothing."""
    item = rendered(ON % "minReplicas: 2").one("ScaledObject")["spec"]

    assert all(trigger["metadata"]["ignoreNullValues"] == "false" for trigger in item["triggers"])
    assert item["fallback"] == {"failureThreshold": 3, "replicas": 2, "behavior": "currentReplicasIfHigher"}
    assert "scalingModifiers" not in item["advanced"]
    assert not any("vector(" in trigger["metadata"]["query"] for trigger in item["triggers"])


def test_at_zero_there_is_no_fallback() -> None:
    """The queries have no answer there, and KEDA takes an active fallback for a reason to start a replica (since 2.19:
    kedacore/keda#7239, getScalerState). Without one, an error alone scales nothing down (RequestScale)."""
    item = rendered(ON % "minReplicas: 0, wakeUp: {triggers: [{type: cron, metadata: {desiredReplicas: 2}}]}").one(
        "ScaledObject"
    )["spec"]
    assert "fallback" not in item
    assert item["triggers"][0]["metadata"]["ignoreNullValues"] == "false"
    assert item["triggers"][-1]["metadata"] == {"desiredReplicas": "2"}


RANKS = "gpu: {count: 2}, parallelism: {dataParallelSize: 2}"


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        (ON % "", "32"),
        (ON % "requestsPerReplica: 20", "20"),
        (f"{{{ON % ''}, engine: {{args: {{max-num-seqs: 64}}}}}}", "48"),
        (f"{{{ON % ''}, engine: {{extraArgs: [--max-num-seqs, '10']}}}}", "7"),
        (f"{{{ON % ''}, engine: {{args: {{max-num-seqs: 1}}}}}}", "1"),
        (f"{{{ON % ''}, {RANKS}}}", "64"),
        (f"{{{ON % ''}, {RANKS}, engine: {{args: {{max-num-seqs: 8}}}}}}", "12"),
        (f"{{{ON % 'requestsPerReplica: 100'}, engine: {{args: {{max-num-seqs: 64}}}}}}", "100"),
    ],
)
def test_requests_of_a_replica(text: str, threshold: str) -> None:
    assert triggers(text)[0]["metadata"]["threshold"] == threshold


def test_a_guess_is_said() -> None:
    assert "That is a guess" in rendered(ON % "").notes
    assert "That is a guess" not in rendered(ON % "requestsPerReplica: 20").notes
    assert "That is a guess" not in rendered(f"{{{ON % ''}, engine: {{args: {{max-num-seqs: 64}}}}}}").notes


def test_an_hpa_asks_for_the_same() -> None:
    """By names and a selector that prometheus-adapter can serve; a slash, which `job` has, an HPA refuses."""
    metrics = rendered(HPA % "kvCacheUsage: 0.75", namespace="models").one("HorizontalPodAutoscaler")["spec"]["metrics"]
    requests, caches = (metric["external"] for metric in metrics)

    assert requests["metric"] == {"name": "vllm_requests", "selector": {"matchLabels": {"release": "llm-vllm"}}}
    assert requests["target"] == {"type": "AverageValue", "averageValue": "32"}
    assert caches["target"] == {"type": "AverageValue", "averageValue": "750m"}


def test_the_cache_is_not_looked_at() -> None:
    assert len(triggers(ON % "kvCacheUsage: 0")) == 1
    assert len(rendered(HPA % "kvCacheUsage: 0").one("HorizontalPodAutoscaler")["spec"]["metrics"]) == 1


def test_a_share_as_set_hands_it_over() -> None:
    assert triggers(ON % "kvCacheUsage: '0.6'")[1]["metadata"]["threshold"] == "0.6"


# -- how fast ---------------------------------------------------------------------------------------------------------


def of_both(more: str) -> dict[str, Any]:
    """The behavior, which both kinds of autoscaler have alike."""
    hpa = rendered(f"{{{HPA % ''}, {more}}}").one("HorizontalPodAutoscaler")["spec"]["behavior"]
    keda = rendered(f"{{{ON % ''}, {more}}}").one("ScaledObject")["spec"]["advanced"]
    assert keda["horizontalPodAutoscalerConfig"]["behavior"] == hpa
    return hpa  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("more", "up", "down"),
    [
        ("", 180, 130),
        ("startup: {typicalSeconds: 400}", 400, 130),
        ("startup: {typicalSeconds: 400, budgetSeconds: 300}", 300, 130),
        ("shutdown: {propagationSeconds: 5, drainSeconds: 10}", 180, 60),
        ("shutdown: {propagationSeconds: 30, drainSeconds: 900}", 180, 930),
        ("shutdown: {drainSeconds: 7200}", 180, 1800),
    ],
)
def test_how_fast_it_acts(more: str, up: int, down: int) -> None:
    rules = of_both(more)

    assert rules["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [(one["type"], one["value"]) for one in rules["scaleUp"]["policies"]] == [("Percent", 100), ("Pods", 1)]
    assert {one["periodSeconds"] for one in rules["scaleUp"]["policies"]} == {up}
    assert rules["scaleDown"]["stabilizationWindowSeconds"] == 600
    assert rules["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": down}]


def test_a_user_s_rules_are_over_the_chart_s() -> None:
    """A 0 and a Disabled too, and what is not said stays."""
    more = (
        "scaleDown: {stabilizationWindowSeconds: 0, policies: null}, scaleUp: {selectPolicy: Disabled, tolerance: 0.2}"
    )
    rules = rendered(HPA % more).one("HorizontalPodAutoscaler")["spec"]["behavior"]

    assert rules["scaleDown"]["stabilizationWindowSeconds"] == 0
    assert rules["scaleDown"]["policies"][0]["periodSeconds"] == 130
    assert (rules["scaleUp"]["selectPolicy"], rules["scaleUp"]["tolerance"]) == ("Disabled", "0.2")


# -- zero -------------------------------------------------------------------------------------------------------------

ADDON = "minReplicas: 0, wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}"


def test_the_add_on_holds_requests_as_long_as_a_start_may_take() -> None:
    manifests = rendered(f"{{{ON % ADDON}, startup: {{budgetSeconds: 600, provisioningSeconds: 300}}}}")
    route, item = manifests.one("InterceptorRoute")["spec"], manifests.one("ScaledObject")["spec"]

    assert route["timeouts"] == {"readiness": "900s", "responseHeader": "0s"}
    assert route["target"] == {"service": "llm-vllm", "port": 80}
    assert route["scalingMetric"] == {"concurrency": {"targetValue": 32}}
    assert item["cooldownPeriod"] == item["initialCooldownPeriod"] == 600
    assert item["triggers"][-1]["metadata"]["interceptorRoute"] == manifests.one("InterceptorRoute").name
    assert "clients ask it for llm.example.com" in manifests.notes


def test_above_zero_keda_is_told_no_cooldown() -> None:
    """It warns of one, which has no effect."""
    assert "cooldownPeriod" not in rendered(ON % "").one("ScaledObject")["spec"]


QUEUE = "{type: External, external: {metric: {name: queue}, target: {type: Value, value: 1}}}"
ZERO = HPA % f"minReplicas: 0, wakeUp: {{metrics: [{QUEUE}]}}"


@pytest.mark.parametrize("version", support.KUBERNETES)
def test_an_hpa_goes_to_zero_where_kubernetes_lets_it(version: str) -> None:
    if version == "1.37":
        assert rendered(ZERO, kube_version=version).one("HorizontalPodAutoscaler")["spec"]["minReplicas"] == 0
        return
    with pytest.raises(HelmError, match=r"autoscaling.minReplicas: an HPA goes to 0 on Kubernetes 1.37 or later"):
        rendered(ZERO, kube_version=version)


def test_check_says_which_kubernetes_it_takes() -> None:
    """A note where nobody said which versions are theirs, an error for one that was named."""
    values = {"model": {"id": "org/name"}} | values_from_yaml(ZERO)
    unasked = [one for one in checks.check(values=values) if "1.37 or later" in one.message]
    assert unasked
    assert {one.severity for one in unasked} == {"info"}
    asked = [one for one in checks.check(values=values, kubernetes=["1.36"]) if "1.37 or later" in one.message]
    assert [one.severity for one in asked] == ["error"]


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (
            ON % "",
            "keda.sh/v1alpha1/ScaledObject",
            "autoscaling.kind: the cluster has no ScaledObject .*: install KEDA",
        ),
        (
            ON % "wakeUp: {httpAddon: {enabled: true, hosts: [a.b]}}",
            "http.keda.sh/v1beta1/InterceptorRoute",
            "autoscaling.wakeUp.httpAddon: the cluster has no InterceptorRoute .*: install KEDA's HTTP add-on",
        ),
    ],
)
def test_a_cluster_without_its_kind_is_told_what_to_install(text: str, kind: str, said: str) -> None:
    """A list with kinds is a cluster's; `helm template` alone has none, and renders what was asked for."""
    all_ = ["v1/Pod", "keda.sh/v1alpha1/ScaledObject", "http.keda.sh/v1beta1/InterceptorRoute"]
    with pytest.raises(HelmError, match=said):
        rendered(text, api_versions=[one for one in all_ if one != kind])

    assert [*rendered(text, api_versions=all_)] == [*rendered(text)]
    assert rendered(HPA % "", api_versions=["v1/Pod"]) == rendered(HPA % "")


# -- who writes replicas ----------------------------------------------------------------------------------------------

LEFT_OUT = "vllm-chart/replicas-left-out"


#: What the release has, by the API that it is of.
KINDS = {
    "v1": ["Service", "ConfigMap", "ServiceAccount", "Pod"],
    "apps/v1": ["Deployment"],
    "policy/v1": ["PodDisruptionBudget"],
    "networking.k8s.io/v1": ["NetworkPolicy"],
    "keda.sh/v1alpha1": ["ScaledObject"],
}


def live(replicas: int, managers: list[dict[str, Any]], annotations: dict[str, str] | None = None) -> Objects:
    """An API server with the release's Deployment, and what Helm asks it before it looks one up."""
    metadata = {"name": "llm-vllm", "namespace": "default", "annotations": annotations or {}, "managedFields": managers}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}
    groups, lists = [], {}
    for api, kinds in KINDS.items():
        group, _, version = api.rpartition("/")
        if group:
            name = {"groupVersion": api, "version": version}
            groups.append({"name": group, "versions": [name], "preferredVersion": name})
        lists[f"/apis/{api}" if group else f"/api/{api}"] = {
            "kind": "APIResourceList",
            "groupVersion": api,
            "resources": [{"name": f"{kind.lower()}s", "kind": kind, "namespaced": True} for kind in kinds],
        }
    return {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        **lists,
        "/apis/apps/v1/namespaces/default/deployments/llm-vllm": deployment,
    }


def manager(name: str, operation: str, *fields: str, subresource: str = "") -> dict[str, Any]:
    """Who wrote fields of the spec."""
    written: dict[str, Any] = {f"f:{field}": {} for field in fields}
    entry = {"manager": name, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": written}}
    return entry | ({"subresource": subresource} if subresource else {})


def upgraded(objects: Objects, folder: Path, text: str = ON % "") -> dict[str, Any]:
    """The Deployment that Helm would write over a live one."""
    file = folder / "values.yaml"
    file.write_text(json.dumps({"model": {"id": "org/name"}} | values_from_yaml(text)))
    with cluster_of(objects, folder) as cluster:
        result = subprocess.run(
            [
                *(str(tools.helm()), "template", "llm", str(default_chart()), "--values", str(file)),
                *("--dry-run=server", "--is-upgrade", "--kubeconfig", str(cluster.kubeconfig)),
                *("--show-only", "templates/deployment.yaml", "--disable-openapi-validation"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    return dict(Manifests.parse(result.stdout).one("Deployment"))


SCALED = manager("kube-controller-manager", "Update", "replicas", subresource="scale")
BY_HELM_3 = manager("helm", "Update", "replicas", "template")


@pytest.mark.parametrize(
    ("managers", "annotations", "kept"),
    [
        # Helm 3 compares with its last manifest: what had `replicas` keeps it, whoever scaled since.
        ([BY_HELM_3], {}, True),
        ([manager("helm", "Update", "template"), SCALED], {}, True),
        ([BY_HELM_3], {LEFT_OUT: "true"}, False),
        # Helm 4 applies: what it owns alone would go, and what others own stays.
        ([manager("helm", "Apply", "replicas", "template")], {}, True),
        ([manager("helm", "Apply", "replicas", "template")], {LEFT_OUT: "true"}, True),
        ([manager("helm", "Apply", "replicas", "template"), SCALED], {}, False),
        ([manager("helm", "Apply", "template"), SCALED], {}, False),
        ([manager("helm", "Apply", "template")], {LEFT_OUT: "true"}, False),
    ],
)
def test_an_upgrade_keeps_the_replicas_that_it_would_reset(
    managers: list[dict[str, Any]], annotations: dict[str, str], kept: bool, tmp_path: Path
) -> None:
    deployment = upgraded(live(3, managers, annotations), tmp_path)

    assert deployment["spec"].get("replicas") == (3 if kept else None)
    assert (LEFT_OUT in deployment["metadata"].get("annotations", {})) is not kept


def test_none_are_kept_too(tmp_path: Path) -> None:
    assert upgraded(live(0, [BY_HELM_3]), tmp_path)["spec"]["replicas"] == 0


def test_without_autoscaling_nothing_is_looked_up(tmp_path: Path) -> None:
    deployment = upgraded(live(5, [BY_HELM_3]), tmp_path, "replicaCount: 2")
    assert deployment["spec"]["replicas"] == 2
    assert LEFT_OUT not in deployment["metadata"].get("annotations", {})


def test_a_first_install_writes_none(tmp_path: Path) -> None:
    objects = {path: found for path, found in live(1, []).items() if "namespaces" not in path}
    deployment = upgraded(objects, tmp_path)
    assert "replicas" not in deployment["spec"]
    assert deployment == dict(rendered(ON % "").one("Deployment"))


# -- the user's own ---------------------------------------------------------------------------------------------------

OWN = """
replicaCount: null
extraObjects:
  - apiVersion: keda.sh/v1alpha1
    kind: ScaledObject
    metadata: {name: mine}
    spec:
      scaleTargetRef: {name: %s}
      triggers: [{type: prometheus, metadata: {serverAddress: "http://prometheus:9090", query: "%s", threshold: "5"%s}}]
"""
STRICT = ', ignoreNullValues: "false"'


@pytest.mark.parametrize(
    ("target", "query", "more", "said"),
    [
        ("llm-vllm", "sum(vllm:num_requests_waiting)", STRICT, ""),
        ("llm", "sum(vllm:num_requests_waiting)", STRICT, "autoscalers-find-their-workload: write name: llm-vllm"),
        # https://github.com/vllm-project/production-stack/blob/main/tutorials/20-keda-autoscaling.md
        (
            "llm-vllm",
            "vllm:num_requests_waiting",
            STRICT,
            "scaling-queries-give-one-number: write query: sum(vllm:num_requests_waiting)",
        ),
        ("llm-vllm", "sum(vllm:num_requests_waiting)", "", "lost-metrics-scale-nothing-down: write ignoreNullValues"),
        ("llm-vllm", "sum(nginx_requests)", "", ""),
    ],
)
def test_a_user_s_own_autoscaler_is_told_of(target: str, query: str, more: str, said: str) -> None:
    findings = [one for one in checks.inspect(rendered(OWN % (target, query, more)), "1.37") if one.severity != "info"]

    assert [f"{one.check}: {one.remedy}".startswith(said) for one in findings] == ([True] if said else [])
    assert {one.severity for one in findings} <= {"warning"}


def test_the_adapter_s_rules_ask_what_keda_asks() -> None:
    """docs/prometheus-adapter.yaml: its placeholders filled in, the queries are the chart's own."""
    rules = values_from_yaml((Path(__file__).parents[2] / "docs/prometheus-adapter.yaml").read_text())["rules"][
        "external"
    ]
    filled = {
        rule["name"]["as"]: " ".join(rule["metricsQuery"].split())
        .replace('<<index .LabelValuesByName "namespace">>', "default")
        .replace('<<index .LabelValuesByName "release">>', "llm-vllm")
        for rule in rules
    }
    metrics = rendered(HPA % "").one("HorizontalPodAutoscaler")["spec"]["metrics"]
    names = [metric["external"]["metric"]["name"] for metric in metrics]

    assert list(filled) == names
    assert list(filled.values()) == [trigger["metadata"]["query"] for trigger in triggers()]
    assert not re.search("<<|>>", json.dumps(filled))
