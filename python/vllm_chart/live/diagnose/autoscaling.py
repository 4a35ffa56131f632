"""Why a release does not scale: what its autoscalers say of themselves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.ask import Snapshot
from vllm_chart.live.diagnose.objects import is_about, name_of
from vllm_chart.rendered.workload import Workload

Json = Mapping[str, Any]

#: KEDA's annotations that keep a ScaledObject from acting, and what they keep it from.
_PAUSES = {
    "autoscaling.keda.sh/paused": "it scales nothing",
    "autoscaling.keda.sh/paused-replicas": "it holds as many replicas as it says",
    "autoscaling.keda.sh/paused-scale-in": "it takes no replica away",
    "autoscaling.keda.sh/paused-scale-out": "it adds no replica",
}

#: Why an HPA has no metric, by the reason of its condition.
_NO_METRICS = (
    "see that Prometheus scrapes the pods and that what serves the metrics reaches it: `vllm-chart preflight` asks it "
    "the same query"
)


_LOG = "the log of KEDA's operator has its answer, a wrong password too"


def explain(snapshot: Snapshot) -> Iterator[Finding]:
    """What keeps autoscalers of the release from their work."""
    for workload in snapshot.workloads:
        scaled = _of(workload, snapshot.scaled_objects)
        hpas = _of(workload, snapshot.hpas)
        for item in scaled:
            yield from _keda(item, workload, bool(hpas))
        for item in hpas:
            yield from _hpa(item, workload)
        if len(scaled) > 1 or len(hpas) > 1:
            names = ", ".join(_name(item) for item in (scaled if len(scaled) > 1 else hpas))
            message = f"several autoscalers scale it: {names}"
            yield _finding(workload.where, message, "keep one of them: they undo each other's work")
    yield from _no_nodes(snapshot)


def _of(workload: Workload, items: Sequence[Json] | None) -> list[Json]:
    """Those that scale a workload."""
    return [
        item
        for item in items or ()
        if _target(item).get("name") == workload.name
        and str(_target(item).get("kind") or workload.kind.name) == workload.kind.name
    ]


def _keda(item: Json, workload: Workload, has_hpa: bool) -> Iterator[Finding]:
    where = f"ScaledObject/{_name(item)}"
    for annotation, does in _PAUSES.items():
        written = ((item.get("metadata") or {}).get("annotations") or {}).get(annotation)
        if written is not None and str(written).lower() != "false":
            remedy = f"take the annotation off: `kubectl annotate scaledobject {_name(item)} {annotation}-`"
            yield _finding(where, f"{annotation}: {written}: {does}", remedy)
    conditions = _conditions(item)
    if not conditions:
        yield _finding(where, "KEDA has not looked at it yet", "see that KEDA's operator runs: `kubectl get pods -A`")
        return
    ready = conditions.get("Ready", {})
    if ready.get("reason") in ("TriggerError", "PartialTriggerError"):
        if workload.ready:  # at 0 replicas, and before the first is ready, nobody has metrics
            yield _finding(where, f"a trigger has no answer: {_said(ready)}", f"{_NO_METRICS}; {_LOG}")
    elif ready.get("status") == "False":
        remedy = "correct what it names; KEDA's operator logs the rest, and `kubectl describe` has its events"
        yield _finding(where, f"KEDA can't use it: {_said(ready)}", remedy)
    elif not has_hpa and not _paused(conditions):
        yield _finding(where, "KEDA made no HPA for it", "look at its events, and at the log of KEDA's operator")
    if conditions.get("Fallback", {}).get("status") == "True" and workload.ready:
        failing = ", ".join(
            f"{name} ({health.get('numberOfFailures')} times)"
            for name, health in ((item.get("status") or {}).get("health") or {}).items()
            if health.get("status") == "Failing"
        )
        yield _finding(
            where,
            f"KEDA gets no number from Prometheus and holds the replicas: {failing or 'its fallback is active'}",
            f"{_NO_METRICS}; {_LOG}",
        )


def _hpa(item: Json, workload: Workload) -> Iterator[Finding]:
    where, conditions = f"HorizontalPodAutoscaler/{_name(item)}", _conditions(item)
    able, active, limited = (conditions.get(name, {}) for name in ("AbleToScale", "ScalingActive", "ScalingLimited"))
    if able.get("status") == "False" and not str(able.get("reason")).startswith("Backoff"):
        yield _finding(where, f"it can't set the replicas: {_said(able)}", "correct its scaleTargetRef, or its rights")
    if active.get("status") == "False":
        if active.get("reason") == "ScalingDisabled":
            if not _is_keda(item):
                message = "the workload has 0 replicas, which an HPA leaves as it is"
                yield _finding(
                    where, message, f"kubectl scale {workload.kind.name.lower()}/{workload.name} --replicas=1"
                )
        elif str(active.get("reason")).endswith("Selector"):
            yield _finding(where, f"it does nothing: {_said(active)}", "keep one autoscaler of these pods")
        elif workload.ready:  # before the first pod is ready, nobody has metrics
            unknown = ", ".join(_unknown(item))
            blind = f"it has no metrics ({unknown} <unknown>)" if unknown else "it has no metrics"
            yield _finding(where, f"{blind}, and adds no replica: {_said(active)}", _NO_METRICS)
    elif limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas":
        most = (item.get("spec") or {}).get("maxReplicas")
        yield _finding(
            where,
            f"it asks for more than maxReplicas, {most}",
            "raise autoscaling.maxReplicas, if there are GPUs for more; or autoscaling.requestsPerReplica, if requests "
            "may wait",
        )


def _unknown(item: Json) -> Iterator[str]:
    """The metrics that an HPA has no number for, which kubectl shows as <unknown>."""
    seen = {_metric(metric) for metric in (item.get("status") or {}).get("currentMetrics") or [] if metric}
    for metric in (item.get("spec") or {}).get("metrics") or []:
        if (name := _metric(metric)) and name not in seen:
            yield name


def _metric(metric: Json) -> str:
    source = metric.get(str(metric.get("type") or "").lower()) or {}
    return str((source.get("metric") or {}).get("name") or source.get("name") or "")


def _no_nodes(snapshot: Snapshot) -> Iterator[Finding]:
    """Pods that wait for a node which no node group adds: what autoscalers of nodes say in events."""
    for pod in snapshot.newest_pods():
        said = [
            event.message or ""
            for event in snapshot.events
            if is_about(event, pod) and event.reason in ("NotTriggerScaleUp", "FailedScaleUp")
        ]
        if said and _is_pending(pod):
            yield _finding(
                f"Pod/{name_of(pod)}",
                f"no node comes for it: {said[-1]}",
                "look at the limits of the GPU node group and at the quota of the cloud, or write fewer in "
                "autoscaling.maxReplicas",
            )


def _is_pending(pod: Any) -> bool:
    return bool(pod.status and pod.status.phase == "Pending" and not (pod.spec and pod.spec.node_name))


def _paused(conditions: Mapping[str, Json]) -> bool:
    return conditions.get("Paused", {}).get("status") == "True"


def _is_keda(hpa: Json) -> bool:
    owners = (hpa.get("metadata") or {}).get("ownerReferences") or []
    return any(owner.get("kind") == "ScaledObject" for owner in owners)


def _conditions(item: Json) -> dict[str, Json]:
    conditions = (item.get("status") or {}).get("conditions") or []
    return {str(condition.get("type")): condition for condition in conditions}


def _said(condition: Json) -> str:
    """Its reason and message."""
    return ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))


def _target(item: Json) -> Json:
    return (item.get("spec") or {}).get("scaleTargetRef") or {}


def _name(item: Json) -> str:
    return str((item.get("metadata") or {}).get("name") or "")


def _finding(where: str, message: str, remedy: str) -> Finding:
    """A warning: the release serves what it can."""
    return Finding("autoscaling", where, message, remedy, "warning")
