"""The download Job's program and the volume: what has room in it, and what it does where there are no links."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.download_job import MODEL, SHARD, WHOLE, Job
from tests.hub_server import Hub, Repository
from tests.programs import program


def test_a_volume_that_is_too_small_is_told_before_anything_is_fetched(hub: Hub, job: Job) -> None:
    command = job.command()
    small = "import shutil; shutil.disk_usage = lambda _: type('', (), {'total': 1 << 20, 'free': 1 << 19})();"
    command["args"][2] = small + command["args"][2]
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "write a larger persistence.size" in done.stdout
    assert not hub.requests("/resolve/")


def with_disk(command: dict[str, Any], total: int) -> dict[str, Any]:
    """The command on a disk of so many bytes, of which the volume's files take theirs."""
    disk = f"""
import pathlib, shutil, types
def usage(markers):
    files = [path for path in pathlib.Path(markers).parent.rglob("*") if path.is_file() and not path.is_symlink()]
    return types.SimpleNamespace(total={total}, free={total} - sum(path.stat().st_size for path in files))
shutil.disk_usage = usage
"""
    return command | {"args": [*command["args"][:2], disk + command["args"][2]]}


def wanted(name: str, revision: str, marker: str) -> dict[str, Any]:
    return {"name": name, "revision": revision, "exclude": ["original/*"], "marker": marker * 16}


def test_room_for_one_of_two_repositories_is_told_before_anything_is_fetched(hub: Hub, job: Job) -> None:
    hub.repositories["org/draft"] = Repository()
    hub.repositories["org/draft"].commit({"config.json": b"{}", "model.safetensors": b"d" + SHARD})
    both = [wanted("org/name", "", "0"), wanted("org/draft", "", "1")]
    command = with_disk(job.command(repositories=both), 50 << 20)
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout
    assert "write a larger persistence.size" in done.stdout
    assert not hub.requests("/resolve/")


def test_two_revisions_need_room_once_for_what_they_share(hub: Hub, job: Job) -> None:
    hub.repositories["org/name"].commit(MODEL | {"config.json": b"{}"}, branch="v2")
    both = [wanted("org/name", "main", "0"), wanted("org/name", "v2", "1")]
    command = with_disk(job.command(repositories=both), 50 << 20)
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_what_is_fetched_ahead_keeps_no_engine_from_its_model(hub: Hub, job: Job) -> None:
    ahead = MODEL | {"model-00001-of-00002.safetensors": b"n" + SHARD}
    hub.repositories["org/name"].commit(ahead, branch="v2")
    command = with_disk(job.command(ahead=[wanted("org/name", "v2", "1")]), 50 << 20)
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout
    assert job.has_marker
    assert "write a larger persistence.size" in done.stdout


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EPERM], ids=["not supported", "not permitted"])
def test_a_volume_without_links_holds_copies(hub: Hub, job: Job, number: int) -> None:
    """As one of SMB's is without its mount option mfsymlinks, mount.cifs(8)."""
    repository = Repository()
    repository.commit({"adapter_config.json": b"{}", "adapter_model.safetensors": b"x"})
    hub.repositories["acme/sql"] = repository
    place = job.volume / "adapters/acme--sql/main"
    repositories = [wanted("org/name", "", "0"), wanted("acme/sql", "", "1") | {"adapter": str(place)}]
    command = job.command(repositories=repositories)
    command["args"][2] = f"""
import os
def symlink(source, target, *_, **__):
    raise OSError({number}, os.strerror({number}), str(target))
os.symlink = symlink
{command["args"][2]}"""
    for _ in range(2):
        done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
    assert "is there already" in done.stdout
    assert not any(path.is_symlink() for path in job.volume.rglob("*"))
    for path in WHOLE:
        commit = hub.repositories["org/name"].branches["main"]
        assert (job.snapshot(commit) / path).read_bytes() == MODEL[path]
        assert hub.sent(f"/{path}") == len(MODEL[path])
    assert (place / "adapter_model.safetensors").read_bytes() == b"x"


@pytest.mark.parametrize("there", ["a.safetensors", "b.safetensors"])
def test_without_links_a_path_of_the_same_bytes_is_still_to_fetch(there: str, hub: Hub, job: Job) -> None:
    commit = hub.repositories["org/name"].commit({"a.safetensors": SHARD, "b.safetensors": SHARD})
    job.snapshot(commit).mkdir(parents=True)
    (job.snapshot(commit) / there).write_bytes(SHARD)
    command = with_disk(job.command(), len(SHARD) * 3 // 2)
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout
    assert "write a larger persistence.size" in done.stdout
    assert not hub.requests("/resolve/")


def test_a_link_that_another_job_makes_meanwhile_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download, symlink = program("download"), os.symlink
    ours, theirs, link = (tmp_path / name / "adapter_config.json" for name in ("ours", "theirs", "adapter"))
    for file in (ours, theirs):
        file.parent.mkdir()
        file.write_text(file.parent.name)

    def later(source: str, target: Path, *more: Any, **options: Any) -> None:
        link.unlink(missing_ok=True)
        symlink(theirs, link)
        symlink(source, target, *more, **options)

    monkeypatch.setattr(os, "symlink", later)
    download.place(ours.parent, link.parent, [link.name], "0" * 40)
    assert (ours.read_text(), theirs.read_text()) == ("ours", "theirs")
    assert link.resolve() == ours


def test_a_file_that_is_there_is_no_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def there(*_: Any, **__: Any) -> None:
        raise FileExistsError(errno.EEXIST, "File exists")

    (tmp_path / "adapter_config.json").write_text("{}")
    monkeypatch.setattr(os, "symlink", there)
    with pytest.raises(FileExistsError):
        program("download").place(tmp_path, tmp_path / "adapter", ["adapter_config.json"], "0" * 40)


def test_a_revision_that_shares_its_weights_needs_no_room_for_them(hub: Hub, job: Job) -> None:
    job.run(revision="main")
    commit = hub.repositories["org/name"].commit(MODEL | {"config.json": b"{}"})
    command = job.command(revision=commit)
    small = "import shutil; shutil.disk_usage = lambda _: type('', (), {'total': 1 << 26, 'free': 1 << 19})();"
    command["args"][2] = small + command["args"][2]
    (job.volume / ".fetched/0123456789abcdef").unlink()
    hub.asked.clear()
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert job.marker["commit"] == commit
    assert not any(each.sent for each in hub.asked if "safetensors" in each.path)


def test_a_volume_that_fills_up_is_told(hub: Hub, job: Job) -> None:
    command = job.command()
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
    full += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    # A write beyond the limit is EFBIG: the errno alone is another than that of a full disk.
    full += "import errno; errno.ENOSPC = errno.EFBIG\n"
    command["args"][2] = full + command["args"][2]
    done = subprocess.run(**command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout
    assert "the volume is full: write a larger persistence.size" in done.stdout
