"""The article's case: one command installs a central service, and the cluster's applications are answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kubernetes.client import ApiException, V1Pod

from tests.e2e.clients import Application, Client, Person, assert_answers, execute, pod_name, start_application
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cli.main import main
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose, smoke, top
from vllm_chart.live.smoke import Release


@pytest.fixture(scope="module")
def llm(helm: Helm, cluster: Cluster, namespace: str, profile: Profile) -> Iterator[Installation]:
    """`helm install llm ./charts/vllm -f values/llama3.yaml`, and what this cluster needs over it."""
    installation = Installation(helm, cluster, profile, namespace, "llm", profile.article, (SHORT_STOP,))
    installation.install()
    yield installation
    installation.uninstall()


@pytest.fixture(scope="module")
def application_pod(cluster: Cluster, namespace: str) -> V1Pod:
    return start_application(cluster, namespace)


@pytest.fixture(params=["application", "person"])
def client(
    request: pytest.FixtureRequest, cluster: Cluster, llm: Installation, application_pod: V1Pod
) -> Iterator[Client]:
    """Both ways to the service: its DNS name from an application's pod, and a port-forward."""
    if request.param == "application":
        yield Application(cluster, llm.namespace, llm.service)
    else:
        with cluster.port_forward(llm.namespace, llm.service, "http") as address:
            yield Person(address)


def _node(pod: V1Pod) -> str:
    return (pod.spec.node_name if pod.spec else None) or ""


def test_each_replica_has_a_gpu_node_and_nothing_else_is_there(
    cluster: Cluster, llm: Installation, application_pod: V1Pod, profile: Profile
) -> None:
    nodes = [_node(pod) for pod in llm.engines()]
    assert len(nodes) == profile.replicas
    if not profile.gpu_nodes:
        pytest.skip(profile.no_gpu)
    assert len(set(nodes)) == profile.replicas
    assert set(nodes) <= profile.gpu_nodes
    pods = cluster.core.list_namespaced_pod(llm.namespace).items
    assert len([pod for pod in pods if _node(pod) in profile.gpu_nodes]) == profile.replicas
    assert _node(application_pod) not in profile.gpu_nodes


def test_an_engine_sees_the_gpu_that_it_asked_for(cluster: Cluster, llm: Installation, profile: Profile) -> None:
    if profile.no_gpu:
        pytest.skip(profile.no_gpu)
    for pod in llm.engines():
        assert pod.metadata
        gpus = execute(cluster, llm.namespace, pod.metadata.name or "", "nvidia-smi", "--list-gpus")
        assert len(gpus.splitlines()) == 1


def test_the_namespace_lets_only_restricted_pods_in(cluster: Cluster, llm: Installation) -> None:
    plain = {"metadata": {"name": "plain"}, "spec": {"containers": [{"name": "plain", "image": "scratch"}]}}
    with pytest.raises(ApiException) as refusal:
        cluster.core.create_namespaced_pod(llm.namespace, V1Pod.model_validate(plain), dry_run="All")
    assert 'violates PodSecurity \\"restricted' in str(refusal.value.body)


def test_helm_applies_on_the_servers_side(cluster: Cluster, llm: Installation, helm: Helm) -> None:
    if helm.version < (4, 0):
        pytest.skip(f"needs Helm 4, this is {helm.version}")
    deployment = cluster.apps.read_namespaced_deployment(llm.service, llm.namespace)
    owners = (deployment.metadata.managed_fields if deployment.metadata else None) or []
    assert {owner.operation for owner in owners if owner.manager == "helm"} == {"Apply"}


def test_completions(client: Client, profile: Profile) -> None:
    assert_answers(client, profile.article)


def test_chat(client: Client, profile: Profile) -> None:
    for question, expected in profile.article.chat.items():
        answer = client.chat(profile.article.served, question)
        assert answer.strip() if expected is None else answer == expected


def test_streaming(client: Client, profile: Profile) -> None:
    for prompt, expected in profile.article.completions.items():
        pieces = client.stream(profile.article.served, prompt)
        assert len([piece for piece in pieces if piece]) > 1
        assert expected is None or "".join(pieces) == expected


def test_helm_test(helm: Helm, llm: Installation) -> None:
    assert "Succeeded" in helm.test(llm.name, namespace=llm.namespace)


@pytest.fixture
def release(request: pytest.FixtureRequest, existing_release: Release | None) -> Release:
    """The release of --release, else the article's."""
    if existing_release:
        return existing_release
    llm: Installation = request.getfixturevalue("llm")
    return Release(llm.name, llm.namespace, llm.cluster.kubeconfig)


@pytest.mark.read_only
def test_smoke(release: Release) -> None:
    report = smoke.run(release)
    passed = {result.check for result in report.results if result.status == "passed"}
    assert report.findings == [], smoke.to_human(report)
    assert passed >= {"health", "models"}


@pytest.mark.read_only
def test_a_ready_release_has_nothing_to_diagnose(release: Release, cluster: Cluster) -> None:
    assert diagnose.release(release.name, release.namespace, cluster) == []


@pytest.mark.read_only
def test_the_smoke_command(release: Release) -> None:
    options = ["--release", release.name, "--namespace", release.namespace, "--kubeconfig", str(release.kubeconfig)]
    done = CliRunner().invoke(main, ["smoke", *options, "--output", "json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ok"] is True


@pytest.mark.read_only
def test_top_shows_what_each_engine_does(release: Release, cluster: Cluster) -> None:
    with top.Watcher(cluster, release.name, release.namespace, timeout_seconds=10) as watcher:
        watcher.look()
        assert smoke.run(release).findings == []
        look = watcher.look()
    document = json.loads(top.to_json(look))
    assert document["ok"] is True, top.to_human(look)
    assert {replica["phase"] for replica in document["replicas"]} == {"serving"}
    assert all(replica["kvCacheUsage"] is not None for replica in document["replicas"])
    assert document["total"]["firstTokens"] > 0
    assert document["total"]["tokensPerSecond"]["out"] > 0
    assert document["total"]["ttftSeconds"]["p95"] > 0


def test_the_bench_command_measures_and_leaves_nothing_behind(llm: Installation, tmp_path: Path) -> None:
    options = ["--release", llm.name, "--namespace", llm.namespace, "--kubeconfig", str(llm.cluster.kubeconfig)]
    short = ["--concurrency=2", "--requests=6", "--input-tokens=32", "--output-tokens=16", "--ttft=60", "--itl=60"]
    kept = tmp_path / "bench"
    done = CliRunner().invoke(main, ["bench", *options, *short, f"--directory={kept}", "--output", "json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (step,) = document["steps"]
    assert (step["completed"], step["failed"], step["missed"]) == (6, 0, [])
    assert document["requestsPerReplica"] == 1
    # The image that runs is the engines' own, by digest.
    assert document["environment"]["imageIds"] == [document["environment"]["ownImageId"]]
    assert len([*(kept / "metrics").glob("*-before.txt")]) == document["replicas"] == llm.profile.replicas
    label = "app.kubernetes.io/name=vllm-chart-bench"
    left = llm.cluster.core.list_namespaced_pod(llm.namespace, label_selector=label).items
    assert [pod for pod in left if pod.metadata and not pod.metadata.deletion_timestamp] == []


def test_requests_leave_a_line_in_the_log_and_probes_do_not(llm: Installation, release: Release) -> None:
    smoke.run(release)
    read = llm.cluster.core.read_namespaced_pod_log
    log = "".join(read(pod_name(pod), llm.namespace) for pod in llm.engines())
    assert '"GET /v1/models HTTP/' in log
    assert '"GET /health' not in log
    assert '"GET /metrics' not in log


def _preflight(llm: Installation, file: Path, **changes: Any) -> list[dict[str, Any]]:
    """What `vllm-chart preflight` finds for an upgrade to these changes."""
    file.write_text(json.dumps({**llm.model.values, **changes}))
    files = [f"--values={path}" for path in (*llm.profile.values_files, file)]
    options = ["--release", llm.name, "--namespace", llm.namespace, "--kubeconfig", str(llm.cluster.kubeconfig)]
    done = CliRunner().invoke(main, ["preflight", *files, *options, "--output", "json"])
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.exit_code == any(finding["severity"] == "error" for finding in found), done.output
    return found


def test_preflight_agrees_with_what_runs(llm: Installation, tmp_path: Path) -> None:
    assert _preflight(llm, tmp_path / "values.yaml") == []


def test_preflight_finds_a_rollout_that_would_wait_for_a_gpu(
    llm: Installation, profile: Profile, tmp_path: Path
) -> None:
    if len(profile.gpu_nodes) != profile.replicas:
        pytest.skip("some GPU is free, or there is none")
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    (finding,) = _preflight(llm, tmp_path / "values.yaml", strategy=surge)
    assert finding["severity"] == "error"
    assert "strategy" in finding["remedy"]
