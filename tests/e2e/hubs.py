"""A Hub of the live tests: tests/hub_server.py as a pod, with a tiny model and a large file that takes its time."""

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

from kubernetes.client import V1Pod

from ci import versions
from tests import grown_model, hub_server
from tests.e2e.clients import RESTRICTED_CONTAINER, RESTRICTED_POD, execute, is_ready
from vllm_chart.cluster.api import Cluster

NAME, REPOSITORY, PORT = "hub", "acme/san-francisco", 8080
#: Of the large file: enough to be cut off within it.
RANDOM_BYTES = 48 << 20
READY_SECONDS = 120
_ASK = f"""
import sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:{PORT}/_test", sys.argv[1].encode() or None, method=sys.argv[2])
print(urllib.request.urlopen(request).read().decode())
"""


@dataclasses.dataclass(frozen=True)
class HubPod:
    """The Hub of a namespace."""

    cluster: Cluster
    namespace: str

    @property
    def url(self) -> str:
        return f"http://{NAME}.{self.namespace}.svc:{PORT}"

    def start(self, model: str, grown: tuple[int, int] | None = None) -> None:
        """Start it with the model of a ConfigMap, and wait until it is ready.

        grown: the width and the layers that the model is given (tests/grown_model.py), in place of the large file.
        """
        programs = [f"--from-file={Path(str(module.__file__))}" for module in (hub_server, grown_model)]
        self._kubectl("create", "configmap", NAME, *programs)
        self.cluster.core.create_namespaced_pod(self.namespace, V1Pod.model_validate(_pod(model, grown)))
        self._kubectl("expose", "pod", NAME, f"--port={PORT}")
        self.cluster.wait_for(
            self.cluster.core.list_namespaced_pod,
            self.namespace,
            field_selector=f"metadata.name={NAME}",
            until=is_ready,
            timeout_seconds=READY_SECONDS,
        )

    def turn(self, **knobs: Any) -> str:
        """Set the knobs (`hub_server.Knobs`), count from nothing, and return the newest commit. commit=True: a new
        one, which differs in the large file."""
        newest = json.loads(
            execute(self.cluster, self.namespace, NAME, "python3", "-c", _ASK, json.dumps(knobs), "PUT")
        )
        return str(newest[REPOSITORY])

    def counted(self) -> dict[str, Any]:
        """What it was asked for and has sent since."""
        said = execute(self.cluster, self.namespace, NAME, "python3", "-c", _ASK, "", "GET")
        return json.loads(said)  # type: ignore[no-any-return]

    def _kubectl(self, *arguments: str) -> None:
        subprocess.run(self.cluster.kubectl(*arguments, f"--namespace={self.namespace}"), check=True)


def _pod(model: str, grown: tuple[int, int] | None) -> dict[str, Any]:
    folder, random_bytes = ("/grown", 0) if grown else ("/model", RANDOM_BYTES)
    command = ["python3", "/program/hub_server.py", str(PORT), folder, REPOSITORY, str(random_bytes)]
    grow = ["python3", "/program/grown_model.py", "/model", folder, *map(str, grown or ())]
    return {
        "metadata": {"name": NAME, "labels": {"app": NAME}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED_POD,
            "volumes": [
                {"name": "program", "configMap": {"name": NAME}},
                {"name": "model", "configMap": {"name": model}},
                {"name": "grown", "emptyDir": {}},
            ],
            "initContainers": [_container("grow", grow)] if grown else [],
            "containers": [
                {
                    **_container(NAME, command),
                    "readinessProbe": {"httpGet": {"path": "/_test", "port": PORT}},
                }
            ],
        },
    }


def _container(name: str, command: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "image": versions.CLIENT_IMAGE,
        "command": command,
        "securityContext": RESTRICTED_CONTAINER,
        "volumeMounts": [
            {"name": "program", "mountPath": "/program"},
            {"name": "model", "mountPath": "/model"},
            {"name": "grown", "mountPath": "/grown"},
        ],
    }
