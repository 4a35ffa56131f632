"""What a container left in /dev/shm is gone when the next one starts, and nothing else is."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.programs import PROGRAMS, program
from vllm_chart.helm import render

PROGRAM = PROGRAMS / "sweep_shm.py"


def left(directory: Path, names: str) -> list[str]:
    for name in names.split():
        (directory / name).write_bytes(b"x" * 4096)
    (directory / "models").mkdir()
    return sorted(path.name for path in directory.iterdir())


def test_segments_of_a_container_before_this_one_go(tmp_path: Path) -> None:
    left(tmp_path, "psm_1a2b vllm_offload_7.mmap vllm_offload_7.mmap.31 vllm_ec_9_dp0.mmap nccl-Xy torch_7_8_0")
    assert program("sweep_shm").sweep(tmp_path)[0] == 6
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_what_somebody_put_there_stays(tmp_path: Path) -> None:
    before = left(tmp_path, "weights.safetensors my_segment sem.mp-1")
    assert program("sweep_shm").sweep(tmp_path) == (0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_segment_with_a_name_of_the_users_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_OBJECT_STORAGE_SHM_BUFFER_NAME", "images[1]")
    left(tmp_path, "images[1] images1")
    assert program("sweep_shm").sweep(tmp_path)[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images1", "models"]


def test_a_directory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    assert program("sweep_shm").sweep(tmp_path / "none") == (0, 0)


def test_the_one_that_it_hides_still_runs(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    real = tmp_path / "..data"
    for folder in (ours, theirs, real):
        folder.mkdir()
    name = "sitecustomize.py"
    (real / name).write_text(PROGRAM.read_text())
    (ours / name).symlink_to(real / name)  # as the kubelet mounts a ConfigMap
    (theirs / name).write_text("print('theirs')")
    env = os.environ | {"PYTHONPATH": f"{ours}:{theirs}", "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run([sys.executable, "-c", ""], env=env, capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("theirs\n", "")


@pytest.mark.parametrize(
    ("containers", "there"),
    [
        ([], True),
        ([{"name": "a", "image": "b"}], True),
        ([{"name": "a", "image": "b", "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}], False),
    ],
)
@pytest.mark.parametrize("key", ["initContainers", "extraContainers"])
def test_it_is_left_out_where_another_container_has_segments(
    key: str, containers: list[dict[str, object]], there: bool
) -> None:
    manifests = render(values={"model": {"id": "a/b"}, key: containers})
    assert ("sitecustomize.py" in manifests.one("ConfigMap")["data"]) == there


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, True),
        ({"shutdown": {"closeConnections": False}}, True),
        ({"shutdown": {"closeConnections": False}, "hang": {"seconds": 0}}, False),
        ({"engine": {"passArguments": False}, "command": ["serve"]}, False),
    ],
)
def test_it_is_there_where_python_would_find_it(values: dict[str, Any], there: bool) -> None:
    manifests = render(values={"model": {"id": "a/b"}, **values})
    [engine] = manifests.one("Deployment")["spec"]["template"]["spec"]["containers"]

    assert ("sitecustomize.py" in manifests.one("ConfigMap")["data"]) == there
    assert ("PYTHONPATH" in [variable["name"] for variable in engine["env"]]) == there
