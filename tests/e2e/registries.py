"""The registry of the local cluster: models are packed as images and pushed to it, and it says what was pulled."""

import dataclasses
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from kubernetes.client import ApiException

from ci import tools
from ci.kind.parts import REGISTRY_HOST
from tests.e2e.clients import pod_name
from vllm_chart.cluster.api import Cluster

NAME = NAMESPACE = "registry"
#: Of the files in a model's image, as modelcars have it.
FOLDER = "models"
PLATFORM = "linux/amd64"
LOCAL = ("127.0.0.1", "::1")
# A line of its log, as Apache's: '172.18.0.3 - - […] "GET /v2/a/blobs/sha256:… HTTP/1.1" 200 9'
_PULL = re.compile(r'^(\S+) .*"GET /v2/(\S+)/(?:blobs|manifests)/(\S+) HTTP/[\d.]+" (?:200|206) (\d+) ', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Pull:
    """A manifest or a part of an image that the registry has sent: to which address, and the bytes of it."""

    client: str
    repository: str
    what: str
    sent: int


@dataclasses.dataclass(frozen=True)
class Registry:
    """The registry of a cluster."""

    cluster: Cluster

    def is_there(self) -> bool:
        """Whether the cluster has it."""
        try:
            self.cluster.core.read_namespaced_service(NAME, NAMESPACE)
        except ApiException as error:
            if error.status == 404:
                return False
            raise
        return True

    def push(self, folder: Path, repository: str) -> str:
        """Make an image of a model's folder, push it, and return its reference by digest, as nodes pull it."""
        with tempfile.TemporaryDirectory() as work, self._reached() as address:
            layer = Path(work, "layer.tar")
            _pack(folder, layer)
            tag = f"{address}/{repository}:latest"
            _crane("append", "--oci-empty-base", f"--new_layer={layer}", f"--new_tag={tag}")
            pushed = _crane("mutate", tag, f"--set-platform={PLATFORM}", f"--tag={tag}")
        return pushed.replace(address, REGISTRY_HOST)

    def remove(self, reference: str) -> None:
        """Remove an image by its digest: nobody can pull it any more."""
        with self._reached() as address:
            _crane("delete", reference.replace(REGISTRY_HOST, address))

    def pulls(self, repository: str) -> list[Pull]:
        """All that it has sent of a repository, but to who pushed it through a port-forward."""
        (pod,) = self.cluster.core.list_namespaced_pod(NAMESPACE, label_selector=f"app.kubernetes.io/name={NAME}").items
        log = self.cluster.core.read_namespaced_pod_log(pod_name(pod), NAMESPACE)
        return [pull for pull in parse(log) if pull.repository == repository and pull.client not in LOCAL]

    def _reached(self) -> AbstractContextManager[str]:
        return self.cluster.port_forward(NAMESPACE, NAME, "http")


def parse(log: str) -> list[Pull]:
    """What a registry's log says that it has sent."""
    found = _PULL.findall(log)
    return [Pull(client, repository, what, int(sent)) for client, repository, what, sent in found]


def _pack(folder: Path, target: Path) -> None:
    """A layer with a folder's files below `FOLDER`, the same bytes for the same files."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        return entry

    with tarfile.open(target, "w") as archive:
        archive.add(folder, FOLDER, recursive=False, filter=plain)
        for file in sorted(folder.iterdir()):
            archive.add(file, f"{FOLDER}/{file.name}", filter=plain)


def _crane(*arguments: str) -> str:
    command: Sequence[str] = (str(tools.crane()), *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()
