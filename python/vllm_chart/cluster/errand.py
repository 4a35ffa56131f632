"""A pod that runs one program of ours and prints a JSON document in each line; it goes when its context does."""

import collections
import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Self

import urllib3
from kubernetes.client import ApiException, V1DeleteOptions, V1Pod

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import UnavailableError


class Errand:
    """The pod of a manifest. Leaving the context deletes it.

    The program travels in its command line, so nothing but the pod is made. It is never started again: what it has
    said would be lost.
    """

    def __init__(
        self, cluster: Cluster, namespace: str, manifest: Mapping[str, Any], *, start_seconds: int, advice: str
    ) -> None:
        """start_seconds: how long it may take until it runs, an image's pull included. advice: what to do where it
        takes longer.

        Raises `UnavailableError` where the API server refuses the pod.
        """
        self._cluster = cluster
        self._namespace = namespace
        self._container = str(manifest["spec"]["containers"][0]["name"])
        self._start_seconds = start_seconds
        self._advice = advice
        with asking_the_api_server():
            created = cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(manifest))
        self.name = (created.metadata.name if created.metadata else None) or ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ApiException, urllib3.exceptions.HTTPError):
            now = V1DeleteOptions(grace_period_seconds=0)
            self._cluster.core.delete_namespaced_pod(self.name, self._namespace, body=now)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield each document as it is printed, until the program ends.

        Raises `UnavailableError` when the pod does not start, and when the log ends, which a program that has said all
        is not to come to: who reads it stops before.
        """
        self.wait_until_started()
        # kubectl, because it reads the log line by line as it comes.
        namespaced = (f"--namespace={self._namespace}", self.name, f"--container={self._container}")
        command = self._cluster.kubectl("logs", "--follow", *namespaced)
        other: collections.deque[str] = collections.deque(maxlen=3)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        ) as log:
            assert log.stdout is not None
            try:
                for line in log.stdout:
                    said = _parsed(line)
                    if said:
                        yield said
                    else:
                        other.append(line.strip())
            finally:
                log.terminate()
        raise UnavailableError(f"pod {self.name} ended before its time: {' '.join(other) or 'it said nothing'}")

    def wait_until_started(self) -> V1Pod:
        """Wait until it runs, or has ended. Raises `UnavailableError` when that takes too long."""

        def started(pod: V1Pod) -> bool:
            return (pod.status.phase if pod.status else None) in ("Running", "Succeeded", "Failed")

        try:
            with asking_the_api_server():
                found: V1Pod = self._cluster.wait_for(
                    self._cluster.core.list_namespaced_pod,
                    self._namespace,
                    field_selector=f"metadata.name={self.name}",
                    until=started,
                    timeout_seconds=self._start_seconds,
                )
        except TimeoutError as error:
            raise UnavailableError(
                f"pod {self.name} did not start in {self._start_seconds} s: `kubectl describe pod --namespace "
                f"{self._namespace} {self.name}` says why; {self._advice}"
            ) from error
        return found


def _parsed(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
