"""Whether the models that are shown for an endpoint are where charts/vllm puts its engines."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import lint
from vllm_chart import helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint.behind import PORT
from vllm_chart.helm import HelmError

ROOT = Path(__file__).parents[2]
#: An example of a page: `models:` and what is indented below it.
OF_A_PAGE = re.compile(r"^    models:\n(?:     .*\n)+", re.MULTILINE)


def shown() -> Iterator[tuple[str, Any]]:
    """Every model of the examples and of the pages: where it stands, its block of the values."""
    documents = [(path.name, path.read_text()) for path in lint.examples(ENDPOINT)]
    for page in sorted((ROOT / "docs").glob("*.md")):
        documents += [(page.name, textwrap.dedent(one)) for one in OF_A_PAGE.findall(page.read_text())]
    for where, text in documents:
        for name, model in yaml.safe_load(text)["models"].items():
            yield f"{where} {name}", model


SHOWN = dict(shown())


def services(release: str) -> dict[str, int]:
    """The Services of an engine's release, each with the port at which its name answers."""
    manifests = helm.render(release=release, values={"model": {"id": "a/b"}, "service": {"pods": {"enabled": True}}})
    return {one.name: one["spec"]["ports"][0]["port"] for one in manifests.all("Service")}


def test_examples_and_pages_are_found() -> None:
    assert {one.split()[0] for one in SHOWN} >= {"tokens.yaml", "two-models.yaml", "endpoint.md", "tls.md"}


@pytest.mark.parametrize("model", SHOWN.values(), ids=SHOWN)
def test_a_model_that_is_shown_is_where_a_release_answers(model: dict[str, Any]) -> None:
    service = model["service"]
    assert services(service.split("-vllm")[0]).get(service) == model.get("port", PORT)


def test_so_is_the_one_that_a_refusal_tells_to_write() -> None:
    with pytest.raises(HelmError) as refused:
        helm.render(chart=ENDPOINT.folder, values={"clients": {"secretName": "keys"}})
    (service,) = re.findall(r"{llama3: {service: ([-a-z]+)}}", str(refused.value))
    assert services("llm")[service] == PORT
