"""An endpoint of the live tests: how it is installed and changed, who its clients are, and what it counts."""

import base64
import dataclasses
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import V1Pod

from ci import versions
from ci.shell import HarnessError, wait_until
from tests.e2e.clients import execute, is_ready
from tests.e2e.releases import STOP_SECONDS, Installation, wait_until_departed
from tests.e2e.traffic import Traffic
from vllm_chart.charts import ENDPOINT
from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import clients
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options
from vllm_chart.load.pod import Placement
from vllm_chart.observe import page
from vllm_chart.observe.page import Page

APPLICATION = "application"
#: The Secret that the endpoint reads, and the one that gives each client's pod its own key.
CLIENTS_SECRET, KEYS_SECRET = "llm-clients", "keys"
METRICS_PORT = 9090
READY_SECONDS = 120
_ASK_MANY = Path(__file__).with_name("programs") / "ask_many.py"
_FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=30).read().decode())"


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A release of the endpoint's chart. keys: by client. Applications ask from the pod `application`."""

    helm: Helm
    cluster: Cluster
    namespace: str
    values: Mapping[str, Any]
    keys: Mapping[str, str]
    name: str = "llm-endpoint"

    def install(self) -> None:
        """Install it, its clients' Secret before it, and wait until it is ready."""
        self.set_clients(clients.document(self.keys))
        apply_secret(self.cluster, self.namespace, KEYS_SECRET, self.keys)
        self.helm.install(
            self.name,
            ENDPOINT.folder,
            namespace=self.namespace,
            values=self.values,
            wait=True,
            timeout=READY_SECONDS,
        )

    def upgrade(self, **changes: Any) -> None:
        """Upgrade to its values with changes, and wait until the old pods are gone."""
        values = {**self.values, **changes}
        self.helm.upgrade(
            self.name, ENDPOINT.folder, namespace=self.namespace, values=values, wait=True, timeout=STOP_SECONDS
        )
        wait_until_departed(self.cluster, self.namespace, self.selector)

    def uninstall(self) -> None:
        """Uninstall it, and wait until no pod is left."""
        self.helm.uninstall(self.name, namespace=self.namespace)
        gone = (f"--namespace={self.namespace}", f"--selector={self.selector}", "--for=delete")
        subprocess.run(self.cluster.kubectl("wait", "pods", *gone, f"--timeout={STOP_SECONDS}s"), check=True)

    @property
    def deployment(self) -> str:
        return f"{self.name}-vllm-endpoint" if "vllm-endpoint" not in self.name else self.name

    @property
    def url(self) -> str:
        scheme = "https" if (self.values.get("tls") or {}).get("secretName") else "http"
        return f"{scheme}://{self.deployment}.{self.namespace}.svc"

    @property
    def selector(self) -> str:
        return f"app.kubernetes.io/name=vllm-endpoint,app.kubernetes.io/instance={self.name}"

    def pods(self) -> list[V1Pod]:
        """All pods that are not about to go."""
        found = self.cluster.core.list_namespaced_pod(self.namespace, label_selector=self.selector).items
        return [pod for pod in found if pod.metadata and not pod.metadata.deletion_timestamp]

    def ready(self) -> list[V1Pod]:
        """The pods that are ready."""
        return [pod for pod in self.pods() if is_ready(pod)]

    def wait_for_replicas(self, count: int, seconds: float) -> None:
        """Until so many are asked for and ready, and no other is left."""

        def there() -> bool:
            pods, ready = self.pods(), self.ready()
            if not len(pods) == len(ready) == count:
                raise HarnessError(f"there are {len(pods)} pods, and {len(ready)} of them are ready")
            return True

        wait_until(f"{self.name} has {count} replicas, and no other", there, seconds)

    def set_clients(self, document: str) -> None:
        """Write the clients' Secret, as whoever manages them."""
        apply_secret(self.cluster, self.namespace, CLIENTS_SECRET, {"clients.yaml": document})

    def ask_many(self, client: str, names: list[str], prompt: str, count: int, workers: int) -> list[dict[str, Any]]:
        """What a client's requests came to, by the names in turn."""
        key = self.keys.get(client, client)
        asked = {"url": self.url, "key": key, "names": names, "prompt": prompt, "count": count, "workers": workers}
        return ask_many(self.cluster, self.namespace, asked)

    def traffic(self, client: str, options: Options) -> Traffic:
        """A client's requests without pause, from a pod of its own, which has no other key than the client's."""
        key = {"name": KEYS_SECRET, "key": client}
        placement = Placement(self.namespace, versions.CLIENT_IMAGE, {}, key)
        return Traffic(self.cluster, placement, dataclasses.replace(options, url=self.url))

    def tokens(self, kind: str, **labels: str) -> float:
        """Tokens that all of its pods have counted. kind: input or output."""
        pages = [fetch_page(self.cluster, self.namespace, pod, METRICS_PORT) for pod in self.ready()]
        return sum(one.total(f"envoy_llm_{kind}_tokens", **labels) or 0 for one in pages)


def ask_many(cluster: Cluster, namespace: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What programs/ask_many.py is answered in the application's pod. asked: its argument."""
    command = ("python3", "-c", _ASK_MANY.read_text(), json.dumps(asked))
    answers: list[dict[str, Any]] = json.loads(execute(cluster, namespace, APPLICATION, *command))
    return answers


def engine_tokens(release: Installation, port: int = 8000) -> tuple[float, float]:
    """The tokens of prompts and of answers that a release's engines have counted."""
    pages = [fetch_page(release.cluster, release.namespace, pod, port) for pod in release.engines()]
    names = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total")
    prompts, answers = (sum(one.total(name) or 0 for one in pages) for name in names)
    return prompts, answers


def fetch_page(cluster: Cluster, namespace: str, pod: V1Pod, port: int) -> Page:
    """A pod's page of metrics, as the application's pod reads it."""
    assert pod.status
    url = f"http://{pod.status.pod_ip}:{port}/metrics"
    return page.read(execute(cluster, namespace, APPLICATION, "python3", "-c", _FETCH, url))


def apply_secret(cluster: Cluster, namespace: str, name: str, data: Mapping[str, str]) -> None:
    """Make a Secret, or put these texts in the place of those that it has."""
    coded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": coded}
    command = cluster.kubectl("apply", f"--namespace={namespace}", "--server-side", "--force-conflicts", "--filename=-")
    subprocess.run(command, input=json.dumps(secret), text=True, check=True)
