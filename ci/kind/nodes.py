"""The cluster's nodes as the API server sees them, and what is done to each: its network, its GPU."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ci import tools
from ci.engine import Engine
from ci.shell import cache_dir, output, succeeds

GPU_LABEL = "doks.digitalocean.com/gpu-brand"
GPU_RESOURCE = "nvidia.com/gpu"
DEVICE_PLUGINS = "/var/lib/kubelet/device-plugins"
REGISTRIES = "/etc/containerd/certs.d"
CNI_CONFIG = "/etc/cni/net.d/10-ptp.conflist"


@dataclasses.dataclass(frozen=True)
class Node:
    """A node as the API server reports it. Its name is also its container's."""

    name: str
    address: str
    pod_cidr: str
    gpu: bool
    gpus: int  # that it advertises
    ready: bool
    reported: datetime | None  # when its kubelet last did


def kubeconfig() -> Path:
    """The kubeconfig file that holds this cluster and nothing else."""
    return cache_dir() / "kubeconfig"


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """What `kubectl …` prints about this cluster. Raises HarnessError."""
    return output(tools.kubectl(), "--kubeconfig", kubeconfig(), *arguments, stdin=stdin)


def answers(path: str) -> bool:
    """Whether the API server answers a GET of `path` with success."""
    return succeeds(tools.kubectl(), "--kubeconfig", str(kubeconfig()), "get", "--raw", path)


def list_nodes() -> list[Node]:
    """The nodes that have joined. Raises HarnessError."""
    return parse_nodes(json.loads(kubectl("get", "nodes", "--output=json")))


def parse_nodes(listing: dict[str, Any]) -> list[Node]:
    """The nodes of a NodeList."""
    return [_parse(item) for item in listing["items"]]


def _parse(item: dict[str, Any]) -> Node:
    status = item["status"]
    addresses = {entry["type"]: entry["address"] for entry in status["addresses"]}
    ready = next((entry for entry in status.get("conditions", []) if entry["type"] == "Ready"), None)
    return Node(
        name=item["metadata"]["name"],
        address=addresses["InternalIP"],
        pod_cidr=item["spec"].get("podCIDR", ""),
        gpu=GPU_LABEL in item["metadata"]["labels"],
        gpus=int(status.get("allocatable", {}).get(GPU_RESOURCE, "0")),
        ready=ready is not None and ready["status"] == "True",
        reported=datetime.fromisoformat(ready["lastHeartbeatTime"]) if ready else None,
    )


def connect(engine: Engine, nodes: Sequence[Node]) -> None:
    """What kindnet does: each node's pods on point-to-point links, and routes to the pods of the others."""
    for node in nodes:
        routes = [f"ip route replace {other.pod_cidr} via {other.address}" for other in nodes if other is not node]
        # containerd reads the file again whenever it changes, so only a new one is put in place.
        write = f"cat > {CNI_CONFIG}.new; cmp -s {CNI_CONFIG}.new {CNI_CONFIG} || mv {CNI_CONFIG}.new {CNI_CONFIG}"
        script = "\n".join([*routes, write])
        engine.run("exec", "--interactive", node.name, "sh", "-euc", script, stdin=cni_config(node.pod_cidr))


def cni_config(pod_cidr: str) -> str:
    """The CNI configuration of a node whose pods have addresses of `pod_cidr`, as JSON."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "routes": [{"dst": "0.0.0.0/0"}],
        "ranges": [[{"subnet": pod_cidr}]],
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return json.dumps({"cniVersion": "1.0.0", "name": "ptp", "plugins": plugins}, indent=2)


def reach_registry(engine: Engine, nodes: Sequence[Node], host: str, address: str) -> None:
    """Have nodes pull images of the registry `host` from an address, by HTTP. No restart: containerd reads this file
    at each pull (docs/hosts.md of containerd)."""
    folder = f"{REGISTRIES}/{host}"
    script = f"mkdir -p {folder}; cat > {folder}/hosts.toml"
    for node in nodes:
        engine.run("exec", "--interactive", node.name, "sh", "-euc", script, stdin=f'server = "http://{address}"\n')


def advertise_gpu(engine: Engine, node: Node) -> None:
    """Simulate a device plugin: the scheduler counts what the node's status says.

    A kubelet that starts zeroes such resources while its folder for device plugins is empty (Kubernetes' own
    pkg/kubelet/cm/devicemanager, `ShouldResetExtendedResourceCapacity`), so a file is put there.
    """
    engine.run("exec", node.name, "touch", f"{DEVICE_PLUGINS}/simulated")
    gpu = {GPU_RESOURCE: "1"}
    patch = json.dumps({"status": {"capacity": gpu, "allocatable": gpu}})
    kubectl("patch", "node", node.name, "--subresource=status", f"--patch={patch}")
