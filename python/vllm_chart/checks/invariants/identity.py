"""What belongs to what: selectors, ports, budgets and scalers."""

from collections.abc import Iterator

from vllm_chart.checks.invariants.base import broken, general, invariant, own
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered import scaling
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import pods, serving
from vllm_chart.rendered.workload import workloads


@invariant
def selectors_never_change(manifests: Manifests) -> Iterator[Finding]:
    """Selectors are name and instance only: they can never be changed, and more labels will."""
    identity = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    for where, selector in _selectors(manifests):
        if selector.keys() != identity:
            yield broken(where, f"selects by {', '.join(sorted(selector)) or 'nothing'}")


@invariant
def selectors_match_the_engine_alone(manifests: Manifests) -> Iterator[Finding]:
    """A selector matches the engine's pods, or those of a chart without one, and no others: requests would go to the
    pod of a test."""
    running = serving(manifests)
    for where, selector in _selectors(manifests):
        if not any(selector.items() <= pod.labels.items() for pod in running):
            yield broken(where, "does not match the engine's pods")
        for pod in pods(manifests):
            if pod not in running and selector.items() <= pod.labels.items():
                yield broken(where, f"matches {pod.where} too")


@invariant
def services_reach_a_port(manifests: Manifests) -> Iterator[Finding]:
    """Every port of a Service leads to a number or a named port of the engine's pod: no request would arrive."""
    ports = [port for pod in serving(manifests) for container in pod.containers for port in container.all("ports")]
    names = {port.get("name") for port in ports}
    for service in own(manifests):
        if service.kind == "Service":
            for index, port in enumerate(service.spec.get("ports") or []):
                target = port.get("targetPort", port["port"])
                if isinstance(target, str) and target not in names:
                    where = f"{service.where}: spec.ports[{index}].targetPort"
                    yield broken(where, f"{target!r} is not a named port of the engine's pod")


@general
def drains_can_go_on(manifests: Manifests) -> Iterator[Finding]:
    """A disruption budget always lets one pod go: no node could ever be drained otherwise."""
    replicas = [
        scaling.scale(workload, manifests).replicas * workload.pods_per_replica
        for workload in workloads(own(manifests))
    ]
    for budget in manifests.all("PodDisruptionBudget"):
        least, most = budget.spec.get("minAvailable"), budget.spec.get("maxUnavailable")
        needs_all = least == "100%" or (isinstance(least, int) and any(0 < count <= least for count in replicas))
        if most in (0, "0", "0%") or needs_all:
            yield broken(f"{budget.where}: spec", "allows no eviction", "write podDisruptionBudget.maxUnavailable: 1")


@general
def replicas_have_one_owner(manifests: Manifests) -> Iterator[Finding]:
    """A workload that an autoscaler scales leaves `replicas` out: an upgrade would reset them."""
    for autoscaler in scaling.autoscalers(manifests):
        # The user's own autoscaler is the user's own affair.
        severity: Severity = "warning" if autoscaler.object.is_extra else "error"
        for workload in workloads(own(manifests)):
            if autoscaler.scales(workload) and workload.replicas is not None:
                bounds = f"{autoscaler.where}, which has {autoscaler.least} to {autoscaler.most}"
                message = f"{workload.replicas} is set beside {bounds}: every upgrade sets them back"
                yield broken(f"{workload.where}: spec.replicas", message, "write replicaCount: null", severity)


def _selectors(manifests: Manifests) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a selector of the chart's own objects is written, and the labels it goes by."""
    for object_ in own(manifests):
        where = f"{object_.where}: spec.selector"
        if object_.kind == "Service":
            yield where, object_.spec.get("selector") or {}
        elif object_.kind in ("PodDisruptionBudget", "InferencePool") or _has_selector(object_):
            yield where, object_.spec.get("selector", {}).get("matchLabels") or {}
        elif object_.kind == "NetworkPolicy":
            yield f"{object_.where}: spec.podSelector", object_.spec["podSelector"].get("matchLabels") or {}


def _has_selector(object_: Object) -> bool:
    """Whether it is a workload whose selector is written: the controller of some kinds has one of its own."""
    return any(not workload.kind.own_label for workload in workloads([object_]))
