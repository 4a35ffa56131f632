"""The comparison of two states of the chart."""

import shutil
from pathlib import Path

import pytest

from tests.render import compare


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b: 2 -> 3"]),
        ({"a": 1}, {"b": 1}, ["a: 1 -> nothing", "b: nothing -> 1"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a: [1] -> [1, 2]"]),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_each_place_that_differs_is_said(before: object, after: object, said: list[str]) -> None:
    assert list(compare.differences(before, after)) == said


def test_two_charts_differ_where_their_templates_do(tmp_path: Path) -> None:
    other = shutil.copytree(compare.OURS, tmp_path / "vllm")
    service = other / "templates/service.yaml"
    service.write_text(service.read_text().replace("protocol: TCP", "protocol: UDP"))
    values = {"model": {"id": "org/name"}}
    found = list(compare.differences(compare.result(other, values), compare.result(compare.OURS, values)))
    assert found == ["Service/llm-vllm.spec.ports[0].protocol: 'UDP' -> 'TCP'"]


def test_refusals_are_compared_line_by_line() -> None:
    lines = compare.result(compare.OURS, {"model": {"id": ""}, "hang": {"seconds": 1}})
    assert any(line.startswith("- model.id: ") for line in lines)
    assert any(line.startswith("- hang.seconds: ") for line in lines)


def test_every_configuration_has_a_name_of_its_own() -> None:
    names = [name for name, _ in compare.configurations()]
    assert len(names) > 500
    assert len(names) == len(set(names))
