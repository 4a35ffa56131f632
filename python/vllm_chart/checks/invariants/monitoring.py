"""Monitors: whom they find, and what those are called."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.checks.invariants.base import broken, invariant, own
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import serving

#: The field with its endpoints, by the kind of a monitor.
_ENDPOINTS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


@invariant
def monitors_find_the_pods(manifests: Manifests) -> Iterator[Finding]:
    """A monitor selects the Service, or the pods that serve, in their namespace: nothing would be measured."""
    for monitor in _monitors(manifests):
        spec = monitor.spec
        wanted = ((spec.get("selector") or {}).get("matchLabels") or {}).items()
        if not any(wanted and wanted <= labels.items() for labels in _labels(monitor, manifests)):
            yield broken(f"{monitor.where}: spec.selector", "selects nothing of the release")
        looked = (spec.get("namespaceSelector") or {}).get("matchNames") or [monitor.namespace]
        for namespace in sorted({pod.owner.namespace for pod in serving(manifests)} - {*looked}):
            yield broken(f"{monitor.where}: spec.namespaceSelector", f"does not name {namespace}, where the pods are")


@invariant
def monitors_find_a_port(manifests: Manifests) -> Iterator[Finding]:
    """Every endpoint of a monitor names a port of the Service, or of the pod: it would scrape nothing."""
    services = [one for one in own(manifests) if one.kind == "Service"]
    of_service = {port.get("name") for service in services for port in service.spec.get("ports") or []}
    containers = [container for pod in serving(manifests) for container in pod.containers]
    of_pod = {port.get("name") for container in containers for port in container.all("ports")}
    for monitor in _monitors(manifests):
        for index, endpoint in enumerate(_endpoints(monitor)):
            there = of_service if monitor.kind == "ServiceMonitor" and "port" in endpoint else of_pod
            port = endpoint.get("port", endpoint.get("targetPort"))
            if port not in there:
                where = f"{monitor.where}: spec.{_ENDPOINTS[monitor.kind]}[{index}]"
                yield broken(where, f"there is no port {port!r}")


@invariant
def targets_have_one_job(manifests: Manifests) -> Iterator[Finding]:
    """Whoever scrapes calls the pods job=<namespace>/<name>: alerts, dashboards and autoscalers look for it."""
    for monitor in _monitors(manifests):
        job = next((f"{pod.owner.namespace}/{pod.owner.name}" for pod in serving(manifests)), "")
        for index, endpoint in enumerate(_endpoints(monitor)):
            jobs = [rule for rule in endpoint.get("relabelings") or [] if rule.get("targetLabel") == "job"]
            if [rule.get("replacement") for rule in jobs] != [job]:
                where = f"{monitor.where}: spec.{_ENDPOINTS[monitor.kind]}[{index}].relabelings"
                yield broken(where, f"the job is not {job}")


def _monitors(manifests: Manifests) -> list[Object]:
    return [one for one in own(manifests) if one.kind in _ENDPOINTS]


def _endpoints(monitor: Object) -> Sequence[Mapping[str, Any]]:
    endpoints: Sequence[Mapping[str, Any]] = monitor.spec.get(_ENDPOINTS[monitor.kind]) or ()
    return endpoints


def _labels(monitor: Object, manifests: Manifests) -> list[Mapping[str, str]]:
    """The labels of what a monitor of its kind selects."""
    if monitor.kind == "PodMonitor":
        return [pod.labels for pod in serving(manifests)]
    return [one.metadata.get("labels") or {} for one in own(manifests) if one.kind == "Service"]
