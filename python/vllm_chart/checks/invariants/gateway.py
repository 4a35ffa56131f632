"""What a gateway or an ingress controller is told: where it leads, and that it is let in."""

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.checks.invariants.base import broken, invariant, own
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import serving
from vllm_chart.rendered.policies import end_of, of_release, selecting

Json = Mapping[str, Any]


@invariant
def routes_lead_to_the_release(manifests: Manifests) -> Iterator[Finding]:
    """A route or an Ingress leads to a Service, by a port of it, or to a pool of the release: a gateway answers 500 or
    503 for what is not there."""
    there = {("InferencePool", pool.name, None) for pool in manifests.all("InferencePool")}
    for service in manifests.all("Service"):
        there |= {("Service", service.name, port["port"]) for port in service.spec.get("ports") or []}
    for where, backend in _backends(manifests):
        if backend not in there:
            kind, name, port = backend
            yield broken(where, f"{kind} {name}{f', port {port},' if port else ''} is not in the release")


@invariant
def routes_keep_streams(manifests: Manifests) -> Iterator[Finding]:
    """A route has no limit for a whole answer: a gateway would cut a stream in the middle, some after a minute."""
    for route in _own(manifests, "HTTPRoute"):
        for index, rule in enumerate(route.spec.get("rules") or []):
            if (rule.get("timeouts") or {}).get("request") != "0s":
                yield broken(f"{route.where}: spec.rules[{index}].timeouts", "request is not 0s, which is no limit")


@invariant
def policies_let_the_gateway_in(manifests: Manifests) -> Iterator[Finding]:
    """A NetworkPolicy lets more than the release's namespace in where the Gateway of its route is in another one: each
    request would wait for a connection, and fail."""
    policies = of_release(manifests)
    for route in _own(manifests, "HTTPRoute"):
        parents = route.spec.get("parentRefs") or []
        elsewhere = [one["namespace"] for one in parents if one.get("namespace", route.namespace) != route.namespace]
        if not elsewhere or len(elsewhere) < len(parents):
            continue
        for pod in serving(manifests):
            about = selecting(policies, end_of(pod), "Ingress")
            if about and not any(_opens_beyond(rule) for one in about for rule in one["spec"].get("ingress") or []):
                message = f"lets in pods of {pod.owner.namespace} alone, and the Gateway is in {elsewhere[0]}"
                remedy = "write the namespace of the gateway's pods in networkPolicy.ingress.from"
                yield broken(f"NetworkPolicy/{about[0]['metadata']['name']}", message, remedy, "warning")


def _opens_beyond(rule: Json) -> bool:
    """Whether a rule may let in what is in no pod of its own namespace."""
    peers = rule.get("from")
    return not peers or any("namespaceSelector" in one or "ipBlock" in one for one in peers)


def _own(manifests: Manifests, kind: str) -> list[Object]:
    return [one for one in own(manifests) if one.kind == kind]


def _backends(manifests: Manifests) -> Iterator[tuple[str, tuple[str, str, int | None]]]:
    """Where each backend is written, and what it is: kind, name, port."""
    for route in _own(manifests, "HTTPRoute"):
        for index, rule in enumerate(route.spec.get("rules") or []):
            for one in rule.get("backendRefs") or []:
                where = f"{route.where}: spec.rules[{index}].backendRefs"
                yield where, (one.get("kind", "Service"), one["name"], one.get("port"))
    for ingress in _own(manifests, "Ingress"):
        for index, rule in enumerate(ingress.spec.get("rules") or []):
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                where = f"{ingress.where}: spec.rules[{index}].http.paths"
                yield where, ("Service", service["name"], service["port"].get("number"))
