"""A gateway of the live tests: the objects that its owner writes, and who asks through it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ci.shell import HarnessError, wait_until
from tests.e2e.clients import execute
from vllm_chart.cluster.api import Cluster

APPLICATION = "application"
GATEWAY, CLASS, CONTROL_PLANE = "inference", "envoy", "envoy-gateway-system"
API, ENVOY_API = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
#: An Envoy is started for a Gateway, and then told of each change.
STARTED_SECONDS, TOLD_SECONDS = 180, 60
_ASK = Path(__file__).with_name("programs") / "ask_through.py"


@dataclass(frozen=True)
class Request:
    """What is asked of a gateway, by POST. filler: bytes that are added to the body."""

    host: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    filler: int = 0


@dataclass(frozen=True)
class Answer:
    """What became of a request. whole: the answer came to its end. seconds: until then."""

    status: int
    headers: Mapping[str, str]
    text: str
    whole: bool
    seconds: float


@dataclass(frozen=True)
class Gateway:
    """A Gateway in a namespace, at an address in the cluster. Applications ask from a pod in theirs."""

    cluster: Cluster
    namespace: str
    address: str
    applications: str

    def ask(self, *requests: Request) -> list[Answer]:
        """What requests come to that are sent all at once."""
        asked = json.dumps([{"address": self.address, **asdict(request)} for request in requests])
        said = execute(self.cluster, self.applications, APPLICATION, "python3", "-c", _ASK.read_text(), asked)
        return [Answer(**answer) for answer in json.loads(said)]

    def ask_one(self, request: Request) -> Answer:
        """What a request comes to."""
        (answer,) = self.ask(request)
        return answer

    def wait_for(self, status: int, *requests: Request) -> None:
        """Ask until each of them has this status, once Envoy was told of a change."""

        def all_have_it() -> bool:
            return {answer.status for answer in self.ask(*requests)} == {status}

        wait_until(f"{status} of the gateway", all_have_it, TOLD_SECONDS)


def start(cluster: Cluster, namespace: str, applications: str) -> Gateway:
    """Have a Gateway that takes the routes of the namespace `applications`, and wait until it is at work."""
    routes = {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": applications}}}
    listener = {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": routes}}
    gateway = {
        "apiVersion": f"{API}/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY},
        "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
    }
    apply(cluster, namespace, gateway)
    wait_for_conditions(cluster, namespace, "gateways", GATEWAY, ("Programmed",), STARTED_SECONDS)
    found = get(cluster, namespace, "gateways", GATEWAY)
    return Gateway(cluster, namespace, found["status"]["addresses"][0]["value"], applications)


def apply(cluster: Cluster, namespace: str, *objects: Mapping[str, Any], options: Sequence[str] = ()) -> str:
    """Write objects, on the server's side. What kubectl said; raises AssertionError with it if it was refused."""
    command = cluster.kubectl("apply", f"--namespace={namespace}", "--server-side", *options, "--filename=-")
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def get(cluster: Cluster, namespace: str, plural: str, name: str) -> Any:
    """An object of the Gateway API or of Envoy Gateway's own."""
    group, version = (ENVOY_API, "v1alpha1") if plural == "securitypolicies" else (API, "v1")
    return cluster.custom.get_namespaced_custom_object(group, version, namespace, plural, name)


def wait_for_conditions(
    cluster: Cluster,
    namespace: str,
    plural: str,
    name: str,
    conditions: Sequence[str],
    seconds: float = TOLD_SECONDS,
) -> None:
    """Wait until an object's controller says of it, as it is now, that these conditions are true."""

    def hold() -> bool:
        found = get(cluster, namespace, plural, name)
        status = found.get("status", {})
        (of, *more) = status.get("parents") or status.get("ancestors") or [status]
        true = {
            condition["type"]
            for condition in of.get("conditions", [])
            if condition["status"] == "True" and condition["observedGeneration"] == found["metadata"]["generation"]
        }
        return not more and set(conditions) <= true

    try:
        wait_until(f"{plural}/{name} is {' and '.join(conditions)}", hold, seconds)
    except HarnessError as error:
        status = json.dumps(get(cluster, namespace, plural, name).get("status"), indent=1)
        raise AssertionError(f"{error}\n{status}") from error
