"""`vllm-chart bench`: the pod that it makes, what it makes of the steps, and the whole command without a cluster."""

import base64
import dataclasses
import functools
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helm_python import values_from_yaml

from tests import bench_tool
from tests.api_server import cluster_of
from tests.commands import run
from vllm_chart.bench import measure, plot, pod, report, subject
from vllm_chart.bench.report import Report, Step
from vllm_chart.bench.subject import Objectives
from vllm_chart.checks import podsecurity
from vllm_chart.cluster.errand import Errand
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.helm import render
from vllm_chart.live.smoke.reach import Release
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import Manifests, Object

Json = dict[str, Any]

VALUES = """
model: {id: /models/llama, servedModelName: [llama]}
auth: {apiKeySecretRef: {name: keys, key: one}}
tolerations: [{key: nvidia.com/gpu, operator: Exists}]
volumes:
  - {name: model, persistentVolumeClaim: {claimName: weights}}
  - {name: tls, secret: {secretName: tls}}
volumeMounts:
  - {name: model, mountPath: /models, readOnly: true, subPath: a}
  - {name: tls, mountPath: /tls}
"""
NAMESPACED = "/api/v1/namespaces/default"
PODS = f"{NAMESPACED}/pods"
CLAIM = f"{NAMESPACED}/persistentvolumeclaims/weights"
SECRETS = f"{NAMESPACED}/secrets"
IMAGE_ID = "docker.io/vllm/vllm-openai@sha256:" + "1" * 64
IDLE = b'vllm:num_requests_running{engine="0"} 0\nvllm:num_requests_waiting{engine="0"} 0\n'
SLO = Objectives(0.999, (2.5, 0.95), (0.1, 0.99), "the chart's defaults")


@functools.cache
def rendered(values: str) -> Manifests:
    return render(values=values_from_yaml(values))


def ready(item: Mapping[str, Any], name: str = "llm-a", **spec: Any) -> Json:
    """A pod of a workload, which serves on a node of its own name."""
    template = item["spec"]["template"]
    state = {"running": {"startedAt": "2026-11-28T08:00:00Z"}}
    container = {"name": "vllm", "started": True, "restartCount": 0, "imageID": IMAGE_ID, "state": state}
    return {
        "metadata": {"name": name, "uid": name, "labels": template["metadata"]["labels"]},
        "spec": {**template["spec"], "nodeName": f"node-{name}", **spec},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [container]},
    }


def cut(*_: object) -> Any:
    """An API server that ends the connection instead of an answer."""
    raise ConnectionAbortedError


def helms(config: Json, **slo: Any) -> Json:
    """The Secret in which Helm keeps a release."""
    record = {"config": config, "chart": {"values": {"slo": slo}}}
    text = base64.b64encode(gzip.compress(json.dumps(record).encode()))
    labels = {"owner": "helm", "name": "llm", "status": "deployed"}
    return {"metadata": {"name": "sh.helm.release.v1.llm.v1", "labels": labels}, "data": {"release": _base64(text)}}


def _base64(text: bytes) -> str:
    return base64.b64encode(text).decode()


def served(values: str = VALUES, modes: str = "ReadWriteOnce", **changes: Any) -> Json:
    """What the API server of a cluster with a release of these values answers."""
    manifests = rendered(values)
    deployment = dict(workload.engine(manifests).object)
    pods = changes.pop("pods", [ready(deployment)])
    status = {"name": "bench", "imageID": IMAGE_ID, "image": "", "ready": True, "restartCount": 0}
    own = {"metadata": {"name": "vllm-chart-bench-x"}, "status": {"containerStatuses": [status]}}
    return {
        "/apis/apps/v1/namespaces/default/deployments": [deployment],
        f"{NAMESPACED}/services": [dict(manifests.one("Service", "llm-vllm"))],
        PODS: pods,
        f"POST {PODS}": {"metadata": {"name": "vllm-chart-bench-x"}},
        f"{PODS}/vllm-chart-bench-x": own,
        CLAIM: {"metadata": {"name": "weights"}, "spec": {"accessModes": [modes]}},
        SECRETS: [helms({"slo": {"ttft": {"seconds": 1.5}}, "env": {"MY_TOKEN": "hush", "A": "b"}})],
        **{f"{PODS}/{each['metadata']['name']}:8000/proxy/metrics": IDLE for each in pods},
        **changes,
    }


def made(folder: Path, values: str = VALUES, modes: str = "ReadWriteOnce", changes: Json | None = None) -> Json:
    """The pod that a bench makes beside a release of these values."""
    load = pod.Load([{"concurrency": 8}], 1024, 1024, 256, 0.5, 60.0, 0, 1)
    with cluster_of(served(values, modes, **(changes or {})), folder) as cluster:
        found = subject.find(cluster, Release("llm", "default"))
        model, storage = subject.model_of(found.engine), pod.storage(cluster, found)
    return pod.manifest(found, model, load, found.objectives(), storage)


def told(manifest: Json) -> Json:
    """What its program is told."""
    (container,) = manifest["spec"]["containers"]
    plan: Json = json.loads(container["command"][3])
    return plan


def environment(manifest: Json) -> Json:
    (container,) = manifest["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


# -- the pod ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [VALUES, VALUES + "persistence: {enabled: true}\n", "model: {id: org/name}\n"])
def test_the_pod_is_restricted_takes_no_gpu_and_is_none_of_the_releases(values: str, tmp_path: Path) -> None:
    claims = {f"{NAMESPACED}/persistentvolumeclaims/llm-vllm-cache": 403}
    manifest = made(tmp_path, values, changes=claims)
    item = Object({"apiVersion": "v1", "kind": "Pod", **manifest, "metadata": {**manifest["metadata"], "name": "b"}})
    (container,) = manifest["spec"]["containers"]

    assert [*podsecurity.check(Manifests([item]), "restricted")] == []
    assert "nvidia.com/gpu" not in json.dumps(container["resources"])
    assert environment(manifest)["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert manifest["metadata"]["labels"] == {"app.kubernetes.io/name": "vllm-chart-bench"}
    assert container["image"] == "vllm/vllm-openai:v0.33.0"


def test_the_key_is_the_releases_secret_and_stands_nowhere(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    assert environment(manifest)["OPENAI_API_KEY"] == {"secretKeyRef": {"name": "keys", "key": "one"}}
    assert "OPENAI_API_KEY" not in environment(made(tmp_path, "model: {id: org/name}\n"))


def test_the_models_volumes_are_mounted_to_read_and_nothing_else_of_the_releases(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    (container,) = manifest["spec"]["containers"]
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}

    assert mounts.keys() == {"/tmp", "/models", "/cache"}
    assert mounts["/models"] == {"name": "model", "mountPath": "/models", "readOnly": True, "subPath": "a"}
    assert {"name": "cache", "emptyDir": {}} in manifest["spec"]["volumes"]
    assert told(manifest)["tokenizer"] == "/models/llama"
    assert told(manifest)["model"] == "llama"
    assert environment(manifest)["HF_HUB_OFFLINE"] == "1"
    assert environment(manifest)["HF_HOME"] == "/cache/huggingface"


@pytest.mark.parametrize(
    ("modes", "kind"),
    [
        ("ReadWriteOnce", "requiredDuringSchedulingIgnoredDuringExecution"),
        ("ReadWriteMany", "preferredDuringSchedulingIgnoredDuringExecution"),
    ],
)
def test_a_claim_of_one_node_holds_the_pod_there(modes: str, kind: str, tmp_path: Path) -> None:
    manifest = made(tmp_path, modes=modes)
    assert [*manifest["spec"]["affinity"]["nodeAffinity"]] == [kind]
    assert "node-llm-a" in json.dumps(manifest["spec"]["affinity"])
    assert manifest["spec"]["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


def test_a_claim_of_one_pod_is_left_to_it(tmp_path: Path) -> None:
    manifest = made(tmp_path, modes="ReadWriteOncePod")
    assert "weights" not in json.dumps(manifest["spec"]["volumes"])


def test_a_claim_that_may_not_be_read_is_taken_for_one_of_one_node(tmp_path: Path) -> None:
    manifest = made(tmp_path, changes={CLAIM: 403})
    assert "requiredDuringSchedulingIgnoredDuringExecution" in manifest["spec"]["affinity"]["nodeAffinity"]


def test_a_model_of_the_hub_is_read_as_the_engine_reads_it(tmp_path: Path) -> None:
    values = """
model: {id: org/name, revision: abc, trustRemoteCode: true}
hub: {tokenSecretRef: {name: hub, key: token}}
engine: {args: {tokenizer-mode: hf}}
proxy: {httpProxy: "http://proxy:3128", noProxy: .local}
"""
    manifest = made(tmp_path, values)
    given = environment(manifest)

    assert (told(manifest)["tokenizer"], told(manifest)["revision"]) == ("org/name", "abc")
    assert {*told(manifest)["flags"]} == {"--tokenizer-mode=hf", "--trust-remote-code"}
    assert given["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "token"}}
    assert "HF_HUB_OFFLINE" not in given
    assert given["no_proxy"] == given["NO_PROXY"] == ".local,llm-vllm.default.svc"
    assert given["https_proxy" if "https_proxy" in given else "http_proxy"]


def test_an_engine_with_a_certificate_is_asked_without_its_name(tmp_path: Path) -> None:
    manifest = made(tmp_path, VALUES + "engine: {args: {ssl-certfile: /tls/c, ssl-keyfile: /tls/k}}\n")
    assert told(manifest)["url"].startswith("https://")
    assert told(manifest)["flags"] == ["--insecure"]


def test_a_user_who_is_root_is_not_taken_over(tmp_path: Path) -> None:
    deployment = dict(workload.engine(rendered(VALUES)).object)
    root = ready(deployment, securityContext={"runAsUser": 0, "fsGroup": 7})
    security = made(tmp_path, changes={"pods": [root]})["spec"]["securityContext"]
    assert (security["runAsUser"], security["fsGroup"], security["runAsNonRoot"]) == (pod.USER, 7, True)


def test_a_model_without_tokens_is_refused() -> None:
    engine = {"name": "vllm", "image": "vllm/vllm-openai:v0.33.0", "args": ["org/name", "--runner=pooling"]}
    with pytest.raises(UnavailableError, match="generates no text"):
        subject.model_of(engine)


# -- the objectives -----------------------------------------------------------------------------------------


DEFAULTS = {"ttft": {"seconds": 9, "objective": 0.97}}


@pytest.mark.parametrize(
    ("secrets", "ttft", "source"),
    [
        (
            [helms({"slo": {"ttft": {"seconds": 1.5}}}, ttft={"seconds": 9, "objective": 0.97})],
            (1.5, 0.97),
            "release's",
        ),
        ([helms({}, ttft={"seconds": 9, "objective": 0.97})], (9, 0.97), "the chart's defaults"),
        ([], (2.5, 0.95), "can't be read"),
        (403, (2.5, 0.95), "can't be read"),
        ([{"metadata": {"labels": helms({})["metadata"]["labels"]}, "data": {"release": "bm8="}}], (2.5, 0.95), "read"),
    ],
)
def test_objectives_are_those_of_the_release(secrets: Any, ttft: Any, source: str, tmp_path: Path) -> None:
    with cluster_of(served(**{SECRETS: secrets}), tmp_path) as cluster:
        objectives = subject.find(cluster, Release("llm", "default")).objectives()
    assert objectives.ttft == ttft
    assert source in objectives.source


# -- what the steps come to ---------------------------------------------------------------------------------


def step(missed: str = "", throughput: float = 8.0, **asked: float) -> Step:
    result = {
        "completed": 100, "failed": 0, "request_throughput": throughput, "request_goodput": throughput,
        "output_throughput": 2000.0, "mean_e2el_ms": 4000.0, "p50_ttft_ms": 200.0, "p95_ttft_ms": 900.0,
        "p50_itl_ms": 30.0, "p99_itl_ms": 60.0,
    }  # fmt: skip
    return Step(asked, missed.split(), result)


def reported(*steps: Step, replicas: int = 1, **more: Any) -> Report:
    return report.judged(Report("llm", "default", replicas, SLO, steps, [], **more))


@pytest.mark.parametrize(
    ("steps", "replicas", "knee", "target"),
    [
        ([step(concurrency=32), step(concurrency=64), step("ttft", concurrency=128)], 1, 64, 48),
        ([step(concurrency=64), step("ttft", concurrency=128), step(concurrency=96)], 2, 96, 36),
        # A load that keeps them beyond one that does not was lucky.
        ([step(concurrency=8), step("itl", concurrency=16), step(concurrency=32)], 1, 8, 6),
        ([step(concurrency=1), step("ttft", concurrency=2)], 1, 1, 1),
        # 8 a second, each for 4 s: 32 at a time.
        ([step(rate=8), step("ttft", rate=16, throughput=12)], 1, 32, 24),
    ],
)
def test_the_knee_and_what_a_replica_is_to_have(steps: list[Step], replicas: int, knee: int, target: int) -> None:
    done = reported(*steps, replicas=replicas)
    assert done.knee is not None
    assert done.knee.load == pytest.approx(knee)
    assert done.requests_per_replica == target
    assert f"autoscaling.requestsPerReplica: {target} " in report.to_human(done)
    assert done.findings == []


def test_a_release_that_keeps_them_at_no_load() -> None:
    done = reported(step("ttft itl", concurrency=1), step("ttft", concurrency=2))
    (finding,) = done.findings
    assert (finding.check, finding.severity) == ("bench-objectives", "error")
    assert "even 1 at a time misses its objectives: ttft, itl" in finding.message
    assert report.document(done)["requestsPerReplica"] is None


def test_a_release_that_keeps_them_at_all_loads_bears_more() -> None:
    done = reported(step(concurrency=8))
    assert [finding.check for finding in done.findings] == ["bench-not-full"]
    assert "at least 8 requests at a time" in report.to_human(done)


def test_requests_that_failed_are_told() -> None:
    failing = Step({"concurrency": 8}, [], {**step(concurrency=8).result, "failed": 3})
    assert "bench-failed" in [finding.check for finding in reported(failing, step("ttft", concurrency=9)).findings]


def test_a_plot_has_every_step(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "plot.svg"
    plot.write(reported(step(concurrency=8), step("ttft", concurrency=16)), file)
    first = file.read_text()
    assert "<svg" in first
    plot.write(reported(step(concurrency=8), step("ttft", concurrency=16)), file)
    assert len(file.read_text()) == len(first)


def test_without_anything_to_plot_with_it_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(plot.NoPlotError, match=r"vllm-chart\[bench\]"):
        plot.write(reported(step(concurrency=8)), tmp_path / "plot.svg")


# -- the command --------------------------------------------------------------------------------------------

Bench = Callable[..., Result]


class Here(Errand):
    """An errand whose program runs here, as the pod would run it, with the stand-in for vLLM's tool."""

    interrupted = False

    def __init__(self, cluster: Any, namespace: str, manifest: Mapping[str, Any], **more: Any) -> None:
        super().__init__(cluster, namespace, manifest, **more)
        self._command = manifest["spec"]["containers"][0]["command"]

    def documents(self) -> Iterator[Json]:
        said = subprocess.run([sys.executable, *self._command[1:]], capture_output=True, text=True, check=True)
        for line in said.stdout.splitlines():
            yield json.loads(line)
            if self.interrupted and '"step"' in line:
                raise KeyboardInterrupt


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench_tool.write(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(measure, "Errand", Here)
    monkeypatch.setattr(plot, "write", lambda done, file: file.touch())

    def call(*arguments: str, asked: list[str] | None = None, **changes: Any) -> Result:
        with cluster_of(served(**changes), tmp_path, asked) as cluster:
            options = ["--release=llm", f"--kubeconfig={cluster.kubeconfig}", f"--directory={tmp_path / 'kept'}"]
            return run("bench", *options, *arguments)

    return call


def test_the_command_finds_the_target_and_keeps_all_of_it(bench: Bench, tmp_path: Path) -> None:
    asked: list[str] = []
    result = bench("--find-target", "--step-seconds=1", asked=asked)
    kept = tmp_path / "kept"
    summary = json.loads((kept / "summary.json").read_text())

    assert result.exit_code == Exit.OK, result.output
    # 1.95 · (100 ms + 4 s · (n - 64) ÷ 64) is 1.5 s, which the release's values say, at 74.7.
    assert summary["knee"] == {"concurrency": 72, "requestsAtATime": 72}
    assert summary["requestsPerReplica"] == 54
    assert summary["environment"]["imageIds"] == [IMAGE_ID]
    assert summary["environment"]["nodes"] == ["node-llm-a"]
    assert "autoscaling.requestsPerReplica: 54" in result.stdout
    assert (kept / "table.txt").read_text() == result.stdout
    assert json.loads((kept / "values.json").read_text())["env"] == {"MY_TOKEN": "REMOVED", "A": "b"}
    assert (kept / "metrics" / "llm-a-before.txt").read_bytes() == IDLE
    assert (kept / "metrics" / "llm-a-after.txt").exists()
    assert json.loads((kept / "steps" / "01-concurrency-1.json").read_text())["backend"] == "openai"
    assert len([*(kept / "steps").iterdir()]) == len(summary["steps"])
    assert "import " not in (kept / "pod.json").read_text()
    assert f"DELETE {PODS}/vllm-chart-bench-x" in [path.partition("?")[0] for path in asked]


def test_rates_as_a_document(bench: Bench) -> None:
    result = bench("--rates=30,1", "--requests=20", "--output=json")
    document = json.loads(result.stdout)
    assert [each["rate"] for each in document["steps"]] == [1, 30]
    assert document["ok"] is True
    assert document["steps"][1]["missed"] == ["ttft"]


def test_the_options_are_other_objectives(bench: Bench) -> None:
    document = json.loads(bench("--concurrency=1", "--ttft=0.01", "--requests=20", "--output=json").stdout)
    assert document["slo"]["ttft"] == [0.01, 0.95]
    assert document["findings"][0]["check"] == "bench-objectives"
    assert document["ok"] is False


def test_ctrl_c_shows_what_there_is_and_takes_the_pod_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "interrupted", True)
    asked: list[str] = []
    result = bench("--concurrency=1,2", "--requests=20", "--output=json", asked=asked)
    document = json.loads(result.stdout)
    assert result.exit_code == Exit.INTERRUPTED
    assert (document["whole"], len(document["steps"])) == (False, 1)
    assert f"DELETE {PODS}/vllm-chart-bench-x" in [path.partition("?")[0] for path in asked]


def test_what_came_before_the_tool_died_counts(bench: Bench) -> None:
    result = bench("--concurrency=32,99", "--requests=20", "--output=json")
    document = json.loads(result.stdout)
    assert result.exit_code == Exit.REFUSED
    assert (document["whole"], document["requestsPerReplica"]) == (False, 24)
    (broken, *_) = document["findings"]
    assert broken["check"] == "bench-broken-off"
    assert "ended with 1: Killed" in broken["message"]


def test_without_matplotlib_the_rest_is_kept(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise plot.NoPlotError("matplotlib is not installed")

    monkeypatch.setattr(plot, "write", missing)
    result = bench("--concurrency=1", "--requests=20", "--progress")
    assert "no plot: matplotlib is not installed" in result.stderr
    assert (tmp_path / "kept" / "summary.json").exists()


@pytest.mark.parametrize(
    ("arguments", "changes", "said"),
    [
        (["--tokenizer=org/nowhere"], {}, "--tokenizer, a folder in a volume"),
        (["--input-tokens=9000"], {}, "fit max-model-len"),
        ([], {"pods": []}, "no pod of release llm is ready"),
        ([], {f"{NAMESPACED}/services": []}, "no release 'llm'"),
        ([], {f"POST {PODS}": 403}, "refused"),
    ],
)
def test_what_can_not_be_measured(arguments: list[str], changes: Json, said: str, bench: Bench, tmp_path: Path) -> None:
    asked: list[str] = []
    result = bench("--concurrency=1", "--requests=20", *arguments, asked=asked, **changes)
    assert result.exit_code == Exit.ENVIRONMENT
    assert said in result.stderr
    made = [path for path in asked if path.startswith("DELETE")]
    assert bool(made) == bool(arguments)


def test_pods_that_change_meanwhile_make_no_number(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = dict(workload.engine(rendered(VALUES)).object)
    changed = ready(deployment, "llm-b")
    monkeypatch.setattr(subject, "ready_pods", lambda *_: [changed])
    found = subject.find
    monkeypatch.setattr(subject, "find", lambda *call: _with_pods(found(*call), [ready(deployment)]))
    result = bench("--concurrency=1", "--requests=20", "--output=json")
    assert "bench-pods-changed" in [each["check"] for each in json.loads(result.stdout)["findings"]]
    assert result.exit_code == Exit.REFUSED


def _with_pods(found: subject.Subject, pods: list[Json]) -> subject.Subject:
    return dataclasses.replace(found, pods=pods)


def test_what_was_measured_is_not_lost_when_the_cluster_falls_silent(bench: Bench, tmp_path: Path) -> None:
    result = bench("--concurrency=1", "--requests=20", "--output=json", **{f"{PODS}/vllm-chart-bench-x": 503})
    assert result.exit_code == Exit.OK, result.output
    assert json.loads(result.stdout)["environment"]["ownImageId"] == ""
    assert (tmp_path / "kept" / "summary.json").exists()


def test_what_makes_a_number_doubtful_is_told(bench: Bench) -> None:
    deployment = dict(workload.engine(rendered(VALUES)).object)
    pods = [ready(deployment), ready(deployment, "llm-b")]
    pods[1]["status"]["containerStatuses"][0]["imageID"] = IMAGE_ID.replace("1", "2")
    busy = {f"{PODS}/llm-b:8000/proxy/metrics": IDLE.replace(b"} 0", b"} 3")}
    result = bench("--concurrency=1", "--requests=20", "--output=json", pods=pods, **busy)
    checks = [each["check"] for each in json.loads(result.stdout)["findings"]]
    assert checks == ["bench-several-replicas", "bench-not-alone", "bench-image", "bench-not-full"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one of --find-target, --concurrency and --rates"),
        (["--find-target", "--rates=1"], "name one of"),
        (["--concurrency=0.5"], "write 1,8,64"),
        (["--rates=a"], "write 0.5,1,2"),
        (["--rates=-1"], "write 0.5,1,2"),
        (["--find-target", "--directory=."], "is there already"),
    ],
)
def test_a_wrong_call(arguments: list[str], said: str) -> None:
    result = run("bench", "--release=llm", *arguments)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr


def test_what_breaks_off_counts_as_what_may_not_be_seen(tmp_path: Path) -> None:
    with cluster_of({SECRETS: cut, CLAIM: cut}, tmp_path) as cluster:
        assert subject._helm_values(cluster, Release("llm", "default")) == (None, {})
        assert pod._modes(cluster, "default", "weights") == {"ReadWriteOnce"}
