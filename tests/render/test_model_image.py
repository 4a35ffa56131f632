"""`model.image`: what it renders, on which versions of Kubernetes, and what is said of it."""

from typing import Any

import pytest

from tests.render.view import View
from vllm_chart import checks
from vllm_chart.helm import HelmError, render

DIGEST = f"registry.example.com/models/qwen3-8b@sha256:{'a' * 64}"


def view(reference: str = DIGEST, id_: str = "qwen3-8b", kube_version: str = "1.37", **values: Any) -> View:
    image = {"reference": reference, **values.pop("image", {})}
    model = {"id": id_, "image": image, **values.pop("model", {})}
    return View(render(values={"model": model, **values}, kube_version=kube_version))


def test_it_is_mounted_read_only_and_served_by_its_name() -> None:
    v = view(image={"subPath": "models", "pullPolicy": "IfNotPresent"})
    [mount] = [mount for mount in v.engine["volumeMounts"] if mount["name"] == "model-image"]

    assert v.volumes["model-image"]["image"] == {"reference": DIGEST, "pullPolicy": "IfNotPresent"}
    assert mount == {"name": "model-image", "mountPath": "/model", "readOnly": True, "subPath": "models"}
    assert v.args[:3] == ["/model", "--served-model-name", "qwen3-8b"]
    assert v.env["HF_HUB_OFFLINE"] == "1"
    assert "model: qwen3-8b" in v.manifests.notes


@pytest.mark.parametrize("reference", [f"[2001:db8::1]:5000/models/a@sha512:{'a' * 128}", "registry:5000/a:1"])
def test_other_forms_of_a_reference_are_taken(reference: str) -> None:
    assert view(reference).volumes["model-image"]["image"]["reference"] == reference


def test_other_names_take_the_place_of_the_id() -> None:
    v = view(model={"servedModelName": ["chat", "qwen"]})
    assert v.args[v.args.index("--served-model-name") + 1 :][:2] == ["chat", "qwen"]
    assert "qwen3-8b" not in v.args


@pytest.mark.parametrize(
    "values",
    [
        {"engine": {"args": {"tokenizer": "Qwen/Qwen3-8B"}}},
        {"lora": {"adapters": [{"name": "sql", "source": "acme/sql"}]}},
    ],
    ids=["tokenizer", "adapter"],
)
def test_what_else_is_of_the_hub_is_still_asked_for(values: dict[str, Any]) -> None:
    assert "HF_HUB_OFFLINE" not in view(**values).env


@pytest.mark.parametrize(
    ("kube_version", "words"),
    [("1.33", "only with the gate ImageVolume"), ("1.34", "only with the gate"), ("1.35", "")],
)
def test_the_notes_say_which_version_needs_its_gate(kube_version: str, words: str) -> None:
    notes = view(kube_version=kube_version).manifests.notes
    assert words in notes
    assert ("ImageVolume" in notes) == bool(words)


def test_an_older_version_mounts_none() -> None:
    with pytest.raises(HelmError, match=r"model\.image: this Kubernetes mounts no images"):
        view(kube_version="1.32")


def test_check_tells_of_older_versions_and_refuses_none_that_has_it() -> None:
    values = {"model": {"id": "qwen3-8b", "image": {"reference": DIGEST}}}
    assert [finding.severity for finding in checks.check(values=values).findings] == ["info"]
    assert checks.check(values=values, kubernetes=["1.36"]).findings == []
    assert [finding.severity for finding in checks.check(values=values, kubernetes=["1.31"]).findings] == ["error"]


@pytest.mark.parametrize(("tag", "found"), [(":1.2", 0), ("", 1), (":latest", 1)])
def test_a_tag_that_moves_is_found(tag: str, found: int) -> None:
    v = view(f"registry.example.com:5000/models/qwen3-8b{tag}")
    findings = checks.inspect(v.manifests, "1.37")
    assert [finding.check for finding in findings] == ["images-are-pinned"] * found
    assert all("write a digest in model.image.reference" in finding.remedy for finding in findings)
    assert "may come to mean another model" in v.manifests.notes


def test_a_plan_is_made_for_the_model_that_the_name_says() -> None:
    values = {"model": {"id": "Qwen/Qwen3-32B", "image": {"reference": DIGEST}}, "gpu": {"count": 3}}
    assert "divisibility" in {finding.check for finding in checks.validate(values=values)}


def test_without_one_there_is_nothing_of_it() -> None:
    v = View(render(values={"model": {"id": "org/name"}}))
    assert "model-image" not in str(v.template)
    assert "--served-model-name" not in v.args
