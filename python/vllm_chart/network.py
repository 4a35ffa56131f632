"""Warnings about values that narrow a release's NetworkPolicy, and by that keep out or in what they need themselves."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.vllm_args import peers
from vllm_chart.vllm_args.container import of_release

NAME = "narrowed-policies"
CHECKS = (
    Check(
        NAME,
        "What the values themselves ask for is let through where they narrow the NetworkPolicy.",
        "The policy does what it says, and the pods wait for a proxy, a collector, an engine or a client in vain.",
        "Network",
    ),
)

#: What the chart finds by itself: numbers, Services, this pod (charts/vllm/templates/_network_policy.tpl).
KNOWN = re.compile(r"(localhost|[0-9.]+|\[[^]]*\]|[-a-z0-9]+(\.[-a-z0-9]+(\.svc(\..*)?)?)?)")
ADDRESS = re.compile(r"(?P<scheme>[A-Za-z]+://)?([^/@]*@)?(?P<host>\[[^]]*\]|[^:/?#]+)(:(?P<port>\d+))?")


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Warnings about a rendered release of charts/vllm; none where its policy is as it comes.

    values: the merged values. app_version: the version that an empty image.tag stands for.
    """
    policy = values.get("networkPolicy") or {}
    if not policy.get("enabled"):
        return []
    ingress, egress = policy["ingress"], policy["egress"]
    narrowed, closed = _narrowed(ingress), _closed(egress)
    if (narrowed or egress["enabled"]) and values.get("hostNetwork"):
        message = "the policy holds for no pod on its node's network (hostNetwork), whatever it says"
        return [_warning("networkPolicy", message, "write hostNetwork: false, or keep others out at the nodes")]
    return [
        *(_from_outside(values, ingress) if narrowed else ()),
        *(_not_let_out(values) if closed else ()),
        *_peers(manifests, values, app_version, not_in=narrowed and not ingress.get("extra"), not_out=closed),
    ]


def check_endpoint(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """The same of charts/vllm-endpoint."""
    policy = values.get("networkPolicy") or {}
    if not policy.get("enabled"):
        return []
    return [
        *(_from_outside(values, policy["ingress"]) if _narrowed(policy["ingress"]) else ()),
        *(_services_ports(values) if _closed(policy["egress"]) else ()),
    ]


def _narrowed(ingress: Mapping[str, Any]) -> bool:
    return not isinstance(ingress["from"], str)


def _closed(egress: Mapping[str, Any]) -> bool:
    """Whether nothing is let out but what the chart finds by itself."""
    return bool(egress["enabled"]) and not egress.get("to") and not egress.get("extra")


def _warning(where: str, message: str, remedy: str) -> Finding:
    return Finding(NAME, where, message, remedy, severity="warning")


def _from_outside(values: Mapping[str, Any], ingress: Mapping[str, Any]) -> Iterator[Finding]:
    """A Service for clients outside, none of whom a selector matches."""
    rules = [*(ingress.get("extra") or []), {"from": ingress["from"]}]
    everybody = any(not rule.get("from") for rule in rules[:-1] if rule is not None)
    blocks = [peer for rule in rules if rule for peer in rule.get("from") or [] if peer and peer.get("ipBlock")]
    kind = values["service"]["type"]
    if kind != "ClusterIP" and not blocks and not everybody:
        message = f"a {kind} is for clients outside the cluster, and no selector matches them"
        yield _warning("networkPolicy.ingress.from", message, "add their networks: {ipBlock: {cidr: …}}")


def _not_let_out(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Addresses that the engine is told to ask, by a name outside the cluster and another port than 443."""
    proxy, hub = values.get("proxy") or {}, values.get("hub") or {}
    asked = {f"proxy.{key}": proxy.get(key) for key in ("httpProxy", "httpsProxy")}
    asked["objectStorage.endpoint"] = (values.get("objectStorage") or {}).get("endpoint")
    asked["tracing.endpoint"] = (values.get("tracing") or {}).get("endpoint")
    if not hub.get("offline"):
        asked["hub.endpoint"] = hub.get("endpoint")
    for key, text in asked.items():
        address = ADDRESS.match(str(text or ""))
        if address is None or KNOWN.fullmatch(address["host"]):
            continue
        port = int(address["port"] or (443 if (address["scheme"] or "").lower() == "https://" else 80))
        if port != 443 or hub.get("offline"):
            message = f"lets out to private addresses and names nowhere, and so not to {address['host']}:{port} ({key})"
            remedy = f"write egress.extra: [{{to: [{{ipBlock: {{cidr: …}}}}], ports: [{{port: {port}}}]}}]"
            yield _warning("networkPolicy.egress", message, remedy)


def _services_ports(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Ports of models that are a Service's and not its pods', where hardly anything listens below 1024."""
    asked: dict[int, list[str]] = {}
    for name, model in values["models"].items():
        asked.setdefault((model or {}).get("port") or 8000, []).append(name)
    for port, (name, *others) in asked.items():
        if port < 1024:
            which = f"models.{name}{f' and {len(others)} more' if others else ''}"
            message = (
                f"lets out to port {port} of {which}, which is rather a Service's: a policy goes by the pods' ports"
            )
            remedy = (
                "write a headless Service and its pods' port, or let out to the latter: "
                "egress.extra: [{to: [{namespaceSelector: {}}], ports: [{port: 8000}]}]"
            )
            yield _warning("networkPolicy.egress", message, remedy)


def _peers(
    manifests: Manifests, values: Mapping[str, Any], app_version: str, *, not_in: bool, not_out: bool
) -> Iterator[Finding]:
    """Pods of other releases that a connector exchanges caches with."""
    engine = of_release(manifests, values, app_version) if not_in or not_out else None
    if engine is None:
        return
    told = engine[2]
    names = [
        one.name
        for one in peers.loaded(told.arguments, told.environment)
        if one.name not in peers.ALONE or one.extra.get("secondary_tiers")
    ]
    if names and not_in:
        message = f"the peers of {names[0]} are in no values, and are kept out"
        yield _warning("networkPolicy.ingress", message, "write extra: [{from: [{podSelector: {matchLabels: {…}}}]}]")
    if names and not_out:
        message = f"the peers of {names[0]} are in no values, and are not reached"
        yield _warning("networkPolicy.egress", message, "write to: [{podSelector: {matchLabels: {…}}}]")
