"""Who is let in by the NetworkPolicies of a release."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.checks.invariants.base import broken, general, invariant
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Pod, engines, pods
from vllm_chart.rendered.policies import End, connects, end_of, of_release, opens

#: What stands for any port that is no client's: ZMQ and NCCL pick theirs.
SOME_PORT = 54321


@invariant
def policies_open_what_a_service_leads_to(manifests: Manifests) -> Iterator[Finding]:
    """What a Service leads to is open to others than the release: its clients would wait for an answer until they give
    up."""
    policies = of_release(manifests)
    for service, pod in _behind(manifests):
        end = end_of(pod)
        for index, port in enumerate(service.spec.get("ports") or []):
            number, protocol = _target(port, end), port.get("protocol") or "TCP"
            if number and not opens(policies, end, number, protocol):
                message = f"leads to port {number}, which the NetworkPolicy closes to all"
                remedy = f"write networkPolicy.ingress.extra: [{{from: […], ports: [{{port: {number}}}]}}]"
                severity: Severity = "warning" if service.is_extra else "error"
                yield broken(f"{service.where}: spec.ports[{index}]", message, remedy, severity)


@general
def exceptions_are_of_their_network(manifests: Manifests) -> Iterator[Finding]:
    """What an ipBlock excepts is a part of its network: Kubernetes refuses the policy otherwise."""
    for policy in manifests.all("NetworkPolicy"):
        for way, block in _blocks(policy):
            cidr = block.get("cidr", "")
            for one in block.get("except") or []:
                if not _is_part(one, cidr):
                    message = f"{one} is no part of {cidr}, from which it is excepted"
                    yield broken(f"{policy.where}: spec.{way}", message, "leave it out, or write the network around it")


def _blocks(policy: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every ipBlock of a policy, with the way that it is about."""
    for way, key in (("ingress", "from"), ("egress", "to")):
        for rule in policy.spec.get(way) or []:
            for peer in (rule or {}).get(key) or []:
                if peer and peer.get("ipBlock"):
                    yield way, peer["ipBlock"]


def _is_part(one: str, network: str) -> bool:
    """Whether a network is within another one; true for what is none, which schemas speak of."""
    try:
        inner, outer = (ipaddress.ip_network(text, strict=False) for text in (one, network))
    except ValueError:
        return True
    return inner.version == outer.version and inner != outer and inner.subnet_of(outer)  # type: ignore[arg-type]


@invariant
def policies_let_the_test_in(manifests: Manifests) -> Iterator[Finding]:
    """The pod of `helm test` reaches the engine: a release that works would fail its test."""
    policies = of_release(manifests)
    tests = [
        pod for pod in pods(manifests) if (pod.owner.metadata.get("annotations") or {}).get("helm.sh/hook") == "test"
    ]
    for service, pod in _behind(manifests):
        target = end_of(pod)
        for port in [] if service.is_extra else service.spec.get("ports") or []:
            number, protocol = _target(port, target), port.get("protocol") or "TCP"
            for test in tests if number else []:
                verdict = connects(policies, end_of(test), target, number, protocol)
                if not verdict.allowed:
                    yield broken(test.where, f"does not reach port {number} of {pod.where}: {verdict.why}")


@invariant
def policies_let_a_release_talk_to_itself(manifests: Manifests) -> Iterator[Finding]:
    """An engine's pods reach each other on any port: ranks and caches of one release pick theirs as they like."""
    policies = of_release(manifests)
    for pod, _ in engines(manifests):
        verdict = connects(policies, end_of(pod), end_of(pod), SOME_PORT)
        if not verdict.allowed:
            yield broken(pod.where, f"does not reach its like: {verdict.why}")


def _behind(manifests: Manifests) -> Iterator[tuple[Object, Pod]]:
    """Each Service with each pod that it selects."""
    for service in manifests.all("Service"):
        selector = service.spec.get("selector") or {}
        for pod in pods(manifests):
            here = service.namespace in ("", pod.owner.namespace)
            if selector and here and selector.items() <= pod.labels.items():
                yield service, pod


def _target(port: dict[str, object], end: End) -> int:
    """The number of the pod's port that one of a Service leads to; 0 for a name that no container has."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, str):
        return end.ports.get((target, str(port.get("protocol") or "TCP")), 0)
    return int(str(target))
