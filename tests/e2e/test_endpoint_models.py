"""One endpoint in front of three releases, by the values that `vllm-chart endpoint values` writes.

It is asked by their names, an alias and an adapter; by a client with a key, and by a pod with its account's token.
"""

import json
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helm_python import values_from_yaml
from kubernetes.client import V1Pod

from ci import versions
from ci.images.models import MODELS, SHARED_PROMPT
from tests import adapters
from tests.e2e.clients import RESTRICTED_CONTAINER, RESTRICTED_POD, execute, is_ready, start_application
from tests.e2e.endpoints import Endpoint, ask_many, engine_tokens
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.test_adapters import FOLDER, MODEL, SHAPES
from vllm_chart.cli.main import main
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.endpoint

#: Names that clients write, each with its release. `tuned` is an adapter of the last one.
NAMES = {
    "san-francisco": "first",
    "meta-llama/Llama-3.1-8B": "first",
    "paris": "second",
    "bay": "third",
    "tuned": "third",
}
#: What an engine calls itself in its answers.
CALLED = {name: name for name in NAMES} | {"meta-llama/Llama-3.1-8B": "san-francisco"}
REQUESTS, WORKERS, BATCHES = 1000, 8, 4
READY_SECONDS = 120
AUDIENCE, ACCOUNT, OTHER = "llm", "chat", "nobody"
TOKEN = "/var/run/secrets/llm/token"


@pytest.fixture(scope="module")
def engines(
    helm: Helm, cluster: Cluster, namespace: str, profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Installation]]:
    """Three releases, the last of which is the first one's model by another name, with an adapter."""
    if not profile.no_gpu or not profile.gpu_nodes:
        pytest.skip("needs nodes with simulated GPUs, which have the CPU engine's image")
    start_application(cluster, namespace)
    folder = adapters.make(tmp_path_factory.mktemp("adapter") / "tuned", base=MODEL, shapes=SHAPES)
    create = ("create", "configmap", "adapter", f"--from-file={folder}", f"--namespace={namespace}")
    subprocess.run(cluster.kubectl(*create), check=True)
    usage = "engine.args.enable-force-include-usage=true"
    each = ("replicaCount=1", "gpu.count=0", "service.clusterIP=None", usage, SHORT_STOP)
    adapted = (
        "model.servedModelName={bay}",
        *("lora.adapters[0].name=tuned", f"lora.adapters[0].source={FOLDER}/tuned"),
        # One slot stays empty: in the CPU build of vLLM 0.32 the last one has part in what the model itself answers.
        "lora.maxLoras=2",
        *("volumes[1].name=adapter", "volumes[1].configMap.name=adapter"),
        *("volumeMounts[1].name=adapter", f"volumeMounts[1].mountPath={FOLDER}/tuned"),
    )
    made = {
        "first": Installation(helm, cluster, profile, namespace, "first", profile.article, each),
        "second": Installation(helm, cluster, profile, namespace, "second", profile.other, each),
        "third": Installation(helm, cluster, profile, namespace, "third", profile.article, (*each, *adapted)),
    }
    for release in made.values():
        release.install(wait=False)
    for release in made.values():
        release.wait_until_available()
    yield made
    for release in made.values():
        release.uninstall()


@pytest.fixture(scope="module")
def endpoint(engines: dict[str, Installation], helm: Helm, cluster: Cluster, namespace: str) -> Iterator[Endpoint]:
    asked = ["endpoint", "values", f"--namespace={namespace}", f"--kubeconfig={cluster.kubeconfig}"]
    written = CliRunner().invoke(main, asked)
    assert written.exit_code == 0, written.output
    few = {"concurrency": 1, "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}}}
    values = {**values_from_yaml(written.stdout), **few}
    endpoint = Endpoint(helm, cluster, namespace, values, {"app": f"sk-{secrets.token_urlsafe()}"})
    endpoint.install()
    yield endpoint
    endpoint.uninstall()


def told_by_the_adapter(release: Installation) -> str:
    """What the engine itself answers by its adapter's name."""
    url = f"http://{release.service}.{release.namespace}.svc:8000"
    asked = {"url": url, "key": "", "names": ["tuned"], "prompt": SHARED_PROMPT, "count": 1, "workers": 1}
    (answer,) = ask_many(release.cluster, release.namespace, asked)
    assert answer["status"] == 200, answer
    return str(answer["text"])


def test_each_of_five_names_is_answered_by_the_right_one_of_three_releases(
    endpoint: Endpoint, engines: dict[str, Installation]
) -> None:
    of_paris, of_city = (MODELS[model].completions[SHARED_PROMPT] for model in ("paris", "san-francisco"))
    tuned = told_by_the_adapter(engines["third"])
    assert tuned not in (of_paris, of_city)
    expected = dict.fromkeys(NAMES, of_city) | {"paris": of_paris, "tuned": tuned}
    before = {name: engine_tokens(release) for name, release in engines.items()}

    batches = [endpoint.ask_many("app", [*NAMES], SHARED_PROMPT, REQUESTS // BATCHES, WORKERS) for _ in range(BATCHES)]

    answers = [answer for batch in batches for answer in batch]
    wrong = [
        answer
        for answer in answers
        if (answer["status"], answer["model"], answer["text"])
        != (200, CALLED[answer["name"]], expected[answer["name"]])
    ]
    assert wrong == []
    assert Counter(answer["name"] for answer in answers) == dict.fromkeys(NAMES, REQUESTS // len(NAMES))
    for model, name in {"san-francisco": "first", "paris": "second", "bay": "third"}.items():
        counted = [endpoint.tokens(kind, client="app", model=model) for kind in ("input", "output")]
        used = [now - then for now, then in zip(engine_tokens(engines[name]), before[name], strict=True)]
        assert counted == used, f"{model}: by the endpoint and by its engine"
        assert min(counted) > 0


def test_the_list_has_every_name(endpoint: Endpoint) -> None:
    fetch = "import sys, urllib.request as u; r = u.Request(sys.argv[1], headers={'Authorization': sys.argv[2]}); "
    fetch += "print(u.urlopen(r, timeout=30).read().decode())"
    url, key = f"{endpoint.url}/v1/models", f"Bearer {endpoint.keys['app']}"
    said = execute(endpoint.cluster, endpoint.namespace, "application", "python3", "-c", fetch, url, key)
    assert {model["id"] for model in json.loads(said)["data"]} == set(NAMES)


def token(cluster: Cluster, namespace: str, account: str, audience: str) -> str:
    create = ("create", "token", account, f"--audience={audience}", f"--namespace={namespace}")
    return subprocess.run(cluster.kubectl(*create), check=True, capture_output=True, text=True).stdout.strip()


def start_chat(cluster: Cluster, namespace: str) -> None:
    """A pod with its ServiceAccount's token for the endpoint, as docs/endpoint.md writes it."""
    source = {"serviceAccountToken": {"audience": AUDIENCE, "path": Path(TOKEN).name, "expirationSeconds": 3600}}
    pod: dict[str, Any] = {
        "metadata": {"name": ACCOUNT},
        "spec": {
            "serviceAccountName": ACCOUNT,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD | {"fsGroup": 1000},
            "volumes": [{"name": "llm", "projected": {"sources": [source]}}],
            "containers": [
                {
                    "name": ACCOUNT,
                    "image": versions.CLIENT_IMAGE,
                    "command": ["python3", "-c", "import signal; signal.pause()"],
                    "securityContext": RESTRICTED_CONTAINER,
                    "volumeMounts": [{"name": "llm", "mountPath": str(Path(TOKEN).parent)}],
                }
            ],
        },
    }
    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(pod))
    cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={ACCOUNT}",
        until=is_ready,
        timeout_seconds=READY_SECONDS,
    )


def test_a_pod_is_a_client_by_the_token_that_kubernetes_gives_it(endpoint: Endpoint, cluster: Cluster) -> None:
    """Beside clients with keys. Another account of the namespace is none, nor is a token for somebody else."""
    namespace, client = endpoint.namespace, f"system:serviceaccount:{endpoint.namespace}:{ACCOUNT}"

    def raw(path: str) -> Any:
        return json.loads(
            subprocess.run(cluster.kubectl("get", f"--raw={path}"), check=True, capture_output=True).stdout
        )

    for account in (ACCOUNT, OTHER):
        subprocess.run(cluster.kubectl("create", "serviceaccount", account, f"--namespace={namespace}"), check=True)
    start_chat(cluster, namespace)
    jwt = {
        "issuer": raw("/.well-known/openid-configuration")["issuer"],
        "audiences": [AUDIENCE],
        "subjects": [client],
        "jwks": raw("/openid/v1/jwks"),
    }
    endpoint.upgrade(clients={**endpoint.values["clients"], "jwt": jwt, "allow": {client: ["paris"]}})

    asked = {"url": endpoint.url, "names": ["paris"], "prompt": SHARED_PROMPT, "count": 10, "workers": 2}
    program = Path(__file__).with_name("programs") / "ask_many.py"
    command = ("python3", "-c", program.read_text(), json.dumps(asked | {"key_file": TOKEN}))
    answers = json.loads(execute(cluster, namespace, ACCOUNT, *command))
    assert {(answer["status"], answer["text"]) for answer in answers} == {
        (200, MODELS["paris"].completions[SHARED_PROMPT])
    }
    assert endpoint.tokens("output", client=client, model="paris") > 0

    def refused(key: str, name: str = "paris") -> int:
        (answer,) = endpoint.ask_many(key, [name], SHARED_PROMPT, 1, 1)
        return int(answer["status"])

    assert refused(token(cluster, namespace, ACCOUNT, AUDIENCE), "bay") == 404, "not one of its models"
    assert refused(token(cluster, namespace, OTHER, AUDIENCE)) == 401
    assert refused(token(cluster, namespace, ACCOUNT, "another")) == 401
    assert endpoint.ask_many("app", ["bay"], SHARED_PROMPT, 1, 1)[0]["status"] == 200
