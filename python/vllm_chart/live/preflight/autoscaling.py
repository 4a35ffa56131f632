"""Whether a cluster has what the release's autoscaler needs, and nobody else scales the same pods."""

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.cluster import autoscaling as cluster_says
from vllm_chart.cluster.api import Cluster
from vllm_chart.cluster.autoscaling import EXTERNAL_METRICS, Answer, Autoscaling
from vllm_chart.cluster.conditions import is_ready
from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered import scaling
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.workload import serving

Json = Mapping[str, Any]

KEDA, ADDON = "keda.sh/v1alpha1", "http.keda.sh/v1beta1"

_AUTHENTICATIONS = {
    "TriggerAuthentication": "/apis/keda.sh/v1alpha1/namespaces/{}/triggerauthentications/{}",
    "ClusterTriggerAuthentication": "/apis/keda.sh/v1alpha1/clustertriggerauthentications/{1}",
}


def ask(cluster: Cluster, manifests: Manifests) -> Autoscaling | None:
    """Ask a cluster what the release's autoscalers need; None where it has none.

    Raises `kubernetes.client.ApiException` for what it does not answer.
    """
    scalers = _scalers(manifests)
    if not scalers:
        return None
    namespace = serving(manifests).namespace
    keda = cluster_says.has_api(cluster, KEDA)
    needed = [(kind, name) for kind, name in _authentications(manifests) if keda]
    return Autoscaling(
        apis={KEDA: keda, ADDON: cluster_says.has_api(cluster, ADDON)},
        external_metrics=cluster_says.external_metrics(cluster),
        hpas=cluster_says.hpas(cluster, namespace),
        scaled_objects=cluster_says.scaled_objects(cluster, namespace) if keda else (),
        found={
            (kind, name): cluster_says.is_there(cluster, _AUTHENTICATIONS[kind].format(namespace, name))
            for kind, name in needed
        },
        answers={
            str(metadata["query"]): cluster_says.ask(
                cluster, str(metadata.get("serverAddress")), str(metadata["query"])
            )
            for trigger in _triggers(manifests)
            if (metadata := trigger.get("metadata") or {}).get("query") and not _shows_something(trigger)
        },
    )


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """What keeps the release's autoscalers from their work."""
    there = snapshot.autoscaling
    if there is None:
        return
    for item in _scalers(wanted.manifests):
        if item.kind == "ScaledObject":
            yield from _keda(item, there)
        elif _asks_external(item):
            yield from _adapter(item, there)
        yield from _others(item, wanted, there)
    if wanted.manifests.all("InterceptorRoute") and there.apis.get(ADDON) is False:
        yield Finding(
            "autoscaler",
            "cluster",
            f"it has no API {ADDON}: KEDA's HTTP add-on is not installed, or older than 0.14",
            "install it, or write autoscaling.minReplicas: 1",
        )
    for (kind, name), found in there.found.items():
        if found is False:
            yield Finding(
                "autoscaler",
                f"{kind}/{name}",
                "there is none",
                "create it, or correct autoscaling.prometheus.auth.triggerAuthenticationRef",
            )
    for query, answer in there.answers.items():
        yield from _query(query, answer, wanted, snapshot)


def _keda(item: Object, there: Autoscaling) -> Iterator[Finding]:
    if there.apis.get(KEDA) is False:
        yield Finding(
            "autoscaler",
            "cluster",
            f"it has no API {KEDA}: KEDA is not installed",
            "install KEDA, or write autoscaling.kind: HPA and see docs/autoscaling.md for what that needs",
        )
        return
    owner = _owner(there)
    if owner == "":
        yield _unserved(
            "KEDA's metrics server does not serve it", "look at KEDA's metrics server, and at its APIService"
        )
    elif owner and "keda" not in owner:
        yield Finding(
            "autoscaler",
            f"APIService/{EXTERNAL_METRICS}",
            f"{owner} serves external metrics, and KEDA's HPAs ask there: a cluster has one that does",
            "let KEDA have it (its metrics server registers it), or write autoscaling.kind: HPA",
            "warning",  # a KEDA of another name
        )
    else:
        yield from _unavailable(there)


def _adapter(item: Object, there: Autoscaling) -> Iterator[Finding]:
    owner = _owner(there)
    if owner == "":
        yield _unserved(
            "nobody serves external metrics",
            "install prometheus-adapter with the rules of docs/prometheus-adapter.yaml, or write kind: KEDA",
        )
    elif owner and "keda" in owner:
        yield Finding(
            "autoscaler",
            f"APIService/{EXTERNAL_METRICS}",
            f"{owner} serves external metrics, which KEDA does for its own ScaledObjects alone",
            "write autoscaling.kind: KEDA",
        )
    else:
        yield from _unavailable(there)


def _unserved(message: str, remedy: str) -> Finding:
    return Finding("autoscaler", f"APIService/{EXTERNAL_METRICS}", f"there is none: {message}", remedy)


def _unavailable(there: Autoscaling) -> Iterator[Finding]:
    for condition in ((there.external_metrics or {}).get("status") or {}).get("conditions") or []:
        if condition.get("type") == "Available" and condition.get("status") == "False":
            yield Finding(
                "autoscaler",
                f"APIService/{EXTERNAL_METRICS}",
                f"what serves it does not answer: {condition.get('message') or condition.get('reason')}",
                f"look at the pods behind {_owner(there)}",
            )


def _owner(there: Autoscaling) -> str | None:
    """Who serves external metrics, "namespace/service"; empty where nobody does, None where that is not known."""
    if there.external_metrics is None:
        return None
    service = (there.external_metrics.get("spec") or {}).get("service") or {}
    return f"{service.get('namespace')}/{service.get('name')}" if service else ""


def _others(item: Object, wanted: Wanted, there: Autoscaling) -> Iterator[Finding]:
    """Autoscalers in the cluster that scale the same pods, and are not of this release."""
    for other in [*(there.hpas or ()), *(there.scaled_objects or ())]:
        metadata, spec = other.get("metadata") or {}, other.get("spec") or {}
        target = spec.get("scaleTargetRef") or {}
        if target.get("name") != wanted.workload.name:
            continue
        is_hpa = "maxReplicas" in spec or "metrics" in spec
        kind = "HorizontalPodAutoscaler" if is_hpa else "ScaledObject"
        mine = metadata.get("name") == item.name and kind in (item.kind, "ScaledObject")
        if mine or _owned_by_keda(other):  # Helm takes the chart's own ScaledObject away itself
            continue
        refuses = " and KEDA refuses pods that an HPA has" if item.kind == "ScaledObject" and is_hpa else ""
        yield Finding(
            "autoscaler",
            f"{kind}/{metadata.get('name')}",
            f"it scales {wanted.workload.where} already: two undo each other's work,{refuses or ' and requests wait'}",
            f"delete it first: `kubectl -n {wanted.workload.namespace} delete {kind.lower()} {metadata.get('name')}`; "
            "the replicas stay",
        )


def _owned_by_keda(hpa: Json) -> bool:
    owners = (hpa.get("metadata") or {}).get("ownerReferences") or []
    return any(owner.get("kind") == "ScaledObject" for owner in owners)


def _query(query: str, answer: Answer, wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    where = _place(query, wanted.manifests)
    if not answer.asked:
        yield Finding("scaling-query", where, f"not asked: {answer.problem}", "", "info")
    elif answer.problem:
        remedy = "correct it: the Prometheus that scrapes the pods, as KEDA's operator reaches it"
        yield Finding("scaling-query", where, answer.problem, remedy)
    elif len(answer.numbers) > 1:
        message = f"{query} has {len(answer.numbers)} answers, and KEDA takes one alone"
        yield Finding("scaling-query", where, message, "write sum(…) around the query")
    elif not answer.numbers and _serves(wanted, snapshot):
        yield Finding(
            "scaling-query",
            where,
            f"{query} has no answer, although pods are ready: this Prometheus does not scrape them by that job",
            "write serviceMonitor.enabled: true or podMonitor.enabled: true with the labels that it selects, or the "
            "address of the Prometheus that does",
        )


def _place(query: str, manifests: Manifests) -> str:
    """Where the address is written that a query is sent to."""
    for item in _scalers(manifests):
        if item.is_extra and query in str(item.get("spec")):
            return f"{item.where}: spec.triggers"
    return "autoscaling.prometheus.address"


def _serves(wanted: Wanted, snapshot: Snapshot) -> bool:
    """Whether a pod of the release is ready in the cluster, so that there is something to scrape."""
    return any(is_ready(pod) for pod in snapshot.pods or () if wanted.owns(pod))


def _scalers(manifests: Manifests) -> list[Object]:
    """The release's autoscalers of its engine."""
    workload = serving(manifests)
    return [one.object for one in scaling.autoscalers(manifests) if one.scales(workload)]


def _triggers(manifests: Manifests) -> Iterator[Json]:
    """KEDA's triggers that ask a Prometheus."""
    for item in _scalers(manifests):
        for trigger in (item.get("spec") or {}).get("triggers") or []:
            if isinstance(trigger, dict) and trigger.get("type") == "prometheus":
                yield trigger


def _shows_something(trigger: Json) -> bool:
    """Whether it shows Prometheus a password or the like, which is not ours to show."""
    metadata = trigger.get("metadata") or {}
    return bool(trigger.get("authenticationRef") or metadata.get("authModes") or metadata.get("customHeaders"))


def _authentications(manifests: Manifests) -> Iterator[tuple[str, str]]:
    """The TriggerAuthentications that triggers name and the release does not bring along."""
    own = {(item.kind, item.name) for item in manifests}
    for trigger in _triggers(manifests):
        reference = trigger.get("authenticationRef") or {}
        found = (str(reference.get("kind") or "TriggerAuthentication"), str(reference.get("name") or ""))
        if found[1] and found[0] in _AUTHENTICATIONS and found not in own:
            yield found


def _asks_external(item: Object) -> bool:
    metrics = (item.get("spec") or {}).get("metrics") or []
    return any(isinstance(metric, dict) and metric.get("type") == "External" for metric in metrics)
