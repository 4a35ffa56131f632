"""Every mistake of the table is caught by the check that is named for it; `__main__` writes the documentation of it."""

import pytest

from tests.render.mistakes.catches import Catch, Elsewhere, Explained
from tests.render.mistakes.table import MISTAKES

CAUGHT = [(mistake, catch) for mistake in MISTAKES for catch in mistake.catches]


@pytest.mark.parametrize("catch", [catch for _, catch in CAUGHT], ids=[f"{m.id}: {c.by}" for m, c in CAUGHT])
def test_it_is_caught(catch: Catch) -> None:
    assert catch.said()


def test_every_mistake_is_there_once_with_its_source() -> None:
    assert len({mistake.id for mistake in MISTAKES}) == len(MISTAKES)
    assert all(mistake.source.startswith("https://") and mistake.catches for mistake in MISTAKES)


def test_nearly_all_are_caught_by_something_that_runs() -> None:
    ours = [mistake for mistake in MISTAKES if not any(isinstance(catch, Elsewhere) for catch in mistake.catches)]
    by_words = [mistake for mistake in ours if all(isinstance(catch, Explained) for catch in mistake.catches)]

    assert len(by_words) <= len(ours) / 20
    assert len(ours) - len(by_words) >= len(MISTAKES) * 0.8
