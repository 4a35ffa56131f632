"""Load from inside a cluster: the asker in a pod of its own, which prints a record for every answer."""

import collections
import contextlib
import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubernetes.client import ApiException, V1DeleteOptions, V1Pod

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError
from vllm_chart.load import asker
from vllm_chart.load.asker import Options, Record

IMAGE = "python:3.13-slim"
_SOURCE = Path(asker.__file__)
_START_SECONDS = 120
_MARGIN_SECONDS = 60
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


class LoadPod(contextlib.AbstractContextManager["LoadPod"]):
    """A pod that asks. Leaving the context deletes it.

    The source travels in its command line, so nothing but the pod is made. It holds to the restricted Pod Security
    Standard, and is never started again: its records would be lost.
    """

    def __init__(self, cluster: Cluster, placement: Placement, options: Options) -> None:
        self._cluster = cluster
        self._namespace = placement.namespace
        pod = V1Pod.model_validate(manifest(placement, options))
        with asking_the_api_server():
            created = cluster.core.create_namespaced_pod(placement.namespace, pod)
        self.name = (created.metadata.name if created.metadata else None) or ""

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ApiException):
            now = V1DeleteOptions(grace_period_seconds=0)
            self._cluster.core.delete_namespaced_pod(self.name, self._namespace, body=now)

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
        self.wait_until_started()
        # kubectl, because it reads the log line by line as it comes.
        command = self._cluster.kubectl("logs", "--follow", f"--namespace={self._namespace}", self.name)
        other: collections.deque[str] = collections.deque(maxlen=3)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as log:
            assert log.stdout is not None
            try:
                for line in log.stdout:
                    said = _parsed(line)
                    if "record" in said:
                        yield Record(**said["record"])
                    elif "asked" in said:
                        return
                    elif "error" in said:
                        raise UnavailableError(f"from pod {self.name}: {said['error']}")
                    else:
                        other.append(line.strip())
            finally:
                log.terminate()
        raise UnavailableError(f"pod {self.name} ended before its time: {' '.join(other) or 'it said nothing'}")

    def wait_until_started(self) -> None:
        """Wait until it asks, or has ended. Raises `UnavailableError` when that takes too long."""

        def started(pod: V1Pod) -> bool:
            return (pod.status.phase if pod.status else None) in ("Running", "Succeeded", "Failed")

        try:
            with asking_the_api_server():
                self._cluster.wait_for(
                    self._cluster.core.list_namespaced_pod,
                    self._namespace,
                    field_selector=f"metadata.name={self.name}",
                    until=started,
                    timeout_seconds=_START_SECONDS,
                )
        except TimeoutError as error:
            raise UnavailableError(
                f"pod {self.name} did not start in {_START_SECONDS} s: `kubectl describe pod --namespace "
                f"{self._namespace} {self.name}` says why; another image that has python3 goes by --image"
            ) from error


def _parsed(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


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
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": _CONTAINER,
                "image": placement.image,
                "command": ["python3", "-c", _SOURCE.read_text(), json.dumps(dataclasses.asdict(options))],
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
