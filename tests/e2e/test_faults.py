"""Faults that nobody planned: what clients see, how long until traffic is whole again, and nothing stuck for good.

In this order, on one release with a replica on each of two nodes. What was lost is printed: a fault may lose what the
engine that had it was working at, and nothing after that.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator

import pytest
from kubernetes.client import V1Pod

from ci import kind
from tests.e2e.clients import is_ready, pod_name, restarts
from tests.e2e.faults import CORE, SIGKILL, SIGSTOP, signal
from tests.e2e.profiles import Profile
from tests.e2e.releases import Installation
from tests.e2e.traffic import Traffic, Window
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options

pytestmark = pytest.mark.faults

CLIENTS = Options(url="", clients=8, max_tokens=64, duration_seconds=3600, timeout_seconds=60)
HANG_SECONDS = 60
RESTART_SECONDS = 600
# A node that says nothing is taken for gone after 50 s. Then every node's proxy has to hear of it.
GONE_SECONDS = 180
PROPAGATION_SECONDS = 10
# A few processes that are smaller than the engine's, and together more than its limit: the kernel kills the largest.
HOG = """
import os, signal
for _ in range(40):
    if os.fork() == 0:
        held = bytearray(200 << 20)
        held[::4096] = b"x" * len(held[::4096])
        signal.pause()
signal.alarm(60)
os.wait()
"""


@pytest.fixture(scope="module")
def llm(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[Installation]:
    if len(profile.gpu_nodes) < 2:
        pytest.skip("two engines at a time need two nodes with GPUs")
    set_ = ("replicaCount=2", f"hang.seconds={HANG_SECONDS}")
    installation = Installation(helm, cluster, profile, namespace, "llm", profile.article, set_)
    installation.install()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def traffic(llm: Installation) -> Iterator[Traffic]:
    with Traffic.on(llm, CLIENTS) as traffic:
        yield traffic


@contextlib.contextmanager
def _restart(llm: Installation, traffic: Traffic, fault: str) -> Iterator[V1Pod]:
    """A pod to do something to, so that its container is restarted. Afterwards traffic has to be whole again."""
    pod = llm.engines()[0]
    before = restarts(pod)
    with traffic.through(fault) as windows:
        began = time.monotonic()
        yield pod
        llm.cluster.wait_for(
            llm.cluster.core.list_namespaced_pod,
            llm.namespace,
            field_selector=f"metadata.name={pod_name(pod)}",
            until=lambda now: restarts(now) > before,
            timeout_seconds=RESTART_SECONDS,
        )
        restarted = time.monotonic() - began
        llm.wait_until_available()
        print(f"{fault}: restarted after {restarted:.0f} s, ready after {time.monotonic() - began:.0f} s")
    _say_lost(windows[0])
    _assert_whole(traffic, fault)


def _say_lost(window: Window) -> None:
    if lost := window.lost():
        first, last = min(record.started for record in lost), max(record.ended for record in lost)
        print(f"{window.change}: {len(lost)} lost, from the first's beginning to the last's end {last - first:.0f} s")


def _assert_whole(traffic: Traffic, fault: str) -> None:
    with traffic.through(f"after: {fault}") as windows:
        traffic.wait_for_answers(len(traffic.report.records) + 2 * CLIENTS.clients)
    assert windows[0].lost() == [], str(windows[0])


def test_an_engine_that_is_killed_is_restarted(llm: Installation, traffic: Traffic) -> None:
    with _restart(llm, traffic, "engine killed") as pod:
        signal(llm, pod, CORE, SIGKILL)


def test_an_engine_that_hangs_is_found_and_restarted(llm: Installation, traffic: Traffic) -> None:
    with _restart(llm, traffic, "engine hangs") as pod:
        signal(llm, pod, CORE, SIGSTOP)


def test_an_engine_without_memory_is_restarted(llm: Installation, traffic: Traffic) -> None:
    with _restart(llm, traffic, "out of memory") as pod:
        command = ("exec", f"--namespace={llm.namespace}", pod_name(pod), "--", "python3", "-c", HOG)
        subprocess.run(llm.cluster.kubectl(*command), check=False, capture_output=True)


def test_a_node_that_is_gone_takes_its_engine_along_and_no_more(llm: Installation, traffic: Traffic) -> None:
    """A connection that was open to it hangs until its client gives up; new ones lead to the other engine."""
    if llm.cluster.kubeconfig != kind.kubeconfig():
        pytest.skip("a node is stopped on the local kind cluster only (`nox -s cluster -- up`)")
    engine = llm.engines()[0]
    assert engine.spec
    with traffic.through("node gone") as windows:
        began = time.time()
        try:
            kind.stop_node(engine.spec.node_name or "")
            llm.cluster.wait_for(
                llm.cluster.core.list_namespaced_pod,
                llm.namespace,
                field_selector=f"metadata.name={pod_name(engine)}",
                until=lambda pod: not is_ready(pod),
                timeout_seconds=GONE_SECONDS,
            )
            known = time.time()
            print(f"node gone: the cluster knows after {known - began:.0f} s")
            traffic.wait_for_answers(len(traffic.report.records) + 4 * CLIENTS.clients)
        finally:
            kind.up()
        back = time.time()
        llm.wait_until_available()
        print(f"node gone: all is ready {time.time() - back:.0f} s after the node was back")
    _say_lost(windows[0])
    late = [lost for lost in windows[0].lost() if lost.started > known + PROPAGATION_SECONDS and not lost.reused]
    assert late == [], str(windows[0])
    _assert_whole(traffic, "node gone, and back")
