"""Which Prometheus picks a monitor up, as prometheus-operator has it, and what is said where none does."""

from pathlib import Path
from typing import Any

import pytest

from tests.api_server import cluster_of
from tests.cluster_objects import snapshot
from tests.preflights import preflight, said
from vllm_chart.cluster import prometheus
from vllm_chart.cluster.prometheus import Pickers
from vllm_chart.findings import Finding
from vllm_chart.helm import render
from vllm_chart.live import diagnose
from vllm_chart.live.preflight import ask
from vllm_chart.live.preflight.needs import needs

Json = dict[str, Any]
ALL: Json = {}
RELEASE = {"matchLabels": {"release": "kps"}}
#: The selectors of kube-prometheus-stack's Prometheus, as its chart has them by default.
STACK = {f"{stem}Selector": RELEASE for stem in prometheus.SELECTORS.values()} | {
    f"{stem}NamespaceSelector": ALL for stem in prometheus.SELECTORS.values()
}


def monitor(kind: str = "ServiceMonitor", namespace: str = "ai", labels: Json | None = None, **spec: Any) -> Json:
    metadata = {"name": "llm-vllm", "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": kind, "metadata": metadata, "spec": spec}


def picker(name: str = "k8s", namespace: str = "monitoring", **spec: Any) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {**STACK, **spec}}


def pickers(*prometheuses: Json, agents: Any = (), rulers: Any = (), **labels: Json) -> Pickers:
    found = {"Prometheus": prometheuses, "PrometheusAgent": agents, "ThanosRuler": rulers}
    return Pickers({kind: items for kind, items in found.items() if items is not None}, labels)


def explained(object_: Json, *prometheuses: Json, **more: Any) -> list[Finding]:
    return list(prometheus.explain("monitors", object_, pickers(*prometheuses, **more)))


@pytest.mark.parametrize("kind", prometheus.SELECTORS)
def test_what_is_picked_up_is_told_of_by_nobody(kind: str) -> None:
    labelled = monitor(kind, labels={"release": "kps"})
    assert explained(labelled, picker()) == []
    assert explained(labelled, picker("other", ruleSelector=None), picker()) == []
    everything: Json = dict.fromkeys(STACK, ALL)
    assert explained(monitor(kind, "monitoring"), picker(**everything)) == []


@pytest.mark.parametrize("kind", prometheus.SELECTORS)
def test_the_missing_label_is_named(kind: str) -> None:
    (found,) = explained(monitor(kind, labels={"release": "other"}), picker())

    assert (found.where, found.severity) == (f"{kind}/llm-vllm", "warning")
    assert found.message == "nobody picks it up: Prometheus monitoring/k8s wants the label release: kps"
    assert found.remedy == f"write {prometheus.BLOCKS[kind]}.labels: {{release: kps}}"


@pytest.mark.parametrize(
    ("selector", "labels", "remedy"),
    [
        ({"matchLabels": {"a": "b", "c": "d"}}, {"a": "b"}, "serviceMonitor.labels: {c: d}"),
        ({"matchLabels": {"a": "b", "c": "d"}}, {}, "serviceMonitor.labels: {a: b, c: d}"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}, {}, ".labels: {a: b}"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}, {"a": "c"}, None),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, ".labels: {a: true}"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": "b"}, None),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": "b"}, "leave a out of"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, None),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {"a": "b"}, "leave a out of"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, None),
        (None, {}, "give it one: serviceMonitorSelector: {} picks all"),
    ],
)
def test_selectors_are_read_as_kubernetes_reads_them(selector: Any, labels: Json, remedy: str | None) -> None:
    found = explained(monitor(labels=labels), picker(serviceMonitorSelector=selector))
    assert [remedy in one.remedy for one in found if remedy] == ([True] if remedy else [])
    assert bool(found) == bool(remedy)


@pytest.mark.parametrize("kind", prometheus.SELECTORS)
def test_one_that_looks_into_its_own_namespace_alone(kind: str) -> None:
    """A selector that is not there is not an empty one."""
    none: Json = {f"{prometheus.SELECTORS[kind]}NamespaceSelector": None}
    own = picker(**none)
    (found,) = explained(monitor(kind, labels={"release": "kps"}), own)

    assert "looks into its own namespace alone" in found.message
    assert found.remedy == f"write {prometheus.BLOCKS[kind]}.namespace: monitoring"
    assert explained(monitor(kind, "monitoring", {"release": "kps"}), own) == []


def test_the_label_of_a_namespace() -> None:
    choosy = picker(serviceMonitorNamespaceSelector={"matchLabels": {"scraped": "yes"}})
    labelled = monitor(labels={"release": "kps"})
    (found,) = explained(labelled, choosy, ai={})

    assert "wants the label scraped: yes on the namespace ai" in found.message
    assert found.remedy == "`kubectl label namespace ai scraped=yes`"
    assert explained(labelled, choosy, ai={"scraped": "yes"}) == []
    assert explained(labelled, choosy) == [], "what may not be read is not complained of"


def test_the_nearest_of_several_gives_the_remedy() -> None:
    far = picker("far", serviceMonitorNamespaceSelector=None)
    (found,) = explained(monitor(), far, picker("near"))

    assert "Prometheus monitoring/near wants" in found.message
    assert "Prometheus monitoring/far wants" in found.message
    assert found.remedy == "write serviceMonitor.labels: {release: kps}"


def test_agents_scrape_and_rulers_rule() -> None:
    all_: Json = dict.fromkeys(STACK, ALL)
    everything = picker(**all_)
    assert explained(monitor(), agents=[everything]) == explained(monitor("PrometheusRule"), rulers=[everything]) == []
    (rule,) = explained(monitor("PrometheusRule"), agents=[everything])
    (pods,) = explained(monitor("PodMonitor"), rulers=[everything])
    assert "has no Prometheus and no ThanosRuler" in rule.message
    assert "has no Prometheus and no PrometheusAgent" in pods.message


def test_an_agent_on_each_node_reads_no_service_monitors() -> None:
    agent = picker(mode="DaemonSet", serviceMonitorSelector=None)
    (found,) = explained(monitor(), agents=[agent])

    assert found.remedy == "write podMonitor instead"
    assert explained(monitor("PodMonitor", labels={"release": "kps"}), agents=[agent]) == []


def test_nobody_is_there_but_others_may_read_monitors() -> None:
    (found,) = explained(monitor())
    assert "Grafana Alloy" in found.message
    assert found.severity == "warning"


def test_what_may_not_be_seen_is_not_complained_of() -> None:
    assert explained(monitor(), agents=None) == []
    assert list(prometheus.explain("monitors", monitor(), Pickers())) == []


@pytest.mark.parametrize(
    ("spec", "of_picker", "words", "remedy"),
    [
        ({"scrapeClass": "mesh"}, {}, "no scrape class mesh", "leave serviceMonitor.scrapeClass empty"),
        ({"scrapeClass": "mesh"}, {"scrapeClasses": [{"name": "tls"}]}, "no scrape class mesh", "write one of tls"),
        (
            {"namespaceSelector": {"matchNames": ["other"]}},
            {"ignoreNamespaceSelectors": True},
            "looks for pods beside the monitor only",
            "leave serviceMonitor.namespace empty",
        ),
        (
            {"endpoints": [{"tlsConfig": {"caFile": "/a"}}]},
            {"arbitraryFSAccessThroughSMs": {"deny": True}},
            "refuses certificates in its own files",
            "write serviceMonitor.tlsConfig with Secrets",
        ),
        (
            {},
            {"convertClassicHistogramsToNHCB": True},
            "converts all histograms",
            "write serviceMonitor.convertClassicHistogramsToNHCB: false",
        ),
        (
            {"namespaceSelector": {"matchNames": ["other"]}},
            {"enforcedNamespaceLabel": "namespace"},
            "writes the monitor's namespace",
            "leave serviceMonitor.namespace empty",
        ),
    ],
)
def test_what_a_prometheus_refuses_or_changes(spec: Json, of_picker: Json, words: str, remedy: str) -> None:
    labelled = monitor(labels={"release": "kps"}, **spec)
    (found,) = explained(labelled, picker(**of_picker))

    assert words in found.message
    assert found.remedy == remedy
    assert (
        explained(monitor(labels={"release": "kps"}, convertClassicHistogramsToNHCB=False), picker(**of_picker)) == []
    )
    assert explained(labelled, picker(scrapeClasses=[{"name": "mesh"}])) == []


def test_rules_know_nothing_of_scrapes() -> None:
    odd = picker(convertClassicHistogramsToNHCB=True, enforcedNamespaceLabel="namespace", ignoreNamespaceSelectors=True)
    assert explained(monitor("PrometheusRule", labels={"release": "kps"}), odd) == []


# Preflight


OPERATOR = {"monitoring.coreos.com/v1": frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule"})}


def test_preflight_says_which_label_is_missing() -> None:
    (found,) = preflight("serviceMonitor: {enabled: true}", kinds=OPERATOR, pickers=pickers(picker()))
    assert (found.check, found.remedy) == ("monitors", "write serviceMonitor.labels: {release: kps}")

    text = "podMonitor: {enabled: true, labels: {release: kps}}"
    assert preflight(text, kinds=OPERATOR, pickers=pickers(picker())) == []


def test_preflight_says_which_kind_is_missing() -> None:
    text = "serviceMonitor: {enabled: true}"
    (found,) = preflight(text, kinds={"monitoring.coreos.com/v1": frozenset()}, pickers=pickers())

    assert (found.check, found.severity) == ("kinds", "error")
    assert found.where == "ServiceMonitor (monitoring.coreos.com/v1)"
    assert "install prometheus-operator" in found.remedy


def test_preflight_notes_what_it_may_not_see() -> None:
    (found,) = preflight("serviceMonitor: {enabled: true}")
    assert (found.check, found.severity) == ("monitors", "info")
    assert "not yours to see" in found.message


def test_preflight_places_an_object_without_a_namespace() -> None:
    """Helm does so too."""
    rule = "{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: mine}, spec: {groups: []}}"
    own = picker(ruleSelector=ALL, ruleNamespaceSelector=None)
    findings = preflight(f"extraObjects: [{rule}]", pickers=pickers(own))
    assert "looks into its own namespace alone" in said(findings)


RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "monitoring.coreos.com/v1",
    "resources": [
        {"name": "servicemonitors", "kind": "ServiceMonitor", "namespaced": True, "singularName": "", "verbs": ["list"]}
    ],
}
API = "/apis/monitoring.coreos.com"
LISTS = {f"{API}/v1/prometheuses": [picker()], f"{API}/v1alpha1/prometheusagents": []}


def asked(tmp_path: Path, objects: Json, text: Json) -> ask.Snapshot:
    manifests = render(values={"model": {"id": "a/b"}, **text})
    assert needs(manifests) is not None
    ours: Json = {"/api/v1/nodes": [], "/api/v1/pods": []}
    with cluster_of({**ours, **objects}, tmp_path) as cluster:
        return ask.snapshot(cluster, manifests)


def test_what_preflight_asks(tmp_path: Path) -> None:
    objects = {
        f"{API}/v1": RESOURCES,
        "/api/v1/namespaces/default": {"metadata": {"labels": {"a": "b"}}},
        **LISTS,
    }
    there = asked(tmp_path, objects, {"serviceMonitor": {"enabled": True}})

    assert there.kinds == {"monitoring.coreos.com/v1": frozenset({"ServiceMonitor"})}
    assert [one["metadata"]["name"] for one in there.pickers.objects["Prometheus"]] == ["k8s"]
    assert there.pickers.objects["PrometheusAgent"] == []
    assert there.pickers.namespaces == {"default": {"a": "b"}}


def test_what_preflight_is_not_allowed_to_ask(tmp_path: Path) -> None:
    objects = {f"{API}/v1": 403, f"{API}/v1/prometheuses": 403}
    there = asked(tmp_path, objects, {"serviceMonitor": {"enabled": True}})

    assert there.kinds == {}
    assert "Prometheus" not in there.pickers.objects
    assert asked(tmp_path, {}, {"podMonitor": {"enabled": True}}).kinds == {"monitoring.coreos.com/v1": frozenset()}


def test_a_release_without_monitors_asks_nothing(tmp_path: Path) -> None:
    there = asked(tmp_path, {f"{API}/v1": 500, f"{API}/v1/prometheuses": 500}, {})
    assert (there.kinds, there.pickers) == ({}, Pickers())


# Diagnose


def test_diagnose_warns_of_a_monitor_that_nobody_picks_up() -> None:
    found = diagnose.explain(snapshot(monitors=[monitor()], pickers=pickers(picker())))
    (one,) = [one for one in found if one.check == "scraping"]
    assert (one.severity, one.remedy) == ("warning", "write serviceMonitor.labels: {release: kps}")


def test_diagnose_says_what_the_operator_says() -> None:
    condition = {"type": "Accepted", "status": "False", "reason": "InvalidConfiguration", "message": "no Secret tls"}
    binding = {"resource": "prometheuses", "namespace": "monitoring", "name": "k8s", "conditions": [condition]}
    refused = {**monitor(labels={"release": "kps"}), "status": {"bindings": [binding]}}
    found = diagnose.explain(snapshot(monitors=[refused], pickers=pickers(picker())))

    assert [one.message for one in found if one.check == "scraping"] == [
        "prometheuses monitoring/k8s refuses it: no Secret tls"
    ]


def test_what_diagnose_asks(tmp_path: Path) -> None:
    """The release's own alone, of a namespace or of all."""
    labels = {"app.kubernetes.io/instance": "llm"}
    ours = monitor(labels=labels)
    elsewhere = monitor(namespace="monitoring", labels=labels, namespaceSelector={"matchNames": ["ai"]})
    theirs = [monitor(namespace="other", labels=labels), monitor(labels={"app.kubernetes.io/instance": "other"})]
    objects = {f"{API}/v1/servicemonitors": [ours, elsewhere, *theirs]}
    with cluster_of(objects, tmp_path) as cluster:
        assert prometheus.of_release(cluster, "llm", "ai") == [ours, elsewhere]

    objects = {f"{API}/v1/servicemonitors": 403, f"{API}/v1/namespaces/ai/servicemonitors": [ours]}  # type: ignore[dict-item]
    with cluster_of(objects, tmp_path) as cluster:
        assert prometheus.of_release(cluster, "llm", "ai") == [ours]
    with cluster_of({f"{API}/v1/servicemonitors": 403}, tmp_path) as cluster:
        assert prometheus.of_release(cluster, "llm", "ai") == []


def test_a_rule_elsewhere_is_known_by_its_release(tmp_path: Path) -> None:
    rule = monitor("PrometheusRule", "monitoring", {"app.kubernetes.io/instance": "llm"})
    helms = {**rule, "metadata": rule["metadata"] | {"annotations": {"meta.helm.sh/release-namespace": "ai"}}}
    with cluster_of({f"{API}/v1/prometheusrules": [rule, helms]}, tmp_path) as cluster:
        assert prometheus.of_release(cluster, "llm", "ai") == [helms]
