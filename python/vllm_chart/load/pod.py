"""Load from inside a cluster: the asker in a pod of its own, which prints a record for every answer."""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vllm_chart.cluster import openshift
from vllm_chart.cluster.api import Cluster, asking_the_api_server, unless_hidden
from vllm_chart.cluster.errand import Errand
from vllm_chart.findings import UnavailableError
from vllm_chart.load import asker
from vllm_chart.load.asker import Options, Record

IMAGE = "python:3.13-slim"
_SOURCE = Path(asker.__file__)
_START_SECONDS = 120
#: The time that a pod may live begins before its image is pulled.
_MARGIN_SECONDS = _START_SECONDS + 60
_CONTAINER = "load"


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where an asking pod runs, and what it needs there."""

    namespace: str
    image: str = IMAGE
    away_from: dict[str, str] = dataclasses.field(default_factory=dict)
    """Labels of pods whose nodes it rather stays off: those that are asked."""
    key_secret: dict[str, str] | None = None
    """The Secret's name and key that hold the service's API key."""
    user: int = 1000
    """Whom it runs as, where the namespace has no users of its own."""


class LoadPod(Errand):
    """A pod that asks. Leaving the context deletes it. It holds to the restricted Pod Security Standard."""

    def __init__(self, cluster: Cluster, placement: Placement, options: Options) -> None:
        advice = "another image that has python3 goes by --image"
        user = _user_of(cluster, placement.namespace) or placement.user
        asks = manifest(dataclasses.replace(placement, user=user), options)
        super().__init__(cluster, placement.namespace, asks, start_seconds=_START_SECONDS, advice=advice)

    def stop(self) -> None:
        """Let it ask no more. What is under way is waited for, and its records still come."""
        command = ("exec", f"--namespace={self._namespace}", self.name, "--")
        stop = "import os, signal; os.kill(1, signal.SIGTERM)"
        subprocess.run(self._cluster.kubectl(*command, "python3", "-c", stop), check=True)

    def records(self) -> Iterator[Record]:
        """Yield each record as its answer ends.

        Raises `UnavailableError` when the pod does not start, the service does not say what it serves, or the pod
        ends before its time.
        """
        for said in self.documents():
            if "record" in said:
                yield Record(**said["record"])
            elif "asked" in said:
                return
            elif "error" in said:
                raise UnavailableError(f"from pod {self.name}: {said['error']}")


def _user_of(cluster: Cluster, namespace: str) -> int | None:
    """Whom pods of a namespace have to run as: OpenShift lets in no others, and takes what is not named for the image's
    root where the caller may do more. None where anybody may run, or where the namespace may not be read."""
    with asking_the_api_server():
        found = unless_hidden(lambda: cluster.core.read_namespace(namespace))
    return openshift.first_user((found.metadata.annotations if found and found.metadata else None) or {})


def manifest(placement: Placement, options: Options) -> dict[str, Any]:
    environment: list[dict[str, Any]] = []
    if placement.key_secret:
        reference = {"valueFrom": {"secretKeyRef": placement.key_secret}}
        environment.append({"name": asker.API_KEY_VARIABLE, **reference})
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        # Whoever started it may be gone.
        "activeDeadlineSeconds": int(options.duration_seconds + options.timeout_seconds) + _MARGIN_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": placement.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": _CONTAINER,
                "image": placement.image,
                "command": [
                    "python3",
                    "-c",
                    _SOURCE.read_text(encoding="utf-8"),
                    json.dumps(dataclasses.asdict(options)),
                ],
                "env": environment,
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    if placement.away_from:
        near = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": placement.away_from}}
        rather = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": near}]}
        spec["affinity"] = {"podAntiAffinity": rather}
    labels = {"app.kubernetes.io/name": "vllm-chart-load"}
    return {"metadata": {"generateName": "vllm-chart-load-", "labels": labels}, "spec": spec}
