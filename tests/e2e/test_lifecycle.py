"""Two releases in one namespace: neither answers for the other, and one is led through its life to its end."""

import dataclasses
import secrets

import pytest
from kubernetes.client import V1Pod
from pytest_helm_charts.clusters import Cluster as KubeCluster

from tests.e2e.clients import Application, assert_answers, execute, pod_name, start_application
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm, HelmError
from vllm_chart.live import diagnose, smoke

CRASH_SECONDS = 180
KEY_SECRET = "first-key"
CLAIM = "second-vllm-cache"
MAX_REQUESTS = 2
# What comes and goes by itself.
FLEETING = {"events", "events.events.k8s.io", "pods.metrics.k8s.io"}


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both releases, and what was in the namespace before them."""

    first: Installation
    second: Installation
    before: frozenset[str]


def inventory(kube_cluster: KubeCluster, namespace: str) -> frozenset[str]:
    """Every object of a namespace, of whatever kind the cluster has, as "kind/name"."""
    listed = kube_cluster.kubectl("api-resources --namespaced --verbs=list --no-headers", output_format="name")
    kinds = ",".join(sorted(set(listed.split()) - FLEETING))
    return frozenset(kube_cluster.kubectl(f"get {kinds}", namespace=namespace, output_format="name").split())


@pytest.fixture(scope="module")
def pair(helm: Helm, cluster: Cluster, kube_cluster: KubeCluster, namespace: str, profile: Profile) -> Pair:
    if not profile.no_gpu and len(profile.gpu_nodes) < 2:
        pytest.skip("two releases at a time need two nodes with GPUs")
    start_application(cluster, namespace)
    api_key = secrets.token_urlsafe()
    kube_cluster.kubectl(f"create secret generic {KEY_SECRET} --from-literal=api-key={api_key}", namespace=namespace)
    before = inventory(kube_cluster, namespace)
    key = ("replicaCount=1", SHORT_STOP, f"auth.apiKeySecretRef.name={KEY_SECRET}")
    first = Installation(helm, cluster, profile, namespace, "first", profile.article, key, api_key)
    volume = ("replicaCount=1", SHORT_STOP, "persistence.enabled=true", "persistence.size=1Gi")
    second = Installation(helm, cluster, profile, namespace, "second", profile.other, volume)
    first.install(wait=False)
    second.install()
    first.wait_until_available()
    return Pair(first, second, before)


def _only_engine(release: Installation) -> V1Pod:
    (engine,) = release.engines()
    return engine


def _client(release: Installation) -> Application:
    return Application(release.cluster, release.namespace, release.service, release.api_key)


def test_each_release_answers_for_its_own_model(pair: Pair) -> None:
    for release, other in ((pair.first, pair.second), (pair.second, pair.first)):
        assert_answers(_client(release), release.model)
        with pytest.raises(AssertionError, match="HTTP Error 404"):
            _client(release).complete(other.model.served, "San Francisco is a")


def test_each_service_has_its_own_pods(pair: Pair, kube_cluster: KubeCluster) -> None:
    for release in (pair.first, pair.second):
        slices = kube_cluster.kubectl(
            f"get endpointslices --selector kubernetes.io/service-name={release.service}", namespace=release.namespace
        )
        pods = [endpoint["targetRef"]["name"] for found in slices for endpoint in found["endpoints"]]
        assert pods == [pod_name(pod) for pod in release.engines()]


def test_a_release_with_a_key_answers_nobody_without(pair: Pair, helm: Helm) -> None:
    release = pair.first
    stranger = dataclasses.replace(release, api_key="")
    with pytest.raises(AssertionError, match="HTTP Error 401"):
        _client(stranger).complete(release.model.served, "San Francisco is a")
    helm.test(release.name, namespace=release.namespace)
    report = smoke.run(smoke.Release(release.name, release.namespace, release.cluster.kubeconfig))
    assert report.findings == []
    assert release.api_key not in smoke.to_human(report) + smoke.to_json(report)


def test_helm_test_fails_where_another_model_answers(pair: Pair, helm: Helm) -> None:
    release = pair.second
    before = pod_name(_only_engine(release))
    helm.test(release.name, namespace=release.namespace)
    release.upgrade("test.expect= city on the Pacific coast of California.")
    assert pod_name(_only_engine(release)) == before
    with pytest.raises(HelmError) as failure:
        helm.test(release.name, namespace=release.namespace)
    assert "does not contain" in failure.value.output + str(failure.value)


def test_an_upgrade_rolls_and_its_volume_stays(pair: Pair) -> None:
    release = pair.second
    before = pod_name(_only_engine(release))
    execute(release.cluster, release.namespace, before, "touch", "/cache/was-here")
    release.upgrade("engine.args.max-num-seqs=8", f"traffic.maxRequests={MAX_REQUESTS}")
    engine = _only_engine(release)
    assert pod_name(engine) != before
    assert engine.spec
    assert "--max-num-seqs=8" in (engine.spec.containers[0].args or [])
    assert_answers(_client(release), release.model)
    execute(release.cluster, release.namespace, pod_name(engine), "ls", "/cache/was-here")


def test_a_full_queue_is_told_at_once_and_when_to_come_again(pair: Pair) -> None:
    release = pair.second
    answers = _client(release).ask_at_once(release.model.served, 8 * MAX_REQUESTS)
    assert answers == {(200, ""), (503, "5")}


@pytest.fixture(scope="module")
def embedding(pair: Pair) -> Installation:
    """The first release on its way to a model that embeds: it starts while the second is led on."""
    pair.first.upgrade("engine.args.runner=pooling", "engine.args.convert=embed", "test.expect=", wait=False)
    return pair.first


@pytest.mark.usefixtures("embedding")
def test_a_rollback_mends_a_wrong_model(pair: Pair, helm: Helm) -> None:
    release = pair.second

    def has_crashed(pod: V1Pod) -> bool:
        wrong = pod.spec is not None and "absent/absent" in (pod.spec.containers[0].args or [])
        statuses = (pod.status.container_statuses if pod.status else None) or []
        return wrong and any((status.state and status.state.terminated) or status.restart_count for status in statuses)

    # The short drain is for the broken pod: an engine that loads takes no notice of SIGTERM.
    release.upgrade("model.id=absent/absent", "hub.offline=true", "shutdown.drainSeconds=1", wait=False)
    release.cluster.wait_for(
        release.cluster.core.list_namespaced_pod,
        release.namespace,
        label_selector=release.selector,
        until=has_crashed,
        timeout_seconds=CRASH_SECONDS,
    )
    (finding,) = diagnose.release(release.name, release.namespace, release.cluster)
    assert finding.message.startswith("absent/absent: ")
    assert "model.id" in finding.remedy
    with pytest.raises(HelmError):
        helm.test(release.name, namespace=release.namespace)

    helm.rollback(release.name, namespace=release.namespace, wait=True, timeout=CRASH_SECONDS * 2)
    assert_answers(_client(release), release.model)
    helm.test(release.name, namespace=release.namespace)
    assert diagnose.release(release.name, release.namespace, release.cluster) == []


def test_a_model_that_embeds(embedding: Installation, helm: Helm) -> None:
    release = embedding
    release.wait_until_available()
    report = smoke.run(smoke.Release(release.name, release.namespace, release.cluster.kubeconfig))
    assert report.findings == []
    status = {result.check: result.status for result in report.results}
    assert (status["embedding"], status["completion"], status["chat"]) == ("passed", "skipped", "skipped")
    helm.test(release.name, namespace=release.namespace)


def test_an_uninstall_leaves_the_claim_and_nothing_else(pair: Pair, kube_cluster: KubeCluster) -> None:
    for release in (pair.first, pair.second):
        release.uninstall(wait=False)
    for release in (pair.first, pair.second):
        release.wait_until_gone("pods,replicasets,endpointslices")
    left = inventory(kube_cluster, pair.first.namespace) - pair.before
    assert left == {f"persistentvolumeclaim/{CLAIM}"}
