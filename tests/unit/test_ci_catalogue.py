"""Following a release of vLLM: what it may be called with, and in which order it asks."""

import sys
from pathlib import Path

import pytest

from ci import catalogue
from ci.shell import HarnessError


def test_it_wants_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["catalogue"])
    with pytest.raises(HarnessError, match=r"nox -s catalogue -- 0\.33\.0"):
        catalogue.main()


def test_the_schema_is_written_before_the_chart_is_rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def note(*words: object, **_: object) -> str:
        asked.append(next(str(word) for word in words if str(word).startswith("ci.")))
        return "{}"

    monkeypatch.setattr(catalogue, "installed", lambda _: tmp_path)
    monkeypatch.setattr(catalogue, "cache_dir", lambda *_: tmp_path)
    monkeypatch.setattr(catalogue, "run", note)
    monkeypatch.setattr(catalogue, "output", note)
    catalogue.follow("0.33.0")
    assert asked == [
        "ci.catalogue.extract",
        "ci.generate",
        "ci.catalogue.record",
        "ci.catalogue.configure",
        "ci.catalogue.rendered",
        "ci.catalogue.record",
        "ci.catalogue.raised",
    ]


def test_an_override_leaves_its_package_out() -> None:
    lines = catalogue.OVERRIDES.read_text().splitlines()
    assert [line for line in lines if line and line[0] != "#" and not line.endswith('; sys_platform == "never"')] == []
