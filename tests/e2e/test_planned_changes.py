"""No planned change loses a request.

One release is led through all of them, in this order, while clients ask without pause: streaming or not, over new
connections or kept-alive ones, and each answer long enough to be cut. Nothing is retried. The engine that goes last has
two data-parallel ranks with an API server each: on SIGTERM alone, such an engine drops what it has.
"""

import subprocess
import time
from collections.abc import Iterator

import pytest
from kubernetes.client import V1DeleteOptions, V1Pod

from tests.e2e.clients import pod_name
from tests.e2e.profiles import Profile
from tests.e2e.releases import ROLLOUT_SECONDS, Installation, drain_node
from tests.e2e.traffic import Traffic, Window
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm, HelmError
from vllm_chart.load.asker import REFUSED, UNREACHABLE, Options
from vllm_chart.load.report import to_human

REQUESTS = 1000
ANSWER_SECONDS = 5
# A machine that is busy with more than this may take very long for an answer: it is to be whole, not fast.
PATIENCE_SECONDS = 600
# An answer is cut by whatever happens in its seconds; longer ones only take longer to end after each change.
CLIENTS = Options(
    "", clients=24, max_tokens=32, answer_seconds=8, duration_seconds=7200, timeout_seconds=PATIENCE_SECONDS
)

ONE, TWO = "replicaCount=1", "replicaCount=2"
SURGE = ("strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate.maxUnavailable=0")
# It changes the pods, and nothing else.
VERSION = "podAnnotations.version"
# For two ranks there is no second GPU on the node.
SEVERAL_RANKS = ("parallelism.dataParallelSize=2", "gpu.count=0", "resources.limits.memory=8Gi")
NEVER_READY = ("model.id=absent/absent", "hub.offline=true")
# A pod that loads has nothing to finish.
LOADING_PODS_END_SECONDS = 20
STOP_SECONDS = PATIENCE_SECONDS + 60
HELM_GIVES_UP_SECONDS = 20


@pytest.fixture(scope="module")
def llm(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[Installation]:
    if len(profile.gpu_nodes) < 2:
        pytest.skip("two engines at a time need two nodes with GPUs")
    # Tokens are sent a few at a time, because it is the engines that are to be busy here and not their front ends.
    set_ = ("engine.args.stream-interval=20", f"shutdown.drainSeconds={PATIENCE_SECONDS}")
    installation = Installation(helm, cluster, profile, namespace, "llm", profile.article, set_)
    installation.install(ONE, f"{VERSION}=v1")
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def traffic(llm: Installation) -> Iterator[Traffic]:
    with Traffic.on(llm, CLIENTS) as traffic:
        traffic.wait_for_answers(2 * CLIENTS.clients)
        yield traffic


def _delete(llm: Installation, name: str) -> float:
    """Delete a pod; the seconds that it takes to be gone."""
    began = time.monotonic()
    llm.cluster.core.delete_namespaced_pod(name, llm.namespace, body=V1DeleteOptions())
    gone = ("--for=delete", f"--timeout={STOP_SECONDS}s", f"--namespace={llm.namespace}")
    subprocess.run(llm.cluster.kubectl("wait", f"pod/{name}", *gone), check=True)
    return time.monotonic() - began


def _loading_pod(llm: Installation, version: str) -> str:
    """Wait for a pod of this version whose engine runs and is not ready; its name."""

    def loads(pod: V1Pod) -> bool:
        statuses = (pod.status.container_statuses if pod.status else None) or []
        annotations = (pod.metadata.annotations if pod.metadata else None) or {}
        going = pod.metadata is not None and pod.metadata.deletion_timestamp is not None
        running = any(status.state and status.state.running and not status.ready for status in statuses)
        return running and not going and annotations.get("version") == version

    pod: V1Pod = llm.cluster.wait_for(
        llm.cluster.core.list_namespaced_pod,
        llm.namespace,
        label_selector=llm.selector,
        until=loads,
        timeout_seconds=ROLLOUT_SECONDS,
    )
    return pod_name(pod)


def _assert_nothing_lost(windows: list[Window]) -> None:
    (window,) = windows
    assert window.lost() == [], str(window)
    assert window.report.records, f"{window.change}: nobody asked"


def test_a_replica_comes(llm: Installation, traffic: Traffic) -> None:
    with traffic.through("scale from 1 to 2") as windows:
        llm.upgrade(TWO, f"{VERSION}=v1")
    _assert_nothing_lost(windows)


def test_a_version_that_never_gets_ready_and_the_way_back(llm: Installation, helm: Helm, traffic: Traffic) -> None:
    """The old pods go on serving, the rollback meets a rollout, and a pod is deleted that still loads."""
    with traffic.through("upgrade to a version that never gets ready") as windows:
        with pytest.raises(HelmError):
            llm.upgrade(TWO, f"{VERSION}=v2", *NEVER_READY, timeout=HELM_GIVES_UP_SECONDS)
        assert len(llm.engines()) == 1
    _assert_nothing_lost(windows)

    with traffic.through("rollback during a rollout, and a pod deleted while it loads") as windows:
        helm.rollback(llm.name, namespace=llm.namespace)
        seconds = _delete(llm, _loading_pod(llm, "v1"))
        llm.wait_until_available()
    _assert_nothing_lost(windows)
    print(f"a pod that was loading was gone {seconds:.0f} s after its delete")
    assert seconds < LOADING_PODS_END_SECONDS


def test_a_rollout_on_a_full_cluster(llm: Installation, traffic: Traffic) -> None:
    with traffic.through("rollout without a spare GPU") as windows:
        llm.upgrade(TWO, f"{VERSION}=v3")
        llm.wait_until_departed()
    _assert_nothing_lost(windows)


def test_a_pod_is_deleted(llm: Installation, traffic: Traffic) -> None:
    with traffic.through("pod delete") as windows:
        _delete(llm, pod_name(llm.engines()[0]))
        llm.wait_until_available()
    _assert_nothing_lost(windows)


@pytest.mark.drains_nodes
def test_a_node_is_drained(llm: Installation, traffic: Traffic) -> None:
    engine = llm.engines()[0]
    with traffic.through("node drain") as windows:
        drain_node(llm.cluster, engine, STOP_SECONDS)
        llm.wait_until_available()
    _assert_nothing_lost(windows)


def test_a_replica_goes(llm: Installation, traffic: Traffic) -> None:
    with traffic.through("scale from 2 to 1") as windows:
        llm.upgrade(ONE, f"{VERSION}=v3")
        llm.wait_until_departed()
    _assert_nothing_lost(windows)


def test_a_rollout_with_a_spare_gpu(llm: Installation, traffic: Traffic) -> None:
    with traffic.through("rollout with a spare GPU") as windows:
        llm.upgrade(ONE, *SURGE, *SEVERAL_RANKS, f"{VERSION}=v4")
        # The old pod is out of the Service, and still at work.
        llm.wait_until_departed()
    _assert_nothing_lost(windows)


def test_enough_was_asked_and_answers_were_long_enough_to_be_cut(traffic: Traffic) -> None:
    report = traffic.report
    print(to_human(report))
    assert len(report.records) >= REQUESTS
    assert report.failed == 0, "something was lost between the changes"
    assert report.latencies["total"][50] >= ANSWER_SECONDS


def test_recreate_refuses_clients_for_as_long_as_a_start_and_cuts_nobody_off(
    llm: Installation, traffic: Traffic
) -> None:
    with traffic.through("rollout by Recreate") as windows:
        # It is the pod that goes whose ranks count.
        llm.upgrade(ONE, "strategy.type=Recreate", f"{VERSION}=v5")
    (window,) = windows
    assert window.lost(REFUSED, UNREACHABLE) == [], str(window)
    assert window.lost(), "an outage was to be seen"
