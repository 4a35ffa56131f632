"""One endpoint in front of two releases, all of it real: Envoy in a pod, vLLM, and the kubelet's Secrets."""

import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

from ci.images.models import MODELS, SHARED_PROMPT
from tests.e2e.clients import execute, pod_name, start_application
from tests.e2e.endpoints import CLIENTS_SECRET, Endpoint, engine_tokens
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
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
