"""Who measures the endpoint, and what is made of it; what Envoy itself says is in tests/unit/test_endpoint.py."""

from typing import Any

import pytest

from ci.dashboards import lint, reading
from tests.render.test_dashboards import dashboards
from tests.render.test_endpoint import render
from tests.render.test_monitors import KINDS, by_kind, relabelled


def target(key: str, more: str = "", text: str = "{}", **options: Any) -> dict[str, Any]:
    """What a monitor asks of a pod."""
    [found] = render(f"{{{key}: {{enabled: true, {more}}}, {text[1:-1]}}}", **options).one(KINDS[key][0])["spec"][
        KINDS[key][1]
    ]
    assert isinstance(found, dict)
    return found


@by_kind
@pytest.mark.parametrize(
    ("text", "job"),
    [("{}", "models/llm-vllm-endpoint"), ("{namespaceOverride: a, fullnameOverride: b}", "a/b")],
)
def test_a_pod_is_asked_at_the_port_for_it_under_one_job(key: str, text: str, job: str) -> None:
    asked = target(key, text=text, namespace="models")
    container = render(text).one("Deployment")["spec"]["template"]["spec"]["containers"][0]

    assert asked["path"] == "/metrics"
    assert asked["scheme"] == "http"
    # Of a ServiceMonitor, `port` is one of the Service's, which has none for it.
    assert asked["port" if key == "podMonitor" else "targetPort"] == "metrics"
    assert "metrics" in {port["name"] for port in container["ports"]}
    assert relabelled({"job": "theirs", "pod": "x"}, asked["relabelings"]) == {"job": job, "pod": "x"}


def test_a_service_of_two_families_gives_each_pod_once() -> None:
    asked = target("serviceMonitor", text="{service: {ipFamilyPolicy: PreferDualStack}}")
    pod = {"__meta_kubernetes_pod_ip": "10.0.0.1"}

    assert relabelled({**pod, "__address__": "10.0.0.1:9090"}, asked["relabelings"])
    assert relabelled({**pod, "__address__": "[fd00::1]:9090"}, asked["relabelings"]) is None


@pytest.mark.parametrize(("more", "limit"), [("", None), ("sampleLimit: 7000", 7000), ("sampleLimit: 0", None)])
def test_samples_have_the_limit_that_was_written(more: str, limit: int | None) -> None:
    """And no other: there are as many as clients and models."""
    assert (
        render(f"serviceMonitor: {{enabled: true, {more}}}").one("ServiceMonitor")["spec"].get("sampleLimit") == limit
    )


def test_annotations_say_the_same_to_a_prometheus_without_the_operator() -> None:
    manifests = render("{scrapeAnnotations: {enabled: true}, metricsPort: 9191}", namespace="models")

    annotations = manifests.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert {key: value for key, value in annotations.items() if key.startswith("prometheus.io/")} == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9191",
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "http",
        "prometheus.io/job": "models/llm-vllm-endpoint",
    }


def test_nothing_is_scraped_unless_it_is_asked_for() -> None:
    manifests = render()

    assert not [one for one in manifests if one["apiVersion"].startswith("monitoring.coreos.com")]
    assert "prometheus.io" not in str(manifests.one("Deployment")["spec"]["template"]["metadata"])


def test_its_dashboard_is_that_of_the_file_made_its_own() -> None:
    found = dashboards(render("dashboards: {enabled: true}", release="a", namespace="models"))
    file = reading.boards("vllm-endpoint")["endpoint"]

    board = found["models.a-vllm-endpoint.vllm-endpoint.json"]
    by_name = {one["name"]: one for one in board["templating"]["list"]}
    assert board["panels"] == file["panels"]
    assert board["title"] == "vLLM endpoint models/a-vllm-endpoint"
    assert by_name["namespace"]["current"]["value"] == "models"
    assert by_name["release"]["current"]["value"] == "a-vllm-endpoint"
    assert lint.faults({**board, "uid": file["uid"]}) == []


def test_no_dashboard_is_rendered_unless_asked_for() -> None:
    assert dashboards(render()) == {}


@pytest.mark.parametrize("where", ["", "monitoring"])
def test_two_endpoints_never_write_the_same_dashboard(where: str) -> None:
    text = f"dashboards: {{enabled: true, namespace: '{where}'}}"
    found = [
        (board["uid"], file, one.namespace, one.name)
        for release, namespace in (("a", "models"), ("b", "models"), ("a", "lab"))
        for one in render(text, release=release, namespace=namespace)
        if "-dashboard-" in one.name
        for file, board in dashboards(render(text, release=release, namespace=namespace)).items()
    ]

    uids, files, *_ = (set(column) for column in zip(*found, strict=True))
    assert len(found) == len(uids) == len(files) == len({one[2:] for one in found}) == 3
    assert all(len(uid) <= 40 for uid in uids)
