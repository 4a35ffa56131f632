"""Volumes and mounts of an engine as values: /dev/shm, the cache of weights, and all others as they are."""

import posixpath
from collections.abc import Mapping
from typing import Any

from vllm_chart import facts
from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part

Json = Any

_DEFAULT_MOUNT = "/cache"
_NO_VOLUME = "the pod has no volume of this name: those of claim templates are not in the chart"


class Volumes:
    """The volumes of a pod, and what becomes of each."""

    def __init__(self, pod: Part, environment: Mapping[str, str | None], download_dir: str) -> None:
        self._volumes = {str(volume.value_of("name")): volume for volume in pod.maps("volumes")}
        self._environment = environment
        self._home = _hub_home(environment)
        self._download_dir = download_dir
        self.renamed: dict[str, str] = {}
        """Volumes that go by another name in the chart, by their own."""
        self.claim: Part | None = None
        """The volume that holds the cache, if a claim does."""
        self.findings: list[Finding] = []

    def take(self, draft: Draft, mounts: list[Part]) -> None:
        """Write the mounts of the engine's container, and then all volumes of the pod."""
        for mount in mounts:
            path = str(mount.value_of("mountPath") or "").rstrip("/")
            name = str(mount.value_of("name"))
            volume = self._volumes.get(name)
            if path == "/dev/shm":
                self._shm(draft, mount, volume)
            elif path == "/tmp" and volume and volume.get("emptyDir"):
                self._own(mount, volume, "tmp", "the chart mounts an emptyDir there")
            elif volume is None:
                mount.left(_NO_VOLUME, "write persistence, or a claim in volumes: docs/models.md")
            elif self._is_cache(path) and self.claim is None:
                self._cache(draft, mount, volume, path)
            else:
                self._plain(draft, mount, name)
        for name, volume in self._volumes.items():
            if name not in self.renamed or self.renamed[name] not in _owned():
                self._volume(draft, volume, name)

    def mounts_of(self, container: Json) -> Json:
        """A container beside the engine, its mounts by the names that the volumes have in the chart."""
        given = [mount for mount in container.get("volumeMounts") or () if mount]
        for mount in given:
            if str(mount.get("name")) not in self._volumes:
                where = f"{container.get('name')}: volumeMounts: {mount.get('name')}"
                remedy = "write its volume in volumes, and the mount again"
                self.findings.append(Finding("import-carries", where, _NO_VOLUME, remedy))
        mounts = [
            {**mount, "name": self.renamed.get(str(mount.get("name")), mount.get("name"))}
            for mount in given
            if str(mount.get("name")) in self._volumes
        ]
        return {**container, "volumeMounts": mounts} if given else container

    # /dev/shm

    def _shm(self, draft: Draft, mount: Part, volume: Part | None) -> None:
        self._own(mount, None, "shm", "the chart always mounts it")
        if volume is None:
            return
        self.renamed[str(volume.value_of("name"))] = "shm"
        limit = volume.get("emptyDir", "sizeLimit")
        draft.take(limit, "shm.sizeLimit")
        volume.cover("the chart's is one", "name")
        if directory := volume.get("emptyDir"):
            directory.cover("the chart's is in memory, and sized by the engine's workers", "medium")
            if not directory.value:
                directory.covered("the chart's is in memory, and sized by the engine's workers")
        else:
            source = "the chart has an emptyDir in memory, sized by the engine's workers, in its place"
            volume.left(source, "", "warning")

    # The cache

    def _is_cache(self, path: str) -> bool:
        inside = self._home == path or self._home.startswith(f"{path}/")
        return inside or path == f"{self._home}/hub" or (bool(self._download_dir) and path == self._download_dir)

    def _cache(self, draft: Draft, mount: Part, volume: Part, path: str) -> None:
        """The claim that holds weights. Its files are found where they are: the chart has the Hub's home in
        `huggingface` below the mount."""
        if directory := volume.get("emptyDir"):
            self._own(mount, volume, "cache", "the chart has an emptyDir for caches, without a claim")
            if limit := directory.get("sizeLimit"):
                limit.left("the chart's emptyDir for caches has no limit", "write resources.limits.ephemeral-storage")
            return
        name = volume.get("persistentVolumeClaim", "claimName")
        if name is None:
            self._plain(draft, mount, str(mount.value_of("name")))
            return
        self.claim = volume
        self.renamed[str(volume.value_of("name"))] = "cache"
        mount_path = _DEFAULT_MOUNT if path.startswith("/root") else path
        draft.put(None, "persistence.enabled", True)
        draft.put(name, "persistence.existingClaim", name.value)
        draft.put(mount.get("mountPath"), "persistence.mountPath", mount_path)
        draft.take(mount.get("subPath"), "persistence.subPath")
        mount.cover("the chart's volume is called cache", "name")
        volume.cover("the chart's volume is called cache", "name")
        if read_only := mount.get("readOnly") or volume.get("persistentVolumeClaim", "readOnly"):
            message = "the engine keeps what it compiles beside the weights: the chart mounts it writable"
            read_only.left(message, "mount it by volumes and volumeMounts to keep it so", "warning")
        self._find_files(draft, mount.get("mountPath"), path, mount_path)

    def _find_files(self, draft: Draft, part: Part | None, path: str, mount_path: str) -> None:
        if path == self._download_dir and self._home != path:
            return
        if path == f"{self._home}/hub":
            draft.put(part, ("env", "HF_HUB_CACHE"), mount_path)
            return
        below = posixpath.relpath(self._home, path)
        home = mount_path if below == "." else f"{mount_path}/{below}"
        if below != "huggingface":
            draft.put(part, ("env", "HF_HOME"), home)

    # All others

    def _own(self, mount: Part, volume: Part | None, name: str, reason: str) -> None:
        mount.covered(reason)
        if volume is not None:
            self.renamed[str(volume.value_of("name"))] = name
            volume.cover(reason, "name")
            directory = volume.get("emptyDir")
            for key in volume.fields():
                if key != "name" and not (directory and directory.get("sizeLimit")):
                    volume.cover(reason, key)

    def _plain(self, draft: Draft, mount: Part, name: str) -> None:
        kept = {**mount.value, "name": self._name(name)}
        if str(mount.value_of("mountPath")).startswith("/root"):
            message = "/root is closed to all but root, and the chart's engine runs as another user"
            remedy = "mount it elsewhere; or write podSecurityContext: {runAsUser: 0, runAsNonRoot: false}"
            self.findings.append(Finding("import-carries", str(mount), message, remedy, "warning"))
        draft.append(mount, "volumeMounts", kept)

    def _name(self, name: str) -> str:
        """As the volume is called in the chart, which has volumes of its own."""
        if name not in self.renamed:
            self.renamed[name] = f"{name}-volume" if name in _owned() else name
        return self.renamed[name]

    def _volume(self, draft: Draft, volume: Part, name: str) -> None:
        draft.append(volume, "volumes", {**volume.value, "name": self._name(name)})


def _owned() -> set[str]:
    return set(facts.facts()["volumes"])


def _hub_home(environment: Mapping[str, str | None]) -> str:
    """Where the Hub's library keeps its files (huggingface_hub/constants.py)."""
    if home := environment.get("HF_HOME"):
        return home.rstrip("/")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if cache := environment.get(name):
            return posixpath.dirname(cache.rstrip("/"))
    if cache := environment.get("XDG_CACHE_HOME"):
        return f"{cache.rstrip('/')}/huggingface"
    home = environment.get("HOME") or "/root"
    return f"{home.rstrip('/')}/.cache/huggingface"
