"""Autoscalers: what they scale, and what they go by."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.checks.invariants.base import broken, general, invariant
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered import scaling
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.workload import KINDS, workloads

#: What makes one number of many series.
_ONE = re.compile(r"\b(sum|avg|max|min|count|quantile|scalar|absent|group)\b")

#: A series in PromQL that the charts' queries ask for, vLLM's or the endpoint's connections, and what selects it.
_SERIES = re.compile(r"\b(?:vllm:\w+|envoy_http_downstream_cx_active)(\{[^}]*\})?")


@general
def autoscalers_find_their_workload(manifests: Manifests) -> Iterator[Finding]:
    """What an autoscaler scales is in the release: nothing would ever be scaled otherwise."""
    there = workloads(manifests)
    for autoscaler in scaling.autoscalers(manifests):
        # A kind that is not known here may hold anything.
        if autoscaler.kind in KINDS and not any(autoscaler.scales(workload) for workload in there):
            target = f"{autoscaler.kind}/{autoscaler.name}"
            names = ", ".join(workload.where for workload in there) or "none"
            yield broken(
                f"{autoscaler.where}: spec.scaleTargetRef",
                f"{target} is not in the release, whose workloads are: {names}",
                f"write name: {there[0].name}" if there else "",
                _severity(autoscaler.object),
            )


@general
def workloads_have_one_autoscaler(manifests: Manifests) -> Iterator[Finding]:
    """One autoscaler at most scales a workload: two undo each other's work, and KEDA refuses to begin."""
    scaled = Counter((autoscaler.kind, autoscaler.name) for autoscaler in scaling.autoscalers(manifests))
    for (kind, name), times in scaled.items():
        if times > 1 and name:
            yield broken(f"{kind}/{name}", f"is scaled by {times} autoscalers", "keep one of them")


@invariant
def scaling_follows_the_release_alone(manifests: Manifests) -> Iterator[Finding]:
    """The chart's queries select the series of its own release: another's load would scale it."""
    for item, metadata in _prometheus_triggers(manifests):
        own = (f'namespace="{item.namespace}"', f'job="{item.namespace}/{item.name}"')
        for series in _SERIES.finditer(str(metadata.get("query"))):
            if not item.is_extra and not all(matcher in (series[1] or "") for matcher in own):
                yield broken(f"{item.where}: spec.triggers", f"{series[0]} may be of other releases")


@general
def lost_metrics_scale_nothing_down(manifests: Manifests) -> Iterator[Finding]:
    """An answer of Prometheus without a number is an error to KEDA: it takes it for 0 otherwise, and a lost Prometheus
    scales everything to its least."""
    for item, metadata in _prometheus_triggers(manifests):
        if str(metadata.get("ignoreNullValues", "true")).lower() in ("true", "t", "1"):
            yield broken(
                f"{item.where}: spec.triggers",
                "no answer counts as 0 (ignoreNullValues), which scales down when Prometheus is lost",
                'write ignoreNullValues: "false" in its metadata, and a fallback beside the triggers',
                _severity(item),
            )


@general
def scaling_queries_give_one_number(manifests: Manifests) -> Iterator[Finding]:
    """A query of KEDA's adds the pods up: with two pods it has two answers, which KEDA refuses."""
    for item, metadata in _prometheus_triggers(manifests):
        query = str(metadata.get("query") or "")
        if _SERIES.search(query) and not _ONE.search(query):
            yield broken(
                f"{item.where}: spec.triggers",
                f"{query} has an answer for each pod, and KEDA takes one alone",
                f"write query: sum({query})",
                _severity(item),
            )


def _prometheus_triggers(manifests: Manifests) -> Iterator[tuple[Object, Mapping[str, Any]]]:
    """Every trigger that asks Prometheus for what vLLM or the endpoint measures: its ScaledObject, and its metadata."""
    for item in manifests.all("ScaledObject"):
        triggers = (item.get("spec") or {}).get("triggers")
        for trigger in triggers if isinstance(triggers, list) else []:
            metadata = (trigger or {}).get("metadata") or {}
            if trigger.get("type") == "prometheus" and _SERIES.search(str(metadata.get("query"))):
                yield item, metadata


def _severity(item: Object) -> Severity:
    """The user's own autoscaler is the user's own affair."""
    return "warning" if item.is_extra else "error"
