"""What becomes of a release's replicas under an autoscaler, second by second."""

import contextlib
import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiException

from tests.e2e.profiles import GPU, Profile
from tests.e2e.releases import Installation
from vllm_chart.cluster.api import Cluster

INTERVAL_SECONDS = 1


@dataclass(frozen=True)
class Sample:
    """At a moment, seconds since the epoch: how many replicas the autoscaler wants, the Deployment asks for, and are
    ready."""

    at: float
    desired: int
    replicas: int
    ready: int


class Watch(contextlib.AbstractContextManager["Watch"]):
    """Looks at a release's autoscaler and Deployment once a second, until it is left."""

    def __init__(self, release: Installation) -> None:
        self._release = release
        # Of its own, because the API's client is not made for several threads.
        self._cluster = Cluster(release.cluster.kubeconfig, release.cluster.context)
        self.samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self._cluster.__exit__()

    def _look(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(ApiException):
                self.samples.append(self._sample())
            self._over.wait(INTERVAL_SECONDS)

    def _sample(self) -> Sample:
        deployment = self._cluster.apps.read_namespaced_deployment(self._release.service, self._release.namespace)
        assert deployment.spec
        assert deployment.status
        replicas = deployment.spec.replicas or 0
        desired = autoscaler(self._cluster, self._release).get("status", {}).get("desiredReplicas", replicas)
        return Sample(time.time(), desired, replicas, deployment.status.ready_replicas or 0)

    def wait_until(self, what: str, condition: Callable[[Sample], bool], seconds: float) -> float:
        """Wait for a sample that is so; how many seconds that took."""
        began = time.time()
        while True:
            found = next((sample for sample in self.since(began) if condition(sample)), None)
            if found:
                return found.at - began
            assert time.time() - began < seconds, f"{what}: not so after {seconds:.0f} s.\n{self}"
            time.sleep(INTERVAL_SECONDS)

    def since(self, moment: float) -> list[Sample]:
        """The samples from a moment on."""
        return [sample for sample in list(self.samples) if sample.at >= moment]

    def replica_seconds(self, since: float) -> float:
        """How many replicas were asked for since a moment, times how long."""
        found = self.since(since)
        return sum(earlier.replicas * (later.at - earlier.at) for earlier, later in itertools.pairwise(found))

    def __str__(self) -> str:
        """The changes, for a person."""
        lines, last = [], None
        for sample in self.samples:
            now = (sample.desired, sample.replicas, sample.ready)
            if now != last:
                seconds = sample.at - self.samples[0].at
                lines.append(f"{seconds:6.0f} s: wants {now[0]}, asks for {now[1]}, {now[2]} ready")
            last = now
        return "\n".join(lines)


def autoscaler(cluster: Cluster, release: Installation) -> dict[str, Any]:
    """The HorizontalPodAutoscaler of a release's Deployment, KEDA's or any other; empty if there is none."""
    listed: Any = cluster.custom.list_namespaced_custom_object(
        "autoscaling", "v2", release.namespace, "horizontalpodautoscalers"
    )
    for item in listed["items"]:
        if item["spec"]["scaleTargetRef"]["name"] == release.service:
            found: dict[str, Any] = item
            return found
    return {}


def drops(samples: list[Sample]) -> Iterator[tuple[Sample, Sample]]:
    """Where fewer replicas were asked for than a moment before."""
    return ((one, two) for one, two in itertools.pairwise(samples) if two.replicas < one.replicas)


@contextlib.contextmanager
def gpus_a_node(cluster: Cluster, profile: Profile, count: int) -> Iterator[None]:
    """Have the nodes with simulated GPUs advertise so many each, and one again afterwards."""
    try:
        _advertise(cluster, profile, count)
        yield
    finally:
        _advertise(cluster, profile, 1)


def _advertise(cluster: Cluster, profile: Profile, count: int) -> None:
    amount = {GPU: str(count)}
    patch = json.dumps({"status": {"capacity": amount, "allocatable": amount}})
    for node in sorted(profile.gpu_nodes):
        subprocess.run(cluster.kubectl("patch", "node", node, "--subresource=status", f"--patch={patch}"), check=True)
