"""What several files of unit tests ask for: an engine behind an endpoint, and a download Job with its Hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.download_job import Job, small_hub
from tests.hub_server import Hub
from tests.stub_engines import Engine, engine


@pytest.fixture(scope="module")
def llama() -> Iterator[Engine]:
    """An engine; the tests of a file share it."""
    with engine("llama3") as one:
        yield one


@pytest.fixture
def hub() -> Iterator[Hub]:
    with small_hub() as hub:
        yield hub


@pytest.fixture
def job(hub: Hub, tmp_path: Path) -> Job:
    return Job(hub, tmp_path)
