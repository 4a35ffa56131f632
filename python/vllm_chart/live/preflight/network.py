"""Whether anybody in the cluster enforces the release's NetworkPolicies."""

import re
from collections.abc import Iterator

from kubernetes.client import V1Pod

from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted

#: DaemonSets of network plugins that enforce policies, by their projects' own manifests: Calico, with or without
#: flannel; Cilium (GKE's is called anetd), Antrea, kube-router, OVN-Kubernetes, kube-ovn, OpenShift's SDN, Weave Net,
#: kube-network-policies, Azure's.
ENFORCING = frozenset(
    (
        *("calico-node", "canal", "rke2-canal", "cilium", "anetd", "antrea-agent", "kube-router", "ovnkube-node"),
        *("ovs-ovn", "sdn", "weave-net", "kube-network-policies", "azure-npm"),
    )
)
#: Flannel leaves policies to others (https://github.com/flannel-io/flannel), or has one of these beside it in its pod.
FLANNEL, BESIDE = ("kube-flannel-ds", "kube-flannel"), "kube-network-policies"
#: kind's own, which enforces since kind 0.24 (its release notes): by the date in the image's tag.
KINDNET, KINDNET_SINCE = "kindnet", 20240813
#: Amazon's, whose agent has to be told (https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html).
AMAZON, AMAZON_OPTION = "aws-node", "--enable-network-policy="


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """A plugin that is known to enforce none; and, of values that count on policies, that nothing is known."""
    if not any(one.kind == "NetworkPolicy" for one in wanted.manifests):
        return
    enforces = {name: _enforces(name, pod) for pod in snapshot.pods or () if (name := _daemon(pod))}
    if True in enforces.values() or _brings_its_own(snapshot):
        return
    counted_on = _counted_on(wanted)
    idle = sorted(name for name, does in enforces.items() if does is False)
    if idle:
        message = f"{idle[0]} enforces no NetworkPolicy as it is, and nothing else here is known to: nobody is kept out"
        remedy = "turn it on there, or install what enforces policies"
        yield Finding("network-policies", f"DaemonSet/{idle[0]}", message, remedy, "warning" if counted_on else "info")
    elif counted_on:
        seen = "its DaemonSets tell nothing" if snapshot.pods is not None else "its pods are not yours to see"
        message = f"cannot tell whether a network plugin enforces NetworkPolicies: {seen}"
        remedy = "deny a pod all, and try to reach it"
        yield Finding("network-policies", "cluster", message, remedy, "info")


def _daemon(pod: V1Pod) -> str:
    """The name of the DaemonSet that a pod is of; "" for another pod."""
    owners = (pod.metadata.owner_references if pod.metadata else None) or []
    return next((owner.name for owner in owners if owner.kind == "DaemonSet"), "")


def _enforces(name: str, pod: V1Pod) -> bool | None:
    """Whether a DaemonSet enforces policies; None where it does not tell."""
    containers = (pod.spec.containers if pod.spec else None) or []
    if name in ENFORCING or any(BESIDE in (one.image or "") for one in containers):
        return True
    if name in FLANNEL:
        return False
    if name == KINDNET:
        dates = [int(found[1]) for one in containers if (found := re.search(r":v(\d{8})-", one.image or ""))]
        return dates[0] >= KINDNET_SINCE if dates else None
    if name == AMAZON:
        said = [word for one in containers for word in one.args or [] if word.startswith(AMAZON_OPTION)]
        return said[0] == f"{AMAZON_OPTION}true" if said else None
    return None


def _brings_its_own(snapshot: Snapshot) -> bool:
    """k3s has kube-router's firewall in its own process (https://docs.k3s.io/networking/networking-services)."""
    infos = [node.status.node_info for node in snapshot.nodes or () if node.status and node.status.node_info]
    return any("+k3s" in (info.kubelet_version or "") for info in infos)


def _counted_on(wanted: Wanted) -> bool:
    """Whether the values narrow what is open by default."""
    policy = wanted.values.get("networkPolicy") or {}
    given = policy.get("ingress") or {}
    narrowed = not isinstance(given.get("from", ""), str)
    return narrowed or bool((policy.get("egress") or {}).get("enabled"))
