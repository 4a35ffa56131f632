"""A real gateway in front of two releases: Envoy Gateway takes the routes that the chart renders (--gateway).

It picks the release by a header, knows clients by keys of its own, and cuts no stream; what it does where the chart
does not write it is shown beside it. Whether the API server takes a pool is asked too, though this gateway routes to
none.
"""

import dataclasses
import json
import math
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiException
from pytest_helm_charts.k8s.fixtures import NamespaceFactoryFunc

from ci import versions
from ci.images.models import MODELS, SHARED_PROMPT
from ci.shell import wait_until
from tests.e2e import gateways
from tests.e2e.clients import RESTRICTED_CONTAINER, RESTRICTED_POD, SECONDS, is_ready, start_application
from tests.e2e.conftest import NAMESPACES
from tests.e2e.endpoints import apply_secret, engine_tokens
from tests.e2e.gateways import Answer, Gateway, Request
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm

pytestmark = pytest.mark.gateway

HOST, LIMITED, ECHO = "llm.example.com", "limited.example.com", "echo.example.com"
#: Not the chart's own default: llm-d's charts write this one.
MODEL_HEADER, CLIENT_HEADER = "X-Gateway-Base-Model-Name", "X-Client"
COMPLETIONS = "/v1/completions"
#: What an answer may take where a route says nothing, how long one is asked for, and the most tokens that it can have.
DEFAULT_SECONDS, LONG_SECONDS, LONGEST = 15, 25, 7900
#: As a picture or a long prompt is.
LARGE = 4 * 1024 * 1024
KEYS_SECRET, POLICY = "clients", "clients"
#: Asked, and not done.
TRY = ("--dry-run=server",)
_ECHO = Path(__file__).with_name("programs") / "echo.py"


@pytest.fixture(scope="module")
def gateway(
    pytestconfig: pytest.Config, cluster: Cluster, namespace: str, namespace_factory: NamespaceFactoryFunc
) -> Gateway:
    """A Gateway in a namespace of its own, which takes the routes of the releases' one."""
    try:
        cluster.custom.get_cluster_custom_object(gateways.API, "v1", "gatewayclasses", gateways.CLASS)
    except ApiException as error:
        if error.status == 404:
            pytest.skip("needs Envoy Gateway: `ci/run cluster -- up --gateway`")
        raise
    name = f"vllm-e2e-gateways-{secrets.token_hex(3)}"
    namespace_factory(name, {})
    pytestconfig.stash[NAMESPACES] += [(cluster, name), (cluster, gateways.CONTROL_PLANE)]
    start_application(cluster, namespace)
    return gateways.start(cluster, name, namespace)


@pytest.fixture(scope="module")
def releases(
    gateway: Gateway, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> Iterator[dict[str, Installation]]:
    """A release of each model, with a route. A test may take one out of here, and uninstall it."""
    if not profile.no_gpu or len(profile.gpu_nodes) < 2:
        pytest.skip("needs two nodes with simulated GPUs")
    set_ = (SHORT_STOP, "replicaCount=1", *routed(gateway.namespace))
    found = {
        "san-francisco": Installation(helm, cluster, profile, namespace, "first", profile.article, set_),
        "paris": Installation(helm, cluster, profile, namespace, "second", profile.other, set_),
    }
    for release in found.values():
        release.install(wait=False)
    for release in found.values():
        release.wait_until_available()
    yield found
    for release in found.values():
        release.uninstall()


def routed(namespace: str) -> tuple[str, ...]:
    """The `--set` expressions of a route to a Gateway in a namespace."""
    return (
        "httpRoute.enabled=true",
        f"httpRoute.parentRefs[0].name={gateways.GATEWAY}",
        f"httpRoute.parentRefs[0].namespace={namespace}",
        f"httpRoute.hostnames[0]={HOST}",
        f"httpRoute.modelHeader={MODEL_HEADER}",
    )


def question(model: str, key: str = "") -> Request:
    """A short completion, greedy, with a key if there is one."""
    body = {"model": model, "prompt": SHARED_PROMPT, "temperature": 0, "max_tokens": 64}
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    return Request(HOST, COMPLETIONS, {MODEL_HEADER: model, **bearer}, body)


def answered_by(answer: Answer) -> tuple[str, str]:
    """The model that answered, and its words."""
    assert answer.status == 200, answer.text
    said = json.loads(answer.text)
    return said["model"], said["choices"][0]["text"]


def route(name: str, host: str, gateway: Gateway, service: str) -> dict[str, Any]:
    """A route that says no more than it has to."""
    return {
        "apiVersion": f"{gateways.API}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": gateways.GATEWAY, "namespace": gateway.namespace}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": service, "port": 80}]}],
        },
    }


# As rendered


def test_the_controller_accepts_what_is_rendered(releases: dict[str, Installation]) -> None:
    for release in releases.values():
        (found,) = release.rendered().all("HTTPRoute")
        accepted = ("Accepted", "ResolvedRefs")
        gateways.wait_for_conditions(release.cluster, release.namespace, "httproutes", found.name, accepted)


def test_the_header_picks_the_release(gateway: Gateway, releases: dict[str, Installation]) -> None:
    names = {"san-francisco": "san-francisco", "meta-llama/Llama-3.1-8B": "san-francisco", "paris": "paris"}
    gateway.wait_for(200, *map(question, names))

    answers = gateway.ask(*map(question, names))

    for model, answer in zip(names.values(), answers, strict=True):
        assert answered_by(answer) == (model, MODELS[model].completions[SHARED_PROMPT])


def test_what_no_route_matches_reaches_no_engine(gateway: Gateway, releases: dict[str, Installation]) -> None:
    before = {model: engine_tokens(release) for model, release in releases.items()}
    asked = question("paris")
    paths = ("/metrics", "/pause", "/v1/load_lora_adapter", f"{COMPLETIONS}/../../metrics", COMPLETIONS.upper())
    tries = {
        "no header": dataclasses.replace(asked, headers={}),
        "the header of another gateway": dataclasses.replace(asked, headers={"X-Gateway-Model-Name": "paris"}),
        "no such model": question("absent"),
        "another host": dataclasses.replace(asked, host="other.example.com"),
        **{path: dataclasses.replace(asked, path=path) for path in paths},
    }

    answers = gateway.ask(*tries.values())

    assert {name: answer.status for name, answer in zip(tries, answers, strict=True)} == dict.fromkeys(tries, 404)
    assert {model: engine_tokens(release) for model, release in releases.items()} == before


# Keys


@pytest.fixture(scope="module")
def echo(gateway: Gateway, cluster: Cluster, namespace: str) -> str:
    """A host whose requests are told back, as the gateway hands them on."""
    labels = {"app": "echo"}
    container = {
        "name": "echo",
        "image": versions.CLIENT_IMAGE,
        "command": ["python3", "-c", _ECHO.read_text(), "8080"],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "securityContext": RESTRICTED_CONTAINER,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "echo", "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD,
            "containers": [container],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "echo"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    gateways.apply(cluster, namespace, pod, service, route("echo", ECHO, gateway, "echo"))
    cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector="metadata.name=echo",
        until=is_ready,
        timeout_seconds=SECONDS,
    )
    gateway.wait_for(200, Request(ECHO, "/", {}))
    return ECHO


def policy(sanitize: bool) -> dict[str, Any]:
    """Who may ask: whoever has a key of the Secret."""
    return {
        "apiVersion": f"{gateways.ENVOY_API}/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": POLICY},
        "spec": {
            "targetRefs": [{"group": gateways.API, "kind": "Gateway", "name": gateways.GATEWAY}],
            "apiKeyAuth": {
                "credentialRefs": [{"name": KEYS_SECRET}],
                "extractFrom": [{"headers": ["Authorization"]}],
                "forwardClientIDHeader": CLIENT_HEADER,
                "sanitize": sanitize,
            },
        },
    }


@pytest.fixture(scope="module")
def keys(gateway: Gateway, releases: dict[str, Installation], echo: str) -> dict[str, str]:
    """The clients' keys, one of which the gateway asks for from here on."""
    made = {client: f"sk-{secrets.token_urlsafe()}" for client in ("app-one", "notebooks")}
    apply_secret(gateway.cluster, gateway.namespace, KEYS_SECRET, made)
    gateways.apply(gateway.cluster, gateway.namespace, policy(sanitize=True))
    gateways.wait_for_conditions(gateway.cluster, gateway.namespace, "securitypolicies", POLICY, ("Accepted",))
    gateway.wait_for(401, question("paris"), question("san-francisco"), Request(echo, "/", {}))
    return made


def test_it_lets_in_who_has_a_key(gateway: Gateway, releases: dict[str, Installation], keys: dict[str, str]) -> None:
    before = engine_tokens(releases["paris"])
    nobody = gateway.ask(question("paris"), question("paris", "sk-nobodys"), question("absent"))
    # What no route matches has no policy either: whoever has no key can tell which names there are.
    assert [answer.status for answer in nobody] == [401, 401, 404]
    assert engine_tokens(releases["paris"]) == before

    answers = gateway.ask(*(question("paris", key) for key in keys.values()))

    known = ("paris", MODELS["paris"].completions[SHARED_PROMPT])
    assert [answered_by(answer) for answer in answers] == [known] * len(keys)


def test_the_engine_is_told_the_client_and_not_its_key(gateway: Gateway, keys: dict[str, str], echo: str) -> None:
    headers = {"Authorization": f"Bearer {keys['app-one']}", CLIENT_HEADER: "notebooks"}
    asked = Request(echo, "/", headers, filler=LARGE)

    def told() -> dict[str, list[str]]:
        answer = gateway.ask_one(asked)
        assert answer.status == 200, answer.text
        said = json.loads(answer.text)
        assert said["body"] > LARGE
        return {name: said["headers"].get(name.lower(), []) for name in headers}

    assert told() == {"Authorization": [], CLIENT_HEADER: ["app-one"]}
    gateways.apply(gateway.cluster, gateway.namespace, policy(sanitize=False))
    try:
        # As it is where a policy does not say it.
        wait_until("a key is handed on", lambda: told()["Authorization"] != [], gateways.TOLD_SECONDS)
        assert told() == {"Authorization": [headers["Authorization"]], CLIENT_HEADER: ["app-one"]}
    finally:
        gateways.apply(gateway.cluster, gateway.namespace, policy(sanitize=True))
        wait_until("no key is handed on", lambda: told()["Authorization"] == [], gateways.TOLD_SECONDS)


def test_a_key_that_is_taken_out_of_the_secret_is_refused(gateway: Gateway, keys: dict[str, str]) -> None:
    assert gateway.ask_one(question("paris", keys["notebooks"])).status == 200
    removed = time.monotonic()
    apply_secret(gateway.cluster, gateway.namespace, KEYS_SECRET, {"app-one": keys["app-one"]})
    gateway.wait_for(401, question("paris", keys["notebooks"]))
    print(f"a key is refused {time.monotonic() - removed:.1f} s after it was taken out of the Secret")
    assert gateway.ask_one(question("paris", keys["app-one"])).status == 200


# Long answers


def test_a_route_of_the_chart_has_no_limit_for_an_answer(
    gateway: Gateway, releases: dict[str, Installation], keys: dict[str, str]
) -> None:
    """Where a route says nothing, the gateway cuts a stream in the middle."""
    release = releases["san-francisco"]
    gateways.apply(release.cluster, release.namespace, route("limited", LIMITED, gateway, release.service))
    short = question("san-francisco", keys["app-one"])
    gateway.wait_for(200, dataclasses.replace(short, host=LIMITED))

    def stream(tokens: int) -> Request:
        more = {"stream": True, "max_tokens": tokens, "ignore_eos": True}
        return dataclasses.replace(short, body={**short.body, **more})

    per_token = gateway.ask_one(stream(200)).seconds / 200
    long = stream(min(LONGEST, math.ceil(LONG_SECONDS / per_token)))

    whole, cut = gateway.ask(long, dataclasses.replace(long, host=LIMITED))

    print(
        f"{long.body['max_tokens']} tokens: {whole.seconds:.1f} s by the chart's route, {cut.seconds:.1f} s by another"
    )
    assert (whole.status, cut.status) == (200, 200)
    assert whole.seconds > DEFAULT_SECONDS + 3, "the answer was too short to show anything"
    assert whole.whole
    assert whole.text.rstrip().endswith("data: [DONE]")
    assert not cut.whole
    assert "[DONE]" not in cut.text
    assert cut.seconds == pytest.approx(DEFAULT_SECONDS, abs=2)


# What the API server says


def test_the_api_server_takes_a_pool(
    gateway: Gateway, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> None:
    pool = ("inferencePool.enabled=true", "inferencePool.endpointPickerRef.name=picker")
    set_ = (*routed(gateway.namespace), *pool)
    rendered = Installation(helm, cluster, profile, namespace, "pooled", profile.article, set_).rendered()
    pool_, leading = rendered.one("InferencePool"), rendered.one("HTTPRoute")

    gateways.apply(cluster, namespace, pool_, leading, options=TRY)

    picker = {key: text for key, text in pool_["spec"]["endpointPickerRef"].items() if key != "port"}
    wrong = {**pool_, "spec": {**pool_["spec"], "endpointPickerRef": picker}}
    with pytest.raises(AssertionError, match="port is required"):
        gateways.apply(cluster, namespace, wrong, options=TRY)


def test_the_api_server_takes_routes_of_many_names(
    gateway: Gateway, helm: Helm, cluster: Cluster, namespace: str, profile: Profile
) -> None:
    """More than one route holds, which it counts itself."""
    names = ",".join(f"model-{number}" for number in range(40))
    set_ = (*routed(gateway.namespace), f"model.servedModelName={{{names}}}")
    rendered = Installation(helm, cluster, profile, namespace, "many", profile.article, set_).rendered()
    first, second, *others = rendered.all("HTTPRoute")

    gateways.apply(cluster, namespace, first, second, *others, options=TRY)

    both = {**first, "spec": {**first["spec"], "rules": [*first["spec"]["rules"], *second["spec"]["rules"]]}}
    with pytest.raises(AssertionError, match="total number of matches"):
        gateways.apply(cluster, namespace, both, options=TRY)


# Gone


def test_no_route_is_left_of_a_release(
    gateway: Gateway, releases: dict[str, Installation], keys: dict[str, str]
) -> None:
    """The last one, because the release is gone."""
    gone = releases.pop("paris")

    gone.uninstall()

    of_it = f"app.kubernetes.io/instance={gone.name}"
    left: Any = gone.cluster.custom.list_namespaced_custom_object(
        gateways.API, "v1", gone.namespace, "httproutes", label_selector=of_it
    )
    assert left["items"] == []
    gateway.wait_for(404, question("paris", keys["app-one"]))
    assert gateway.ask_one(question("san-francisco", keys["app-one"])).status == 200
