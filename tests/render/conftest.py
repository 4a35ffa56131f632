"""What the render tests share: the examples."""

from pathlib import Path

import pytest

from vllm_chart import support

EXAMPLES = sorted((Path(__file__).parents[2] / "values").glob("*.yaml"))

#: Examples that need a newer Kubernetes than the chart does, and since which version they render.
SINCE = {"image-volume": "1.33"}


def versions(example: Path) -> list[str]:
    """The versions of Kubernetes that an example is for."""
    return [*support.KUBERNETES[support.KUBERNETES.index(SINCE.get(example.stem, support.KUBERNETES[0])) :]]


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each values file of the repository in turn."""
    path: Path = request.param
    return path
