"""Who scrapes by a monitor or evaluates a rule: what prometheus-operator decides for each Prometheus, PrometheusAgent
and ThanosRuler (pkg/prometheus/resource_selector.go, pkg/thanos/rules.go of 0.85), and says nowhere.

`ask` asks a cluster, `explain` draws the conclusions.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubernetes import client

from vllm_chart.cluster.api import Cluster, unless_hidden
from vllm_chart.findings import Finding, Severity

GROUP = "monitoring.coreos.com"
#: The stem of a picker's two selectors, by the kind that it picks: `ruleSelector`, `ruleNamespaceSelector`.
SELECTORS = {"ServiceMonitor": "serviceMonitor", "PodMonitor": "podMonitor", "PrometheusRule": "rule"}
#: The block of the values that an object follows from.
BLOCKS = {"ServiceMonitor": "serviceMonitor", "PodMonitor": "podMonitor", "PrometheusRule": "prometheusRule"}
#: Who picks, by kind: the version of its API, its plural.
PICKERS = {
    "Prometheus": ("v1", "prometheuses"),
    "PrometheusAgent": ("v1alpha1", "prometheusagents"),
    "ThanosRuler": ("v1", "thanosrulers"),
}
_RULERS = ("Prometheus", "ThanosRuler")
_SCRAPERS = ("Prometheus", "PrometheusAgent")

Object = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Pickers:
    """What a cluster has of those who pick monitors and rules up.

    objects: by kind; a kind that may not be listed is left out. namespaces: the labels of namespaces, by name; one that
    may not be read is left out.
    """

    objects: Mapping[str, Sequence[Object]] = dataclasses.field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)

    def sees(self, object_: Object) -> bool:
        """Whether all who might pick it up may be listed."""
        return all(kind in self.objects for kind in _pickers_of(object_))


def picked(objects: Iterable[Object]) -> list[Object]:
    """Those of the objects that somebody has to pick up."""
    return [one for one in objects if one["kind"] in SELECTORS and str(one["apiVersion"]).startswith(f"{GROUP}/")]


def of_release(cluster: Cluster, name: str, namespace: str) -> list[Object]:
    """The monitors and rules of a release, wherever they are; those that may not be listed are left out.

    Raises `kubernetes.client.ApiException` for what is not answered.
    """
    selector = f"app.kubernetes.io/instance={name}"
    found = []
    for kind in SELECTORS:
        plural = f"{kind.lower()}s"
        items = _list(cluster, "v1", plural, selector=selector)
        if items is None:
            items = _list(cluster, "v1", plural, namespace, selector) or ()
        found += [{**item, "apiVersion": f"{GROUP}/v1", "kind": kind} for item in items]
    return [one for one in found if _belongs(one, namespace)]


def _belongs(object_: Object, namespace: str) -> bool:
    """Whether an object of a release of this name is of the one in this namespace."""
    release = (object_["metadata"].get("annotations") or {}).get("meta.helm.sh/release-namespace")
    return namespace in (release, _namespace(object_), *_names_of_pods(object_))


def ask(cluster: Cluster, objects: Iterable[Object]) -> Pickers:
    """Who might pick these objects up. Raises `kubernetes.client.ApiException` for what is not answered."""
    objects = picked(objects)
    kinds = {kind for one in objects for kind in _pickers_of(one)}
    found = {kind: _list(cluster, *PICKERS[kind]) for kind in PICKERS if kind in kinds}
    labels = {name: _labels(cluster, name) for name in {_namespace(one) for one in objects} if any(found.values())}
    return Pickers(
        {kind: items for kind, items in found.items() if items is not None},
        {name: there for name, there in labels.items() if there is not None},
    )


def servers(cluster: Cluster) -> Sequence[Object] | None:
    """The Prometheuses that prometheus-operator runs in a cluster; None where they may not be listed.

    Raises `kubernetes.client.ApiException` for what is not answered.
    """
    return _list(cluster, *PICKERS["Prometheus"])


def _list(
    cluster: Cluster, version: str, plural: str, namespace: str = "", selector: str | None = None
) -> Sequence[Object] | None:
    """What there is of a kind, in a namespace or in all; None where it may not be listed."""
    custom = cluster.custom
    try:
        answer: Any = (
            custom.list_namespaced_custom_object(GROUP, version, namespace, plural, label_selector=selector)
            if namespace
            else custom.list_cluster_custom_object(GROUP, version, plural, label_selector=selector)
        )
    except client.ApiException as error:
        if error.status == 404:
            return ()
        if error.status == 403:
            return None
        raise
    return list(answer.get("items") or [])


def _labels(cluster: Cluster, namespace: str) -> Mapping[str, str] | None:
    read = unless_hidden(lambda: cluster.core.read_namespace(namespace))
    return None if read is None else dict((read.metadata.labels if read.metadata else None) or {})


def explain(check: str, object_: Object, pickers: Pickers) -> Iterator[Finding]:
    """Whether nobody picks an object up, and what it lacks; as findings of `check`. Silent where that can't be seen."""
    if not pickers.sees(object_):
        return
    there = [(kind, one) for kind in _pickers_of(object_) for one in pickers.objects[kind]]
    where = f"{object_['kind']}/{object_['metadata']['name']}"
    if not there:
        yield _nobody(check, where, object_)
        return
    judged = [(list(_refusals(object_, one, pickers)), _name(kind, one), one) for kind, one in there]
    judged.sort(key=lambda each: (len(each[0]), each[1]))
    if nearest := judged[0][0]:
        said = "; ".join(f"{name} {', and '.join(one.message for one in broken)}" for broken, name, _ in judged)
        remedy = ", and ".join(one.remedy for one in nearest)
        yield Finding(check, where, f"nobody picks it up: {said}", remedy, _SEVERITY)
    for broken, name, picker in judged:
        if not broken:
            yield from _changed(check, where, object_, picker, name)


#: What is served does not hang on it.
_SEVERITY: Severity = "warning"


def _nobody(check: str, where: str, object_: Object) -> Finding:
    kinds = _pickers_of(object_)
    others = "Grafana Alloy, VictoriaMetrics' operator, OpenTelemetry's target allocator"
    message = f"the cluster has no {' and no '.join(kinds)}, so that nobody picks it up but who reads such objects too"
    return Finding(check, where, f"{message} ({others})", "install a Prometheus", _SEVERITY)


@dataclasses.dataclass(frozen=True)
class _Refusal:
    message: str
    remedy: str


def _refusals(object_: Object, picker: Object, pickers: Pickers) -> Iterator[_Refusal]:
    """Why it is not picked up by one of them; nothing where it is."""
    stem, block = SELECTORS[object_["kind"]], BLOCKS[object_["kind"]]
    spec = picker.get("spec") or {}
    if spec.get("mode") == "DaemonSet" and object_["kind"] == "ServiceMonitor":
        yield _Refusal("has an agent on each node, which reads PodMonitors alone", "write podMonitor instead")
        return
    yield from _of_labels(object_, spec.get(f"{stem}Selector"), f"{stem}Selector", block)
    yield from _of_namespace(object_, picker, f"{stem}NamespaceSelector", block, pickers)
    if object_["kind"] == "PrometheusRule":
        return
    pods = _names_of_pods(object_)
    if spec.get("ignoreNamespaceSelectors") and pods != [_namespace(object_)]:
        yield _Refusal(
            "looks for pods beside the monitor only (ignoreNamespaceSelectors)", f"leave {block}.namespace empty"
        )
    name = (object_.get("spec") or {}).get("scrapeClass")
    classes = [one.get("name") for one in spec.get("scrapeClasses") or []]
    if name and name not in classes:
        known = f"write one of {', '.join(map(str, classes))}" if classes else f"leave {block}.scrapeClass empty"
        yield _Refusal(f"has no scrape class {name}", known)
    if (spec.get("arbitraryFSAccessThroughSMs") or {}).get("deny") and _reads_files(object_):
        yield _Refusal("refuses certificates in its own files", f"write {block}.tlsConfig with Secrets")


def _of_labels(object_: Object, selector: Any, field: str, block: str) -> Iterator[_Refusal]:
    if selector is None:
        yield _Refusal(f"picks none at all: it has no {field}", f"give it one: {field}: {{}} picks all")
        return
    lacks = _lacks(selector, _labels_of(object_))
    if lacks.add:
        yield _Refusal(f"wants the label {_pairs(lacks.add)}", f"write {block}.labels: {{{_pairs(lacks.add)}}}")
    for key in lacks.remove:
        yield _Refusal(f"wants no such label {key}", f"leave {key} out of {block}.labels")


def _of_namespace(object_: Object, picker: Object, field: str, block: str, pickers: Pickers) -> Iterator[_Refusal]:
    namespace, own = _namespace(object_), _namespace(picker)
    selector = (picker.get("spec") or {}).get(field)
    if selector is None:
        if namespace != own:
            yield _Refusal(f"looks into its own namespace alone (no {field})", f"write {block}.namespace: {own}")
        return
    labels = pickers.namespaces.get(namespace)
    if labels is None and selector:
        return
    lacks = _lacks(selector, labels or {})
    if lacks.add:
        pairs = " ".join(f"{key}={value}" for key, value in lacks.add.items())
        yield _Refusal(
            f"wants the label {_pairs(lacks.add)} on the namespace {namespace}",
            f"`kubectl label namespace {namespace} {pairs}`",
        )
    for key in lacks.remove:
        yield _Refusal(
            f"wants no label {key} on the namespace {namespace}", f"`kubectl label namespace {namespace} {key}-`"
        )


def _changed(check: str, where: str, object_: Object, picker: Object, name: str) -> Iterator[Finding]:
    """What one that picks it up does to it: rules and dashboards would find nothing."""
    spec, block = picker.get("spec") or {}, BLOCKS[object_["kind"]]
    if object_["kind"] == "PrometheusRule":
        return
    own = (object_.get("spec") or {}).get("convertClassicHistogramsToNHCB")
    if spec.get("convertClassicHistogramsToNHCB") and own is None:
        message = f"{name} converts all histograms, and the buckets that rules and dashboards read are gone"
        yield Finding(check, where, message, f"write {block}.convertClassicHistogramsToNHCB: false", _SEVERITY)
    if spec.get("enforcedNamespaceLabel") == "namespace" and _names_of_pods(object_) != [_namespace(object_)]:
        message = f"{name} writes the monitor's namespace where rules look for the pods' (enforcedNamespaceLabel)"
        yield Finding(check, where, message, f"leave {block}.namespace empty", _SEVERITY)


@dataclasses.dataclass(frozen=True)
class _Lacks:
    """What labels lack to fit a selector."""

    add: Mapping[str, str]
    remove: Sequence[str]


def _lacks(selector: Mapping[str, Any], labels: Mapping[str, str]) -> _Lacks:
    add = {key: value for key, value in (selector.get("matchLabels") or {}).items() if labels.get(key) != value}
    remove = []
    for term in selector.get("matchExpressions") or []:
        key, values = term["key"], term.get("values") or []
        match term["operator"]:
            case "In" if labels.get(key) not in values:
                add[key] = values[0]
            case "Exists" if key not in labels:
                add[key] = "true"
            case "NotIn" if labels.get(key) in values:
                remove.append(key)
            case "DoesNotExist" if key in labels:
                remove.append(key)
    return _Lacks(add, remove)


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in labels.items())


def _pickers_of(object_: Object) -> Sequence[str]:
    return _RULERS if object_["kind"] == "PrometheusRule" else _SCRAPERS


def _names_of_pods(monitor: Object) -> list[str]:
    """The namespaces in which a monitor looks for pods; none for any."""
    selector = (monitor.get("spec") or {}).get("namespaceSelector") or {}
    return [] if selector.get("any") else list(selector.get("matchNames") or [_namespace(monitor)])


def _reads_files(monitor: Object) -> bool:
    endpoints = (monitor.get("spec") or {}).get("endpoints") or []
    return any((one.get("tlsConfig") or {}).keys() & {"caFile", "certFile", "keyFile"} for one in endpoints)


def _labels_of(object_: Object) -> Mapping[str, str]:
    return object_["metadata"].get("labels") or {}


def _namespace(object_: Object) -> str:
    return str(object_["metadata"].get("namespace") or "")


def _name(kind: str, picker: Object) -> str:
    return f"{kind} {_namespace(picker)}/{picker['metadata']['name']}"
