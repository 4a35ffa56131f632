"""The main job on this machine: a cluster, the chart installed, a completion answered.

python -m ci.demo           # what `ci/run demo` runs; again, it changes nothing that is right already
python -m ci.demo remove    # gives the GPUs back
"""

import argparse
import contextlib
import os
import re
import time
from pathlib import Path

import requests

from ci import tools
from ci.images import models
from ci.kind import cluster as kind
from ci.kind.nodes import kubeconfig, kubectl
from ci.shell import HarnessError, main, say, step
from vllm_chart import findings
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm, HelmError
from vllm_chart.live import diagnose

NAMESPACE = "demo"
RELEASE = "llm"
SERVICE = "llm-vllm"
CHART = Path("charts/vllm")
VALUES = (Path("values/llama3.yaml"), Path("ci/kind/llama3.yaml"))
MODEL = "san-francisco"
SERVED_MODEL_NAME = "meta-llama/Llama-3.1-8B"  # in its place, and under its name

READY_SECONDS = 900
MEND_SECONDS = 60  # a pod that just left may hold its GPU a little longer
ASK_SECONDS = 5
# How long a stage of the start has taken so far: it is told again when the next one begins.
_SECONDS = re.compile(r", for \d+ s now")


def demo() -> None:
    """Bring up the cluster, install the chart, ask for a completion and say how to go on. Raises HarnessError."""
    kind.up()
    kind.clear()
    _prepare_namespace()
    helm = Helm(command=str(tools.helm()), kubeconfig=kubeconfig())
    files = " ".join(f"-f {path}" for path in VALUES)
    command = f"helm upgrade --install {RELEASE} ./{CHART} {files} --namespace {NAMESPACE}"
    with step(command):
        try:
            helm.upgrade(RELEASE, CHART, namespace=NAMESPACE, values_files=VALUES, install=True)
        except HelmError as error:
            raise HarnessError(str(error)) from error
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"  # for the port-forward
    cluster = Cluster(kubeconfig())
    with step("Wait for vLLM: it imports, loads, and answers", remedy=_how_to_look()):
        _wait_until_ready(cluster)
    with cluster.port_forward(NAMESPACE, SERVICE, "http") as address:
        answer = _complete(address, models.SHARED_PROMPT)
    print(f"\n{models.SHARED_PROMPT}{answer}\n\n{_how_to_go_on()}")


def remove() -> None:
    """Uninstall the demo's release, if there is one. Raises HarnessError.

    The release goes before its namespace, which would delete pods and everything around them in no order.
    """
    helm = Helm(command=str(tools.helm()), kubeconfig=kubeconfig())
    with contextlib.suppress(HelmError):  # most often there is none
        helm.uninstall(RELEASE, namespace=NAMESPACE, wait=True)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


def _prepare_namespace() -> None:
    """The namespace, under the strictest Pod Security Standard, with the model in a ConfigMap."""
    folder = models.ensure(MODEL)
    created = kubectl("create", "namespace", NAMESPACE, "--dry-run=client", "-o", "yaml")
    kubectl("apply", "-f", "-", stdin=created)
    kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    name = f"model-{MODEL}"
    config_map = kubectl(
        "create", "configmap", name, f"--from-file={folder}", "--dry-run=client", "-o", "yaml", "-n", NAMESPACE
    )
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=config_map)


def _wait_until_ready(cluster: Cluster) -> None:
    """Say what the release waits for until it is ready; what does not mend itself ends the wait."""
    began = fine = time.monotonic()
    said = ""
    # Warnings are of the past: a container's end that it has got over stays in its status.
    while found := [f for f in diagnose.release(RELEASE, NAMESPACE, cluster) if f.severity != "warning"]:
        now = time.monotonic()
        if not findings.has_errors(found):
            fine = now
        if now > fine + MEND_SECONDS or now > began + READY_SECONDS:
            raise HarnessError(findings.to_human(found))
        waiting_for = "; ".join(finding.message for finding in found)
        if (stage := _SECONDS.sub("", waiting_for)) != said:
            say(f"  … {waiting_for}")
            said = stage
        time.sleep(ASK_SECONDS)


def _complete(address: str, prompt: str) -> str:
    """The text that follows the prompt."""
    body = {"model": SERVED_MODEL_NAME, "prompt": prompt, "max_tokens": 32, "temperature": 0}
    response = requests.post(f"http://{address}/v1/completions", json=body, timeout=120)
    response.raise_for_status()
    text: str = response.json()["choices"][0]["text"]
    return text


def _how_to_look() -> str:
    return f"`vllm-chart diagnose --release {RELEASE} --namespace {NAMESPACE} --kubeconfig {kubeconfig()}`"


def _how_to_go_on() -> str:
    return f"""That was vLLM on Kubernetes. To go on:

  export KUBECONFIG={kubeconfig()} PATH={tools.kubectl().parent}:$PATH
  kubectl --namespace {NAMESPACE} get pods --output wide
  kubectl --namespace {NAMESPACE} port-forward service/{SERVICE} 8080:80
  curl http://localhost:8080/v1/completions -H 'Content-Type: application/json' \\
    -d '{{"model": "{SERVED_MODEL_NAME}", "prompt": "{models.SHARED_PROMPT}", "temperature": 0}}'

  ci/run                       all tests (they remove this release: it holds the cluster's GPUs)
  ci/run cluster -- down       remove the cluster"""


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m ci.demo", description="The main job on this machine.")
    parser.add_argument("action", nargs="?", choices=("run", "remove"), default="run")
    {"run": demo, "remove": remove}[parser.parse_args().action]()


if __name__ == "__main__":
    main(_command)
