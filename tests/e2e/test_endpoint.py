"""One endpoint in front of two releases, all of it real: Envoy in a pod, vLLM, and the kubelet's Secrets.

`--endpoint` adds what takes long: a client is revoked and the Secret broken under load, engines are rolled and go away.
"""

import dataclasses
import secrets
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from ci.dashboards import asking, reading
from ci.dashboards.asking import Span
from ci.images.models import MODELS, SHARED_PROMPT
from tests.e2e import prometheus as live
from tests.e2e.clients import execute, pod_name, start_application
from tests.e2e.endpoints import CLIENTS_SECRET, Endpoint, engine_tokens
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import Prometheus
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.scaling import gpus_a_node
from tests.e2e.traffic import Traffic
from vllm_chart.charts import ENDPOINT
from vllm_chart.cli.main import main
from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import clients
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose
from vllm_chart.load.asker import Options

#: Names that clients write, and the model that each is.
NAMES = {
    "san-francisco": "san-francisco",
    "meta-llama/Llama-3.1-8B": "san-francisco",
    "paris": "paris",
    "city/of light": "paris",
    "tour": "paris",
}
ENGINE_KEY_SECRET = "paris-key"
#: Any user is to do: this one owns nothing in the image.
USER = 12345
REQUESTS, WORKERS = 1000, 8
#: What the kubelet takes at most to have a Secret's change in a pod, and what it takes when it is told to look.
KUBELET_SECONDS, COMMAND_SECONDS = 120, 5
OTHERS_REQUESTS = 1000
DOWN_SECONDS, BACK_SECONDS = 0.1, 5
#: From a monitor's creation to the first scrape of each replica; of load, which panels are asked about.
SCRAPED_SECONDS, SHOWN_SECONDS = 120, 60
#: Connections that fill the most replicas, and what an autoscaler may take to ask for them or to be done with them.
PER_REPLICA, MOST = 2, 3
SCALED_SECONDS, BLIND_SECONDS = 180, 90
LONG_STREAMS = Options("", clients=4, max_tokens=256, answer_seconds=8, streaming=1, duration_seconds=7200)
#: Two replicas, a third one during a rollout, and the chart's own time for others to hear that a pod goes.
SURGE = ("strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate.maxUnavailable=0")
ROLLED = (*SURGE, "replicaCount=2", "shutdown.propagationSeconds=10")
SHORT_ANSWERS = Options("", clients=4, max_tokens=16, duration_seconds=7200, timeout_seconds=300)


@pytest.fixture(scope="module")
def engines(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[dict[str, Installation]]:
    """A release of each model, the second of which asks for a key of its own."""
    if not profile.no_gpu or len(profile.gpu_nodes) < 2:
        pytest.skip("needs two nodes with simulated GPUs")
    start_application(cluster, namespace)
    literal = f"--from-literal=api-key={secrets.token_urlsafe()}"
    create = ("create", "secret", "generic", ENGINE_KEY_SECRET, literal, f"--namespace={namespace}")
    subprocess.run(cluster.kubectl(*create), check=True)
    usage = "engine.args.enable-force-include-usage=true"
    both = ("replicaCount=1", "service.clusterIP=None", usage, SHORT_STOP)
    named = "model.servedModelName={" + ",".join(name for name, model in NAMES.items() if model == "paris") + "}"
    first = Installation(helm, cluster, profile, namespace, "first", profile.article, both)
    keyed = (*both, named, f"auth.apiKeySecretRef.name={ENGINE_KEY_SECRET}")
    second = Installation(helm, cluster, profile, namespace, "second", profile.other, keyed)
    first.install(wait=False)
    second.install()
    first.wait_until_available()
    yield {"san-francisco": first, "paris": second}
    for release in (first, second):
        release.uninstall()


@pytest.fixture(scope="module")
def endpoint(engines: dict[str, Installation], helm: Helm, cluster: Cluster, namespace: str) -> Iterator[Endpoint]:
    values = {
        "models": {
            "san-francisco": {"service": engines["san-francisco"].service, "aliases": ["meta-llama/Llama-3.1-8B"]},
            "paris": {
                "service": engines["paris"].service,
                "aliases": ["city/of light"],
                "adapters": ["tour"],
                "apiKeySecretRef": {"name": ENGINE_KEY_SECRET},
            },
        },
        "clients": {"secretName": CLIENTS_SECRET, "allow": {"notebooks": ["paris"]}},
        "podSecurityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
        "concurrency": 1,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    keys = {client: f"sk-{secrets.token_urlsafe()}" for client in ("app-one", "app-two", "notebooks")}
    endpoint = Endpoint(helm, cluster, namespace, values, keys)
    endpoint.install()
    yield endpoint
    endpoint.uninstall()


def test_it_runs_as_anybody_and_can_write_nowhere(endpoint: Endpoint) -> None:
    pods = endpoint.ready()
    assert len(pods) == 2
    for pod in pods:
        assert pod.spec
        name = pod_name(pod)
        assert execute(endpoint.cluster, endpoint.namespace, name, "bash", "-c", "echo $UID").strip() == str(USER)
        with pytest.raises(AssertionError, match="Read-only file system"):
            execute(endpoint.cluster, endpoint.namespace, name, "bash", "-c", "echo > /tmp/written")
        mounted = {mount.mount_path for container in pod.spec.containers for mount in container.volume_mounts or []}
        assert not [path for path in mounted if "serviceaccount" in path]


def test_each_name_is_answered_by_its_model_and_counted_exactly(
    endpoint: Endpoint, engines: dict[str, Installation]
) -> None:
    before = {model: engine_tokens(release) for model, release in engines.items()}

    batches = [endpoint.ask_many("app-one", [*NAMES], SHARED_PROMPT, REQUESTS // 4, WORKERS) for _ in range(4)]

    answers = [answer for batch in batches for answer in batch]

    for answer in answers:
        model = NAMES[answer["name"]]  # whatever it was asked by, an engine calls itself by the first of its names
        expected = MODELS[model].completions[SHARED_PROMPT]
        assert (answer["status"], answer["model"], answer["text"]) == (200, model, expected)
    assert Counter(answer["name"] for answer in answers) == dict.fromkeys(NAMES, REQUESTS // len(NAMES))
    for model, release in engines.items():
        generated = [now - then for now, then in zip(engine_tokens(release), before[model], strict=True)]
        counted = [endpoint.tokens(kind, client="app-one", model=model) for kind in ("input", "output")]
        assert counted == generated
        assert min(counted) > 0


def test_what_is_not_let_in_reaches_no_engine(endpoint: Endpoint, engines: dict[str, Installation]) -> None:
    before = {model: engine_tokens(release) for model, release in engines.items()}

    def refused(client: str, name: str) -> tuple[int, str]:
        (answer,) = endpoint.ask_many(client, [name], SHARED_PROMPT, 1, 1)
        return answer["status"], answer["error"]

    assert refused("app-one", "absent") == (404, "model_not_found")
    assert refused("notebooks", "san-francisco") == (404, "model_not_found")
    assert refused("", "paris") == (401, "invalid_api_key")
    assert refused("sk-nobodys", "paris") == (401, "invalid_api_key")
    assert {model: engine_tokens(release) for model, release in engines.items()} == before
    assert endpoint.ask_many("notebooks", ["paris"], SHARED_PROMPT, 1, 1)[0]["status"] == 200


def test_no_key_and_no_prompt_is_in_the_logs(endpoint: Endpoint, engines: dict[str, Installation]) -> None:
    read = endpoint.cluster.core.read_namespaced_pod_log
    pods = [*endpoint.ready(), *(pod for release in engines.values() for pod in release.engines())]
    logs = [read(pod_name(pod), endpoint.namespace) for pod in pods]
    assert any('"client":"app-one"' in log for log in logs)
    for secret in (*endpoint.keys.values(), SHARED_PROMPT):
        assert not [log for log in logs if secret in log]


def test_a_rollout_of_it_loses_nothing(endpoint: Endpoint) -> None:
    with (
        endpoint.traffic("app-two", SHORT_ANSWERS) as traffic,
        traffic.through("rollout of the endpoint") as windows,
    ):
        endpoint.upgrade(podAnnotations={"version": "v2"})
        traffic.keep_on(5)
    (window,) = windows
    assert len(window.report.records) > 100
    assert window.lost() == []


def _monitored() -> dict[str, Any]:
    """A monitor that the cluster's Prometheus picks up."""
    label, text = live.LABEL
    return {"enabled": True, "labels": {label: text}}


@pytest.mark.endpoint
def test_every_panel_of_its_dashboard_has_data_under_load(endpoint: Endpoint, prometheus: Prometheus) -> None:
    """As the cluster's Prometheus scrapes it, each replica by one job."""
    endpoint.upgrade(podMonitor=_monitored())
    live.begin_anew(endpoint.cluster, endpoint.namespace)
    job = f"{endpoint.namespace}/{endpoint.deployment}"
    up = f'up{{namespace="{endpoint.namespace}",job="{job}"}} == 1'
    replicas = {pod_name(pod) for pod in endpoint.ready()}

    def found() -> bool:
        return {series.labels["pod"] for series in prometheus.query(up)} == replicas

    prometheus.wait_until("every replica of the endpoint is scraped", found, SCRAPED_SECONDS)
    with endpoint.traffic("app-two", SHORT_ANSWERS) as traffic:
        endpoint.ask_many("nobody's", ["paris"], SHARED_PROMPT, 5, 1)
        traffic.keep_on(SHOWN_SECONDS)
        span = Span(time.time(), SHOWN_SECONDS)
        asked = asking.Prometheus(f"http://{prometheus.address}")
        for name, board in reading.boards(ENDPOINT.name).items():
            shown = asking.show(asked, board, span, endpoint.namespace, endpoint.deployment)
            assert asking.empty(name, shown) == []


def _failures(traffic: Traffic) -> Counter[str]:
    return Counter(record.kind for record in traffic.report.records if record.kind != "ok")


def _by_hand(endpoint: Endpoint, client: str) -> None:
    """As whoever owns the Secret does it, and lets the kubelet take its time."""
    rest = {other: key for other, key in endpoint.keys.items() if other != client}
    endpoint.set_clients(clients.document(rest))


def _by_command(endpoint: Endpoint, client: str) -> None:
    """When it returns, no replica takes the key any more."""
    where = [f"--namespace={endpoint.namespace}", f"--kubeconfig={endpoint.cluster.kubeconfig}"]
    began = time.time()
    done = CliRunner().invoke(main, ["clients", "revoke", client, *where])
    print(f"the command took {time.time() - began:.1f} s: {done.output}")
    assert done.exit_code == 0, done.output
    answers = endpoint.ask_many(client, ["paris"], SHARED_PROMPT, 20, 1)
    assert {answer["status"] for answer in answers} == {401}


@pytest.mark.endpoint
@pytest.mark.parametrize(
    ("revoke", "seconds"),
    [
        pytest.param(_by_hand, KUBELET_SECONDS, id="by-hand"),
        pytest.param(_by_command, COMMAND_SECONDS, id="by-the-command"),
    ],
)
def test_a_client_is_revoked_and_nobody_else_notices(
    revoke: Callable[[Endpoint, str], None], seconds: float, endpoint: Endpoint
) -> None:
    """Its last streams, which began before, end whole."""
    others = [client for client in endpoint.keys if client != "app-two"]
    with (
        endpoint.traffic(others[0], SHORT_ANSWERS) as one,
        endpoint.traffic(others[1], SHORT_ANSWERS) as two,
        endpoint.traffic("app-two", LONG_STREAMS) as leaving,
    ):
        for traffic in (one, two, leaving):
            traffic.wait_for_answers(4)
        began = time.time()
        revoke(endpoint, "app-two")
        while not _failures(leaving):
            leaving.keep_on(1)
            assert time.time() - began < 2 * KUBELET_SECONDS
        # All of its streams that were under way have ended, and both of the endpoint's pods have heard of it.
        leaving.keep_on(20)
        for traffic in (one, two):
            traffic.wait_for_answers(OTHERS_REQUESTS)
    endpoint.set_clients(clients.document(endpoint.keys))
    endpoint.upgrade(podAnnotations={"keys": secrets.token_hex()})  # its new pods have the Secret as it is again
    refused = [record for record in leaving.report.records if record.kind != "ok"]
    first = min(record.started for record in refused)
    whole = [record for record in leaving.report.records if record.kind == "ok"]
    under_way = [record for record in whole if record.started < first < record.ended]
    print(f"refused {first - began:.1f} s after it was revoked, {len(under_way)} streams then under way")
    print(f"others: {len(one.report.records)} and {len(two.report.records)} requests")
    assert {record.kind for record in refused} == {"http-401"}
    assert max(record.started for record in whole) - began <= seconds
    assert under_way
    assert (_failures(one), _failures(two)) == (Counter(), Counter())


@pytest.mark.endpoint
def test_a_broken_secret_changes_nothing_but_for_new_pods(endpoint: Endpoint) -> None:
    with endpoint.traffic("app-one", SHORT_ANSWERS) as traffic:
        traffic.wait_for_answers(1)
        endpoint.set_clients("resources: [this is no document of clients")
        traffic.keep_on(KUBELET_SECONDS)
        restart = ("rollout", "restart", f"deployment/{endpoint.deployment}", f"--namespace={endpoint.namespace}")
        subprocess.run(endpoint.cluster.kubectl(*restart), check=True)
        traffic.keep_on(30)
        assert (len(endpoint.pods()), len(endpoint.ready())) == (3, 2)  # the new one waits, and the old ones stay
        told = diagnose.release(endpoint.name, endpoint.namespace, endpoint.cluster)
        assert {finding.check for finding in told if finding.severity == "error"} == {"endpoint-clients"}, told
        endpoint.set_clients(clients.document(endpoint.keys))
        wait = ("rollout", "status", f"deployment/{endpoint.deployment}", f"--namespace={endpoint.namespace}")
        subprocess.run(endpoint.cluster.kubectl(*wait, "--timeout=300s"), check=True)
    assert _failures(traffic) == Counter()


@pytest.mark.endpoint
def test_a_model_that_is_gone_is_told_at_once_and_the_other_goes_on(
    endpoint: Endpoint, engines: dict[str, Installation]
) -> None:
    paris = engines["paris"]
    scale = ("scale", f"deployment/{paris.service}", f"--namespace={endpoint.namespace}")

    def ask(name: str) -> dict[str, Any]:
        (answer,) = endpoint.ask_many("app-one", [name], SHARED_PROMPT, 1, 1)
        return answer

    with endpoint.traffic("app-two", dataclasses.replace(SHORT_ANSWERS, model="san-francisco")) as traffic:
        traffic.wait_for_answers(1)
        subprocess.run(endpoint.cluster.kubectl(*scale, "--replicas=0"), check=True)
        paris.wait_until_gone("pods")
        gone = [ask("paris") for _ in range(5)]
        subprocess.run(endpoint.cluster.kubectl(*scale, "--replicas=1"), check=True)
        paris.wait_until_available()
        ready = time.time()
        while ask("paris")["status"] != 200:
            assert time.time() - ready < 10 * BACK_SECONDS
        back = time.time() - ready
    print(f"told after {[round(answer['seconds'], 3) for answer in gone]} s, back {back:.1f} s after it was ready")
    assert {(answer["status"], answer["error"], answer["again"]) for answer in gone} == {(503, "unavailable", "1")}
    assert max(answer["seconds"] for answer in gone) <= DOWN_SECONDS
    assert back <= BACK_SECONDS
    assert _failures(traffic) == Counter()


@pytest.mark.endpoint
def test_a_rollout_of_an_engine_loses_nothing(endpoint: Endpoint, engines: dict[str, Installation]) -> None:
    release = engines["san-francisco"]
    with gpus_a_node(endpoint.cluster, release.profile, 2):
        release.upgrade(*ROLLED)
        release.wait_until_departed()
        with endpoint.traffic("app-one", dataclasses.replace(SHORT_ANSWERS, model="san-francisco")) as traffic:
            with traffic.through("rollout of an engine") as rolled:
                release.upgrade(*ROLLED, "podAnnotations.version=v2")
                release.wait_until_departed()
            with traffic.through("a replica goes") as gone:
                release.upgrade(*ROLLED, "podAnnotations.version=v2", "replicaCount=1")
                release.wait_until_departed()
    for window in (*rolled, *gone):
        assert window.lost() == []


@pytest.mark.endpoint
def test_replicas_follow_connections_and_stay_without_prometheus(
    endpoint: Endpoint, prometheus: Prometheus, keda: None
) -> None:
    address = f"http://{live.SERVICE}.{live.NAMESPACE}:9090"
    scaling = {
        "enabled": True,
        "kind": "KEDA",
        "minReplicas": 1,
        "maxReplicas": MOST,
        "connectionsPerReplica": PER_REPLICA,
        "prometheus": {"address": address},
        "scaleDown": {"stabilizationWindowSeconds": 15},
    }
    endpoint.upgrade(podMonitor=_monitored(), autoscaling=scaling)
    live.begin_anew(endpoint.cluster, endpoint.namespace)
    endpoint.wait_for_replicas(1, SCALED_SECONDS)
    with endpoint.traffic("app-two", dataclasses.replace(LONG_STREAMS, clients=PER_REPLICA * MOST)) as traffic:
        endpoint.wait_for_replicas(MOST, SCALED_SECONDS)
        live.scale(endpoint.cluster, 0)
        try:
            traffic.keep_on(BLIND_SECONDS)
            assert len(endpoint.pods()) == MOST
        finally:
            live.scale(endpoint.cluster, 1)
    assert _failures(traffic) == Counter()
    endpoint.wait_for_replicas(1, SCALED_SECONDS)
