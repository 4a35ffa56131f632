"""The kind cluster: created, brought back after its engine was killed, given its GPUs and images, removed."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ci import engine as engines
from ci import images, tools, versions
from ci.engine import Engine
from ci.kind import node_image
from ci.kind.node_image import NodeImage
from ci.shell import HarnessError, cache_dir, only_one, output, run, say, step, succeeds, wait_until

NAME = "vllm-chart"
CONTEXT = f"kind-{NAME}"
CONFIG = Path(__file__).with_name("cluster.yaml")
NODES = 3
GPU_LABEL = "doks.digitalocean.com/gpu-brand"
GPU_RESOURCE = "nvidia.com/gpu"
IMAGE_LABEL = "vllm-chart/image-id"
CNI_CONFIG = "/etc/cni/net.d/10-ptp.conflist"

READY_SECONDS = 180

NodeKind = Literal["all", "cpu", "gpu"]


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


def up() -> None:
    """Have a healthy cluster with its images: does what is missing, nothing if nothing is. Raises HarnessError."""
    with only_one("kind"):
        engine = engines.ensure()
        image = node_image.ensure(engine)
        images.ensure()
        if not _bring_back(engine, image):
            _create(engine, image)
        for path in (kubeconfig(), None):
            _export_kubeconfig(path)
        load([versions.ENGINE_IMAGE], "gpu")
        load([versions.CLIENT_IMAGE], "cpu")


def down() -> None:
    """Remove the cluster, and end the engine if we started it. Caches and built images stay."""
    with only_one("kind"):
        if engines.running():
            with step("Remove the cluster"):
                _delete(engines.ensure())
            engines.stop()


def status() -> None:
    """Print the nodes. Raises HarnessError if the cluster is not there or not healthy."""
    remedy = "`python -m ci.kind up` makes or mends it"
    if not engines.running() or not _containers(engines.ensure()):
        raise HarnessError(f"there is no cluster: {remedy}")
    if not _api_is_ready():
        raise HarnessError(f"the API server does not answer: {remedy}")
    nodes = _nodes()
    for node in nodes:
        print(f"{node.name:28} {'ready' if node.ready else 'NOT READY':10} {GPU_RESOURCE}: {node.gpus}")
    print(f"\nkubeconfig: {kubeconfig()}, and context {CONTEXT} of your own")
    if len(nodes) != NODES or not all(node.ready and node.gpus == node.gpu for node in nodes):
        raise HarnessError(f"the cluster is not healthy: {remedy}")


def load(references: Sequence[str], nodes: NodeKind) -> None:
    """Copy images from the engine to nodes, but for those that a node has already.

    Args:
        references: images in the engine.
        nodes: which nodes get them.

    Raises:
        HarnessError: the engine has no such image, or a node could not take it.
    """
    engine = engines.ensure()
    chosen = [node for node in _nodes() if nodes == "all" or node.gpu == (nodes == "gpu")]
    for reference in references:
        image_id = engine.image_id(reference)
        if image_id is None:
            raise HarnessError(f"the engine has no image {reference}: `python -m ci.images` makes it")
        for node in chosen:
            if not _has_image(engine, node, reference, image_id):
                with step(f"Load {reference} on {node.name}", remedy="Is the disk full?"):
                    _load(engine, node, reference, image_id)


def _has_image(engine: Engine, node: Node, reference: str, image_id: str) -> bool:
    listing = engine.output("exec", node.name, *_CTR, "ls", f"name=={qualified(reference)}")
    return f"{IMAGE_LABEL}={image_id}" in listing


def _load(engine: Engine, node: Node, reference: str, image_id: str) -> None:
    # The label says which image this is in the engine's terms: containerd's own digest is another.
    options = ["--local", "--discard-unpacked-layers", "--label", f"{IMAGE_LABEL}={image_id}"]
    pipe = '"$0" save "$1" | "$0" exec --interactive "$2" "${@:3}" -'
    command = [*_CTR, "import", *options]
    run("bash", "-o", "pipefail", "-c", pipe, engine.docker, reference, node.name, *command, env=engine.env)


_CTR = ("ctr", "--namespace", "k8s.io", "images")


def qualified(reference: str) -> str:
    """An image reference in full, as containerd names it: `python:3.13` is `docker.io/library/python:3.13`."""
    first, _, rest = reference.partition("/")
    if not rest:
        return f"docker.io/library/{reference}"
    is_registry = "." in first or ":" in first or first == "localhost"
    return reference if is_registry else f"docker.io/{reference}"


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """What `kubectl …` prints about this cluster. Raises HarnessError."""
    return output(tools.kubectl(), "--kubeconfig", kubeconfig(), *arguments, stdin=stdin)


def _create(engine: Engine, image: NodeImage) -> None:
    with step("Create the cluster", remedy="`python -m ci.kind down`, then again. Is there memory and disk?"):
        _delete(engine)
        config = cache_dir() / "cluster.yaml"
        config.write_text(_config(image))
        options = [
            "--name",
            NAME,
            "--config",
            str(config),
            "--image",
            image.reference,
            "--kubeconfig",
            str(kubeconfig()),
        ]
        run(tools.kind(), "create", "cluster", *options, env=engine.env)
        _settle(engine, image)


def _config(image: NodeImage) -> str:
    config = f"# {image.reference}\n{CONFIG.read_text()}"
    return config if image.has_cni else f"{config}networking:\n  disableDefaultCNI: true\n"


def _bring_back(engine: Engine, image: NodeImage) -> bool:
    """Whether there is a cluster that is healthy, or could be made so again."""
    containers = _containers(engine)
    if not containers:
        return False
    config = cache_dir() / "cluster.yaml"
    if len(containers) != NODES or not config.exists() or config.read_text() != _config(image):
        say("The cluster is incomplete, or was made from another configuration: it is replaced.")
        return False
    try:
        with step("Check the cluster"):
            stopped = sorted(name for name, state in containers.items() if state != "running")
            for name in stopped:  # one by one and in order, so that they are likely to keep their addresses
                say(f"  {name} was stopped: starting it")
                engine.run("start", name)
            _settle(engine, image)
    except HarnessError as error:
        say(f"The cluster does not recover: it is replaced.\n{error}")
        return False
    return True


def _settle(engine: Engine, image: NodeImage) -> None:
    """From nodes that run to a cluster that works. Every part of it may have been done already."""
    started = _start_times(engine)
    wait_until("the API server is ready", _api_is_ready, READY_SECONDS)

    def all_report() -> bool:
        nodes = _nodes()
        return len(nodes) == NODES and all(
            node.pod_cidr and node.reported and node.reported >= started[node.name] for node in nodes
        )

    wait_until("every node reports to the API server", all_report, READY_SECONDS)
    nodes = _nodes()
    if not image.has_cni:
        _connect(engine, nodes)
    for node in nodes:
        if node.gpu and node.gpus != 1:
            _advertise_gpu(node)
    wait_until("every node is ready", lambda: all(node.ready for node in _nodes()), READY_SECONDS)
    for namespace, name in (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner")):
        kubectl("rollout", "status", f"--namespace={namespace}", f"--timeout={READY_SECONDS}s", f"deployment/{name}")
    # An answer from CoreDNS through its Service proves more than a status, which is that of before a restart.
    path = "/api/v1/namespaces/kube-system/services/kube-dns:metrics/proxy/metrics"
    wait_until("the cluster's DNS answers", lambda: _get(path), READY_SECONDS)


def _connect(engine: Engine, nodes: Sequence[Node]) -> None:
    """What kindnet does: each node's pods on point-to-point links, and routes to the pods of the others."""
    for node in nodes:
        routes = [f"ip route replace {other.pod_cidr} via {other.address}" for other in nodes if other is not node]
        script = "\n".join([*routes, f"cat > {CNI_CONFIG}.new && mv {CNI_CONFIG}.new {CNI_CONFIG}"])
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


def _advertise_gpu(node: Node) -> None:
    """Simulate a device plugin: the scheduler counts what the status says. A kubelet's restart undoes it."""
    gpu = {GPU_RESOURCE: "1"}
    patch = json.dumps({"status": {"capacity": gpu, "allocatable": gpu}})
    kubectl("patch", "node", node.name, "--subresource=status", f"--patch={patch}")


def _get(path: str) -> bool:
    return succeeds(tools.kubectl(), "--kubeconfig", str(kubeconfig()), "get", "--raw", path)


def _api_is_ready() -> bool:
    return _get("/readyz")


def _nodes() -> list[Node]:
    return parse_nodes(json.loads(kubectl("get", "nodes", "--output=json")))


def parse_nodes(listing: dict[str, Any]) -> list[Node]:
    """The nodes of a NodeList."""
    return [_parse_node(item) for item in listing["items"]]


def _parse_node(item: dict[str, Any]) -> Node:
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


def _containers(engine: Engine) -> dict[str, str]:
    """The node containers and the state of each (`running`, `exited`, …)."""
    label = f"label=io.x-k8s.kind.cluster={NAME}"
    listing = engine.output("ps", "--all", "--filter", label, "--format", "{{.Names}} {{.State}}")
    return dict(_pairs(listing.splitlines()))


def _start_times(engine: Engine) -> dict[str, datetime]:
    names = _containers(engine)
    listing = engine.output("inspect", "--format", "{{.Name}} {{.State.StartedAt}}", *names)
    # Whole seconds, as the API server's times are; Docker's nanoseconds are more than Python reads.
    return {
        name.removeprefix("/"): datetime.fromisoformat(time.partition(".")[0] + "+00:00")
        for name, time in _pairs(listing.splitlines())
    }


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        first, _, second = line.partition(" ")
        yield first, second


def _export_kubeconfig(path: Path | None) -> None:
    """Write the cluster's access to a file, or, as kind does by default, merge it into the user's own."""
    where = ["--kubeconfig", str(path)] if path else []
    run(tools.kind(), "export", "kubeconfig", "--name", NAME, *where)


def _delete(engine: Engine) -> None:
    for where in (["--kubeconfig", str(kubeconfig())], []):
        run(tools.kind(), "delete", "cluster", "--name", NAME, *where, env=engine.env)
    for file in ("kubeconfig", "cluster.yaml"):
        (cache_dir() / file).unlink(missing_ok=True)
    if engine.output("network", "ls", "--quiet", "--filter", "name=^kind$"):
        users = engine.output("ps", "--all", "--quiet", "--filter", "network=kind")
        if not users:  # kind leaves it; another kind cluster may be on it
            engine.run("network", "rm", "kind")
