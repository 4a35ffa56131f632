"""Kubernetes' own autoscaler, by what a real prometheus-adapter says of a real Prometheus (--autoscaling-hpa).

The adapter has the rules of docs/prometheus-adapter.yaml. One release is led from one replica to two and back, and left
without metrics in between; another goes to none and is woken up by a queue outside its pods, which Kubernetes lets an
HPA do from 1.37 on.
"""

import dataclasses
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Pod

from ci import versions
from ci.shell import wait_until
from tests.e2e import prometheus as live
from tests.e2e.clients import RESTRICTED_CONTAINER, RESTRICTED_POD, execute, is_ready
from tests.e2e.monitored import picked_up
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus
from tests.e2e.releases import ROLLOUT_SECONDS, SHORT_STOP, Installation
from tests.e2e.scaling import Watch, autoscaler, drops
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import Finding
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose
from vllm_chart.load.asker import Options
from vllm_chart.load.report import to_human

pytestmark = pytest.mark.autoscaling_hpa

PER_REPLICA, NEEDED, MOST = 4, 2, 4
ASKED_SECONDS, START_SECONDS, PERIOD_SECONDS = 30, 60, 30
#: The window on the way down is longer than the time without metrics: when answers come back, of some pods first,
#: an HPA goes by those that it had before.
CONSTANT_SECONDS, BLIND_SECONDS, WINDOW_SECONDS = 60, 60, 360
#: Half a replica less than two bear, as in test_autoscaling.py.
OVERLOAD = Options(
    "",
    clients=PER_REPLICA * NEEDED - PER_REPLICA // 2,
    max_tokens=128,
    answer_seconds=8.0,
    duration_seconds=3600,
    timeout_seconds=300,
)
#: Until Prometheus knows the pods, the adapter their series, and the HPA the adapter's answer.
KNOWN_SECONDS = 180
#: Until the HPA says that it has no metrics: it asks for each in turn, and each question may wait half a minute.
UNKNOWN_SECONDS = 150
SCALING = (
    SHORT_STOP,
    *picked_up("serviceMonitor"),
    "engine.args.stream-interval=4",
    "autoscaling.enabled=true",
    "autoscaling.kind=HPA",
    f"autoscaling.requestsPerReplica={PER_REPLICA}",
    f"startup.typicalSeconds={START_SECONDS}",
    f"autoscaling.scaleDown.stabilizationWindowSeconds={WINDOW_SECONDS}",
    "autoscaling.scaleDown.policies[0].type=Pods",
    "autoscaling.scaleDown.policies[0].value=1",
    f"autoscaling.scaleDown.policies[0].periodSeconds={PERIOD_SECONDS}",
)
QUEUE, QUEUE_PORT = "queue", 8080
_QUEUE_PAGE = Path(__file__).with_name("programs") / "queue_page.py"
WOKEN_UP = "autoscaling.wakeUp.metrics[0]"
ZERO = (
    "gpu.count=0",
    "autoscaling.scaleDown.stabilizationWindowSeconds=30",
    "autoscaling.minReplicas=0",
    "autoscaling.maxReplicas=1",
    f"{WOKEN_UP}.type=External",
    f"{WOKEN_UP}.external.metric.name=queued_requests",
    f"{WOKEN_UP}.external.target.type=AverageValue",
    f"{WOKEN_UP}.external.target.averageValue={PER_REPLICA}",
)
_PUT = f"""
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:{QUEUE_PORT}/" + sys.argv[1], method="PUT"))
"""


@pytest.fixture(scope="module")
def install(
    prometheus_adapter: None, prometheus: Prometheus, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> Any:
    if len(profile.gpu_nodes) < NEEDED or not profile.no_gpu:
        pytest.skip("needs two nodes with simulated GPUs")
    model = dataclasses.replace(profile.article, values={**profile.article.values, "replicaCount": 1})

    def install(name: str, *set_: str) -> Installation:
        release = Installation(helm, cluster, profile, namespace, name, model, (*SCALING, *set_))
        release.install(wait=False)
        return release

    return install


@pytest.fixture(scope="module")
def llm(install: Any, cluster: Cluster, namespace: str) -> Iterator[Installation]:
    release = install("llm", f"autoscaling.maxReplicas={MOST}")
    live.begin_anew(cluster, namespace)
    release.wait_until_available()
    yield release
    release.uninstall()


@pytest.fixture(scope="module")
def watch(llm: Installation) -> Iterator[Watch]:
    with Watch(llm) as watch:
        yield watch
        print(watch)


def _answers(release: Installation, metric: str) -> list[float]:
    """What the cluster says of a metric of a release, as an HPA asks it."""
    path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{release.namespace}/{metric}"
    said = release.cluster.get(path, timeout_seconds=30, labelSelector=f"release={release.service}")
    return [_number(item["value"]) for item in json.loads(said)["items"]]


def _number(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def _condition(release: Installation, kind: str) -> str:
    """What the HPA says of itself."""
    conditions = autoscaler(release.cluster, release).get("status", {}).get("conditions") or []
    return next((one["status"] for one in conditions if one["type"] == kind), "")


def test_the_adapter_answers_with_one_number(llm: Installation, prometheus: Prometheus, watch: Watch) -> None:
    prometheus.wait_until(
        "the autoscaler has its metrics", lambda: _condition(llm, "ScalingActive") == "True", KNOWN_SECONDS
    )
    assert _answers(llm, "vllm_requests") == [0.0]
    [share] = _answers(llm, "vllm_kv_caches")
    assert 0 <= share <= 1


def test_from_one_to_two_and_back(llm: Installation, watch: Watch, cluster: Cluster) -> None:
    with Traffic.on(llm, OVERLOAD) as much:
        much.wait_for_answers(1)
        began = min(record.started for record in much.report.records)
        watch.wait_until("more replicas are wanted", lambda now: now.desired > 1, ASKED_SECONDS * 3)
        asked = next(sample.at for sample in watch.samples if sample.at > began and sample.desired > 1) - began
        watch.wait_until("as many as needed are ready", lambda now: now.ready >= NEEDED, ROLLOUT_SECONDS)
        print(f"asked for more {asked:.0f} s after the overload began, ready after {time.time() - began:.0f} s")
        assert asked <= ASKED_SECONDS
        constant = time.time()
        much.keep_on(CONSTANT_SECONDS)
        assert list(drops(watch.since(constant))) == [], watch
        assert max(sample.desired for sample in watch.since(began)) <= 2 * NEEDED
        _stays_without_prometheus(llm, watch, much, cluster)
    seconds = watch.wait_until("one replica is left", lambda now: now.ready == now.replicas == 1, ROLLOUT_SECONDS)
    print(f"back at one replica after {seconds:.0f} s\n{to_human(much.report)}")
    assert much.report.failed == 0, much.report.findings


def _stays_without_prometheus(llm: Installation, watch: Watch, load: Traffic, cluster: Cluster) -> None:
    """Neither while it is gone nor when it is back; and `diagnose` says that the autoscaler is blind."""
    before, began = watch.samples[-1].replicas, time.time()
    live.scale(cluster, 0)
    try:
        wait_until("diagnose says that the autoscaler is blind", lambda: bool(_blind(llm)), UNKNOWN_SECONDS)
        (finding,) = _blind(llm)
        print(f"diagnose: {finding.message}")
        assert "vllm_requests" in finding.message
        load.keep_on(BLIND_SECONDS)
    finally:
        live.scale(cluster, 1)
    load.keep_on(60)
    assert {sample.replicas for sample in watch.since(began)} == {before}, watch


def _blind(llm: Installation) -> list[Finding]:
    found = diagnose.release(llm.name, llm.namespace, llm.cluster)
    return [one for one in found if one.check == "autoscaling" and "it has no metrics" in one.message]


@pytest.fixture(scope="module")
def queue(prometheus_adapter: None, cluster: Cluster, namespace: str) -> None:
    """A pod that says how many requests are queued in front of the engines, and a monitor of it."""
    label, value = live.LABEL
    pod = {
        "metadata": {"name": QUEUE, "labels": {"app": QUEUE}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD,
            "containers": [
                {
                    "name": QUEUE,
                    "image": versions.CLIENT_IMAGE,
                    "command": ["python3", "-c", _QUEUE_PAGE.read_text(), str(QUEUE_PORT)],
                    "ports": [{"name": "http", "containerPort": QUEUE_PORT}],
                    "securityContext": RESTRICTED_CONTAINER,
                }
            ],
        },
    }
    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(pod))
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": QUEUE, "labels": {label: value}},
        "spec": {
            "selector": {"matchLabels": {"app": QUEUE}},
            "podMetricsEndpoints": [{"port": "http", "interval": "5s"}],
        },
    }
    apply = cluster.kubectl("apply", "--filename=-", f"--namespace={namespace}")
    subprocess.run(apply, input=json.dumps(monitor), text=True, check=True)
    cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={QUEUE}",
        until=is_ready,
        timeout_seconds=120,
    )


def _queued(cluster: Cluster, namespace: str, count: int) -> None:
    execute(cluster, namespace, QUEUE, "python3", "-c", _PUT, str(count))


def test_none_while_nothing_is_queued(
    llm: Installation, queue: None, install: Any, prometheus: Prometheus, cluster: Cluster, namespace: str
) -> None:
    """From 1.37 on Kubernetes remembers that it was the HPA that went to 0, and goes on asking."""
    zero = install("zero", *ZERO)
    for monitor in (f"podMonitor/{namespace}/{QUEUE}/", f"serviceMonitor/{namespace}/{zero.service}/"):
        live.begin_anew(cluster, monitor)
    known = f'queued_requests{{namespace="{namespace}"}}'
    prometheus.wait_until("Prometheus knows the queue", lambda: bool(prometheus.query(known)), KNOWN_SECONDS)
    with Watch(zero) as watch:
        zero.wait_until_available()
        down = watch.wait_until("no replica is asked for", lambda now: now.replicas == 0, KNOWN_SECONDS + 120)
        zero.wait_until_gone("pods")
        assert _condition(zero, "ScaledToZero") == "True"
        _queued(cluster, namespace, 1)
        up = watch.wait_until("a replica is asked for", lambda now: now.replicas == 1, 2 * ASKED_SECONDS)
        began = time.time()
        watch.wait_until("it is ready", lambda now: now.ready == 1, ROLLOUT_SECONDS)
        print(f"none {down:.0f} s after the first was ready, one {up:.0f} s after a request was queued")
        assert list(drops(watch.since(began))) == [], "the pod that loaded was taken away"
        assert up <= ASKED_SECONDS
        _queued(cluster, namespace, 0)
        watch.wait_until("no replica is asked for again", lambda now: now.replicas == 0, KNOWN_SECONDS + 120)
    zero.uninstall()
