"""The life cycle of a release in numbers, beside the article's manifests and a bare `vllm serve`, on a live cluster.

python -m tests.bench.bench_lifecycle --kubeconfig ~/.kube/config [--json out.json] [--only start,drain,…]

Everything is asked by the same generator from inside the cluster, and runs in a namespace that is deleted at the end.
The table goes to standard output, the numbers to a JSON file. It takes about half an hour on two cores.
"""

import argparse
import contextlib
import copy
import dataclasses
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from ci import tools, versions
from tests import article
from tests.e2e import profiles
from tests.e2e.profiles import Profile
from tests.e2e.releases import Installation
from tests.e2e.traffic import Traffic, Window
from vllm_chart.cluster import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.generate import OK, Options
from vllm_chart.load.pod import LoadPod, Placement

Json = dict[str, Any]

MODEL = "/models/san-francisco"
SERVED = "san-francisco"
# Answers of ten to twenty seconds on two cores that do nothing else: short ones hide what is cut.
LOAD = Options(url="", model=SERVED, clients=12, max_tokens=1200, duration_seconds=1800, timeout_seconds=120)
# A rollout that has not ended by then has hung: its pods start within a minute or two.
ROLLOUT_SECONDS = 180
READY_SECONDS = 900


class Bench:
    """A cluster, a namespace in it, and what was measured there."""

    def __init__(self, cluster: Cluster, helm: Helm, profile: Profile, namespace: str) -> None:
        self.cluster, self.helm, self.profile, self.namespace = cluster, helm, profile, namespace
        self.numbers: Json = {}

    def note(self, what: str, value: object) -> None:
        self.numbers[what] = value
        print(f"{what:<64} {value}", flush=True)

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        command = self.cluster.kubectl(f"--namespace={self.namespace}", *arguments)
        done = subprocess.run(command, input=stdin, check=check, stdout=subprocess.PIPE, text=True)
        return done.stdout

    def chart(self, *set_: str) -> Installation:
        return Installation(self.helm, self.cluster, self.profile, self.namespace, "llm", self.profile.article, set_)

    @contextlib.contextmanager
    def applied(self, *objects: Json) -> Iterator[None]:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("apply", "--filename=-", stdin=manifest)
        try:
            yield
        finally:
            self.kubectl("delete", "--wait", "--ignore-not-found", "--filename=-", stdin=manifest)

    def first_token(self, service: str, install: Callable[[], object]) -> float:
        """Seconds from the beginning of `install` to the first token that comes through a Service.

        Who asks is there before, and asks once a second.
        """
        url = f"http://{service}.{self.namespace}.svc"
        options = Options(url, SERVED, clients=1, duration_seconds=READY_SECONDS, streaming=1, fresh=1, max_tokens=8)
        with LoadPod(self.cluster, Placement(self.namespace, versions.CLIENT_IMAGE), options) as pod:
            pod.wait_until_started()
            began = time.time()
            install()
            for record in pod.records():
                if record.kind == OK and record.first_token_seconds is not None:
                    return record.started + record.first_token_seconds - began
        raise AssertionError("no answer")


def article_objects(bench: Bench) -> list[Json]:
    """The article's manifests: changed is only what this cluster has instead of GPUs and a Hub."""
    deployment, service = yaml.safe_load(article.DEPLOYMENT), yaml.safe_load(article.SERVICE)
    for each in (deployment, service):
        each["metadata"]["namespace"] = bench.namespace
    pod = deployment["spec"]["template"]["spec"]
    (engine,) = pod["containers"]
    engine["image"] = versions.ENGINE_IMAGE
    engine["args"] = [
        engine["args"][0].replace("meta-llama/Llama-3.1-8B", f"{MODEL} --served-model-name {SERVED} --enforce-eager")
    ]
    ours = bench.chart().rendered().one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    engine["env"] = [variable for variable in ours["env"] if variable["name"].startswith(("VLLM_CPU", "OMP", "HF_HUB"))]
    engine["resources"] = ours["resources"]
    pod["volumes"][0]["emptyDir"]["sizeLimit"] = "1Gi"
    pod["volumes"].append({"name": "model", "configMap": {"name": f"model-{SERVED}"}})
    engine["volumeMounts"].append({"name": "model", "mountPath": MODEL})
    return [deployment, service]


def bare_objects(bench: Bench) -> list[Json]:
    """`vllm serve` in a pod without probes or hooks, with the chart's own arguments and environment."""
    pod = bench.chart("hang.seconds=0", "shutdown.closeConnections=false").rendered().one("Deployment")
    spec = copy.deepcopy(pod["spec"]["template"]["spec"])
    (engine,) = spec["containers"]
    for key in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle"):
        engine.pop(key)
    spec["volumes"] = [volume for volume in spec["volumes"] if volume["name"] != "lifecycle"]
    engine["volumeMounts"] = [mount for mount in engine["volumeMounts"] if mount["name"] != "lifecycle"]
    spec |= {"terminationGracePeriodSeconds": 5, "serviceAccountName": "default"}
    spec.pop("topologySpreadConstraints")
    labels = {"app": "bare"}
    ports = [{"port": 80, "targetPort": 8000}]
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "bare"},
            "spec": {"selector": labels, "ports": ports},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare", "labels": labels}, "spec": spec},
    ]


def starts(bench: Bench) -> None:
    """From the command to the first token."""
    bare = bare_objects(bench)
    with contextlib.ExitStack() as stack:
        seconds = bench.first_token("bare", lambda: stack.enter_context(bench.applied(*bare)))
    bench.note("bare vllm serve: start to first token, s", round(seconds, 1))
    release = bench.chart("replicaCount=1")
    ours = bench.first_token(release.service, lambda: release.install(wait=False))
    bench.note("chart: helm install to first token, s", round(ours, 1))
    bench.note("chart over bare", round(ours / seconds, 2))
    release.uninstall()


def warm(bench: Bench) -> None:
    """A start with what the one before left on the volume: the compiled model."""
    compiled = ("replicaCount=1", "persistence.enabled=true", "persistence.size=2Gi", "engine.args.enforce-eager=false")
    release = bench.chart(*compiled)
    cold = bench.first_token(release.service, lambda: release.install(wait=False))
    release.uninstall()
    again = bench.first_token(release.service, lambda: release.install(wait=False))
    release.uninstall()
    bench.note("chart, compiled: cold start to first token, s", round(cold, 1))
    bench.note("chart, compiled: warm start to first token, s", round(again, 1))
    bench.note("warm over cold", round(again / cold, 2))


def idle_pod(bench: Bench, release: Installation) -> None:
    """How long a pod takes to go that has nothing to do."""
    name = _names(release)[0]
    began = time.monotonic()
    bench.kubectl("delete", f"pod/{name}", "--wait")
    bench.note("chart: an idle pod is gone after, s", round(time.monotonic() - began, 1))
    release.wait_until_available()


def _names(release: Installation) -> list[str]:
    return [(pod.metadata.name if pod.metadata else None) or "" for pod in release.engines()]


def _note_window(bench: Bench, who: str, window: Window) -> None:
    report = window.report
    lost = {kind: count for kind, count in report.counts.items() if kind != OK}
    bench.note(f"{who}, {window.change}: requests", len(report.records))
    bench.note(f"{who}, {window.change}: lost", f"{len(window.lost())} {lost or ''}".strip())


def chart_changes(bench: Bench) -> None:
    """The chart's release through the planned changes."""
    release = bench.chart("replicaCount=2")
    release.install()
    idle_pod(bench, release)
    with Traffic.on(release, LOAD) as traffic:
        traffic.wait_for_answers(LOAD.clients)
        with traffic.through("pod delete") as windows:
            bench.kubectl("delete", f"pod/{_names(release)[0]}", "--wait")
            release.wait_until_available()
        _note_window(bench, "chart", windows[0])
        for what, set_ in {
            "rollout without a spare GPU": ("replicaCount=2",),
            "scale to 1": ("replicaCount=1",),
            "rollout with a spare GPU": (
                *("replicaCount=1", "strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate.maxUnavailable=0"),
            ),
            "rollout by Recreate": ("replicaCount=1", "strategy.type=Recreate"),
        }.items():
            version = "" if what == "scale to 1" else f"podAnnotations.version={secrets.token_hex(3)}"
            with traffic.through(what) as windows:
                began = time.monotonic()
                release.upgrade(*set_, *([version] if version else []))
                bench.note(f"chart, {what}: s", round(time.monotonic() - began))
                release.wait_until_departed()
            _note_window(bench, "chart", windows[0])
    release.uninstall()


def article_changes(bench: Bench) -> None:
    """The article's manifests through a pod delete and a restart, which is a rollout."""
    began = time.monotonic()
    with bench.applied(*article_objects(bench)):
        deployment = "deployment/llama-3"
        bench.kubectl("rollout", "status", deployment, f"--timeout={READY_SECONDS}s")
        bench.note("article: kubectl apply to ready, and no answer before, s", round(time.monotonic() - began))
        front = f"http://llama-3.{bench.namespace}.svc"
        placement = Placement(bench.namespace, versions.CLIENT_IMAGE, {"app": "llama-3"})
        with Traffic(bench.cluster, placement, dataclasses.replace(LOAD, url=front)) as traffic:
            traffic.wait_for_answers(LOAD.clients)
            name = bench.kubectl("get", "pods", "--selector=app=llama-3", "--output=name").split()[0]
            with traffic.through("pod delete") as windows:
                began = time.monotonic()
                bench.kubectl("delete", name, "--wait")
                bench.note("article, pod delete: the old pod is gone after, s", round(time.monotonic() - began))
                bench.kubectl("rollout", "status", deployment, f"--timeout={READY_SECONDS}s")
                bench.note("article, pod delete: two pods are ready after, s", round(time.monotonic() - began))
            _note_window(bench, "article", windows[0])
            with traffic.through("rollout restart") as windows:
                began = time.monotonic()
                bench.kubectl("rollout", "restart", deployment)
                said = bench.kubectl("rollout", "status", deployment, f"--timeout={ROLLOUT_SECONDS}s", check=False)
                ended = "successfully rolled out" in said
                seconds = round(time.monotonic() - began)
                bench.note("article, rollout restart", f"{seconds} s" if ended else f"hung: not done in {seconds} s")
            _note_window(bench, "article", windows[0])


PARTS = {"starts": starts, "warm": warm, "chart": chart_changes, "article": article_changes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--json", type=Path, default=Path("bench-lifecycle.json"), help="where the numbers are kept")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, of: %(default)s")
    options = parser.parse_args()
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    namespace = f"vllm-bench-{secrets.token_hex(3)}"
    with Cluster(options.kubeconfig) as cluster:
        profile = profiles.choose(cluster)
        if not profile.no_gpu:
            sys.exit("this bench measures the CPU engine, on simulated GPUs")
        bench = Bench(cluster, Helm(str(tools.helm()), options.kubeconfig), profile, namespace)
        subprocess.run(cluster.kubectl("create", "namespace", namespace), check=True)
        try:
            for name, folder in profile.folders.items():
                bench.kubectl("create", "configmap", name, f"--from-file={folder}")
            for part in options.only.split(","):
                PARTS[part](bench)
        finally:
            options.json.write_text(json.dumps(bench.numbers, indent=2))
            bench.kubectl("delete", "namespace", namespace, "--wait=false")


if __name__ == "__main__":
    main()
