import json
from datetime import UTC, datetime

import pytest

from ci import engine as engines
from ci.engine import Engine
from ci.kind import disk
from ci.kind.loading import qualified
from ci.kind.nodes import Node, cni_config, parse_nodes
from ci.tools import parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v4.3.1+gc0d08d0", (4, 3, 1)),
        ("kind v0.33.0 go1.26.8 linux/amd64", (0, 33, 0)),
        ("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0", (1, 32, 4)),
        ("command not found", ()),
    ],
)
def test_version_of_a_tool(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("python:3.13-slim", "docker.io/library/python:3.13-slim"),
        ("vllm/vllm-openai-cpu:v1", "docker.io/vllm/vllm-openai-cpu:v1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost/image:1", "localhost/image:1"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
    ],
)
def test_image_reference_as_containerd_names_it(reference: str, full: str) -> None:
    assert qualified(reference) == full


def test_nodes_of_a_listing() -> None:
    joined = {
        "metadata": {"name": "gpu", "labels": {"doks.digitalocean.com/gpu-brand": "nvidia"}},
        "spec": {"podCIDR": "10.244.1.0/24"},
        "status": {
            "addresses": [{"type": "Hostname", "address": "gpu"}, {"type": "InternalIP", "address": "172.18.0.2"}],
            "allocatable": {"cpu": "2", "nvidia.com/gpu": "1"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-23T21:00:00Z"}],
        },
    }
    joining = {
        "metadata": {"name": "cpu", "labels": {}},
        "spec": {},
        "status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.3"}]},
    }
    reported = datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert parse_nodes({"items": [joined, joining]}) == [
        Node("gpu", "172.18.0.2", "10.244.1.0/24", gpu=True, gpus=1, ready=True, reported=reported),
        Node("cpu", "172.18.0.3", "", gpu=False, gpus=0, ready=False, reported=None),
    ]


def test_pods_get_addresses_of_their_nodes_range() -> None:
    (ptp, portmap) = json.loads(cni_config("10.244.1.0/24"))["plugins"]
    assert ptp["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert portmap["type"] == "portmap"


def test_a_disk_that_moves_is_a_file_behind_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(_: Engine, *arguments: str) -> str:
        asked.append(arguments[-1])
        return "/dev/loop3"

    monkeypatch.setattr(engines, "ensure", lambda: Engine("docker", {}))
    monkeypatch.setattr(Engine, "output", answer)
    monkeypatch.setattr(Engine, "run", answer)
    device = disk.attach("worker", "a", "2G")
    disk.detach("worker", "a", device)
    file = "/var/vllm-chart-a.img"
    assert asked == [
        f"truncate --size=2G {file}; losetup --find --show {file}",
        f"losetup --detach /dev/loop3; rm {file}",
    ]
