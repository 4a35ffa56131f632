"""A real Prometheus finds the engines, has something for every panel, and its alerts tell of what happens and no more.

Two releases at a time: `llm` has a replica on each of two nodes, an API key and a ServiceMonitor; `pods` has TLS, two
API servers and a PodMonitor. The times of the alerts are shortened, their expressions are the chart's own.
"""

import itertools
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import V1Pod
from pytest_helm_charts.clusters import Cluster as KubeCluster

from ci.dashboards import asking, reading
from ci.dashboards.asking import Span
from tests.e2e.clients import pod_name
from tests.e2e.faults import CORE, SIGKILL, signal
from tests.e2e.monitored import FOR_SECONDS, LAG_SECONDS, PATIENT_OBJECTIVES, monitored, picked_up, short_alerts
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus, begin_anew
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.traffic import Traffic
from tests.rules import pint
from tests.rules.ruleset import RuleSet
from vllm_chart.cluster.api import Cluster
from vllm_chart.cluster.conditions import condition
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options

KEY_SECRET, TLS_SECRET = "key", "tls"
#: From Ready to the first scrape that worked: Prometheus knew of the monitors before.
DISCOVERY_SECONDS = 30
#: The groups of long windows are evaluated every two minutes.
EVALUATION_SECONDS = 180
CLIENTS = Options("", clients=6, max_tokens=48, duration_seconds=3600, timeout_seconds=120)
#: Of load, which panels are asked about.
LOADED_SECONDS = 60
#: What rules that others publish wait for, at the least, until they say of `up == 0` that an engine is down.
OTHERS_SECONDS = 30


@pytest.fixture(scope="module")
def certificate(
    prometheus: Prometheus, namespace: str, kube_cluster: KubeCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A Secret with a certificate for the Service's name, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    name = f"pods-vllm.{namespace}.svc"
    _make_certificate(folder, name)
    kube_cluster.kubectl(
        f"create secret tls {TLS_SECRET} --cert={folder / 'tls.crt'} --key={folder / 'tls.key'}", namespace=namespace
    )


def _make_certificate(folder: Path, name: str) -> None:
    extension = f"subjectAltName=DNS:{name}"
    options = ("-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=engine", "-addext", extension)
    files = ("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"))
    try:
        subprocess.run(("openssl", "req", "-x509", *options, *files), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate")


@pytest.fixture(scope="module")
def releases(
    prometheus: Prometheus,
    certificate: None,
    helm: Helm,
    cluster: Cluster,
    kube_cluster: KubeCluster,
    namespace: str,
    profile: Profile,
) -> Iterator[tuple[Installation, Installation]]:
    if len(profile.gpu_nodes) < 2 or not profile.no_gpu:
        pytest.skip("needs two nodes with (simulated) GPUs, and room for an engine without one")
    key = secrets.token_urlsafe()
    kube_cluster.kubectl(f"create secret generic {KEY_SECRET} --from-literal=api-key={key}", namespace=namespace)
    llm = Installation(
        helm,
        cluster,
        profile,
        namespace,
        "llm",
        profile.article,
        (
            "replicaCount=2",
            f"auth.apiKeySecretRef.name={KEY_SECRET}",
            *monitored("serviceMonitor"),
            *short_alerts("VLLMDown", "VLLMReplicaDown", "VLLMStalled"),
            *PATIENT_OBJECTIVES,
        ),
    )
    mount = ("name=tls", "mountPath=/tls", "readOnly=true")
    pods = Installation(
        helm,
        cluster,
        profile,
        namespace,
        "pods",
        profile.article,
        (
            "replicaCount=1",
            "gpu.count=0",
            SHORT_STOP,
            "engine.args.api-server-count=2",
            "engine.args.ssl-certfile=/tls/tls.crt",
            "engine.args.ssl-keyfile=/tls/tls.key",
            "volumes[1].name=tls",
            f"volumes[1].secret.secretName={TLS_SECRET}",
            *(f"volumeMounts[1].{part}" for part in mount),
            f"podMonitor.tlsConfig.ca.secret.name={TLS_SECRET}",
            "podMonitor.tlsConfig.ca.secret.key=tls.crt",
            *picked_up("podMonitor"),
        ),
    )
    for release in (pods, llm):
        release.install(wait=False)
    begin_anew(cluster, namespace)
    for release in (pods, llm):
        release.wait_until_available()
    yield llm, pods
    for release in (pods, llm):
        release.uninstall()


@pytest.fixture(scope="module")
def llm(releases: tuple[Installation, Installation]) -> Installation:
    return releases[0]


@pytest.fixture(scope="module")
def began(llm: Installation) -> float:
    """When the releases were ready."""
    return time.time()


@pytest.fixture(scope="module")
def traffic(llm: Installation) -> Iterator[Traffic]:
    with Traffic.on(llm, CLIENTS) as traffic:
        traffic.wait_for_answers(CLIENTS.clients)
        yield traffic


def _ready_since(pod: V1Pod) -> float:
    ready = condition(pod, "Ready")
    assert ready
    assert ready.last_transition_time
    return ready.last_transition_time.timestamp()


def job(release: Installation) -> str:
    """What every target of a release is labelled with."""
    return f"{release.namespace}/{release.service}"


def _wait_until_up(release: Installation, prometheus: Prometheus) -> None:
    """All engines of a release are scraped, and each was soon after it was ready."""
    ready = {pod_name(pod): _ready_since(pod) for pod in release.engines()}
    up = f'up{{namespace="{release.namespace}",job="{job(release)}"}}'

    def all_are_up() -> bool:
        return {series.labels["pod"] for series in prometheus.query(f"{up} == 1")} == set(ready)

    prometheus.wait_until(f"the engines of {release.name} are up", all_are_up, DISCOVERY_SECONDS)
    scraped = {series.labels["pod"]: series.points for series in prometheus.query(f"{up}[15m]")}
    for pod, moment in ready.items():
        seconds = min(at for at, value in scraped[pod] if value == 1) - moment
        print(f"{pod}: scraped {seconds:.0f} s after it was ready")
        assert seconds < DISCOVERY_SECONDS


def test_every_engine_is_found(releases: tuple[Installation, Installation], prometheus: Prometheus) -> None:
    """With an API key, over TLS, with two API servers: by one job, each pod once."""
    for release in releases:
        _wait_until_up(release, prometheus)
    found = sorted(
        (target["labels"]["job"], target["labels"]["pod"], target["scrapeUrl"].partition(":")[0])
        for target in prometheus.targets(releases[0].namespace)
    )
    llm, pods = releases
    assert found == sorted(
        (job(release), pod_name(pod), scheme)
        for release, scheme in ((llm, "http"), (pods, "https"))
        for pod in release.engines()
    )


def test_every_panel_has_data_under_load(llm: Installation, prometheus: Prometheus, traffic: Traffic) -> None:
    traffic.keep_on(LOADED_SECONDS)
    span = Span(time.time(), LOADED_SECONDS)
    asked = asking.Prometheus(f"http://{prometheus.address}")
    for name, board in reading.boards("vllm").items():
        shown = asking.show(asked, board, span, llm.namespace, llm.service)
        assert asking.empty(name, shown) == []


def test_every_rule_is_evaluated(llm: Installation, prometheus: Prometheus) -> None:
    _wait_until_evaluated(llm, prometheus)
    ill = {rule["name"]: rule["lastError"] for rule in prometheus.rules(llm.namespace) if rule["health"] != "ok"}
    assert ill == {}


def _wait_until_evaluated(llm: Installation, prometheus: Prometheus) -> None:
    wanted = {rule["alert"] if "alert" in rule else rule["record"] for rule in _rendered_rules(llm)}

    def evaluated() -> bool:
        rules = prometheus.rules(llm.namespace)
        return {rule["name"] for rule in rules} == wanted and all(rule["health"] != "unknown" for rule in rules)

    prometheus.wait_until("all rules are loaded and evaluated", evaluated, EVALUATION_SECONDS)


def _rendered_rules(llm: Installation) -> list[dict[str, str]]:
    groups = llm.rendered().one("PrometheusRule")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.alerts
def test_pint_finds_nothing(llm: Installation, prometheus: Prometheus, traffic: Traffic) -> None:
    """A second opinion on the rules, beside a Prometheus that has what engines say under load."""
    rules = RuleSet.of(llm.rendered().one("PrometheusRule")["spec"]["groups"])
    _wait_until_evaluated(llm, prometheus)
    traffic.keep_on(LOADED_SECONDS)
    assert pint.opinion(rules, f"http://{prometheus.address}") == ""
    of_another_time = rules.rules[0].changed(expr="sum(vllm:gpu_cache_usage_perc)")
    assert "vllm:gpu_cache_usage_perc" in pint.opinion(RuleSet((of_another_time,)), f"http://{prometheus.address}")


@pytest.mark.alerts
def test_nothing_fires_in_a_planned_rollout(llm: Installation, prometheus: Prometheus, traffic: Traffic) -> None:
    """Though the targets of new engines are down for as long as a model loads: rules that go by that alone would fire.

    That an alert which does fire is seen is what the next test shows.
    """
    began = time.time()
    llm.upgrade("podAnnotations.version=v2")
    llm.wait_until_departed()
    _wait_until_up(llm, prometheus)
    traffic.keep_on(LAG_SECONDS)
    down = _longest_down(prometheus, llm, began)
    print(f"rolled out and watched in {time.time() - began:.0f} s; a target was down for {down:.0f} s")
    assert prometheus.fired(llm.namespace, began) == set()
    assert down >= OTHERS_SECONDS, "nothing was to be silent about"


def _longest_down(prometheus: Prometheus, llm: Installation, since: float) -> float:
    """For how many seconds, at the most, one target's scrapes failed one after the other."""
    longest = 0.0
    scraped = prometheus.query(f'up{{job="{job(llm)}"}}[{time.time() - since:.0f}s]')
    for points in (series.points for series in scraped):
        for up, these in itertools.groupby(points, key=lambda point: point[1]):
            moments = [at for at, _ in these]
            longest = max(longest, 0.0 if up else moments[-1] - moments[0])
    return longest


def test_an_engine_that_is_killed_is_told_of_and_nothing_else(
    llm: Installation, prometheus: Prometheus, traffic: Traffic, began: float
) -> None:
    """The other replica answers, so the service is not down; the alert ends once the engine is back."""
    assert prometheus.fired(llm.namespace, began) == set()
    signal(llm, llm.engines()[0], CORE, SIGKILL)
    seconds = prometheus.wait_until(
        "VLLMReplicaDown fires", lambda: bool(prometheus.firing(llm.namespace)), FOR_SECONDS + LAG_SECONDS
    )
    print(f"VLLMReplicaDown fired {seconds:.0f} s after the engine was killed, `for` is {FOR_SECONDS} s")
    llm.wait_until_available()
    seconds = prometheus.wait_until("VLLMReplicaDown ends", lambda: not prometheus.firing(llm.namespace), LAG_SECONDS)
    print(f"and ended {seconds:.0f} s after the engine was available again")
    assert prometheus.fired(llm.namespace, began) == {"VLLMReplicaDown"}
