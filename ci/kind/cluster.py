"""The kind cluster: created, brought back after its engine was killed, given its GPUs and images, removed."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ci import engine as engines
from ci import images, tools, versions
from ci.engine import Engine
from ci.kind import node as node_image
from ci.kind import parts
from ci.kind.loading import load
from ci.kind.node import NodeImage
from ci.kind.nodes import GPU_RESOURCE, advertise_gpu, answers, connect, kubeconfig, kubectl, list_nodes
from ci.shell import HarnessError, cache_dir, only_one, run, say, step, wait_until

NAME = "vllm-chart"
CONFIG = Path(__file__).with_name("cluster.yaml")
NODES = 3
READY_SECONDS = 180
# Of what the live tests and the benches make, one run at a time.
OF_TESTS = ("vllm-e2e-", "vllm-bench-")
NO_FINALIZERS = '{"metadata": {"finalizers": null}}'
PROVISIONER = ("deployment/local-path-provisioner", "--namespace=local-path-storage")


def up(sets: Iterable[str] = ()) -> None:
    """Have a healthy cluster with its images: does what is missing, nothing if nothing is. Raises HarnessError.

    sets: of parts that it is to have as well, by their names in `parts.SETS`.
    """
    with only_one("kind"):
        engine = engines.ensure()
        image = node_image.ensure(engine)
        images.ensure()
        if not _bring_back(engine, image):
            _create(engine, image)
        load([versions.ENGINE_IMAGE], "gpu")
        load([versions.CLIENT_IMAGE], "all")
        load([versions.ENVOY_IMAGE], "cpu")
        parts.ensure(sets)
    say(f"The cluster is up: export KUBECONFIG={kubeconfig()}")


def down() -> None:
    """Remove the cluster, and end the engine if we started it. Caches and built images stay."""
    with only_one("kind"):
        if engines.running() or _made_from().exists():  # a dead engine still has the nodes on its disk
            with step("Remove the cluster"):
                _delete(engines.ensure())
            engines.stop()


@only_one("kind")
def clear() -> None:
    """Remove what tests left that were killed: they hold GPUs, and may have drained a node. Raises HarnessError."""
    namespaces = [name for name in _names("namespaces") if name.startswith(OF_TESTS)]
    pods = [name for name in _names("pods", "--namespace=default") if name.startswith(OF_TESTS)]
    now = ("--force", "--grace-period=0", "--ignore-not-found")
    for namespace in namespaces:
        _release_scaled_objects(namespace)
        say(f"  {namespace} was left by a run that was killed: it is removed")
        kubectl("delete", "deployments,jobs", "--all", f"--namespace={namespace}")
        kubectl("delete", "pods", "--all", f"--namespace={namespace}", *now)
    if pods:
        kubectl("delete", "pods", "--namespace=default", *pods, *now)
    if namespaces:
        kubectl("delete", "namespaces", *namespaces, "--ignore-not-found", "--wait")
    kubectl("uncordon", *_names("nodes"))


def _release_scaled_objects(namespace: str) -> None:
    """Let go of what only KEDA would finish, which may not run any more: its namespace would never end."""
    if answers("/apis/keda.sh/v1alpha1"):
        for name in _names("scaledobjects", f"--namespace={namespace}"):
            kubectl("patch", "scaledobject", name, f"--namespace={namespace}", "--type=merge", "--patch", NO_FINALIZERS)


def _names(kind: str, *options: str) -> list[str]:
    return kubectl("get", kind, *options, "--output=jsonpath={.items[*].metadata.name}").split()


def stop_node(name: str) -> None:
    """Let a node be gone, as if its power was cut. `up` brings it back. Raises HarnessError."""
    engines.ensure().run("stop", "--time", "0", name)


def status() -> None:
    """Print the nodes. Raises HarnessError if the cluster is not there or not healthy."""
    remedy = "`python -m ci.kind up` makes or mends it"
    if not engines.running() or not _containers(engines.ensure()):
        raise HarnessError(f"there is no cluster: {remedy}")
    if not _api_is_ready():
        raise HarnessError(f"the API server does not answer: {remedy}")
    nodes = list_nodes()
    for node in nodes:
        print(f"{node.name:28} {'ready' if node.ready else 'NOT READY':10} {GPU_RESOURCE}: {node.gpus}")
    working = parts.health()
    for name, works in working.items():
        print(f"{name:28} {'at work' if works else 'NO ANSWER'}")
    print(f"\nkubeconfig: {kubeconfig()} (and context kind-{NAME} of your own)")
    if len(nodes) != NODES or not all(node.ready and node.gpus == node.gpu for node in nodes):
        raise HarnessError(f"the cluster is not healthy: {remedy}")
    if not all(working.values()):
        raise HarnessError("a part does not answer: `python -m ci.kind up` with the option that installed it mends it")


def _create(engine: Engine, image: NodeImage) -> None:
    with step("Create the cluster", remedy="`python -m ci.kind down`, then again. Is there memory and disk?"):
        _delete(engine)
        _made_from().write_text(_config(image))
        create = [str(tools.kind()), "create", "cluster", "--name", NAME, "--image", image.reference]
        run(*create, "--config", _made_from(), "--kubeconfig", kubeconfig(), env=engine.env)
        _settle(engine, image)


def _made_from() -> Path:
    """A copy of the configuration that the cluster was made from."""
    return cache_dir() / "cluster.yaml"


def _config(image: NodeImage) -> str:
    config = f"# {image.reference}\n{CONFIG.read_text()}"
    return config if image.has_cni else f"{config}networking:\n  disableDefaultCNI: true\n"


def _bring_back(engine: Engine, image: NodeImage) -> bool:
    """Whether there is a cluster that is healthy, or could be made so again."""
    containers = _containers(engine)
    if not containers:
        return False
    made_from = _made_from().read_text() if _made_from().exists() else ""
    if len(containers) != NODES or made_from != _config(image):
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
    for where in _kubeconfigs():
        run(tools.kind(), "export", "kubeconfig", "--name", NAME, *where, env=engine.env)
    wait_until("the API server is ready", _api_is_ready, READY_SECONDS)

    def all_report() -> bool:
        nodes = list_nodes()
        return len(nodes) == NODES and all(
            node.pod_cidr and node.reported and node.reported >= started[node.name] for node in nodes
        )

    wait_until("every node reports to the API server", all_report, READY_SECONDS)
    nodes = list_nodes()
    if not image.has_cni:
        connect(engine, nodes)
    for node in nodes:
        if node.gpu:
            advertise_gpu(engine, node)
    # What the API server says of the rest may date from before a restart, until these have taken up their work.
    control_plane = started[f"{NAME}-control-plane"]
    wait_until("the controllers work", lambda: all(t >= control_plane for t in _controller_times()), READY_SECONDS)
    wait_until("every node is ready", lambda: all(node.ready for node in list_nodes()), READY_SECONDS)
    timeout = f"--timeout={READY_SECONDS}s"
    kubectl("wait", "--for=condition=Ready", "pods", "--all", "--namespace=kube-system", timeout)
    if _provisioner_predates(control_plane):  # it exits, ever more seldom restarted, while it does not reach the API
        kubectl("rollout", "restart", *PROVISIONER)
    kubectl("rollout", "status", *PROVISIONER, timeout)
    # An answer through the Service of CoreDNS proves that pods are reached across nodes.
    path = "/api/v1/namespaces/kube-system/services/kube-dns:metrics/proxy/metrics"
    wait_until("the cluster's DNS answers", lambda: answers(path), READY_SECONDS)


def _controller_times() -> list[datetime]:
    """When the controller manager and the scheduler last said that they lead."""
    leases = ("leases/kube-controller-manager", "leases/kube-scheduler")
    listing = kubectl("get", *leases, "--namespace=kube-system", "--output=jsonpath={.items[*].spec.renewTime}")
    return [datetime.fromisoformat(time) for time in listing.split()]


def _provisioner_predates(start: datetime) -> bool:
    """Whether the volumes' provisioner was running before."""
    listing = kubectl("get", "pods", PROVISIONER[1], "--output=jsonpath={.items[*].status.startTime}")
    return any(datetime.fromisoformat(time) < start for time in listing.split())


def _api_is_ready() -> bool:
    return answers("/readyz")


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


def _kubeconfigs() -> list[list[str]]:
    """kind's options for the two files that hold the access: the cluster's own, and the user's (no option)."""
    return [["--kubeconfig", str(kubeconfig())], []]


def _delete(engine: Engine) -> None:
    for where in _kubeconfigs():
        run(tools.kind(), "delete", "cluster", "--name", NAME, *where, env=engine.env)
    for file in (kubeconfig(), _made_from()):
        file.unlink(missing_ok=True)
    if engine.output("network", "ls", "--quiet", "--filter", "name=^kind$"):
        users = engine.output("ps", "--all", "--quiet", "--filter", "network=kind")
        if not users:  # kind leaves it; another kind cluster may be on it
            engine.run("network", "rm", "kind")
