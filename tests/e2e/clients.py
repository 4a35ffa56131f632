"""Who asks the service: an application in the cluster, or a person through a port-forward."""

import abc
import json
import subprocess
from typing import Any

import requests
from kubernetes.client import V1Pod

from ci import versions
from tests.e2e.profiles import GPU_LABEL, Model
from vllm_chart.cluster import conditions
from vllm_chart.cluster.api import Cluster
from vllm_chart.live.smoke import read_stream, sse_data

SECONDS = 120
# More than the longest known answer has: the models end it by themselves.
MAX_TOKENS = 128
#: What the Pod Security Standard `restricted` asks of a pod, and of a container in it.
RESTRICTED_POD = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}

_APPLICATION = "application"
# In the standard library, as it runs in a plain Python image.
_POST = """
import sys, urllib.request
url, body, key = sys.argv[1:]
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
request = urllib.request.Request(url, body.encode(), headers)
with urllib.request.urlopen(request, timeout=60) as response:
    sys.stdout.write(response.read().decode())
"""
# All at once, over connections of their own.
_BURST = """
import concurrent.futures, json, sys, urllib.error, urllib.request
url, body, count = sys.argv[1:]
def ask(_):
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=100) as response:
            return response.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"]
with concurrent.futures.ThreadPoolExecutor(int(count)) as pool:
    print(json.dumps(list(pool.map(ask, range(int(count))))))
"""


class Client(abc.ABC):
    """Asks for greedy answers."""

    @abc.abstractmethod
    def _post(self, path: str, body: dict[str, Any]) -> str:
        """Ask, and return the whole body of the answer."""

    def _ask(self, path: str, **body: Any) -> Any:
        return json.loads(self._post(path, body | {"temperature": 0, "max_tokens": MAX_TOKENS}))

    def complete(self, model: str, prompt: str) -> dict[str, Any]:
        """The answer to a completion request: `model`, and the first choice's fields."""
        answer = self._ask("/v1/completions", model=model, prompt=prompt)
        return {"model": answer["model"], **answer["choices"][0]}

    def chat(self, model: str, question: str) -> str:
        """What the assistant says."""
        answer = self._ask("/v1/chat/completions", model=model, messages=[{"role": "user", "content": question}])
        return str(answer["choices"][0]["message"]["content"])

    def stream(self, model: str, prompt: str) -> list[str]:
        """The pieces of a streamed completion, of a stream that came to its end."""
        body = {"model": model, "prompt": prompt, "temperature": 0, "max_tokens": MAX_TOKENS, "stream": True}
        chunks = read_stream(sse_data(self._post("/v1/completions", body).splitlines()))
        return [choice["text"] for chunk in chunks for choice in chunk["choices"]]


class Person(Client):
    """Asks through a port-forward, as the article does with curl."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}"

    def _post(self, path: str, body: dict[str, Any]) -> str:
        response = requests.post(self._url + path, json=body, timeout=SECONDS)
        response.raise_for_status()
        response.encoding = "utf-8"
        return response.text


class Application(Client):
    """Asks from a pod of its own by the Service's DNS name, as applications do."""

    def __init__(self, cluster: Cluster, namespace: str, service: str, api_key: str = "") -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._api_key = api_key
        self._url = f"http://{service}.{namespace}.svc"

    def _post(self, path: str, body: dict[str, Any]) -> str:
        command = ("python3", "-c", _POST, self._url + path, json.dumps(body), self._api_key)
        return execute(self._cluster, self._namespace, _APPLICATION, *command)

    def ask_at_once(self, model: str, count: int) -> set[tuple[int, str]]:
        """What so many requests at a time are answered: status and Retry-After of each."""
        body = {"model": model, "prompt": "San Francisco is a", "max_tokens": 256, "ignore_eos": True}
        command = ("python3", "-c", _BURST, f"{self._url}/v1/completions", json.dumps(body), str(count))
        said = execute(self._cluster, self._namespace, _APPLICATION, *command)
        return {(status, retry_after) for status, retry_after in json.loads(said)}


def start_application(cluster: Cluster, namespace: str) -> V1Pod:
    """Start the pod that applications ask from, on a node without the article's GPU label, and wait for it."""
    elsewhere = {"matchExpressions": [{"key": GPU_LABEL, "operator": "DoesNotExist"}]}
    pod = {
        "metadata": {"name": _APPLICATION},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD,
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [elsewhere]}}
            },
            "containers": [
                {
                    "name": _APPLICATION,
                    "image": versions.CLIENT_IMAGE,
                    "command": ["python3", "-c", "import signal; signal.pause()"],
                    "securityContext": RESTRICTED_CONTAINER,
                }
            ],
        },
    }
    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(pod))
    ready: V1Pod = cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={_APPLICATION}",
        until=is_ready,
        timeout_seconds=SECONDS,
    )
    return ready


def run_to_end(
    cluster: Cluster,
    namespace: str,
    name: str,
    container: dict[str, Any],
    spec: dict[str, Any],
    timeout_seconds: int,
) -> str:
    """Run a pod of one container and return its log. It has to succeed.

    container, spec: of the pod, over what the Pod Security Standard `restricted` asks for.
    """
    identity = RESTRICTED_POD | {"runAsUser": 2000}
    pod = {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": identity,
            **spec,
            "containers": [{"name": name, "securityContext": RESTRICTED_CONTAINER, **container}],
        },
    }

    def ended(pod: V1Pod) -> bool:
        return (pod.status.phase if pod.status else None) in ("Succeeded", "Failed")

    cluster.core.create_namespaced_pod(namespace, V1Pod.model_validate(pod))
    done: V1Pod = cluster.wait_for(
        cluster.core.list_namespaced_pod,
        namespace,
        field_selector=f"metadata.name={name}",
        until=ended,
        timeout_seconds=timeout_seconds,
    )
    assert done.status
    assert done.status.phase == "Succeeded", f"pod {name} failed"
    log: str = cluster.core.read_namespaced_pod_log(name, namespace)
    return log


def pod_name(pod: V1Pod) -> str:
    """The model that the API client is made of has every field optional, this one too."""
    return (pod.metadata.name if pod.metadata else None) or ""


def is_ready(pod: V1Pod) -> bool:
    """Whether a pod is ready, and not about to go."""
    going = pod.metadata is not None and pod.metadata.deletion_timestamp is not None
    return not going and conditions.is_ready(pod)


def restarts(pod: V1Pod) -> int:
    """How often the containers of a pod were started again."""
    statuses = (pod.status.container_statuses if pod.status else None) or []
    return sum(status.restart_count for status in statuses)


def execute(cluster: Cluster, namespace: str, pod: str, *command: str) -> str:
    """Run a command in a pod's first container and return what it printed. It has to succeed."""
    # kubectl does it, because the Python client's own exec leaves its socket open.
    line = cluster.kubectl("exec", f"--namespace={namespace}", pod, "--", *command)
    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"in pod {pod}: {done.stderr}"
    return done.stdout


_SHOWN = "import ssl, sys; print(ssl.get_server_certificate((sys.argv[1], int(sys.argv[2]))), end='')"


def shown_certificate(cluster: Cluster, namespace: str, pod: str, host: str, port: int) -> str:
    """The certificate that a server shows to a pod, as PEM; it is not checked."""
    return execute(cluster, namespace, pod, "python3", "-c", _SHOWN, host, str(port))


def assert_answers(client: Client, model: Model) -> None:
    """Every completion is the known one, from the right model."""
    for prompt, expected in model.completions.items():
        answer = client.complete(model.served, prompt)
        assert answer["model"] == model.served
        if expected is None:
            assert answer["text"].strip()
        else:
            assert (answer["text"], answer["finish_reason"]) == (expected, "stop")
