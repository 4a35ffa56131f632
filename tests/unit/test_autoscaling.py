"""Autoscaling in a cluster: what preflight says before an install, and diagnose of a release that does not scale."""

from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.api_server import Objects, cluster_of
from tests.cluster_objects import deployment, event, pod, snapshot
from tests.preflights import OWN, preflight, running, said
from vllm_chart.charts import ENDPOINT
from vllm_chart.cluster.autoscaling import Answer, Autoscaling
from vllm_chart.findings import Finding
from vllm_chart.helm import render
from vllm_chart.live.diagnose import explain
from vllm_chart.live.preflight import autoscaling, wanted
from vllm_chart.live.preflight.ask import Snapshot

Json = dict[str, Any]

ADDRESS = "http://prometheus-operated.monitoring.svc:9090"
ON = f"autoscaling: {{enabled: true, maxReplicas: 2, prometheus: {{address: '{ADDRESS}'}}}}"
HPA = "autoscaling: {enabled: true, kind: HPA, maxReplicas: 2}"
SERIES = '{namespace="default",job="default/llm-vllm"}'
REQUESTS = f"sum(vllm:num_requests_running{SERIES} + vllm:num_requests_waiting{SERIES})"
CACHES = f"sum(max by (pod) (vllm:kv_cache_usage_perc{SERIES}))"


def api_service(owner: str, status: str = "True", message: str = "") -> Json:
    """Who serves external metrics: "namespace/service"."""
    namespace, _, name = owner.partition("/")
    conditions = [{"type": "Available", "status": status, "message": message}]
    return {"spec": {"service": {"namespace": namespace, "name": name}}, "status": {"conditions": conditions}}


KEDA_SERVES = api_service("keda/keda-operator-metrics-apiserver")
ADAPTER_SERVES = api_service("monitoring/prometheus-adapter")


def there(**more: Any) -> Json:
    """A cluster with KEDA, and no pod of the release yet."""
    apis = {"keda.sh/v1alpha1": True, "http.keda.sh/v1beta1": True}
    return {"autoscaling": Autoscaling(**{"apis": apis, "external_metrics": KEDA_SERVES, **more})}


def ready_pod() -> Any:
    mine = running("gpu-1", OWN)
    assert mine.status
    mine.status.conditions = pod(status={"conditions": [{"type": "Ready", "status": "True"}]}).status.conditions  # type: ignore[union-attr]
    return mine


def scaled_object(name: str, target: str = "llm-vllm", **more: Any) -> Json:
    return {"metadata": {"name": name}, "spec": {"scaleTargetRef": {"name": target}, "triggers": []}, **more}


def hpa(name: str = "keda-hpa-llm-vllm", owner: str = "", target: str = "llm-vllm", **more: Any) -> Json:
    owners = [{"kind": "ScaledObject", "name": owner}] if owner else []
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": target}, "maxReplicas": 4, "metrics": []}
    return {"metadata": {"name": name, "ownerReferences": owners}, "spec": spec, **more}


# -- preflight --------------------------------------------------------------------------------------------------------


def test_a_cluster_that_has_it_all() -> None:
    answers = {REQUESTS: Answer([3.0]), CACHES: Answer([0.2])}
    assert preflight(ON, pods=[ready_pod()], **there(answers=answers)) == []
    assert preflight(HPA, **there(external_metrics=ADAPTER_SERVES)) == []
    assert preflight("replicaCount: 2") == []


@pytest.mark.parametrize(
    ("text", "cluster", "severity", "words"),
    [
        (ON, {"apis": {"keda.sh/v1alpha1": False}}, "error", "KEDA is not installed"),
        (ON, {"external_metrics": {}}, "error", "KEDA's metrics server does not serve it"),
        (ON, {"external_metrics": ADAPTER_SERVES}, "warning", "monitoring/prometheus-adapter serves external metrics"),
        (
            ON,
            {"external_metrics": api_service("keda/keda-operator-metrics-apiserver", "False", "no endpoints")},
            "error",
            "does not answer: no endpoints",
        ),
        (HPA, {"external_metrics": {}}, "error", "install prometheus-adapter"),
        (HPA, {"external_metrics": KEDA_SERVES}, "error", "write autoscaling.kind: KEDA"),
        (HPA, {"external_metrics": api_service("a/b", "False", "timed out")}, "error", "timed out"),
        (ON, {"hpas": [hpa("mine")]}, "error", "kubectl -n default delete horizontalpodautoscaler mine"),
        (ON, {"scaled_objects": [scaled_object("mine")]}, "error", "two undo each other's work"),
        (
            HPA,
            {"scaled_objects": [scaled_object("a")], "external_metrics": ADAPTER_SERVES},
            "error",
            "delete scaledobject a",
        ),
        (ON, {"hpas": [hpa("llm-vllm")]}, "error", "KEDA refuses pods that an HPA has"),
        (ON, {"found": {("TriggerAuthentication", "aws"): False}}, "error", "TriggerAuthentication/aws: there is none"),
        (ON, {"answers": {REQUESTS: Answer(problem="it answered 404: no")}}, "error", "it answered 404: no"),
        (ON, {"answers": {REQUESTS: Answer([1.0, 2.0])}}, "error", "has 2 answers, and KEDA takes one"),
        (ON, {"answers": {REQUESTS: Answer(problem="no Service", asked=False)}}, "info", "not asked: no Service"),
    ],
)
def test_what_an_autoscaler_lacks(text: str, cluster: Json, severity: str, words: str) -> None:
    findings = preflight(text, **there(**cluster))
    assert [one.severity for one in findings] == [severity], findings
    assert words in said(findings)


@pytest.mark.parametrize(
    "cluster",
    [
        {"external_metrics": None, "hpas": None, "scaled_objects": None, "apis": {"keda.sh/v1alpha1": None}},
        {"hpas": [hpa(owner="llm-vllm")], "scaled_objects": [scaled_object("llm-vllm")]},
        {"hpas": [hpa("other", target="other")], "scaled_objects": [scaled_object("other", "other")]},
    ],
    ids=["nothing may be seen", "its own", "others'"],
)
def test_what_is_no_mistake(cluster: Json) -> None:
    assert preflight(ON, **there(**cluster)) == []


def test_from_keda_to_an_hpa_helm_does_it_all() -> None:
    assert preflight(HPA, **there(scaled_objects=[scaled_object("llm-vllm")], external_metrics=ADAPTER_SERVES)) == []


def test_a_query_of_the_user_s_own_is_told_by_its_object() -> None:
    trigger = f"{{type: prometheus, metadata: {{serverAddress: '{ADDRESS}', query: 'sum(up)', threshold: '5'}}}}"
    spec = f"{{scaleTargetRef: {{name: llm-vllm}}, minReplicaCount: 1, maxReplicaCount: 2, triggers: [{trigger}]}}"
    own = f"{{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {{name: a}}, spec: {spec}}}"
    text = f"replicaCount: null\nextraObjects: [{own}]"
    [finding] = preflight(text, **there(answers={"sum(up)": Answer(problem="it answered 404")}))
    assert finding.where == "ScaledObject/a: spec.triggers"


def test_the_add_on() -> None:
    text = ON.replace(
        "maxReplicas: 2", "maxReplicas: 2, minReplicas: 0, wakeUp: {httpAddon: {enabled: true, hosts: [a]}}"
    )
    apis = {"keda.sh/v1alpha1": True, "http.keda.sh/v1beta1": False}
    assert "KEDA's HTTP add-on is not installed" in said(preflight(text, **there(apis=apis)))
    assert preflight(text, **there()) == []


def test_no_answer_is_told_once_there_are_pods() -> None:
    """Before the first install nobody has metrics."""
    answers = {REQUESTS: Answer(), CACHES: Answer()}
    assert preflight(ON, **there(answers=answers)) == []
    findings = preflight(ON, pods=[ready_pod()], **there(answers=answers))
    assert {(one.check, one.severity) for one in findings} == {("scaling-query", "error")}
    assert "does not scrape them by that job" in said(findings)


def test_the_secrets_that_keda_shows_are_needed() -> None:
    text = (
        "maxReplicas: 2, prometheus: {address: 'http://a', auth: {modes: [basic], secretTargetRef: ["
        "{parameter: username, name: prometheus, key: user}, {parameter: password, name: prometheus, key: pass}]}}"
    )
    findings = preflight(f"autoscaling: {{enabled: true, {text}}}", found={("Secret", "prometheus"): None}, **there())
    assert "correct autoscaling.prometheus.auth.secretTargetRef" in said(findings)


def test_bounds_are_said_in_the_chart_s_words() -> None:
    text = ON.replace("maxReplicas: 2", "minReplicas: 3, maxReplicas: 9")
    assert "write autoscaling.minReplicas: 2" in said(preflight(text, **there()))
    assert "write autoscaling.maxReplicas: 2" in said(
        preflight(text.replace("minReplicas: 3", "minReplicas: 1"), **there())
    )


# -- what is asked ----------------------------------------------------------------------------------------------------

PROXY = "/api/v1/namespaces/monitoring/services/http:prometheus-operated:9090/proxy/api/v1/query"
SERVICE: Json = {"/api/v1/namespaces/monitoring/services/prometheus-operated": {"metadata": {}}}


def vector(*values: str) -> Json:
    return {"status": "success", "data": {"result": [{"metric": {}, "value": [1, value]} for value in values]}}


def asked(objects: Objects, folder: Path, text: str = ON) -> Autoscaling:
    manifests = render(values={"model": {"id": "org/name"}} | values_from_yaml(text))
    with cluster_of(objects, folder) as cluster:
        found = autoscaling.ask(cluster, manifests)
    assert found
    return found


def test_what_a_cluster_is_asked(tmp_path: Path) -> None:
    objects = {
        **SERVICE,
        PROXY: vector("3"),
        "/apis/keda.sh/v1alpha1": {"resources": []},
        "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io": KEDA_SERVES,
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers": [hpa()],
        "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects": [scaled_object("a")],
    }
    found = asked(objects, tmp_path)

    assert found.apis == {"keda.sh/v1alpha1": True, "http.keda.sh/v1beta1": False}
    assert found.external_metrics == KEDA_SERVES
    assert (found.hpas, found.scaled_objects) == ([hpa()], [scaled_object("a")])
    assert found.answers == {REQUESTS: Answer([3.0]), CACHES: Answer([3.0])}


def test_an_endpoints_connections_are_asked_for_and_missed_alike(tmp_path: Path) -> None:
    scaling = {"enabled": True, "kind": "KEDA", "maxReplicas": 3, "prometheus": {"address": ADDRESS}}
    values = {"models": {"a": {"service": "b"}}, "clients": {"secretName": "c"}, "autoscaling": scaling}
    manifests = render(chart=ENDPOINT.folder, values=values)
    objects = {**SERVICE, PROXY: vector("1", "2"), "/apis/keda.sh/v1alpha1": {"resources": []}}
    with cluster_of(objects, tmp_path) as cluster:
        found = autoscaling.ask(cluster, manifests)

    assert found
    [(query, answer)] = found.answers.items()
    assert query.startswith('sum(envoy_http_downstream_cx_active{namespace="default",job="default/llm-vllm-endpoint"')
    assert answer == Answer([1.0, 2.0])
    snapshot = Snapshot(None, autoscaling=found)
    explained = [*autoscaling.explain(wanted.read(manifests, values, "", snapshot), snapshot)]
    assert [(one.check, one.where) for one in explained] == [
        ("autoscaler", "APIService/v1beta1.external.metrics.k8s.io"),
        ("scaling-query", "autoscaling.prometheus.address"),
    ]


def test_what_may_not_be_seen(tmp_path: Path) -> None:
    found = asked(
        {"/apis/keda.sh/v1alpha1": 403, "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers": 403},
        tmp_path,
    )
    assert found.apis["keda.sh/v1alpha1"] is None
    assert found.hpas is None


@pytest.mark.parametrize(
    ("objects", "address", "answer"),
    [
        ({PROXY: vector()}, ADDRESS, Answer([])),
        ({PROXY: vector("1", "2")}, ADDRESS, Answer([1.0, 2.0])),
        ({PROXY: {"status": "error", "error": "bad query"}}, ADDRESS, Answer(problem="bad query")),
        ({PROXY: {"a": 1}}, ADDRESS, Answer(problem="no success")),
        ({PROXY: 503}, ADDRESS, "it answered 503"),
        ({PROXY: 403}, ADDRESS, "it is not asked"),
        ({}, "http://prometheus.elsewhere.svc:9090", "there is no Service prometheus in namespace elsewhere"),
        ({}, "https://prometheus.example", "is yours to see"),
        ({}, "https://prometheus.example.com/a", "is no Service of the cluster"),
        ({}, "http://prometheus:9090", "is no Service of the cluster"),
    ],
)
def test_how_prometheus_is_asked(objects: Json, address: str, answer: Answer | str, tmp_path: Path) -> None:
    found = asked({**SERVICE, **objects}, tmp_path, ON.replace(ADDRESS, address)).answers[REQUESTS]
    assert answer in found.problem if isinstance(answer, str) else found == answer


def test_a_prometheus_that_asks_for_a_password_is_not_asked(tmp_path: Path) -> None:
    text = ON.replace("prometheus: {", "prometheus: {auth: {modes: [bearer], triggerAuthenticationRef: {name: aws}}, ")
    objects: Json = {
        "/apis/keda.sh/v1alpha1": {},
        "/apis/keda.sh/v1alpha1/namespaces/default/triggerauthentications/aws": {"metadata": {}},
    }
    found = asked(objects, tmp_path, text)
    assert found.answers == {}


def test_a_triggers_authentication_is_looked_for(tmp_path: Path) -> None:
    reference = "triggerAuthenticationRef: {name: aws, kind: ClusterTriggerAuthentication}"
    text = ON.replace("prometheus: {", f"prometheus: {{auth: {{{reference}}}, ")
    api: Json = {"/apis/keda.sh/v1alpha1": {"resources": []}}
    one = {"/apis/keda.sh/v1alpha1/clustertriggerauthentications/aws": {"metadata": {"name": "aws"}}}
    assert asked(api, tmp_path, text).found == {("ClusterTriggerAuthentication", "aws"): False}
    assert asked(api | one, tmp_path, text).found == {("ClusterTriggerAuthentication", "aws"): True}


def test_a_release_without_an_autoscaler_asks_nothing(tmp_path: Path) -> None:
    manifests = render(values={"model": {"id": "org/name"}})
    with cluster_of({}, tmp_path) as cluster:
        assert autoscaling.ask(cluster, manifests) is None


# -- diagnose ---------------------------------------------------------------------------------------------------------


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message}


READY = condition("Ready", "True", "ScaledObjectReady")
ACTIVE = condition("ScalingActive", "True", "ValidMetricFound")


def keda_s(*conditions: Json, annotations: Json | None = None, **status: Any) -> Json:
    found = scaled_object("llm-vllm", status={"conditions": [*conditions], **status})
    return found | {"metadata": {"name": "llm-vllm", "annotations": annotations or {}}}


def hpa_of(*conditions: Json, owner: str = "llm-vllm", current: list[Json] | None = None, **spec: Any) -> Json:
    found = hpa(owner=owner, status={"conditions": [*conditions], "currentMetrics": current or []})
    return found | {"spec": found["spec"] | spec}


def diagnosed(
    *pods: Any, scaled: list[Json], hpas: list[Json], replicas: int = 2, ready: int = 2, **more: Any
) -> list[Finding]:
    """What is said of the autoscaler of a release whose pods are fine."""
    workloads = [deployment(ready=ready, replicas=replicas)]
    found = explain(snapshot(*pods, workloads=workloads, scaled_objects=scaled, hpas=hpas, **more))
    return [one for one in found if one.check == "autoscaling"]


NO_METRIC = condition(
    "ScalingActive",
    "False",
    "FailedGetExternalMetric",
    "the HPA was unable to compute the replica count: unable to get external metric ai/s0-prometheus/…: "
    "rpc error: code = Unknown desc = error when getting metric values metric:s0-prometheus encountered error",
)
EXTERNAL = {"type": "External", "external": {"metric": {"name": "s0-prometheus"}, "target": {"type": "AverageValue"}}}


def test_an_autoscaler_that_works() -> None:
    assert diagnosed(scaled=[keda_s(READY, condition("Fallback", "False"))], hpas=[hpa_of(ACTIVE)]) == []


@pytest.mark.parametrize(
    ("scaled", "hpas", "words"),
    [
        ([keda_s(READY)], [hpa_of(NO_METRIC, metrics=[EXTERNAL])], "it has no metrics (s0-prometheus <unknown>)"),
        (
            [keda_s(READY)],
            [hpa_of(NO_METRIC, metrics=[EXTERNAL], current=[EXTERNAL])],
            "it has no metrics, and adds no replica: FailedGetExternalMetric",
        ),
        (
            [
                keda_s(
                    READY,
                    condition("Fallback", "True"),
                    health={"s0-prometheus": {"status": "Failing", "numberOfFailures": 9}},
                )
            ],
            [hpa_of(ACTIVE)],
            "holds the replicas: s0-prometheus (9 times)",
        ),
        (
            [keda_s(condition("Ready", "False", "ScaledObjectCheckFailed", 'deployments.apps "llm" not found'))],
            [],
            'KEDA can\'t use it: ScaledObjectCheckFailed: deployments.apps "llm" not found',
        ),
        ([keda_s()], [], "KEDA has not looked at it yet"),
        (
            [keda_s(condition("Ready", "Unknown", "PartialTriggerError", "Some triggers are not working correctly"))],
            [hpa_of(ACTIVE)],
            "a trigger has no answer: PartialTriggerError",
        ),
        ([keda_s(READY)], [], "KEDA made no HPA for it"),
        (
            [keda_s(READY, condition("Paused", "True"), annotations={"autoscaling.keda.sh/paused": "true"})],
            [],
            "autoscaling.keda.sh/paused: true: it scales nothing",
        ),
        (
            [keda_s(READY, annotations={"autoscaling.keda.sh/paused-replicas": "2"})],
            [hpa_of(ACTIVE)],
            "it holds as many replicas as it says",
        ),
        (
            [keda_s(READY)],
            [hpa_of(ACTIVE, condition("ScalingLimited", "True", "TooManyReplicas"))],
            "it asks for more than maxReplicas, 4",
        ),
        (
            [],
            [hpa_of(condition("AbleToScale", "False", "FailedGetScale", "deployments.apps not found"), owner="")],
            "it can't set the replicas: FailedGetScale: deployments.apps not found",
        ),
        (
            [],
            [
                hpa_of(
                    condition(
                        "ScalingActive",
                        "False",
                        "AmbiguousSelector",
                        "pods by selector … are controlled by multiple HPAs",
                    )
                )
            ],
            "keep one autoscaler of these pods",
        ),
        ([], [hpa_of(ACTIVE), hpa_of(ACTIVE, owner="")], "several autoscalers scale it"),
    ],
)
def test_why_it_does_not_scale(scaled: list[Json], hpas: list[Json], words: str) -> None:
    findings = diagnosed(scaled=scaled, hpas=hpas)
    assert len(findings) == 1, findings
    assert words in str(findings[0])
    assert findings[0].severity == "warning"
    assert findings[0].remedy


def test_a_start_has_no_metrics_yet() -> None:
    assert diagnosed(scaled=[keda_s(READY)], hpas=[hpa_of(NO_METRIC)], ready=0) == []
    assert diagnosed(scaled=[keda_s(READY, condition("Fallback", "True"))], hpas=[hpa_of(ACTIVE)], ready=0) == []


def test_at_zero_nobody_is_blind() -> None:
    """KEDA's triggers have no answer, and its HPA is off, as it should be; an HPA alone would stay off for ever."""
    off = condition("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count is zero")
    scaled = [keda_s(condition("Ready", "False", "TriggerError", "Triggers are not working correctly"))]
    assert diagnosed(scaled=scaled, hpas=[hpa_of(off)], replicas=0, ready=0) == []
    [finding] = diagnosed(scaled=[], hpas=[hpa_of(off, owner="")], replicas=0, ready=0)
    assert "kubectl scale deployment/llm-vllm --replicas=1" in finding.remedy


def test_another_s_autoscaler_is_not_looked_at() -> None:
    assert diagnosed(scaled=[scaled_object("a", "other")], hpas=[hpa("a", target="other")]) == []
    nothing_seen = snapshot(workloads=[deployment(ready=1)], scaled_objects=None, hpas=None)
    assert [one for one in explain(nothing_seen) if one.check == "autoscaling"] == []


def test_a_node_that_does_not_come() -> None:
    """Cluster Autoscaler's own words: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md"""
    message = "pod didn't trigger scale-up: 1 max node group size reached"
    waits = pod(status={"phase": "Pending"})
    [finding] = diagnosed(waits, scaled=[], hpas=[], events=[event("NotTriggerScaleUp", message)])
    assert message in finding.message
    assert "autoscaling.maxReplicas" in finding.remedy
    runs = pod(spec={"nodeName": "gpu-1"}, status={"phase": "Pending"})
    assert diagnosed(runs, scaled=[], hpas=[], events=[event("NotTriggerScaleUp", message)]) == []
