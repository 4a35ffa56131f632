"""Who reaches whom under NetworkPolicies, as Kubernetes defines them: policies add up, and what none of them selects is
open (https://kubernetes.io/docs/concepts/services-networking/network-policies/). What a network plugin makes of it, and
whether it enforces policies at all, only a cluster can tell.
"""

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Pod

Json = Mapping[str, Any]
Direction = Literal["Ingress", "Egress"]
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""The label with its name that the API server gives every namespace."""


@dataclasses.dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address that is none of a pod's."""

    namespace: str = ""
    """Of a pod; "" for what is none, or is on its node's network: no selector matches that."""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    namespace_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """More labels of the namespace than its name."""
    address: str = ""
    """IPv4 or IPv6; where it is not known no ipBlock matches."""
    ports: Mapping[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    """The numbers of a pod's ports by name and protocol."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """allowed: whether a connection may be made. why: the rules that let it, or what stands against it."""

    allowed: bool
    why: str


def of_release(manifests: Manifests) -> list[Json]:
    """The policies of a rendered release; one that names no namespace is where Helm installs it, with the others."""
    home = next((one.namespace for one in manifests if one.namespace), "")
    return [
        {**policy, "metadata": {**policy.metadata, "namespace": policy.namespace or home}, "spec": policy.spec}
        for policy in manifests.all("NetworkPolicy")
    ]


def connects(policies: Sequence[Json], source: End, target: End, port: int, protocol: str = "TCP") -> Verdict:
    """Whether one end may connect to a port of the other: its own egress and the other's ingress have to let it."""
    out = passes(policies, "Egress", source, target, port, protocol)
    if not out.allowed:
        return out
    into = passes(policies, "Ingress", target, source, port, protocol)
    return into if into.why or not into.allowed else out


def passes(policies: Sequence[Json], direction: Direction, pod: End, peer: End, port: int, protocol: str) -> Verdict:
    """Whether the policies about a pod let through what a peer sends it (Ingress), or what it sends a peer (Egress)."""
    about = selecting(policies, pod, direction)
    if not about:
        return Verdict(True, "")
    target = pod if direction == "Ingress" else peer
    for policy in about:
        for place, rule in enumerate(policy["spec"].get(direction.lower()) or []):
            peers, ports = rule.get("from" if direction == "Ingress" else "to"), rule.get("ports")
            by_peer = not peers or any(_is_peer(one, policy, peer) for one in peers)
            if by_peer and (not ports or any(_is_port(one, target, port, protocol) for one in ports)):
                return Verdict(True, f"{_name(policy)}: {direction.lower()}[{place}]")
    return Verdict(False, f"no {direction.lower()} rule of {', '.join(map(_name, about))} lets it")


def selecting(policies: Sequence[Json], pod: End, direction: Direction) -> Sequence[Json]:
    """The policies about a pod, for what comes in or goes out."""
    return [policy for policy in policies if direction in _types(policy["spec"]) and _selects(policy, pod)]


def _name(policy: Json) -> str:
    return f"NetworkPolicy/{policy['metadata'].get('name', '')}"


def _types(spec: Json) -> Iterable[str]:
    """What a policy is about. Without policyTypes: ingress, and egress where it has rules for it."""
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _selects(policy: Json, pod: End) -> bool:
    inside = bool(pod.namespace) and pod.namespace == policy["metadata"].get("namespace")
    return inside and matches(policy["spec"].get("podSelector") or {}, pod.labels)


def _is_peer(peer: Json, policy: Json, end: End) -> bool:
    block, pods, namespaces = (peer.get(key) for key in ("ipBlock", "podSelector", "namespaceSelector"))
    if block is not None:
        inside = _within(end.address, block["cidr"])
        return inside and not any(_within(end.address, other) for other in block.get("except") or [])
    if not end.namespace or (pods is None and namespaces is None):
        return False
    if namespaces is None:
        at_home = end.namespace == policy["metadata"].get("namespace")
    else:
        at_home = matches(namespaces, {**end.namespace_labels, NAMESPACE_LABEL: end.namespace})
    return at_home and matches(pods or {}, end.labels)


def _within(address: str, network: str) -> bool:
    if not address:
        return False
    there, block = ipaddress.ip_address(address), ipaddress.ip_network(network, strict=False)
    return there.version == block.version and there in block


def _is_port(wanted: Json, target: End, port: int, protocol: str) -> bool:
    if (wanted.get("protocol") or "TCP") != protocol:
        return False
    first = wanted.get("port")
    if isinstance(first, str):
        return target.ports.get((first, protocol)) == port
    return first is None or first <= port <= (wanted.get("endPort") or first)


def matches(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector of Kubernetes'; an empty one is met by all."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(expression, labels) for expression in expressions
    )


def _meets(expression: Json, labels: Mapping[str, str]) -> bool:
    """A label that is not there is NotIn any values (apimachinery, labels/selector.go, `Requirement.Matches`)."""
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    if operator in ("In", "NotIn"):
        return bool((key in labels and labels[key] in values) == (operator == "In"))
    return bool((key in labels) == (operator == "Exists"))


def end_of(pod: Pod) -> End:
    """A rendered pod as an end of connections."""
    ports = {
        (port["name"], port.get("protocol") or "TCP"): int(port["containerPort"])
        for container in pod.containers
        for port in container.all("ports")
        if port.get("name")
    }
    # What becomes of a policy on the node's network Kubernetes leaves to the plugin: most tell no pod from its node.
    namespace = "" if pod.spec.get("hostNetwork") else pod.owner.namespace
    return End(namespace, pod.labels, ports=ports)


def opens(policies: Sequence[Json], pod: End, port: int, protocol: str = "TCP") -> bool:
    """Whether the policies about a pod let anybody in to a port of it but pods that the same policy is about."""
    about = selecting(policies, pod, "Ingress")
    rules = [
        rule.get("ports")
        for policy in about
        for rule in policy["spec"].get("ingress") or []
        if rule.get("from") != [{"podSelector": policy["spec"].get("podSelector")}]
    ]
    return not about or any(not ports or any(_is_port(one, pod, port, protocol) for one in ports) for ports in rules)
