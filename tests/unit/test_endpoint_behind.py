"""What preflight and diagnose say of an endpoint: its clients' document, and what stands behind its models."""

import base64
import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import V1Namespace, V1Secret

from tests.api_server import cluster_of
from tests.cluster_objects import node
from tests.commands import run
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint import behind, clients
from vllm_chart.endpoint.behind import Behind, Model
from vllm_chart.findings import Finding
from vllm_chart.live import diagnose, preflight
from vllm_chart.live.preflight import endpoint
from vllm_chart.live.preflight.needs import Need, needs

VALUES: dict[str, Any] = {
    "models": {
        'org/odd "1.5"': {"service": "llm-vllm", "apiKeySecretRef": {"name": "llm-key"}},
        "qwen3": {"service": "qwen", "namespace": "research", "port": 80},
        "gone": None,
    },
    "clients": {"secretName": "llm-clients", "allow": {"app": ["qwen3"]}},
}
#: For other models.
ALONE: dict[str, Any] = {"clients": {"secretName": "llm-clients"}}
KEY = "sk-a-key-that-nobody-may-see"
GOOD = clients.document({"app": KEY})
ODD = Model('org/odd "1.5"', "llm-vllm", "models", 8000)
QWEN = Model("qwen3", "qwen", "research", 80)
SECURED = Model("m", "s", "n", 8000, tls=True)


def service(ports: Mapping[int, int] | None = None, *, headless: bool = True, ready: int = 1, kind: str = "") -> Behind:
    """A Service, and pods at a port behind it."""
    mapped = ports or {80: 8000}
    spec: dict[str, Any] = {"ports": [{"name": "http", "port": port} for port in mapped]}
    spec |= {"clusterIP": "None" if headless else "10.0.0.1", "type": kind or "ClusterIP"}
    addresses = [{"conditions": {"ready": True}}] * ready + [{"conditions": {"ready": False}}]
    slices = [{"endpoints": addresses, "ports": [{"name": "http", "port": port} for port in mapped.values()]}]
    return Behind({"spec": spec}, True, slices)


def said(findings: list[Finding]) -> str:
    return "\n".join(str(finding) for finding in findings)


def told(model: Model, found: Behind) -> list[tuple[str, str, str]]:
    return [(one.where, one.remedy, one.severity) for one in behind.explain("endpoint-models", {model: found})]


def test_models_are_read_from_values_and_from_what_the_chart_wrote_of_them() -> None:
    """Diagnose has no values: it reads the configuration that is there."""
    manifests = helm.render(chart=ENDPOINT.folder, values=VALUES, namespace="models")
    [config] = [one["data"]["envoy.yaml"] for one in manifests.all("ConfigMap") if "envoy.yaml" in one["data"]]

    assert behind.of_values(VALUES, "models") == [ODD, QWEN]
    assert sorted(behind.of_config(config), key=str) == [ODD, QWEN]
    assert behind.of_config("a: [") == behind.of_config("a: b") == behind.of_config("") == []


@pytest.mark.parametrize(
    ("model", "found", "expected"),
    [
        (ODD, service(), []),
        (QWEN, service(headless=False), [("models.qwen3", "write service.clusterIP: None", "info")]),
        (ODD, Behind(None, is_there=False), [(f"models.{ODD.name}", "install its release", "warning")]),
        (ODD, Behind(None), []),  # not to be seen
        (ODD, Behind({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}), []),  # its pods are not to be seen
        (ODD, service({80: 9000}), [(f"models.{ODD.name}", "port: 9000", "warning")]),
        (
            Model("m", "s", "n", 8000),
            service(headless=False),
            [("models.m", "write models.m.port: 80", "warning"), ("models.m", "write service.clusterIP: None", "info")],
        ),
        (ODD, service(ready=0), [(f"models.{ODD.name}", "`vllm-chart diagnose` of its release", "warning")]),
        (ODD, service(kind="ExternalName", headless=False), []),
        (
            ODD,
            dataclasses.replace(service(), tls=True),
            [(f"models.{ODD.name}", "tls.caSecretName: its certificate's authority", "warning")],
        ),
        (
            SECURED,
            dataclasses.replace(service(), tls=False),
            [("models.m", "write tls.secretName in its release, or leave models.m.tls out", "warning")],
        ),
        (SECURED, dataclasses.replace(service(), tls=True), []),
        (SECURED, service(), []),  # nobody says
    ],
)
def test_what_is_said_of_a_model(model: Model, found: Behind, expected: list[tuple[str, str, str]]) -> None:
    findings = told(model, found)

    assert [(where, severity) for where, _, severity in findings] == [(where, of) for where, _, of in expected]
    assert all(words in remedy for (_, remedy, _), (_, words, _) in zip(findings, expected, strict=True))


@pytest.mark.parametrize("tls", [{"caSecretName": "a"}, {"caConfigMapName": "a", "serverName": "b.c"}])
def test_a_model_that_is_asked_by_tls_is_known_as_one(tls: dict[str, str]) -> None:
    values = {**ALONE, "models": {"m": {"service": "s", "namespace": "n", "tls": tls}}}
    manifests = helm.render(chart=ENDPOINT.folder, values=values, namespace="models")
    [config] = [one["data"]["envoy.yaml"] for one in manifests.all("ConfigMap") if "envoy.yaml" in one["data"]]

    assert behind.of_values(values, "models") == behind.of_config(config) == [SECURED]


def engines(*specs: Any) -> list[dict[str, Any]]:
    return [{"metadata": {"labels": {"app": "vllm"}}, "spec": {"containers": containers}} for containers in specs]


PLAIN, TLS = {"name": "vllm", "args": ["org/name"]}, {"name": "vllm", "args": ["org/name", "--ssl-certfile=/tls/c"]}


@pytest.mark.parametrize(
    ("pods", "tls"),
    [
        (engines([PLAIN]), False),
        (engines([TLS], [TLS]), True),
        (engines([PLAIN], [TLS]), None),  # in the middle of a rollout
        (engines([PLAIN, {"name": "proxy"}]), None),  # which may be what answers
        (engines([{"name": "other"}]), None),
        ([], None),
        (403, None),
    ],
)
def test_whether_an_engine_speaks_tls_is_read_off_its_pods(tmp_path: Path, pods: Any, tls: bool | None) -> None:
    there = {
        "/api/v1/namespaces/n/services/s": {"spec": {"selector": {"app": "vllm"}}},
        "/api/v1/namespaces/n/pods": pods,
    }
    with cluster_of(there, tmp_path) as cluster:
        assert behind.ask(cluster, [SECURED])[SECURED].tls is tls


def data(document: str) -> dict[str, str]:
    return {"clients.yaml": base64.b64encode(document.encode()).decode()}


@pytest.mark.parametrize(
    ("document", "words", "severity"),
    [
        ("resources: [", "it is no YAML", "error"),
        (GOOD.replace("credentials:", "credentialz:"), "is never ready", "error"),
        (clients.write([]), "every request is answered 401", "warning"),
        (GOOD.replace(clients.digest(KEY), KEY), "is no SHA-256 of a key", "error"),
        (clients.document({"other": KEY}), "there is no client 'app'", "warning"),
    ],
)
def test_a_document_that_does_not_do_is_named_and_no_key(document: str, words: str, severity: str) -> None:
    found = [
        *behind.explain_clients("endpoint-clients", "s", "clients.yaml", data(document), {"clients.allow": ["app"]})
    ]

    assert [(finding.check, finding.severity) for finding in found] == [("endpoint-clients", severity)]
    assert words in said(found)
    assert KEY not in said(found)
    assert clients.digest(KEY) not in said(found)


def test_a_document_that_does() -> None:
    assert [*behind.explain_clients("c", "s", "clients.yaml", data(GOOD), {"clients.allow": ["app"]})] == []
    assert [*behind.explain_clients("c", "s", "other", data(GOOD), {})] == []  # which objects says


def explained(document: str = GOOD, **cluster: Any) -> list[Finding]:
    """What preflight says; the cluster has everything unless it is said."""
    manifests = helm.render(chart=ENDPOINT.folder, values=VALUES, namespace="models")
    key = base64.b64encode(b"sk-engine").decode()
    found = {
        ("Secret", "llm-clients"): V1Secret(data=data(document)),
        ("Secret", "llm-key"): V1Secret(data={"api-key": key}),
    }
    there = {"namespace": V1Namespace(), "nodes": [node("a"), node("b")], "found": found, "own": {ODD: service()}}
    merged = helm.merged_values(chart=ENDPOINT.folder, values=VALUES)
    return preflight.explain(manifests, merged, "1.40.0", preflight.Snapshot(**{**there, **cluster}), own=endpoint.OWN)


def test_a_cluster_that_has_everything() -> None:
    assert explained() == []


def test_what_an_endpoint_lacks() -> None:
    assert "every request is answered 401" in said(explained(clients.write([])))
    assert "install its release" in said(explained(own={ODD: Behind(None, is_there=False)}))
    missing = said(explained(found={("Secret", "llm-clients"): None, ("Secret", "llm-key"): None}))
    assert "correct clients.secretName" in missing
    assert "correct models.NAME.apiKeySecretRef" in missing
    secured = {**ALONE, "models": {"m": {"service": "s", "tls": {"caSecretName": "ca"}}}}
    manifests = helm.render(chart=ENDPOINT.folder, values=secured, namespace="models")
    assert Need("Secret", "ca", "models.NAME.tls", "ca.crt") in needs(manifests)
    other = {
        ("Secret", "llm-clients"): V1Secret(data={"a": ""}),
        ("Secret", "llm-key"): V1Secret(data={"api-key": "IA=="}),
    }
    assert "it has no key clients.yaml, but: a" in said(explained(found=other))
    assert "it is empty" in said(explained(found=other))


# With an API server

BASE = "/api/v1/namespaces/models"
SERVICE = {"metadata": {"name": "llm-vllm"}, "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": 80}]}}
SLICES = [
    {
        "metadata": {"labels": {"kubernetes.io/service-name": "llm-vllm"}},
        "ports": [{"port": 8000}],
        "endpoints": [{"conditions": {"ready": True}}],
    }
]


def cluster(document: str) -> dict[str, Any]:
    """What there is of an endpoint in a cluster, of whose two models one has no Service."""
    manifests = helm.render(chart=ENDPOINT.folder, values=VALUES, release="llm-endpoint", namespace="models")
    [config] = [dict(one) for one in manifests.all("ConfigMap") if "envoy.yaml" in one["data"]]
    deployment = dict(manifests.one("Deployment"))
    return {
        "/apis/apps/v1/namespaces/models/deployments": [deployment],
        f"{BASE}/configmaps/{config['metadata']['name']}": config,
        f"{BASE}/secrets/llm-clients": {"metadata": {"name": "llm-clients"}, "data": data(document)},
        f"{BASE}/secrets/llm-key": {"metadata": {"name": "llm-key"}, "data": {"api-key": "c2stMQ=="}},
        f"{BASE}/serviceaccounts/llm-endpoint": {"metadata": {"name": "llm-endpoint"}},
        f"{BASE}/services/llm-vllm": SERVICE,
        "/apis/discovery.k8s.io/v1/namespaces/models/endpointslices": SLICES,
        BASE: {"metadata": {"name": "models"}},
        **{
            f"{BASE}/{kind}": []
            for kind in ("pods", "events", "persistentvolumeclaims", "limitranges", "resourcequotas")
        },
        "/api/v1/nodes": [node("a").to_dict()],
        "/api/v1/pods": [],
        "/api/v1/persistentvolumes": [],
        "/apis/storage.k8s.io/v1/storageclasses": [],
        "/apis/apps/v1/namespaces/models/replicasets": [],
        "/apis/apps/v1/namespaces/models/statefulsets": [],
        "/apis/autoscaling/v2/namespaces/models/horizontalpodautoscalers": [],
    }


def test_diagnose_reads_the_document_as_envoy_does(tmp_path: Path) -> None:
    with cluster_of(cluster("resources: ["), tmp_path) as there:
        found = diagnose.release("llm-endpoint", "models", there)

    assert {finding.check for finding in found} == {"endpoint-clients", "endpoint-models"}
    assert "Secret/llm-clients: clients.yaml" in said(found)
    assert "models.qwen3" in said(found)
    assert "llm-vllm" not in said(found)


def test_diagnose_asks_replicas_why_they_take_no_engine(tmp_path: Path) -> None:
    values = {**ALONE, "models": {"llama3": {"service": "llm-vllm", "tls": {"caSecretName": "ca"}}}}
    there = cluster(GOOD)
    manifests = helm.render(chart=ENDPOINT.folder, values=values, release="llm-endpoint", namespace="models")
    for one in map(dict, manifests):
        if one["kind"] == "Deployment":
            there["/apis/apps/v1/namespaces/models/deployments"] = [one]
            template = one["spec"]["template"]
        elif "envoy.yaml" in one.get("data", {}):
            there[f"{BASE}/configmaps/{one['metadata']['name']}"] = one
    metadata = {"name": "llm-endpoint-a", "labels": template["metadata"]["labels"]}
    there[f"{BASE}/pods"] = [{"metadata": metadata, "spec": template["spec"], "status": {"phase": "Running"}}]
    failed = itertools.count(3)
    there[f"{BASE}/pods/llm-endpoint-a:9090/proxy/metrics"] = lambda *_: (
        f'envoy_cluster_ssl_fail_verify_error{{envoy_cluster_name="model-0",model="llama3"}} {next(failed)}\n'
        'envoy_cluster_membership_healthy{envoy_cluster_name="model-0",model="llama3"} 0\n'
        'envoy_cluster_membership_total{envoy_cluster_name="model-0",model="llama3"} 1\n'
    ).encode()
    with cluster_of(there, tmp_path) as asked:
        found = diagnose.release("llm-endpoint", "models", asked)

    assert [(one.where, one.severity) for one in found if one.check == "endpoint-models"] == [
        ("models.llama3.tls", "error")
    ]
    assert "Secret or ConfigMap of models.llama3.tls" in said(found)


def test_preflight_asks_for_what_the_values_name(tmp_path: Path) -> None:
    manifests = helm.render(chart=ENDPOINT.folder, values=VALUES, release="llm-endpoint", namespace="models")
    merged = helm.merged_values(chart=ENDPOINT.folder, values=VALUES)
    with cluster_of(cluster(GOOD), tmp_path) as there:
        found = preflight.release(manifests, merged, "1.40.0", there, own=endpoint.OWN)

    assert [finding.where for finding in found if finding.check.startswith("endpoint-")] == ["models.qwen3"]
    assert not [finding for finding in found if finding.check == "objects" and finding.severity == "error"]


def test_the_command_knows_the_chart(tmp_path: Path) -> None:
    with cluster_of(cluster("resources: ["), tmp_path):
        result = run(
            *("preflight", "--chart=vllm-endpoint", "--set=models.llama3.service=llm-vllm", "--namespace=models"),
            *("--set=clients.secretName=llm-clients", "--release=llm-endpoint", f"--kubeconfig={tmp_path}/kubeconfig"),
        )

    assert result.exit_code == 1
    assert "it is no YAML" in result.output
