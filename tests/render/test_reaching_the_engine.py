"""Where clients and the kubelet are sent: to the port and by the scheme at which the engine listens."""

from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.api_server import cluster_of
from vllm_chart.helm import render
from vllm_chart.live import smoke
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import Manifests

MODEL = "model: {id: org/name}\n"
PROXY = "extraContainers: [{name: proxy, image: a/b:1, ports: [{name: proxied, containerPort: 4180}]}]\n"
TLS = """
engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k}}
volumes: [{name: tls, secret: {secretName: tls}}]
volumeMounts: [{name: tls, mountPath: /tls}]
"""
PORTS = [
    ("", 80),
    ("service: {clusterIP: None}", 8000),
    ("{service: {clusterIP: None}, containerPort: 9000}", 9000),
    ("service: {clusterIP: None, targetPort: http}", 8000),
    (PROXY + "service: {clusterIP: None, targetPort: 4180}", 4180),
    (PROXY + "service: {clusterIP: None, targetPort: proxied}", 4180),
    (PROXY + "service: {targetPort: proxied}", 80),
]


#: The way through KEDA's HTTP add-on, which dials the Service's name.
HELD = values_from_yaml(
    "autoscaling: {enabled: true, kind: KEDA, maxReplicas: 2, prometheus: {address: 'http://prometheus:9090'}, "
    "wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}}"
)


def rendered(text: str) -> Manifests:
    return render(values={**values_from_yaml(MODEL), **values_from_yaml(text or "{}")})


@pytest.mark.parametrize(("text", "port"), PORTS)
def test_notes_and_test_name_the_port_that_is_open_behind_the_name(text: str, port: int) -> None:
    """A headless Service maps no ports: its name resolves to the pods."""
    manifests = rendered(text)
    assert f"http://llm-vllm.default.svc:{port}/v1 " in manifests.notes
    assert f"port-forward service/llm-vllm 8080:{port}\n" in manifests.notes
    (container,) = manifests.one("Pod", "llm-vllm-test")["spec"]["containers"]
    assert {"name": "VLLM_URL", "value": f"http://llm-vllm.default.svc:{port}"} in container["env"]


@pytest.mark.parametrize(("text", "port"), PORTS)
def test_so_does_the_route_of_keda_s_interceptor(text: str, port: int) -> None:
    manifests = render(values=values_from_yaml(MODEL) | HELD | values_from_yaml(text or "{}"))
    assert manifests.one("InterceptorRoute")["spec"]["target"] == {"service": "llm-vllm", "port": port}


@pytest.mark.parametrize(("text", "port"), PORTS)
def test_load_inside_the_cluster_asks_there_too(text: str, port: int, tmp_path: Any) -> None:
    manifests = rendered(text)
    item = dict(workload.engine(manifests).object)
    kind = workload.KINDS[item["kind"]]
    answers = {
        f"/apis/{kind.group}/{kind.version}/namespaces/default/{kind.plural}": [item],
        "/api/v1/namespaces/default/services": [dict(manifests.one("Service", "llm-vllm"))],
    }
    with cluster_of(answers, tmp_path) as cluster:
        assert smoke.inside(cluster, smoke.Release("llm", "default")).url == f"http://llm-vllm.default.svc:{port}"


@pytest.mark.parametrize(
    ("text", "port", "target"),
    [
        ("", 8000, "http"),
        ("containerPort: 9000", 9000, "http"),
        (PROXY + "service: {targetPort: 4180}", 4180, 4180),
        (PROXY + "service: {targetPort: proxied}", 4180, "proxied"),
        (PROXY.replace("extraContainers", "initContainers") + "service: {targetPort: proxied}", 4180, "proxied"),
    ],
)
def test_the_service_of_the_pods_leads_where_the_ordinary_one_does(text: str, port: int, target: int | str) -> None:
    values = values_from_yaml(text or "{}")
    service = {**values.get("service", {}), "pods": {"enabled": True}, "ipFamilyPolicy": "PreferDualStack"}
    manifests = render(values={"model": {"id": "org/name"}, **values, "service": service})
    pods, ordinary = manifests.one("Service", "llm-vllm-pods")["spec"], manifests.one("Service", "llm-vllm")["spec"]

    assert pods == {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": False,
        "ipFamilyPolicy": "PreferDualStack",
        "selector": ordinary["selector"],
        "ports": [{"name": "http", "port": port, "targetPort": target, "protocol": "TCP"}],
    }


@pytest.mark.parametrize(
    ("handler", "scheme"),
    [
        ("{path: /health, port: http}", "HTTPS"),
        ("{path: /health, port: 8000}", "HTTPS"),
        ("{path: /health, port: http, scheme: HTTP}", "HTTP"),
        ("{path: /, port: 4180}", None),
    ],
)
@pytest.mark.parametrize("name", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_probe_of_ones_own_asks_an_engine_with_a_certificate_by_https(
    name: str, handler: str, scheme: str | None
) -> None:
    (engine, *_) = workload.engine(rendered(f"{TLS}{PROXY}{name}: {{httpGet: {handler}}}")).front.spec["containers"]
    assert engine[name]["httpGet"].get("scheme") == scheme


def test_without_a_certificate_nothing_is_said() -> None:
    (engine, *_) = workload.engine(rendered("readinessProbe: {httpGet: {path: /, port: http}}")).front.spec[
        "containers"
    ]
    assert engine["readinessProbe"]["httpGet"] == {"path": "/", "port": "http"}
