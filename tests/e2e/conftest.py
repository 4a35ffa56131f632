"""Options and fixtures of the live tests, and what a failed one shows of the cluster."""

import os
import secrets
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_helm_charts.clusters import Cluster as KubeCluster
from pytest_helm_charts.k8s.fixtures import NamespaceFactoryFunc

from ci import tools
from tests.e2e import profiles
from tests.e2e import prometheus as live
from tests.e2e.evidence import evidence
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live.smoke import Release

#: Options, and the markers of the tests that each adds.
ASKED_FOR = (
    ("--drain-nodes", "drains_nodes"),
    ("--faults", "faults"),
    ("--alerts", "alerts"),
    ("--autoscaling", "autoscaling"),
    ("--autoscaling-zero", "autoscaling_zero"),
    ("--autoscaling-hpa", "autoscaling_hpa"),
    ("--tracing", "tracing"),
    ("--adapters", "adapters"),
    ("--download", "download"),
    ("--image-volume", "image_volume"),
    ("--warm-start", "warm_start"),
    ("--object-storage", "object_storage"),
    ("--network", "network"),
    ("--endpoint", "endpoint"),
    ("--prefixes", "prefixes"),
    ("--gateway", "gateway"),
    ("--tls", "tls"),
)
# Where a failure leaves its traces.
NAMESPACES = pytest.StashKey[list[tuple[Cluster, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vllm-chart")
    group.addoption("--release", help="Only check this release, which is there already; nothing is changed.")
    group.addoption("--namespace", default="default", help="The namespace of --release.")
    group.addoption("--drain-nodes", action="store_true", help="Also drain a GPU node: what else is on it has to move.")
    group.addoption("--alerts", action="store_true", help="Also make every alert fire, which takes half an hour.")
    group.addoption("--autoscaling", action="store_true", help="Also let KEDA scale a release, in half an hour.")
    group.addoption("--autoscaling-zero", action="store_true", help="Also go to no replicas, and wake up.")
    group.addoption("--autoscaling-hpa", action="store_true", help="Also let Kubernetes' own autoscaler scale.")
    group.addoption("--adapters", action="store_true", help="Also add, replace and break LoRA adapters.")
    group.addoption("--tracing", action="store_true", help="Also send traces to a collector.")
    group.addoption("--download", action="store_true", help="Also download by a Job, from a Hub that goes wrong.")
    group.addoption("--image-volume", action="store_true", help="Also mount models that the cluster's registry has.")
    group.addoption("--object-storage", action="store_true", help="Also stream a model out of a store in the cluster.")
    group.addoption("--warm-start", action="store_true", help="Also move what is compiled from one node to another.")
    group.addoption("--network", action="store_true", help="Also try who is kept out, where policies are enforced.")
    group.addoption("--endpoint", action="store_true", help="Also revoke, break and roll around an endpoint.")
    group.addoption("--prefixes", action="store_true", help="Also compare prefix hits, with four engines at a time.")
    group.addoption("--gateway", action="store_true", help="Also go through Envoy Gateway, by the chart's routes.")
    group.addoption("--tls", action="store_true", help="Also let an engine speak TLS, and renew its certificate.")
    group.addoption("--faults", action="store_true", help="Also kill, hang and starve engines, and let a node be gone.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "read_only: only looks at a release, so it may run on any (--release)")
    config.addinivalue_line("markers", "drains_nodes: others on the cluster would notice, so it is asked for")
    config.addinivalue_line("markers", "alerts: looks back on minutes, so it is asked for")
    config.addinivalue_line("markers", "autoscaling: needs KEDA and takes long, so it is asked for")
    config.addinivalue_line("markers", "autoscaling_zero: needs KEDA's HTTP add-on and takes long, so it is asked for")
    config.addinivalue_line("markers", "autoscaling_hpa: needs prometheus-adapter in KEDA's place, so it is asked for")
    config.addinivalue_line("markers", "adapters: two engines with LoRA take long to start, so it is asked for")
    config.addinivalue_line("markers", "tracing: needs a collector, so it is asked for")
    config.addinivalue_line("markers", "download: three replicas and a Hub in the cluster, so it is asked for")
    config.addinivalue_line("markers", "image_volume: needs a registry that nodes pull from, so it is asked for")
    config.addinivalue_line("markers", "object_storage: needs an image of its own, so it is asked for")
    config.addinivalue_line("markers", "warm_start: compiles a model, which takes long, so it is asked for")
    config.addinivalue_line("markers", "network: needs a network plugin that enforces policies, so it is asked for")
    config.addinivalue_line("markers", "endpoint: waits for the kubelet and for engines, so it is asked for")
    config.addinivalue_line("markers", "prefixes: four engines at a time take long to start, so it is asked for")
    config.addinivalue_line("markers", "gateway: needs Envoy Gateway and two engines, so it is asked for")
    config.addinivalue_line("markers", "tls: waits for an engine and for the kubelet, so it is asked for")
    config.addinivalue_line("markers", "faults: something is broken on purpose, so it is asked for")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--release"):
        config.hook.pytest_deselected(items=[item for item in items if not item.get_closest_marker("read_only")])
        items[:] = [item for item in items if item.get_closest_marker("read_only")]
    for option, marker in ASKED_FOR:
        for item in items:
            if item.get_closest_marker(marker) and not config.getoption(option):
                item.add_marker(pytest.mark.skip(reason=f"not asked for: {option}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for cluster, namespace in item.config.stash.get(NAMESPACES, []):
            report.sections.append((f"namespace {namespace}", evidence(cluster, namespace)))
    return report


@pytest.fixture(scope="session")
def kubeconfig(pytestconfig: pytest.Config) -> Path:
    """The kubeconfig that --kubeconfig or KUBECONFIG names, as for pytest-helm-charts."""
    path = pytestconfig.getoption("--kubeconfig") or os.environ.get("KUBECONFIG")
    if not path:
        raise pytest.UsageError("name a cluster: --kubeconfig ~/.kube/config")
    return Path(path).expanduser()


@pytest.fixture(scope="session", autouse=True)
def kubectl_on_path() -> None:
    """The harness's own kubectl is used where PATH has none that fits."""
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    with Cluster(kubeconfig) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def helm(kubeconfig: Path) -> Helm:
    return Helm(command=str(tools.helm()), kubeconfig=kubeconfig)


@pytest.fixture(scope="session")
def profile(cluster: Cluster) -> Profile:
    return profiles.choose(cluster)


@pytest.fixture(scope="module")
def namespace(
    pytestconfig: pytest.Config,
    namespace_factory: NamespaceFactoryFunc,
    kube_cluster: KubeCluster,
    cluster: Cluster,
    profile: Profile,
) -> Iterator[str]:
    """A namespace of the module's own, with the models in it. It enforces the strictest Pod Security Standard."""
    name = f"vllm-e2e-{secrets.token_hex(3)}"
    namespace_factory(name, {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}})
    for config_map, folder in profile.folders.items():
        kube_cluster.kubectl(f"create configmap {config_map}", namespace=name, **{"from-file": str(folder)})
    pytestconfig.stash[NAMESPACES] = [(cluster, name)]
    yield name
    pytestconfig.stash[NAMESPACES] = []


@pytest.fixture(scope="module")
def prometheus(pytestconfig: pytest.Config, cluster: Cluster, namespace: str) -> Iterator[Prometheus]:
    """The cluster's Prometheus."""
    with live.reach(cluster) as prometheus:
        pytestconfig.stash[NAMESPACES].append((cluster, live.NAMESPACE))
        yield prometheus


@pytest.fixture(scope="module")
def keda(cluster: Cluster) -> None:
    """Is there, or the test skips."""
    if "keda" not in _serves_external_metrics(cluster):
        pytest.skip("needs KEDA: `ci/run cluster -- up --autoscaling`")


@pytest.fixture(scope="module")
def prometheus_adapter(cluster: Cluster) -> None:
    """Is there, or the test skips."""
    if "adapter" not in _serves_external_metrics(cluster):
        pytest.skip("needs prometheus-adapter: `ci/run cluster -- up --autoscaling-hpa`")


def _serves_external_metrics(cluster: Cluster) -> str:
    """The one Service of a cluster that does, "namespace/name"; empty if none."""
    apis: Any = cluster.custom.list_cluster_custom_object("apiregistration.k8s.io", "v1", "apiservices")
    for api in apis["items"]:
        if api["metadata"]["name"] == "v1beta1.external.metrics.k8s.io":
            service = api["spec"].get("service") or {}
            return f"{service.get('namespace')}/{service.get('name')}"
    return ""


@pytest.fixture
def existing_release(pytestconfig: pytest.Config, kubeconfig: Path) -> Release | None:
    """The release of --release, if one is named."""
    name = pytestconfig.getoption("--release")
    return Release(name, pytestconfig.getoption("--namespace"), kubeconfig) if name else None
