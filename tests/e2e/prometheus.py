"""The Prometheus of the cluster, as tests ask it."""

import base64
import contextlib
import gzip
import json
import math
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from kubernetes.client import ApiException

from vllm_chart.cluster.api import Cluster

#: What `ci/run cluster -- up --monitoring` installs, and by which label it picks monitors and rules.
NAMESPACE, SERVICE, PORT = "monitoring", "prometheus", "http"
LABEL = ("release", "monitoring")
NAME = "main"
SECONDS = 30
_NEEDS = "needs prometheus-operator and its Prometheus: `ci/run cluster -- up --monitoring`"


@dataclass(frozen=True)
class Series:
    """A series of an answer: its labels, and its points as seconds since the epoch and value."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]

    @property
    def value(self) -> float:
        """The last one."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus at an address."""

    address: str

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """What an expression gives, now or at a moment; one that ends in a range gives samples as they were taken."""
        when = {} if at is None else {"time": str(at)}
        return _series(self._ask("query", {"query": expression, **when}))

    def targets(self, namespace: str) -> list[dict[str, Any]]:
        """What it scrapes, or tries to, in a namespace."""
        found = self._ask("targets", {"state": "active"})["activeTargets"]
        return [target for target in found if target["labels"].get("namespace") == namespace]

    def rules(self, namespace: str) -> list[dict[str, Any]]:
        """The rules of a namespace's PrometheusRules, with the health of each."""
        groups = self._ask("rules", {})["groups"]
        # The operator names the file <namespace>-<name>-<uid>.yaml.
        return [rule for group in groups if f"/{namespace}-" in group["file"] for rule in group["rules"]]

    def firing(self, namespace: str, release: str = "") -> set[str]:
        """The alerts that fire for a namespace now, or for one release in it."""
        return {series.labels["alertname"] for series in self.query(_firing(namespace, release))}

    def fired(self, namespace: str, since: float, release: str = "") -> set[str]:
        """The alerts that have fired since a moment."""
        now = time.time()
        found = self.query(f"present_over_time({_firing(namespace, release)}[{math.ceil(now - since)}s])", at=now)
        return {series.labels["alertname"] for series in found}

    def wait_until(self, what: str, condition: Callable[[], bool], seconds: float) -> float:
        """Ask once a second until it is so; how many seconds that took."""
        began = time.monotonic()
        while not condition():
            passed = time.monotonic() - began
            assert passed < seconds, f"{what}: not so after {seconds:.0f} s. {self.state()}"
            time.sleep(1)
        return time.monotonic() - began

    def state(self) -> str:
        """Targets and alerts, for a person."""
        targets = self._ask("targets", {"state": "active"})["activeTargets"]
        lines = [f"{t['labels'].get('job')} {t['scrapeUrl']} {t['health']} {t['lastError']}" for t in targets]
        alerts = [f"{a['labels']} {a['state']} {a['value']}" for a in self._ask("alerts", {})["alerts"]]
        return "\n".join(["Targets:", *lines, "Alerts:", *alerts])

    def _ask(self, what: str, parameters: Mapping[str, str]) -> Any:
        url = f"http://{self.address}/api/v1/{what}"
        if what.startswith("query"):  # an expression may be longer than a URL
            response = requests.post(url, data=parameters, timeout=SECONDS)
        else:
            response = requests.get(url, params=parameters, timeout=SECONDS)
        said = response.json()
        assert said["status"] == "success", f"{json.dumps(parameters)}: {said.get('error')}"
        return said["data"]


def _firing(namespace: str, release: str) -> str:
    one = f',release="{release}"' if release else ""
    return f'ALERTS{{namespace="{namespace}",alertstate="firing"{one}}}'


def _series(data: Mapping[str, Any]) -> list[Series]:
    kind, results = data["resultType"], data["result"]
    if kind == "scalar":
        return [Series({}, [(results[0], float(results[1]))])]
    return [
        Series(result["metric"], [(at, float(value)) for at, value in result.get("values", [result.get("value")])])
        for result in results
    ]


@contextlib.contextmanager
def reach(cluster: Cluster) -> Iterator[Prometheus]:
    """The cluster's Prometheus, through a port-forward. Skips the test where there is none."""
    try:
        cluster.core.read_namespaced_service(SERVICE, NAMESPACE)
    except ApiException as error:
        if error.status == 404:
            pytest.skip(_NEEDS)
        raise
    # Through the API server, so that it is reached again when its pod is another one.
    command = cluster.kubectl("proxy", "--port=0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout
            said = proxy.stdout.readline()
            found = re.search(r"127\.0\.0\.1:\d+", said)
            assert found, said
            yield Prometheus(f"{found[0]}/api/v1/namespaces/{NAMESPACE}/services/{SERVICE}:{PORT}/proxy")
        finally:
            proxy.terminate()


def begin_anew(cluster: Cluster, monitored: str) -> None:
    """Let Prometheus begin anew, with all that its operator has written for it about a namespace, or about one monitor:
    `serviceMonitor/NAMESPACE/NAME/`.

    A running pod hears of it when the kubelet renews its Secrets. That should take a minute and a half at most, and has
    taken more than four on a busy machine.
    """
    deadline = time.monotonic() + SECONDS
    while monitored not in _configuration(cluster):
        assert time.monotonic() < deadline, f"the operator has not heard of {monitored}"
        time.sleep(1)
    here = f"--namespace={NAMESPACE}"
    subprocess.run(cluster.kubectl("delete", "pod", f"prometheus-{NAME}-0", here), check=True)
    running = ("rollout", "status", f"statefulset/prometheus-{NAME}", here, "--timeout=300s")
    subprocess.run(cluster.kubectl(*running), check=True)


def _configuration(cluster: Cluster) -> str:
    secret = cluster.core.read_namespaced_secret(f"prometheus-{NAME}", NAMESPACE)
    (packed,) = (secret.data or {}).values()
    return gzip.decompress(base64.b64decode(packed)).decode()


def scale(cluster: Cluster, replicas: int) -> None:
    """How many pods it has: 0 or 1."""
    patch = json.dumps({"spec": {"replicas": replicas}})
    command = ("patch", "prometheus", "main", f"--namespace={NAMESPACE}", "--type=merge", f"--patch={patch}")
    subprocess.run(cluster.kubectl(*command), check=True)
    if replicas:
        wait = ("wait", "--for=condition=Available", "prometheus/main", f"--namespace={NAMESPACE}")
        subprocess.run(cluster.kubectl(*wait, "--timeout=300s"), check=True)
