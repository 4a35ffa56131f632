"""Whether the engine listens on the addresses that pods have in this cluster."""

import ipaddress
import itertools
from collections.abc import Iterator

from kubernetes.client import V1Node

from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered.pods import engines


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """An engine that listens on IPv4 alone, where pods are reached by IPv6: the kubelet asks a pod's first address."""
    nodes = {(node.metadata.name if node.metadata else None) or "": _first(node) for node in snapshot.nodes or ()}
    six = sorted(name for name, address in nodes.items() if address is not None and address.version == 6)
    for _, engine in engines(wanted.manifests):
        host = _host([str(word) for word in engine.all("args")])
        if six and host is not None and ":" not in host and not host.startswith("$("):
            yield Finding(
                "addresses",
                f"Node/{six[0]}",
                f"pods get IPv6 addresses here, and the engine listens on {host or '0.0.0.0'} alone",
                "write service.ipFamilies: [IPv6]"
                if not host
                else 'write engine.args.host: "::", which takes both, or leave it out',
            )


def _host(arguments: list[str]) -> str | None:
    """What `--host` says, empty where nothing does; None where an engine of other arguments decides."""
    if not arguments:
        return None
    hosts = [word.removeprefix("--host=") for word in arguments if word.startswith("--host=")]
    hosts += [after for word, after in itertools.pairwise(arguments) if word == "--host"]
    return hosts[-1] if hosts else ""


def _first(node: V1Node) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The first address of a node's range for pods, or else of the node itself, whose family pods have first."""
    ranges = (node.spec.pod_cidrs if node.spec else None) or []
    addresses = (node.status.addresses if node.status else None) or []
    internal = [one.address for one in addresses if one.type == "InternalIP"]
    for text in [*(one.partition("/")[0] for one in ranges[:1]), *internal[:1]]:
        try:
            return ipaddress.ip_address(text)
        except ValueError:
            continue
    return None
