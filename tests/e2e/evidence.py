"""What a person would look at after a failure."""

import subprocess

from kubernetes.client import ApiException

from tests.e2e.clients import pod_name
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import UnavailableError, to_human
from vllm_chart.live import diagnose

_LOG_LINES = 60


def evidence(cluster: Cluster, namespace: str) -> str:
    """The diagnosis, objects, events and logs of a namespace, as text."""
    try:
        return "\n\n".join([_diagnoses(cluster, namespace), *_objects(cluster, namespace)])
    except (ApiException, UnavailableError) as error:
        return f"nothing: {error}"


def _diagnoses(cluster: Cluster, namespace: str) -> str:
    deployments = cluster.apps.list_namespaced_deployment(namespace).items
    labels = [(deployment.metadata.labels if deployment.metadata else None) or {} for deployment in deployments]
    releases = sorted({label.get("app.kubernetes.io/instance", "") for label in labels} - {""})
    return "\n".join(
        f"{release}: {to_human(diagnose.release(release, namespace, cluster)) or 'ready'}" for release in releases
    )


def _objects(cluster: Cluster, namespace: str) -> list[str]:
    questions = [
        ("get", "all,persistentvolumeclaims", "--output=wide"),
        ("get", "events", "--sort-by=.metadata.creationTimestamp"),
        ("describe", "pods"),
        ("get", "pods", "--all-namespaces", "--output=wide"),  # others may hold the GPUs
        ("describe", "nodes"),
    ]
    for pod in cluster.core.list_namespaced_pod(namespace).items:
        name = pod_name(pod)
        questions.append(("logs", name, "--all-containers", "--prefix", f"--tail={_LOG_LINES}"))
    return [_answer(cluster.kubectl(f"--namespace={namespace}", *question)) for question in questions]


def _answer(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return f"$ {' '.join(command[1:])}\n{done.stdout}"
