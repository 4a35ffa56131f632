"""LoRA adapters of a running release: added, replaced and removed under load, broken, and back after a restart.

The engines' own word is taken for what they serve, on every replica, and clients' answers for the rest.
"""

import dataclasses
import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Pod

from ci.images.models import SHARED_PROMPT
from tests import adapters
from tests.e2e.clients import execute, is_ready, pod_name, start_application
from tests.e2e.faults import CORE, SIGKILL, signal
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live import smoke
from vllm_chart.load.asker import Options

pytestmark = pytest.mark.adapters

#: Of the tiny models (ci/images/models/train.py).
SHAPES = {"self_attn.q_proj": (64, 64), "self_attn.v_proj": (64, 64)}
MODEL = "/models/san-francisco"
FOLDER = "/adapters"
GOOD = ("one", "two", "three", "four", "two-again")
#: After an upgrade, on every replica: the kubelet brings a ConfigMap up to date within its sync period and its cache's.
REACHED_SECONDS = 120
RESTART_SECONDS = 600
KEY_SECRET = "llm-key"
CLIENTS = Options("", clients=4, max_tokens=16, duration_seconds=7200, timeout_seconds=300)
# Asks one pod: prints the status and the body, whatever they are.
ASK = """
import json, sys, urllib.error, urllib.request
method, url, body, key = sys.argv[1:]
headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
request = urllib.request.Request(url, body.encode() or None, headers, method=method)
try:
    with urllib.request.urlopen(request, timeout=60) as response:
        print(json.dumps([response.status, response.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, namespace: str) -> dict[str, Any]:
    """The adapters, each in a ConfigMap of its own, as one volume of a pod."""
    work = tmp_path_factory.mktemp("adapters")
    made: dict[str, Path] = {name: adapters.make(work / name, base=MODEL, shapes=SHAPES) for name in GOOD}
    for kind, (make, _) in adapters.BROKEN.items():
        made[kind] = make(work / kind, base=MODEL, shapes=SHAPES)
    sources = []
    for name, folder in made.items():
        create = ("create", "configmap", f"adapter-{name}", f"--from-file={folder}", f"--namespace={namespace}")
        subprocess.run(cluster.kubectl(*create), check=True)
        items = [{"key": file.name, "path": f"{name}/{file.name}"} for file in sorted(folder.iterdir())]
        sources.append({"configMap": {"name": f"adapter-{name}", "items": items}})
    return {"name": "adapters", "projected": {"sources": sources}}


@dataclasses.dataclass(frozen=True)
class Adapted:
    """A release whose adapters are changed: names in the list, each with the folder that it is loaded from."""

    base: Installation
    volume: Mapping[str, Any]
    more: Mapping[str, Any]

    def with_(self, listed: Mapping[str, str]) -> Installation:
        model = {"name": "model", "configMap": {"name": "model-san-francisco"}}
        values = {
            **self.base.model.values,
            "lora": {
                "adapters": [{"name": name, "source": f"{FOLDER}/{folder}"} for name, folder in listed.items()],
                **self.more,
            },
            "volumes": [model, dict(self.volume)],
            "volumeMounts": [
                {"name": "model", "mountPath": MODEL, "readOnly": True},
                {"name": "adapters", "mountPath": FOLDER, "readOnly": True},
            ],
        }
        return dataclasses.replace(self.base, model=dataclasses.replace(self.base.model, values=values))


#: "names" is there from the beginning: loaded, listed, and without an effect.
FIRST = {"one": "one", "two": "two", "names": "names"}


@pytest.fixture(scope="module")
def llm(
    helm: Helm, cluster: Cluster, namespace: str, profile: Profile, folders: Mapping[str, Any]
) -> Iterator[Adapted]:
    if not profile.no_gpu or len(profile.gpu_nodes) < 2:
        pytest.skip("needs two nodes with simulated GPUs")
    start_application(cluster, namespace)
    key = secrets.token_urlsafe()
    create = ("create", "secret", "generic", KEY_SECRET, f"--from-literal=api-key={key}", f"--namespace={namespace}")
    subprocess.run(cluster.kubectl(*create), check=True)
    # Without a GPU of its own a third replica finds a node.
    set_ = (
        "replicaCount=2",
        "gpu.count=0",
        SHORT_STOP,
        f"auth.apiKeySecretRef.name={KEY_SECRET}",
        "auth.apiKeySecretRef.key=api-key",
    )
    base = Installation(helm, cluster, profile, namespace, "llm", profile.article, set_, api_key=key)
    release = Adapted(base, folders, {"reload": True, "maxLoras": 4})
    release.with_(FIRST).install()
    yield release
    base.uninstall()


def ask(release: Installation, pod: V1Pod, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
    """Status and body of one replica's answer to a pod beside it."""
    assert pod.status
    url = f"http://{pod.status.pod_ip}:8000{path}"
    text = json.dumps(body) if body is not None else ""
    sent = release.api_key if key is None else key
    said = execute(release.cluster, release.namespace, "application", "python3", "-c", ASK, method, url, text, sent)
    return json.loads(said)


def served(release: Installation, pod: V1Pod) -> dict[str, str]:
    """The adapters that a replica says it has: name and folder."""
    status, body = ask(release, pod, "GET", "/v1/models")
    assert status == 200, body
    adapters = [model for model in json.loads(body)["data"] if model["parent"]]
    assert all(model["parent"] == release.model.served for model in adapters), adapters
    return {model["id"]: model["root"].removeprefix(f"{FOLDER}/") for model in adapters}


def seconds_until(reached: Callable[[], bool], within: int) -> float:
    began = time.monotonic()
    while not reached():
        assert time.monotonic() < began + within, f"not in {within} s"
        time.sleep(1)
    return time.monotonic() - began


def seconds_until_served(release: Installation, pods: Iterable[V1Pod], listed: Mapping[str, str]) -> float:
    """Until every replica serves the list, and nothing else."""
    return seconds_until(lambda: all(served(release, pod) == listed for pod in pods), REACHED_SECONDS)


def container_restarts(release: Installation) -> int:
    """Of all containers, the sidecars among them."""
    pods = [pod.status for pod in release.engines() if pod.status]
    statuses = [
        s for status in pods for s in [*(status.container_statuses or []), *(status.init_container_statuses or [])]
    ]
    return sum(status.restart_count for status in statuses)


def scores(release: Installation, pod: V1Pod, model: str) -> list[float]:
    """How likely a replica holds each token of its answer to be."""
    body = {"model": model, "prompt": SHARED_PROMPT, "max_tokens": 8, "temperature": 0, "logprobs": 1}
    status, text = ask(release, pod, "POST", "/v1/completions", body)
    assert status == 200, text
    return [round(score, 4) for score in json.loads(text)["choices"][0]["logprobs"]["token_logprobs"]]


def test_every_replica_has_them_when_it_is_ready(llm: Adapted) -> None:
    release = llm.with_(FIRST)
    engines = release.engines()
    assert len(engines) == 2
    for pod in engines:
        assert served(release, pod) == FIRST
        assert list(served(release, pod)) == list(FIRST), "in the order of the list"
        assert scores(release, pod, "one") != scores(release, pod, release.model.served)


def test_smoke_names_the_one_without_an_effect(llm: Adapted, namespace: str, cluster: Cluster) -> None:
    report = smoke.run(smoke.Release("llm", namespace, cluster.kubeconfig), timeout_seconds=120)
    (finding,) = report.findings
    assert (finding.check, finding.message) == ("smoke-adapters", "names answers as the base model does")
    passed = [result.detail for result in report.results if result.check == "adapters" and result.status == "passed"]
    assert [detail.partition(" ")[0] for detail in passed] == ["one", "two"]


def test_they_change_under_load_and_nobody_notices(llm: Adapted) -> None:
    """Added, replaced, removed: on every replica in two minutes, no restart, no request lost, of the model or of the
    adapters that stay or are replaced."""
    changes = {
        "add an adapter": {**FIRST, "three": "three"},
        "replace one by new weights": {**FIRST, "two": "two-again", "three": "three"},
        "remove one": {"one": "one", "two": "two-again", "three": "three"},
        "add one and remove one": {"one": "one", "two": "two-again", "four": "four"},
    }
    first = llm.with_(FIRST)
    pods = {pod_name(pod): pod for pod in first.engines()}
    before = {name: scores(first, pod, "two") for name, pod in pods.items()}
    asked = [dataclasses.replace(CLIENTS, model=model) for model in (first.model.served, "one", "two")]
    with Traffic.on(first, asked[0]) as a, Traffic.on(first, asked[1]) as b, Traffic.on(first, asked[2]) as c:
        for change, listed in changes.items():
            with a.through(change) as of_model, b.through(change) as of_one, c.through(change) as of_two:
                release = llm.with_(listed)
                release.upgrade()
                took = seconds_until_served(release, pods.values(), listed)
            print(f"{change}: on every replica {took:.0f} s after the upgrade")
            for windows in (of_model, of_one, of_two):
                (window,) = windows
                assert window.lost() == [], str(window)
                assert window.report.records, f"{change}: nobody asked"
    release = llm.with_(changes["add one and remove one"])
    assert {pod_name(pod) for pod in release.engines()} == set(pods), "no pod was replaced"
    assert container_restarts(release) == 0
    for name, pod in pods.items():
        assert scores(release, pod, "two") != before[name], "the new weights answer"


def test_a_broken_one_is_named_and_takes_nothing_down(llm: Adapted) -> None:
    listed = {"one": "one", "two": "two-again", "four": "four"}
    release = llm.with_({**listed, "rank": "rank"})
    release.upgrade()
    for pod in release.engines():
        said = ("logs", pod_name(pod), "--container=adapters", f"--namespace={release.namespace}")

        def told(line: tuple[str, ...] = said) -> bool:
            log = subprocess.run(release.cluster.kubectl(*line), capture_output=True, text=True, check=True).stdout
            return "lora.adapters: rank: cannot be served: its rank is 32" in log

        seconds_until(told, REACHED_SECONDS)
        assert served(release, pod) == listed
    assert len(release.engines()) == 2
    llm.with_(listed).upgrade()


@pytest.mark.parametrize("route", ["load_lora_adapter", "unload_lora_adapter", "adapters"])
def test_nobody_else_loads_or_unloads(llm: Adapted, route: str) -> None:
    """From another pod, with the right key; and by SageMaker's name, which vLLM's own guard leaves open, without."""
    release = llm.with_(FIRST)
    listed = {pod_name(pod): served(release, pod) for pod in release.engines()}
    body = {
        "lora_name": "one",
        "lora_path": f"{FOLDER}/three",
        "load_inplace": True,
        "name": "one",
        "src": f"{FOLDER}/three",
    }
    for pod in release.engines():
        path, keys = (
            (f"/{route}", (release.api_key, "")) if route == "adapters" else (f"/v1/{route}", (release.api_key,))
        )
        for key in keys:
            status, said = ask(release, pod, "POST", path, body, key=key)
            assert status == 403, said
        if route == "adapters":
            status, said = ask(release, pod, "DELETE", "/adapters/one", key="")
            assert status == 403, said
        assert served(release, pod) == listed[pod_name(pod)]


def test_after_a_restart_all_are_back_when_it_is_ready(llm: Adapted) -> None:
    release = llm.with_(FIRST)
    pod = release.engines()[0]
    listed, name = served(release, pod), pod_name(pod)

    def ready() -> bool:
        return is_ready(release.cluster.core.read_namespaced_pod(name, release.namespace))

    signal(release, pod, CORE, SIGKILL)
    seconds_until(lambda: not ready(), RESTART_SECONDS)
    took = seconds_until(ready, RESTART_SECONDS)
    assert served(release, pod) == listed
    print(f"ready again, with all adapters, {took:.0f} s after it was not")


def test_replicas_that_are_added_have_all_before_anybody_asks_them(llm: Adapted) -> None:
    """From one to three, while two adapters are asked for by new connections: no 404 once a pod is ready."""
    release = llm.with_(FIRST)
    release.upgrade("replicaCount=1")
    release.wait_until_departed()
    (old,) = release.engines()
    asked = [dataclasses.replace(CLIENTS, model=model, fresh=1) for model in ("one", "two")]
    with Traffic.on(release, asked[0]) as a, Traffic.on(release, asked[1]) as b:
        with a.through("from one replica to three") as of_one, b.through("from one replica to three") as of_two:
            release.upgrade("replicaCount=3")
            new = [pod for pod in release.engines() if pod_name(pod) != pod_name(old)]
            assert len(new) == 2
            seconds_until(lambda: all(answered(release, pod) for pod in new), REACHED_SECONDS)
        for windows in (of_one, of_two):
            (window,) = windows
            assert window.lost() == [], str(window)
    for pod in new:
        assert served(release, pod) == FIRST
    release.upgrade()
    release.wait_until_departed()


def answered(release: Installation, pod: V1Pod) -> float:
    """How many requests a replica has answered."""
    status, page = ask(release, pod, "GET", "/metrics")
    assert status == 200, page
    return sum(float(count) for count in re.findall(r"^vllm:request_success_total{.*} (\S+)$", page, re.MULTILINE))


def test_what_is_broken_ends_a_static_release_before_its_engine_starts(
    helm: Helm, cluster: Cluster, namespace: str, profile: Profile, folders: Mapping[str, Any], llm: Adapted
) -> None:
    """All that can be told from files is told at once, in seconds; the engine's container has never run."""
    release = Adapted(
        Installation(helm, cluster, profile, namespace, "static", profile.article, ("replicaCount=1", "gpu.count=0")),
        folders,
        {},
    ).with_({kind: kind for kind in adapters.BROKEN})

    def ended(pod: V1Pod) -> bool:
        statuses = (pod.status.init_container_statuses if pod.status else None) or []
        states = [state for status in statuses for state in (status.state, status.last_state) if state]
        return any(state.terminated and state.terminated.exit_code for state in states)

    release.install(wait=False)
    try:
        pod: V1Pod = cluster.wait_for(
            cluster.core.list_namespaced_pod,
            namespace,
            label_selector=release.selector,
            until=ended,
            timeout_seconds=300,
        )
        told = ("logs", pod_name(pod), "--container=adapters", f"--namespace={namespace}")
        log = subprocess.run(cluster.kubectl(*told), capture_output=True, text=True, check=True).stdout
        for kind, (_, said) in adapters.BROKEN.items():
            assert said in log, f"{kind}: {log}"
        (engine,) = (pod.status.container_statuses if pod.status else None) or []
        assert engine.state
        assert engine.state.waiting, "the engine has not run"
    finally:
        release.uninstall()
