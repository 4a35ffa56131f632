"""The way to a release, asked of an API server: its Service, and the workload behind it, of whatever kind."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml
from kubernetes.client import V1ObjectMeta, V1Service

from tests.api_server import cluster_of
from tests.workloads import leader_worker_set, stateful_set
from vllm_chart.findings import UnavailableError
from vllm_chart.helm import render
from vllm_chart.live import smoke
from vllm_chart.live.smoke import reach
from vllm_chart.rendered import workload

Json = dict[str, Any]

VALUES = "auth: {apiKeySecretRef: {name: keys, key: one}}\n"
RELEASE = smoke.Release("llm", "default")
SERVICES = "/api/v1/namespaces/default/services"


def deployment() -> Json:
    return dict(workload.engine(render(values=values_from_yaml("model: {id: org/name}\n" + VALUES))).object)


def served(item: Json) -> Json:
    """What the API server of a cluster with that workload and its Service answers."""
    kind = workload.KINDS[item["kind"]]
    service = render(values=values_from_yaml("model: {id: org/name}\n" + VALUES)).one("Service", "llm-vllm")
    return {f"/apis/{kind.group}/{kind.version}/namespaces/default/{kind.plural}": [item], SERVICES: [dict(service)]}


KINDS = [deployment(), stateful_set(VALUES), leader_worker_set(VALUES)]


@pytest.mark.parametrize("item", KINDS, ids=[item["kind"] for item in KINDS])
def test_a_release_as_pods_of_its_cluster_see_it(item: Json, tmp_path: Path) -> None:
    with cluster_of(served(item), tmp_path) as cluster:
        front = smoke.inside(cluster, RELEASE)
    assert front.url == "http://llm-vllm.default.svc:80"
    assert front.api_key_secret == {"name": "keys", "key": "one"}
    assert front.labels == {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}


@pytest.mark.parametrize("key", [b"sesame\n", b"sesame ", b"\xff\x00"])
def test_a_key_that_no_client_can_send(key: bytes, tmp_path: Path) -> None:
    secret = {"/api/v1/namespaces/default/secrets/keys": {"data": {"one": b64encode(key).decode()}}}
    containers = deployment()["spec"]["template"]["spec"]["containers"]
    with (
        cluster_of(secret, tmp_path) as cluster,
        pytest.raises(UnavailableError, match="Secret keys: one: no client can send this key"),
    ):
        reach.api_key_of(cluster, "default", containers)


def test_the_service_of_clients_is_asked_before_that_of_the_pods(tmp_path: Path) -> None:
    manifests = render(values=values_from_yaml("{model: {id: org/name}, service: {pods: {enabled: true}}}"))
    services = [dict(manifests.one("Service", name)) for name in ("llm-vllm-pods", "llm-vllm")]
    with cluster_of(served(deployment()) | {SERVICES: services}, tmp_path) as cluster:
        assert smoke.inside(cluster, RELEASE).url == "http://llm-vllm.default.svc:80"


def test_an_engine_with_a_certificate_is_asked_as_the_kubelet_asks_it(tmp_path: Path) -> None:
    volume = "volumes: [{name: tls, secret: {secretName: tls}}]\nvolumeMounts: [{name: tls, mountPath: /tls}]\n"
    item = stateful_set(volume + "engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k}}\n")
    with cluster_of(served(item), tmp_path) as cluster:
        front = smoke.inside(cluster, RELEASE)
    assert front.url.startswith("https://")
    assert front.api_key_secret is None


def test_an_engine_with_a_certificate_is_asked_by_https_whatever_its_probe_is(tmp_path: Path) -> None:
    tls = "engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k}}\nreadinessProbe: {tcpSocket: {port: http}}\n"
    volume = "volumes: [{name: tls, secret: {secretName: tls}}]\nvolumeMounts: [{name: tls, mountPath: /tls}]\n"
    with cluster_of(served(stateful_set(volume + tls)), tmp_path) as cluster:
        assert smoke.inside(cluster, RELEASE).url.startswith("https://")


def test_a_release_that_is_not_there(tmp_path: Path) -> None:
    with cluster_of({SERVICES: []}, tmp_path) as cluster, pytest.raises(UnavailableError, match="no release 'llm'"):
        smoke.inside(cluster, RELEASE)


def test_a_release_without_a_ready_pod(tmp_path: Path) -> None:
    with cluster_of(served(stateful_set()), tmp_path) as cluster:
        assert cluster.kubeconfig
        release = smoke.Release("llm", "default", cluster.kubeconfig)
        with pytest.raises(UnavailableError, match="no pod of release llm is ready"), smoke.forwarded(release):
            pass


@pytest.mark.parametrize(
    ("written", "names"),
    [(None, []), ('["sql","legal/de"]', ["sql", "legal/de"]), ("sql", []), ("{}", []), ('[1, "sql"]', ["sql"])],
)
def test_the_adapters_that_a_service_tells_of(written: str | None, names: list[str]) -> None:
    annotations = {reach.ADAPTERS: written} if written is not None else None
    assert reach.adapters_of(V1Service(metadata=V1ObjectMeta(annotations=annotations))) == names


def test_the_chart_writes_what_smoke_reads() -> None:
    values = "model: {id: org/name}\nlora: {adapters: [{name: sql, source: acme/sql, revision: v1}]}\n"
    service = render(values=values_from_yaml(values)).one(V1Service)
    assert reach.adapters_of(service) == ["sql"]
