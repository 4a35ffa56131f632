"""What the render tests share: the examples."""

from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "values").glob("*.yaml"))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each values file of the repository in turn."""
    path: Path = request.param
    return path
