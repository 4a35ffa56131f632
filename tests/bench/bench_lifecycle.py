"""The life cycle of a release in numbers, beside the article's manifests and a bare `vllm serve`, on a live cluster.

python -m tests.bench.bench_lifecycle --kubeconfig ~/.kube/config [--json out.json] [--only starts,warm,…]
python -m tests.bench.bench_lifecycle --kubeconfig … --through endpoint [--only engine,endpoint,…] [--requests 10000]

Everything is asked by the same generator from inside the cluster, and runs in a namespace that is deleted at the end.
The table goes to standard output, the numbers to a JSON file. On two cores the parts of the default take an hour;
`many` and `saturated` are asked for by name, and take about an hour each. `--through endpoint` has the clients ask an
endpoint in front of the release, and changes both, one change after the other, until so many requests are answered.
"""

import argparse
import contextlib
import copy
import dataclasses
import itertools
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from kubernetes.client import V1Pod

from ci import tools, versions
from tests import article
from tests.bench import through_endpoint
from tests.bench.lifecycle import (
    LOAD,
    MANY,
    MANY_REQUESTS,
    READY_SECONDS,
    SERVED,
    Bench,
    Json,
    names,
    new_version,
    note_total,
    note_window,
)
from tests.bench.namespaces import bench_namespace
from tests.e2e import profiles
from tests.e2e.clients import pod_name, restarts
from tests.e2e.releases import Installation, drain_node, wait_until_departed
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import Options
from vllm_chart.load.pod import Placement

MODEL = "/models/san-francisco"
# The longest prompt that this engine takes, beside more short ones than it can answer.
LONG = Options(
    url="", model=SERVED, clients=4, max_tokens=16, prompt_words=20_000, duration_seconds=7200, timeout_seconds=1200
)
LONG_CONTEXT = 131_072
SATURATED = Options(url="", model=SERVED, clients=64, max_tokens=400, duration_seconds=7200, timeout_seconds=1200)
SATURATED_SECONDS = 3600
# A sixtieth of the default: what is not taken for hung here will not be with a machine that is so much slower.
SATURATED_HANG_SECONDS = 5
STARTS = 5
# A rollout that has not ended by then has hung: its pods start within a minute or two.
ROLLOUT_SECONDS = 180
STOP_SECONDS = 360


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
    """From the command to the first token, in turns: whoever comes first finds the disk's cache cold."""
    objects, release = bare_objects(bench), bench.chart("replicaCount=1")
    bare, ours = [], []
    for turn in range(STARTS):
        with contextlib.ExitStack() as stack:
            bare.append(bench.first_token("bare", lambda: stack.enter_context(bench.applied(*objects))))
        ours.append(bench.first_token(release.service, lambda: release.install(wait=False)))
        release.uninstall()
        print(f"start {turn + 1} of {STARTS}: bare {bare[-1]:.1f} s, chart {ours[-1]:.1f} s", flush=True)
    bench.note("bare vllm serve: start to first token, s", [round(seconds, 1) for seconds in bare])
    bench.note("chart: helm install to first token, s", [round(seconds, 1) for seconds in ours])
    bench.note("chart over bare, by their medians", round(statistics.median(ours) / statistics.median(bare), 2))


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
    name = names(release)[0]
    began = time.monotonic()
    bench.kubectl("delete", f"pod/{name}", "--wait")
    bench.note("chart: an idle pod is gone after, s", round(time.monotonic() - began, 1))
    release.wait_until_available()


def _lose_pods(
    bench: Bench, who: str, traffic: Traffic, a_pod: Callable[[], V1Pod], wait_until_available: Callable[[], object]
) -> None:
    """One of two pods is deleted, and then the node of one drained."""
    with traffic.through("pod delete") as windows:
        began = time.monotonic()
        bench.kubectl("delete", f"pod/{pod_name(a_pod())}", "--wait")
        bench.note(f"{who}, pod delete: the old pod is gone after, s", round(time.monotonic() - began))
        wait_until_available()
        bench.note(f"{who}, pod delete: two pods are ready after, s", round(time.monotonic() - began))
    note_window(bench, who, windows[0])
    with traffic.through("node drain") as windows:
        drain_node(bench.cluster, a_pod(), STOP_SECONDS)
        wait_until_available()
    note_window(bench, who, windows[0])


def chart_changes(bench: Bench) -> None:
    """The chart's release through the planned changes."""
    release = bench.chart("replicaCount=2")
    release.install()
    idle_pod(bench, release)
    with Traffic.on(release, LOAD) as traffic:
        traffic.wait_for_answers(LOAD.clients)
        _lose_pods(bench, "chart", traffic, lambda: release.engines()[0], release.wait_until_available)
        for what, set_ in {
            "rollout without a spare GPU": ("replicaCount=2",),
            "scale to 1": ("replicaCount=1",),
            "rollout with a spare GPU": (
                *("replicaCount=1", "strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate.maxUnavailable=0"),
            ),
            "rollout by Recreate": ("replicaCount=1", "strategy.type=Recreate"),
        }.items():
            if what != "scale to 1":
                version = new_version()
            with traffic.through(what) as windows:
                began = time.monotonic()
                release.upgrade(*set_, version)
                bench.note(f"chart, {what}: s", round(time.monotonic() - began))
                release.wait_until_departed()
            note_window(bench, "chart", windows[0])
    release.uninstall()


def article_changes(bench: Bench) -> None:
    """The article's manifests through the same changes; a restart is a rollout."""
    deployment, selector = "deployment/llama-3", "app=llama-3"

    def a_pod() -> V1Pod:
        pod: V1Pod = bench.cluster.core.list_namespaced_pod(bench.namespace, label_selector=selector).items[0]
        return pod

    def wait_until_available() -> None:
        bench.kubectl("rollout", "status", deployment, f"--timeout={READY_SECONDS}s")

    began = time.monotonic()
    with bench.applied(*article_objects(bench)):
        wait_until_available()
        bench.note("article: kubectl apply to ready, and no answer before, s", round(time.monotonic() - began))
        front = f"http://llama-3.{bench.namespace}.svc"
        placement = Placement(bench.namespace, versions.CLIENT_IMAGE, {"app": "llama-3"})
        with Traffic(bench.cluster, placement, dataclasses.replace(LOAD, url=front)) as traffic:
            traffic.wait_for_answers(LOAD.clients)
            _lose_pods(bench, "article", traffic, a_pod, wait_until_available)

            def restart(what: str, seconds: int) -> None:
                with traffic.through(what) as windows:
                    began = time.monotonic()
                    bench.kubectl("rollout", "restart", deployment)
                    said = bench.kubectl("rollout", "status", deployment, f"--timeout={seconds}s", check=False)
                    took = round(time.monotonic() - began)
                    ended = "successfully rolled out" in said
                    bench.note(f"article, {what}: s", took if ended else f"hung: not done in {took}")
                    wait_until_departed(bench.cluster, bench.namespace, selector)
                note_window(bench, "article", windows[0])

            restart("rollout without a spare GPU", ROLLOUT_SECONDS)
            bench.kubectl("rollout", "undo", deployment)
            with traffic.through("scale to 1") as windows:
                bench.kubectl("scale", deployment, "--replicas=1")
                bench.kubectl("wait", deployment, "--for=jsonpath={.status.replicas}=1", f"--timeout={STOP_SECONDS}s")
                wait_until_departed(bench.cluster, bench.namespace, selector)
            note_window(bench, "article", windows[0])
            restart("rollout with a spare GPU", READY_SECONDS)


def connections(bench: Bench) -> None:
    """What `Connection: close` is for: clients that keep their connections alive, with and without it."""
    for asks in ("true", "false"):
        release = bench.chart("replicaCount=2", f"shutdown.closeConnections={asks}")
        release.install()
        with Traffic.on(release, dataclasses.replace(LOAD, fresh=0.0)) as traffic:
            traffic.wait_for_answers(LOAD.clients)
            with traffic.through(f"pod delete, all connections kept alive, closeConnections: {asks}") as windows:
                began = time.monotonic()
                bench.kubectl("delete", f"pod/{names(release)[0]}", "--wait")
                bench.note(f"chart, closeConnections={asks}: the pod is gone after, s", round(time.monotonic() - began))
            note_window(bench, "chart", windows[0])
        release.uninstall()


def many(bench: Bench) -> None:
    """Planned changes, one after the other, until ten thousand requests are answered."""
    release = bench.chart("replicaCount=2", "shutdown.drainSeconds=600", "engine.args.stream-interval=20")
    rolled = [new_version()]
    release.install(rolled[0])

    def roll() -> None:
        rolled.append(new_version())
        release.upgrade("replicaCount=2", rolled[-1])

    def delete() -> None:
        bench.kubectl("delete", f"pod/{names(release)[0]}", "--wait")
        release.wait_until_available()

    def scale() -> None:
        release.upgrade("replicaCount=1", rolled[-1])
        release.wait_until_departed()
        release.upgrade("replicaCount=2", rolled[-1])

    changes = {"rollouts": roll, "pod deletes": delete, "scale to 1 and back to 2": scale}
    made = dict.fromkeys(changes, 0)
    with Traffic.on(release, MANY) as traffic:
        traffic.wait_for_answers(MANY.clients)
        for change in itertools.cycle(changes):
            if len(traffic.report.records) >= MANY_REQUESTS:
                break
            with traffic.through(change) as windows:
                changes[change]()
                release.wait_until_departed()
            made[change] += 1
            assert windows
        report = traffic.report
    note_total(bench, "many", made, report)
    release.uninstall()


def saturated(bench: Bench) -> None:
    """An hour of more than one engine can answer, with long prefills among it: is it taken for hung?"""
    args = {
        "max-model-len": LONG_CONTEXT,
        "hf-overrides.max_position_embeddings": LONG_CONTEXT,
        "max-num-batched-tokens": 8192,
    }
    set_ = [f"engine.args.{name.replace('.', chr(92) + '.')}={value}" for name, value in args.items()]
    release = bench.chart("replicaCount=1", "hang.seconds=60", f"env.HANG_SECONDS={SATURATED_HANG_SECONDS}", *set_)
    release.install()
    with Traffic.on(release, SATURATED) as traffic, Traffic.on(release, LONG) as long:
        traffic.wait_for_answers(SATURATED.clients)
        traffic.keep_on(SATURATED_SECONDS)
        long.keep_on(0)
        for who, report in (("short", traffic.report), ("long", long.report)):
            bench.note(f"saturated hour: {who} requests", len(report.records))
            bench.note(f"saturated hour: {who} requests lost", report.failed)
            median = report.latencies.get("total", {}).get(50)
            bench.note(f"saturated hour: median {who} answer, s", round(median, 1) if median else "none")
    (pod,) = release.engines()
    bench.note("saturated hour: restarts", restarts(pod))
    log = bench.kubectl("logs", f"pod/{names(release)[0]}", "--container=vllm")
    silences = [int(seconds) for seconds in re.findall(r"liveness: the engine has not answered for (\d+) s", log)]
    longest = f"{max(silences)}" if silences else f"under {SATURATED_HANG_SECONDS}"
    bench.note("saturated hour: longest silence of the engine that a probe saw, s", longest)
    release.uninstall()


PARTS = {
    "starts": starts,
    "warm": warm,
    "chart": chart_changes,
    "article": article_changes,
    "connections": connections,
    "many": many,
    "saturated": saturated,
}
BY_NAME = ("many", "saturated")


def _parts(parser: argparse.ArgumentParser, through: str | None, only: str | None) -> list[str]:
    """The parts that are asked for, or usual."""
    known = [*(through_endpoint.PARTS if through else PARTS)]
    usual = [part for part in known if part not in BY_NAME]
    asked = only.split(",") if only else usual
    if unknown := [part for part in asked if part not in known]:
        parser.error(f"--only: there is no part {unknown[0]}: write some of {','.join(known)}")
    return asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument(
        "--json",
        type=Path,
        default=Path("bench-lifecycle.json"),
        help="keeps the numbers, by part (default: %(default)s)",
    )
    of = ",".join(PARTS), ",".join(through_endpoint.PARTS)
    parser.add_argument(
        "--only", help=f"parts, of: {of[0]} (default: all but {' and '.join(BY_NAME)}); of {of[1]} (all)"
    )
    parser.add_argument("--through", choices=["endpoint"], help="have the clients ask an endpoint")
    parser.add_argument(
        "--requests", type=int, default=MANY_REQUESTS, help="through an endpoint (default: %(default)s)"
    )
    parser.add_argument("--set", action="append", default=[], help="for every release of the chart, as helm has it")
    options = parser.parse_args()
    parts = _parts(parser, options.through, options.only)
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    with Cluster(options.kubeconfig) as cluster:
        profile = profiles.choose(cluster)
        if not profile.no_gpu:
            sys.exit("this bench measures the CPU engine, on simulated GPUs")
        with bench_namespace(cluster, profile.folders) as namespace:
            bench = Bench(cluster, Helm(str(tools.helm()), options.kubeconfig), profile, namespace, options.set)
            try:
                if options.through:
                    bench.begin("through an endpoint")
                    through_endpoint.measure(bench, parts, options.requests)
                for part in [] if options.through else parts:
                    bench.begin(part)
                    PARTS[part](bench)
            finally:
                earlier = json.loads(options.json.read_text()) if options.json.exists() else {}
                options.json.write_text(json.dumps(earlier | bench.numbers, indent=2))


if __name__ == "__main__":
    main()
