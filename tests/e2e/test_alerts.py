"""Each fault makes its alert fire, in time and no other, and the alert ends when the fault does (--alerts).

Three engines at a time: one with two slots, one whose KV cache holds a few answers, one with a short queue. What the
expressions look back on is the chart's own, so some take minutes; the times that a condition has to last are shortened,
for alerts that a test expects. Objectives are such that slow cores break none.
"""

import dataclasses
import time
from collections.abc import Iterator, Mapping

import pytest

from tests.e2e.faults import CORE, SIGCONT, SIGSTOP, signal
from tests.e2e.monitored import FOR_SECONDS, LAG_SECONDS, PATIENT_OBJECTIVES, monitored, short_alerts
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus, begin_anew
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options

pytestmark = pytest.mark.alerts

#: Each release, and what it is given. `rate(…[5m])` and the like end so long after the last event.
RELEASES = {
    "slots": ("engine.args.max-num-seqs=2", "hang.seconds=1800"),
    "cache": (
        "gpu.count=0",
        "engine.args.max-model-len=512",
        "engine.args.block-size=32",
        "engine.args.num-gpu-blocks-override=24",
    ),
    "queue": ("gpu.count=0", "engine.args.max-num-seqs=2", "traffic.maxRequests=3"),
}
SHORTENED = {
    "slots": ("VLLMStalled", "VLLMQueueing", "VLLMOverloaded", "VLLMAborted"),
    "cache": ("VLLMPreempting",),
    "queue": ("VLLMRejecting",),
}
LOAD = Options("", clients=1, max_tokens=32, duration_seconds=7200, timeout_seconds=300)
FLOOD = dataclasses.replace(LOAD, clients=10, max_tokens=64)
GREEDY = dataclasses.replace(LOAD, clients=8, max_tokens=400)
IMPATIENT = dataclasses.replace(LOAD, clients=4, max_tokens=400, timeout_seconds=1)
QUICK = dataclasses.replace(LOAD, clients=4, max_tokens=1)


@pytest.fixture(scope="module")
def releases(
    prometheus: Prometheus, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> Iterator[Mapping[str, Installation]]:
    if not profile.no_gpu:
        pytest.skip("needs room for three engines on CPUs")
    same = ("replicaCount=1", SHORT_STOP, *monitored("serviceMonitor"), *PATIENT_OBJECTIVES)
    found: dict[str, Installation] = {}
    for name, own in RELEASES.items():
        set_ = (*same, *own, *short_alerts(*SHORTENED[name]))
        found[name] = Installation(helm, cluster, profile, namespace, name, profile.article, set_)
    for release in found.values():
        release.install(wait=False)
    begin_anew(cluster, namespace)
    for release in found.values():
        release.wait_until_available()
    yield found
    for release in found.values():
        release.uninstall(wait=False)
    for release in found.values():
        release.wait_until_gone("pods")


def _fires(prometheus: Prometheus, release: Installation, alert: str, within: float) -> None:
    seconds = prometheus.wait_until(
        f"{alert} fires", lambda: alert in prometheus.firing(release.namespace, release.name), within
    )
    print(f"{alert} fired after {seconds:.0f} s; its `for` is {FOR_SECONDS} s")


def _ends(prometheus: Prometheus, release: Installation, within: float = LAG_SECONDS) -> None:
    seconds = prometheus.wait_until(
        "no alert fires", lambda: not prometheus.firing(release.namespace, release.name), within
    )
    print(f"ended after {seconds:.0f} s")


def test_nothing_fires_while_models_load(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    (namespace,) = {release.namespace for release in releases.values()}
    prometheus.wait_until(
        "all are scraped",
        lambda: len(prometheus.query(f'up{{namespace="{namespace}"}} == 1')) == len(releases),
        LAG_SECONDS,
    )
    assert prometheus.fired(namespace, time.time() - 600) == set()


def test_requests_that_are_turned_away(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    release, began = releases["queue"], time.time()
    with Traffic.on(release, FLOOD) as traffic:
        traffic.wait_for_answers(FLOOD.clients)
        _fires(prometheus, release, "VLLMRejecting", FOR_SECONDS + LAG_SECONDS)
    assert prometheus.fired(release.namespace, began, release.name) == {"VLLMRejecting"}


def test_a_kv_cache_that_is_too_small(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    release, began = releases["cache"], time.time()
    with Traffic.on(release, GREEDY) as traffic:
        traffic.wait_for_answers(2 * GREEDY.clients)
        _fires(prometheus, release, "VLLMPreempting", FOR_SECONDS + LAG_SECONDS)
    assert prometheus.fired(release.namespace, began, release.name) == {"VLLMPreempting"}


def test_an_engine_that_stands_still(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    """Its API server answers the scrape all the while."""
    release, began = releases["slots"], time.time()
    (engine,) = release.engines()
    with Traffic.on(release, LOAD) as traffic:
        traffic.wait_for_answers(2)
        signal(release, engine, CORE, SIGSTOP)
        try:
            _fires(prometheus, release, "VLLMStalled", 180 + FOR_SECONDS + LAG_SECONDS)
        finally:
            signal(release, engine, CORE, SIGCONT)
        _ends(prometheus, release)
    assert prometheus.fired(release.namespace, began, release.name) == {"VLLMStalled"}


def test_clients_that_hang_up(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    """It ends when enough others stay."""
    release, began = releases["slots"], time.time()
    with Traffic.on(release, IMPATIENT) as traffic:
        traffic.wait_for_answers(30)
        _fires(prometheus, release, "VLLMAborted", 60 + FOR_SECONDS + LAG_SECONDS)
    with Traffic.on(release, QUICK) as traffic:
        traffic.wait_for_answers(200)
        _ends(prometheus, release, 300)
    assert prometheus.fired(release.namespace, began, release.name) == {"VLLMAborted"}


def test_a_flood(releases: Mapping[str, Installation], prometheus: Prometheus) -> None:
    """Five minutes of waiting requests are queueing; more of them than run are twice the load that the engine bears."""
    release, began = releases["slots"], time.time()
    with Traffic.on(release, FLOOD) as traffic:
        traffic.wait_for_answers(1)
        _fires(prometheus, release, "VLLMOverloaded", FOR_SECONDS + LAG_SECONDS)
        _fires(prometheus, release, "VLLMQueueing", 300 + FOR_SECONDS + LAG_SECONDS)
    _ends(prometheus, release)
    assert prometheus.fired(release.namespace, began, release.name) == {"VLLMOverloaded", "VLLMQueueing"}


@pytest.mark.parametrize(
    ("name", "alert", "window"), [("queue", "VLLMRejecting", 300), ("cache", "VLLMPreempting", 600)]
)
def test_what_looks_back_ends_too(
    name: str, alert: str, window: float, releases: Mapping[str, Installation], prometheus: Prometheus
) -> None:
    """Answers of 503 use up the budget for errors, about which there is an alert of its own by then."""
    release = releases[name]
    prometheus.wait_until(
        f"{alert} ends", lambda: alert not in prometheus.firing(release.namespace, name), window + LAG_SECONDS
    )
