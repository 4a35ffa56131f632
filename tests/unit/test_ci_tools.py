"""The harness's own tools: what they are installed by."""

import json
from pathlib import Path
from typing import Any

import pytest

from ci import tools, versions

LOCK = Path(tools.__file__).parent / "azurite" / "package-lock.json"


def test_every_package_of_azurite_is_held_to_a_hash() -> None:
    """By what the lock says alone: the registry that answers may be any."""
    packages: dict[str, dict[str, Any]] = json.loads(LOCK.read_text())["packages"]
    root = packages.pop("")

    assert root["dependencies"] == {"azurite": versions.AZURITE}
    assert packages["node_modules/azurite"]["version"] == versions.AZURITE
    assert [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_azurite_is_installed_by_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def npm(*words: object) -> None:
        ran.append(tuple(map(str, words)))
        assert Path(ran[-1][-1], "package-lock.json").read_bytes() == LOCK.read_bytes()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "run", npm)
    tools.azurite.cache_clear()
    program = tools.azurite()
    tools.azurite.cache_clear()

    assert ran[0][:3] == ("npm", "ci", "--ignore-scripts")
    assert program.is_relative_to(tmp_path)
    assert len(ran) == 1
