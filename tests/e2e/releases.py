"""Releases of the live tests: how one is installed and changed, and where its parts are."""

import dataclasses
import subprocess

from kubernetes.client import V1Deployment, V1Pod

from tests.e2e.clients import is_ready
from tests.e2e.profiles import CHART, Model, Profile
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.rendered.manifests import Manifests

# What nobody asks needn't stay until every proxy has heard that it goes.
SHORT_STOP = "shutdown.propagationSeconds=1"
# For a rollout, pulls of small models included.
ROLLOUT_SECONDS = 900
STOP_SECONDS = 720


@dataclasses.dataclass(frozen=True)
class Installation:
    """A release of a model in a namespace: `--set` expressions over the model's values, the key that it asks for."""

    helm: Helm
    cluster: Cluster
    profile: Profile
    namespace: str
    name: str
    model: Model
    set_: tuple[str, ...] = ()
    api_key: str = ""

    def rendered(self) -> Manifests:
        """What `install` would make."""
        return self.helm.template(
            self.name,
            CHART,
            namespace=self.namespace,
            values_files=self.profile.values_files,
            values=self.model.values,
            set_=self.set_,
        )

    def install(self, *more: str, wait: bool = True) -> None:
        """Install with `more` --set expressions."""
        self.helm.install(
            self.name,
            CHART,
            namespace=self.namespace,
            wait=wait,
            timeout=ROLLOUT_SECONDS,
            values_files=self.profile.values_files,
            values=self.model.values,
            set_=(*self.set_, *more),
        )

    def upgrade(self, *more: str, wait: bool = True, timeout: int = ROLLOUT_SECONDS) -> None:
        """Upgrade to `set_` and `more` of them. timeout: seconds."""
        self.helm.upgrade(
            self.name,
            CHART,
            namespace=self.namespace,
            wait=wait,
            timeout=timeout,
            values_files=self.profile.values_files,
            values=self.model.values,
            set_=(*self.set_, *more),
        )

    def uninstall(self, wait: bool = True) -> None:
        """Uninstall, and wait until no pod is left: a namespace would look again only after half of their grace."""
        self.helm.uninstall(self.name, namespace=self.namespace)
        if wait:
            self.wait_until_gone("pods")

    def wait_until_gone(self, kinds: str) -> None:
        """Wait until the release has no objects of these kinds, "pods,replicasets". The pod of a failed `helm test`
        stays."""
        selector = f"--selector=app.kubernetes.io/instance={self.name},app.kubernetes.io/name!=vllm.test"
        options = (f"--namespace={self.namespace}", selector, "--for=delete", f"--timeout={STOP_SECONDS}s")
        subprocess.run(self.cluster.kubectl("wait", kinds, *options), check=True)

    def wait_until_available(self) -> None:
        def available(deployment: V1Deployment) -> bool:
            status = deployment.status
            return status is not None and status.available_replicas == deployment.spec.replicas

        self.cluster.wait_for(
            self.cluster.apps.list_namespaced_deployment,
            self.namespace,
            label_selector=f"app.kubernetes.io/instance={self.name}",
            until=available,
            timeout_seconds=ROLLOUT_SECONDS,
        )

    def wait_until_departed(self) -> None:
        """Wait until the engines' pods that are about to go are gone."""
        wait_until_departed(self.cluster, self.namespace, self.selector)

    @property
    def service(self) -> str:
        return f"{self.name}-vllm"

    @property
    def selector(self) -> str:
        """Selects the engines' pods."""
        return f"app.kubernetes.io/name=vllm,app.kubernetes.io/instance={self.name}"

    def engines(self) -> list[V1Pod]:
        """The engines' pods that are ready."""
        return [pod for pod in self._pods() if is_ready(pod)]

    def _pods(self) -> list[V1Pod]:
        return list(self.cluster.core.list_namespaced_pod(self.namespace, label_selector=self.selector).items)


def wait_until_departed(cluster: Cluster, namespace: str, selector: str) -> None:
    """Wait until the pods that are about to go are gone."""
    pods = cluster.core.list_namespaced_pod(namespace, label_selector=selector).items
    going = [f"pod/{pod.metadata.name}" for pod in pods if pod.metadata and pod.metadata.deletion_timestamp]
    if going:
        options = (f"--namespace={namespace}", "--for=delete", f"--timeout={STOP_SECONDS}s")
        subprocess.run(cluster.kubectl("wait", *going, *options), check=True)


def drain_node(cluster: Cluster, pod: V1Pod, timeout_seconds: int) -> None:
    """Drain the node that a pod is on, and take it into use again."""
    assert pod.spec
    node = pod.spec.node_name or ""
    options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={timeout_seconds}s")
    try:
        subprocess.run(cluster.kubectl("drain", node, *options), check=True)
    finally:
        subprocess.run(cluster.kubectl("uncordon", node), check=True)
