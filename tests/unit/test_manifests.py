"""Manifests: what was rendered, read as an API server reads it."""

import pytest
from kubernetes.client import V1ConfigMap, V1Service
from pydantic import ValidationError

from vllm_chart.rendered.manifests import ManifestError, Manifests, present

TWO = """\
---
# Source: vllm/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: llm, namespace: models}
spec: {ports: [{port: 80}]}
---
# Source: vllm/templates/extra-objects.yaml
# nothing but a comment
---
apiVersion: v1
kind: ConfigMap
metadata: {name: first}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: second}
"""


def config_map(data: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n{data}"


def test_objects_know_what_they_are_and_where_they_come_from() -> None:
    manifests = Manifests.parse(TWO)
    service = manifests.one("Service")

    assert manifests.inventory() == ["ConfigMap/first", "ConfigMap/second", "Service/llm"]
    assert (service.kind, service.name, service.namespace) == ("Service", "llm", "models")
    assert service.where == "Service/llm"
    assert service.source == "vllm/templates/service.yaml"
    assert manifests.one("ConfigMap", "second").name == "second"


def test_a_model_of_the_client_gives_typed_access() -> None:
    service = Manifests.parse(TWO).one(V1Service)

    assert present(present(service.spec).ports)[0].port == 80
    assert [present(found.metadata).name for found in Manifests.parse(TWO).all(V1ConfigMap)] == ["first", "second"]


def test_typed_access_refuses_a_misspelt_field() -> None:
    manifests = Manifests.parse(TWO.replace("{port: 80}", "{prot: 80}"))

    with pytest.raises(ValidationError, match="prot"):
        manifests.one(V1Service)


def test_what_is_missing_or_there_twice_is_told_with_what_there_is() -> None:
    manifests = Manifests.parse(TWO)

    assert manifests.maybe("Deployment") is None
    with pytest.raises(ManifestError, match=r"no Deployment; rendered: ConfigMap/first, .*Service/llm"):
        manifests.one("Deployment")
    with pytest.raises(ManifestError, match=r"no Service/other"):
        manifests.one("Service", "other")
    with pytest.raises(ManifestError, match=r"2 of kind ConfigMap"):
        manifests.maybe(V1ConfigMap)
    with pytest.raises(ManifestError, match="must be set"):
        present(None)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("  a: 1\n  b: 2\n  a: 3\n", 8),
        ("  list:\n    - a: 1\n      a: 2\n", 8),
        ('  "a": 1\n  a: 2\n', 7),
    ],
    ids=["map", "in-a-list", "quoted"],
)
def test_a_duplicate_key_is_refused_with_its_line(data: str, line: int) -> None:
    with pytest.raises(ManifestError, match=rf"rendered text, line {line}: the key 'a' is there twice"):
        Manifests.parse(config_map(data))


def test_lines_are_counted_across_documents() -> None:
    with pytest.raises(ManifestError, match=r"line 25"):
        Manifests.parse(TWO + "---\n" + config_map("  a: 1\n  a: 2\n"))


def test_a_file_that_is_no_mapping_is_refused_by_name() -> None:
    for text, line in (("- 1\n", ""), ("a: [\n", ", line 2"), ("a: b: c\n", ", line 1")):
        with pytest.raises(ManifestError, match=rf"vllm/templates/x\.yaml{line}: not a YAML mapping"):
            Manifests.from_templates({"vllm/templates/x.yaml": text})


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e3", 1000), ("y", True), ("0o17", 15), ("2024-01-01", "2024-01-01"), ("1:30", "1:30"), ('"1e3"', "1e3")],
)
def test_scalars_mean_what_they_mean_to_kubernetes(text: str, value: object) -> None:
    assert Manifests.parse(config_map(f"  a: {text}\n"))[0]["data"]["a"] == value


def test_dashes_in_a_text_do_not_end_a_document() -> None:
    (found,) = Manifests.parse(config_map("  a: |\n    ---\n    b\n"))

    assert found["data"]["a"] == "---\nb\n"


def test_templates_give_objects_and_the_notes_of_the_chart_alone() -> None:
    manifests = Manifests.from_templates(
        {
            "vllm/templates/NOTES.txt": "hello",
            "vllm/charts/other/templates/NOTES.txt": "not shown",
            "vllm/templates/b.yaml": config_map("  a: b\n"),
            "vllm/templates/empty.yaml": "\n",
        }
    )

    assert manifests.notes == "hello"
    assert [found.source for found in manifests] == ["vllm/templates/b.yaml"]


def test_equal_whatever_the_order_but_not_whatever_the_content() -> None:
    first, second = Manifests.parse(TWO), Manifests.parse("---\n".join(reversed(TWO.split("---\n"))))

    assert first == second
    assert first != Manifests.parse(TWO.replace("80", "81"))
    assert first != Manifests(first[:2])
