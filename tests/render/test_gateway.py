"""The way in from outside: Ingress, HTTPRoute and InferencePool, as the release renders them."""

import json
from typing import Any

import jsonschema
import pytest
from helm_python import values_from_yaml

from ci import crds
from vllm_chart import checks, helm
from vllm_chart.checks import invariants
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.values.paths import GUARDED

ROUTE = "httpRoute: {enabled: true, parentRefs: [{name: inference, namespace: gateways}]}"
POOL = "inferencePool: {enabled: true, endpointPickerRef: {name: picker}}"
INGRESS = "ingress: {enabled: true, hosts: [a.example.com, b.example.com]}"


def render(text: str, **options: Any) -> Manifests:
    return helm.render(values={"model": {"id": "org/name"}, **values_from_yaml(text)}, **options)


def kinds(manifests: Manifests, kind: str) -> list[Object]:
    return [one for one in manifests if one.kind == kind]


def questions(route: Object) -> set[tuple[str, str]]:
    """Name of the model and path of everything that a route takes."""
    matches = [match for rule in route["spec"]["rules"] for match in rule["matches"]]
    for match in matches:
        [header] = match["headers"]
        assert (header["type"], header["name"]) == ("Exact", "X-Gateway-Model-Name")
        assert match["path"]["type"] == "Exact"
    return {(match["headers"][0]["value"], match["path"]["value"]) for match in matches}


def test_without_a_word_there_is_none() -> None:
    assert not {"Ingress", "HTTPRoute", "InferencePool"} & {one.kind for one in render("{}")}


def test_a_route_takes_every_name_of_the_engine_on_every_path_and_nothing_else() -> None:
    [route] = kinds(
        render(
            f"{{model: {{id: org/name, servedModelName: [chat, org/name]}}, {ROUTE}, persistence: {{enabled: true}}, "
            "lora: {adapters: [{name: sql, source: acme/sql}]}}"
        ),
        "HTTPRoute",
    )
    [rule] = route["spec"]["rules"]

    assert questions(route) == {(name, path) for name in ("chat", "org/name", "sql") for path in GUARDED}
    assert rule["backendRefs"] == [{"name": "llm-vllm", "port": 80}]
    assert rule["timeouts"] == {"request": "0s"}
    assert route["spec"]["parentRefs"] == [{"name": "inference", "namespace": "gateways"}]
    assert "hostnames" not in route["spec"]


def test_a_route_leads_to_the_pool_where_there_is_one() -> None:
    manifests = render(f"{{{ROUTE}, {POOL}}}")
    [rule] = manifests.one("HTTPRoute")["spec"]["rules"]
    group, kind = "inference.networking.k8s.io", "InferencePool"

    assert rule["backendRefs"] == [{"group": group, "kind": kind, "name": manifests.one(kind).name}]


@pytest.mark.parametrize("adapters", [0, 5, 6, 11, 12, 40])
def test_many_names_are_several_routes_that_the_api_server_takes(adapters: int) -> None:
    """64 matches in a rule, 16 rules and 128 matches in a route: HTTPRouteSpec of gateway-api 1.6.3."""
    listed = [{"name": f"a{index}", "source": f"/adapters/{index}"} for index in range(adapters)]
    values = {
        "model": {"id": "org/name"},
        "lora": {"adapters": listed},
        "volumes": [{"name": "adapters", "hostPath": {"path": "/adapters"}}],
        "volumeMounts": [{"name": "adapters", "mountPath": "/adapters"}],
        **values_from_yaml(ROUTE),
    }
    routes = kinds(helm.render(values=values), "HTTPRoute")
    taken = [question for route in routes for question in questions(route)]

    assert [route.name for route in routes] == ["llm-vllm", "llm-vllm-2", "llm-vllm-3", "llm-vllm-4"][: len(routes)]
    assert len(taken) == len({*taken}) == (adapters + 1) * len(GUARDED)
    for route in routes:
        sizes = [len(rule["matches"]) for rule in route["spec"]["rules"]]
        assert max(sizes) <= 64
        assert sum(sizes) <= 128


def test_a_pool_has_the_pods_of_this_release_and_no_others() -> None:
    pool = render(
        f"{{{POOL}, containerPort: 9000, podLabels: {{llm-d.ai/role: both}}, commonLabels: {{team: a}}}}"
    ).one("InferencePool")

    assert pool["spec"] == {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}},
        "targetPorts": [{"number": 9000}],
        "endpointPickerRef": {
            "kind": "Service",
            "name": "picker",
            "port": {"number": 9002},
            "failureMode": "FailClose",
        },
    }


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        (
            "extraContainers: [{name: p, image: 'a:1', ports: [{name: web, containerPort: 81}]}], "
            "service: {targetPort: web}",
            [81],
        ),
        (
            "gpu: {count: 3}, parallelism: {dataParallelSize: 3}, engine: {args: {data-parallel-size-local: 3, "
            "data-parallel-multi-port-external-lb: true}}",
            [8000, 8001, 8002],
        ),
    ],
)
def test_a_pool_has_the_ports_that_answer(text: str, ports: list[int]) -> None:
    assert render(f"{{{POOL}, {text}}}").one("InferencePool")["spec"]["targetPorts"] == [
        {"number": port} for port in ports
    ]


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({}, {}),
        ({"fullnameOverride": "a"}, {"fullnameOverride": "b"}),
        ({"namespaceOverride": "models"}, {"fullnameOverride": "b"}),
        ({"nameOverride": "chat"}, {"nameOverride": "chat", "fullnameOverride": "b"}),
    ],
)
def test_two_releases_with_one_selector_have_one_name_for_their_pools(mine: Any, other: Any) -> None:
    """So that Helm refuses the second: an object of another release is not taken over."""
    values = {"model": {"id": "org/name"}, **values_from_yaml(POOL)}
    first = helm.render(values=values | mine, namespace="models").one("InferencePool")
    second = helm.render(values=values | other, namespace="models").one("InferencePool")

    assert first["spec"]["selector"] == second["spec"]["selector"]
    assert (first.namespace, first.name) == (second.namespace, second.name)


@pytest.mark.parametrize(("release", "text"), [("other", "{}"), ("llm", "nameOverride: chat")])
def test_other_releases_have_pools_of_their_own(release: str, text: str) -> None:
    mine, theirs = (render(f"{{{POOL}}}"), render(f"{{{POOL}, {text.strip('{}')}}}", release=release))

    assert mine.one("InferencePool").name != theirs.one("InferencePool").name
    assert mine.one("InferencePool")["spec"]["selector"] != theirs.one("InferencePool")["spec"]["selector"]


def test_an_ingress_leads_exact_paths_of_its_hosts_to_the_service() -> None:
    spec = render(f"{{{INGRESS}, service: {{port: 8080}}}}").one("Ingress")["spec"]
    paths = spec["rules"][0]["http"]["paths"]

    assert "ingressClassName" not in spec
    assert [rule["host"] for rule in spec["rules"]] == ["a.example.com", "b.example.com"]
    assert [path["path"] for path in paths] == [*GUARDED, "/v1/models"]
    assert {path["pathType"] for path in paths} == {"Exact"}
    assert paths[0]["backend"] == {"service": {"name": "llm-vllm", "port": {"number": 8080}}}


# Held to their definitions, which know more than what is rendered


@pytest.mark.parametrize(
    ("text", "kind", "steps", "wrong"),
    [
        (ROUTE, "HTTPRoute", ("spec", "rules", 0, "timeouts", "request"), "a minute"),
        (ROUTE, "HTTPRoute", ("spec", "parentRefs", 0, "namespace"), ""),
        (ROUTE, "HTTPRoute", ("spec", "rules", 0, "matches", 0, "headers", 0, "type"), "Prefix"),
        (POOL, "InferencePool", ("spec", "targetPorts", 0, "number"), 0),
        (POOL, "InferencePool", ("spec", "selector", "matchLabels", "a"), "x" * 64),
        (POOL, "InferencePool", ("spec", "endpointPickerRef", "failureMode"), "Open"),
        (INGRESS, "Ingress", ("spec", "rules", 0, "http", "paths", 0, "backend", "service", "port", "number"), "80"),
    ],
)
def test_check_holds_them_to_their_definitions(text: str, kind: str, steps: Any, wrong: Any) -> None:
    manifests = render(f"{{{text}}}")
    assert not [one for one in checks.schemas.check(manifests, "1.37") if kind in one.where]
    *way, last = steps
    field = manifests.one(kind)
    for step in way:
        field = field[step]
    field[last] = wrong

    assert {one.severity for one in checks.schemas.check(manifests, "1.37") if kind in one.where} == {"error"}


@pytest.mark.parametrize(
    "change",
    [
        {"endpointPickerRef": {}},
        {"endpointPickerRef": {"name": "a", "portNumber": 9002}},
        {"targetPorts": [{"number": 1}] * 9},
        {"extensionRef": {"name": "a"}},
    ],
)
def test_the_definition_of_a_pool_is_strict_and_asks_for_a_picker(change: dict[str, Any]) -> None:
    """Releases of the API before 1.6 ask for one, so that a pool without it is not for every cluster."""
    schema = json.loads(crds.TARGET.read_text())["kinds"]["inference.networking.k8s.io/v1 InferencePool"]
    pool: dict[str, Any] = dict(render(f"{{{POOL}}}").one("InferencePool"))
    held = jsonschema.Draft202012Validator(schema)

    assert held.is_valid(pool)
    assert not held.is_valid({**pool, "spec": {**pool["spec"], **change}})
    assert not held.is_valid({**pool, "spec": {key: pool["spec"][key] for key in ("selector", "targetPorts")}})


# Let in


@pytest.mark.parametrize(
    ("parents", "policy", "told"),
    [
        ("[{name: a, namespace: gateways}]", "ingress: {from: [{podSelector: {}}]}", True),
        ("[{name: a, namespace: gateways}]", "ingress: {from: [{namespaceSelector: {}}]}", False),
        ("[{name: a, namespace: gateways}]", "ingress: {from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", False),
        ("[{name: a, namespace: gateways}]", "ingress: {from: [{podSelector: {}}], extra: [{}]}", False),
        ("[{name: a, namespace: gateways}]", "enabled: false", False),
        ("[{name: a, namespace: gateways}, {name: b}]", "ingress: {from: [{podSelector: {}}]}", False),
        ("[{name: a, namespace: default}]", "ingress: {from: [{podSelector: {}}]}", False),
        ("[{name: a}]", "ingress: {from: [{podSelector: {}}]}", False),
    ],
)
def test_a_policy_that_leaves_the_gateway_out_is_told(parents: str, policy: str, told: bool) -> None:
    manifests = render(f"{{httpRoute: {{enabled: true, parentRefs: {parents}}}, networkPolicy: {{{policy}}}}}")
    found = [one for one in invariants.check(manifests) if one.check == "policies-let-the-gateway-in"]

    assert [(one.severity, one.where) for one in found] == ([("warning", "NetworkPolicy/llm-vllm")] if told else [])


def test_the_notes_say_who_has_to_be_let_in() -> None:
    narrow = "networkPolicy: {ingress: {from: [{namespaceSelector: {}}]}}"

    assert "httpRoute, inferencePool would lead nowhere" in render(f"{{{ROUTE}, {POOL}, {narrow}}}").notes
    assert "would lead nowhere" not in render(f"{{{ROUTE}, {POOL}}}").notes
    assert "has its requests sent where\npicker says" in render(f"{{{POOL}}}").notes
