"""The dashboards as charts/vllm renders them: those of the files, made a release's own."""

import json
from typing import Any

import pytest
from helm_python import values_from_yaml

from ci.dashboards import lint, reading
from vllm_chart import helm
from vllm_chart.rendered.manifests import Manifests

ENABLED = "dashboards: {enabled: true}"


def render(text: str = ENABLED, **options: Any) -> Manifests:
    return helm.render(values={"model": {"id": "org/name"}, **values_from_yaml(text)}, **options)


def dashboards(manifests: Manifests) -> dict[str, Any]:
    """What each file of the dashboards holds."""
    found = [one for one in manifests if one.metadata["labels"].get("app.kubernetes.io/component") == "dashboard"]
    return {name: json.loads(text) for one in found for name, text in one["data"].items()}


def numbers(board: Any) -> dict[str, str]:
    return {one["name"]: one["query"] for one in board["templating"]["list"] if one["type"] == "textbox"}


def test_none_is_rendered_unless_asked_for() -> None:
    assert dashboards(render("{}")) == {}


@pytest.mark.parametrize("text", [ENABLED, f"{ENABLED}\nslo: {{ttft: {{seconds: 10}}}}"])
def test_a_release_has_the_panels_of_the_files(text: str) -> None:
    rendered = dashboards(render(text, namespace="models"))

    for name, board in reading.boards("vllm").items():
        own = rendered[f"models.llm-vllm.vllm-{name}.json"]
        assert own["panels"] == board["panels"]
        assert own["title"] == f"{board['title']} models/llm-vllm"
        assert lint.faults({**own, "uid": board["uid"]}) == []


def test_the_variables_are_preset_to_the_release() -> None:
    text = """
        dashboards: {enabled: true, gpuHourPrice: 2.5}
        slo: {errors: 0.99, ttft: {seconds: 1, objective: 0.98}, itl: {seconds: ".05", objective: 0.97}}
        gpu: {count: 4}
        engine: {args: {max-num-seqs: 128}}
        autoscaling: {kvCacheUsage: 0.7}
        fullnameOverride: chat
    """
    board = dashboards(render(text, namespace="models"))["models.chat.vllm-service.json"]
    by_name = {one["name"]: one for one in board["templating"]["list"]}

    assert by_name["namespace"]["current"]["value"] == "models"
    assert by_name["release"]["current"]["value"] == "chat"
    assert numbers(board) == {
        "ttft_slo": "1.0",
        "itl_slo": "0.05",
        "ttft_objective": "0.98",
        "itl_objective": "0.97",
        "error_objective": "0.99",
        "gpus": "4",
        "price": "2.5",
        "target": "96",
        "kv_target": "0.7",
    }
    assert all(one["current"]["value"] == one["query"] for one in by_name.values() if one["type"] == "textbox")


def test_the_files_have_the_charts_own_defaults() -> None:
    service = reading.boards()["service"]
    own = dashboards(render())["default.llm-vllm.vllm-service.json"]

    assert {name: float(text) for name, text in numbers(own).items()} == {
        name: float(text) for name, text in numbers(service).items()
    }


def test_a_pod_without_a_gpu_counts_as_one() -> None:
    board = dashboards(render(f"{ENABLED}\nengine: {{device: cpu}}\ngpu: {{count: 0}}"))

    assert numbers(board["default.llm-vllm.vllm-service.json"])["gpus"] == "1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"release": "a"}, {"release": "b"}),
        ({"namespace": "a"}, {"namespace": "b"}),
        ({"release": "a", "namespace": "b-c"}, {"release": "c-a", "namespace": "b"}),
    ],
)
@pytest.mark.parametrize("where", ["", "monitoring"])
def test_two_releases_never_write_the_same(one: dict[str, str], other: dict[str, str], where: str) -> None:
    """Neither a ConfigMap, nor what Grafana knows a dashboard by, nor a file in the sidecar's folder."""
    text = f"dashboards: {{enabled: true, namespace: '{where}'}}"
    first, second = render(text, **one), render(text, **other)

    def identities(manifests: Manifests) -> set[str]:
        maps = {f"{one.namespace}/{one.name}" for one in manifests if "-dashboard-" in one.name}
        boards = dashboards(manifests)
        return maps | boards.keys() | {key for board in boards.values() for key in (board["uid"], board["title"])}

    assert len(identities(first)) == 8
    assert not identities(first) & identities(second)


def test_what_grafana_knows_it_by_fits() -> None:
    long = render(release="a" * 53, namespace="n" * 63)
    assert {len(board["uid"]) <= 40 for board in dashboards(long).values()} == {True}


def test_a_release_keeps_its_address_in_grafana() -> None:
    """Bookmarks and alerts lead there."""
    board = dashboards(render(namespace="models"))["models.llm-vllm.vllm-service.json"]
    assert board["uid"] == "vllm-service-a9a44340d2060930"
