"""KEDA and Prometheus, both real, count a release's replicas by what runs and waits (--autoscaling).

One release is led from one replica to three and back, its clients asking all the while. Three replicas are needed for
the overload, by the number of requests that each is to have. GPUs are simulated: each node has two for the time of the
test. How long a start takes and how long demand has to be low are shortened.
"""

import dataclasses
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ci import tools, versions
from tests.e2e import prometheus as live
from tests.e2e.monitored import picked_up
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus
from tests.e2e.releases import ROLLOUT_SECONDS, Installation
from tests.e2e.scaling import Watch, autoscaler, drops, gpus_a_node
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options
from vllm_chart.load.report import to_human

pytestmark = pytest.mark.autoscaling

PER_REPLICA, NEEDED, MOST = 4, 3, 8
ASKED_SECONDS = 30
START_SECONDS, WINDOW_SECONDS, PERIOD_SECONDS = 60, 60, 30
#: Constant load is watched for so long: several times what the autoscaler looks back.
CONSTANT_SECONDS = 150
BLIND_SECONDS = 180
REQUESTS = 1000
PATIENCE_SECONDS = 300
#: As GitOps does it.
SERVER_SIDE = ("apply", "--server-side")
#: Long enough that as many are under way in the engines as there are clients, who need time too.
ANSWER_SECONDS = 8.0
LITTLE = Options(
    "",
    clients=2,
    max_tokens=128,
    answer_seconds=ANSWER_SECONDS,
    duration_seconds=7200,
    timeout_seconds=PATIENCE_SECONDS,
)
#: Half a replica less than three bear: pods are scraped at different moments, so that a request that ends in one and
#: follows in another is counted twice, or not at all.
CLOSED = dataclasses.replace(LITTLE, clients=PER_REPLICA * NEEDED - PER_REPLICA // 2 - LITTLE.clients)
#: So many come each second that as many are under way.
OPEN = dataclasses.replace(LITTLE, rate=CLOSED.clients / ANSWER_SECONDS)
SCALING = (
    "autoscaling.enabled=true",
    f"autoscaling.maxReplicas={MOST}",
    f"autoscaling.requestsPerReplica={PER_REPLICA}",
    f"autoscaling.prometheus.address=http://{live.SERVICE}.{live.NAMESPACE}:9090",
    f"startup.typicalSeconds={START_SECONDS}",
    f"autoscaling.scaleDown.stabilizationWindowSeconds={WINDOW_SECONDS}",
    "autoscaling.scaleDown.policies[0].type=Pods",
    "autoscaling.scaleDown.policies[0].value=1",
    f"autoscaling.scaleDown.policies[0].periodSeconds={PERIOD_SECONDS}",
)


@pytest.fixture(scope="module")
def two_gpus_each(cluster: Cluster, profile: Profile) -> Iterator[None]:
    if len(profile.gpu_nodes) < 2 or not profile.no_gpu:
        pytest.skip("needs two nodes with simulated GPUs")
    with gpus_a_node(cluster, profile, 2):
        yield


@pytest.fixture(scope="module")
def llm(
    keda: None,
    prometheus: Prometheus,
    two_gpus_each: None,
    helm: Helm,
    cluster: Cluster,
    namespace: str,
    profile: Profile,
) -> Iterator[Installation]:
    set_ = ("engine.args.stream-interval=4", *picked_up("serviceMonitor"), *SCALING)
    values = {**profile.article.values, "replicaCount": 1}
    model = dataclasses.replace(profile.article, values=values)
    installation = Installation(helm, cluster, profile, namespace, "llm", model, set_)
    installation.install(wait=False)
    live.begin_anew(cluster, namespace)
    installation.wait_until_available()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def watch(llm: Installation, prometheus: Prometheus) -> Iterator[Watch]:
    known = f'up{{job="{llm.namespace}/{llm.service}"}} == 1'
    prometheus.wait_until("Prometheus knows the engine", lambda: bool(prometheus.query(known)), 150)
    with Watch(llm) as watch:
        watch.wait_until("an autoscaler wants one replica", lambda now: now.desired == now.ready == 1, 120)
        yield watch
        print(watch)


@pytest.fixture(scope="module")
def little(llm: Installation, watch: Watch) -> Iterator[Traffic]:
    """What goes on all the while."""
    with Traffic.on(llm, LITTLE) as traffic:
        traffic.wait_for_answers(2 * LITTLE.clients)
        yield traffic


@pytest.fixture(scope="module")
def asked() -> list[Traffic]:
    """What came on top of it."""
    return []


def _assert_nothing_lost(*all_of_it: Traffic) -> None:
    for traffic in all_of_it:
        print(to_human(traffic.report))
        assert traffic.report.failed == 0, traffic.report.findings


def _overload(llm: Installation, watch: Watch, prometheus: Prometheus, options: Options) -> Iterator[Traffic]:
    """More load, until all replicas that it needs are ready; yields while it lasts."""
    with Traffic.on(llm, options) as traffic:
        traffic.wait_for_answers(1)
        began = next(record.started for record in traffic.report.records)
        watch.wait_until("more replicas are wanted", lambda now: now.desired > 1, ASKED_SECONDS * 3)
        asked = next(sample.at for sample in watch.samples if sample.at > began and sample.desired > 1) - began
        known = _known(prometheus, llm, began)
        since = "" if known is None else f", {asked - known:.0f} s after Prometheus knew"
        print(f"asked for more {asked:.0f} s after the overload began{since}")
        ready = watch.wait_until("as many as needed are ready", lambda now: now.ready >= NEEDED, ROLLOUT_SECONDS)
        print(f"relieved {ready + asked:.0f} s after the overload began")
        assert asked <= ASKED_SECONDS
        assert max(sample.desired for sample in watch.since(began)) <= 2 * NEEDED
        yield traffic


def _known(prometheus: Prometheus, llm: Installation, since: float) -> float | None:
    """When Prometheus first saw more run than one replica is to have, in seconds after `since`; those that wait count
    for the autoscaler too, which may need no more than them."""
    running = prometheus.query(f'vllm:num_requests_running{{job="{llm.namespace}/{llm.service}"}}[10m]')
    seen = [at for series in running for at, value in series.points if at > since and value > PER_REPLICA]
    return min(seen) - since if seen else None


def _back_to_one(watch: Watch) -> None:
    seconds = watch.wait_until("one replica is left", lambda now: now.ready == now.replicas == 1, ROLLOUT_SECONDS)
    print(f"back at one replica after {seconds:.0f} s")


def test_a_closed_loop_from_one_to_three_and_back(
    llm: Installation, watch: Watch, little: Traffic, asked: list[Traffic], prometheus: Prometheus, cluster: Cluster
) -> None:
    for much in _overload(llm, watch, prometheus, CLOSED):
        asked.append(much)
        constant = time.time()
        much.keep_on(CONSTANT_SECONDS)
        assert list(drops(watch.since(constant))) == [], watch
        _stays_without_prometheus(cluster, watch, much)
    _back_to_one(watch)
    _assert_nothing_lost(much, little)


def _stays_without_prometheus(cluster: Cluster, watch: Watch, load: Traffic) -> None:
    """Neither while it is gone, nor when it is back."""
    before = watch.samples[-1].replicas
    assert before >= NEEDED
    began = time.time()
    live.scale(cluster, 0)
    try:
        load.keep_on(BLIND_SECONDS)
    finally:
        live.scale(cluster, 1)
    load.keep_on(60)
    assert {sample.replicas for sample in watch.since(began)} == {before}, watch


def test_an_open_loop_from_one_to_three_and_back(
    llm: Installation, watch: Watch, little: Traffic, asked: list[Traffic], prometheus: Prometheus
) -> None:
    for much in _overload(llm, watch, prometheus, OPEN):
        asked.append(much)
        much.keep_on(CONSTANT_SECONDS)
    _back_to_one(watch)
    _assert_nothing_lost(much, little)


def test_enough_was_asked(asked: list[Traffic], little: Traffic) -> None:
    records = [record for traffic in (*asked, little) for record in traffic.report.records]
    print(to_human(dataclasses.replace(little.report, records=records)))
    assert len(records) >= REQUESTS


@pytest.mark.parametrize("version", ["3", "4"])
def test_switching_it_on_keeps_the_replicas(
    version: str, keda: None, cluster: Cluster, namespace: str, profile: Profile
) -> None:
    """Helm sends no `replicas` then, which an API server takes for one where nothing else keeps them (helm#12650).

    No node takes the pods: it is the Deployment that counts.
    """
    command = tools.helm_3(versions.HELM_3_LAST) if version == "3" else tools.helm()
    ours = Helm(command=str(command), kubeconfig=cluster.kubeconfig)
    values = {**profile.article.values, "nodeSelector": {"pool": "absent"}}
    model = dataclasses.replace(profile.article, values=values)
    release = Installation(ours, cluster, profile, namespace, f"helm-{version}", model)
    release.install("replicaCount=3", wait=False)
    with Watch(release) as watch:
        watch.wait_until("three are asked for", lambda now: now.replicas == 3, 30)
        # As who takes their `replicaCount: 3` out again.
        on = ("replicaCount=1", *picked_up("serviceMonitor"), *SCALING)
        release.upgrade(*on, wait=False)
        assert _has_autoscaler(cluster, release)
        release.upgrade(*on, "podAnnotations.version=v2", wait=False)
        changed = time.time()
        watch.wait_until("the change is there", lambda now: now.at > changed + 30, 60)
    release.uninstall()
    assert {sample.replicas for sample in watch.samples} == {3}, watch


def test_switching_it_on_by_server_side_apply_keeps_the_replicas(
    keda: None, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> None:
    """Who renders and applies hands the field over before it goes, as docs/autoscaling.md has it."""
    values = {**profile.article.values, "nodeSelector": {"pool": "absent"}}
    model = dataclasses.replace(profile.article, values=values)
    release = Installation(helm, cluster, profile, namespace, "applied", model, ("replicaCount=3",))
    on = dataclasses.replace(release, set_=("replicaCount=1", *picked_up("serviceMonitor"), *SCALING))
    _run(release, *SERVER_SIDE, "--field-manager=gitops", *_objects(release))
    with Watch(release) as watch:
        watch.wait_until("three are asked for", lambda now: now.replicas == 3, 30)
        kept = {"metadata": {"name": release.service}, "spec": {"replicas": 3}}
        part = {"apiVersion": "apps/v1", "kind": "Deployment", **kept}
        _run(release, *SERVER_SIDE, "--field-manager=handover", "--validate=false", part)
        _run(release, *SERVER_SIDE, "--field-manager=gitops", *_objects(on))
        assert _has_autoscaler(cluster, release)
        changed = time.time()
        watch.wait_until("the change is there", lambda now: now.at > changed + 30, 60)
    _run(release, "delete", *_objects(on))
    assert {sample.replicas for sample in watch.samples} == {3}, watch


def _objects(release: Installation) -> list[Any]:
    """What is applied of a release."""
    return [one for one in release.rendered() if "helm.sh/hook" not in one.metadata.get("annotations", {})]


def _run(release: Installation, *words: Any) -> None:
    """Call kubectl with the words that are texts; the others are objects on its standard input."""
    options = [word for word in words if isinstance(word, str)]
    items = [word for word in words if not isinstance(word, str)]
    command = release.cluster.kubectl(*options, "--filename=-", f"--namespace={release.namespace}")
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    subprocess.run(command, input=manifest, text=True, check=True)


def _has_autoscaler(cluster: Cluster, release: Installation) -> bool:
    for _ in range(60):
        if autoscaler(cluster, release):
            return True
        time.sleep(1)
    return False
