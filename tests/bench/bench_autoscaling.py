"""The chart's autoscaling beside one by CPU, under the same load on a live cluster: when more is asked for, when it is
there, what clients wait meanwhile, and what it costs.

python -m tests.bench.bench_autoscaling --kubeconfig ~/.kube/config [--json out.json] [--only chart,cpu]

A little load for a minute, three times what a replica is to have for five, and the little again for three. It needs
KEDA, Prometheus and metrics-server (`ci/run cluster -- up --autoscaling`), and takes twelve minutes for each.

What is compared is when each one acts. An answer takes some seconds, so that a request that finds no slot waits for
longer than is promised. On a machine whose cores all engines share, a replica more brings no more of them: there the
requests over the limit say little, and a processor's use is bounded by the cores that there are.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ci import tools
from tests.bench.namespaces import bench_namespace
from tests.e2e import profiles
from tests.e2e.monitored import picked_up
from tests.e2e.profiles import Profile
from tests.e2e.prometheus import begin_anew
from tests.e2e.releases import Installation
from tests.e2e.scaling import Watch, gpus_a_node
from tests.e2e.test_autoscaling import MOST, NEEDED, PATIENCE_SECONDS, PER_REPLICA, SCALING
from tests.e2e.traffic import Traffic
from vllm_chart.cluster.api import Cluster
from vllm_chart.helm import Helm
from vllm_chart.load.asker import OK, Options, Record

#: Slots of an engine: what comes beyond them waits.
SLOTS = f"engine.args.max-num-seqs={PER_REPLICA}"
CPU_MILLICORES = 700  # of the one core that each engine may use
LIMIT_SECONDS = 2.5  # until the first token: slo.ttft.seconds
CALM_SECONDS, OVERLOAD_SECONDS, AFTER_SECONDS = 60, 300, 180
LITTLE = Options("", clients=1, max_tokens=512, duration_seconds=7200, timeout_seconds=PATIENCE_SECONDS, streaming=1)
MUCH = dataclasses.replace(LITTLE, clients=PER_REPLICA * NEEDED - LITTLE.clients)

Row = dict[str, Any]


def by_cpu(release: Installation) -> dict[str, Any]:
    """What one writes without knowing engines: 70 % of a core, and the HPA's own pace, but for the shortened window."""
    target = {"type": "AverageValue", "averageValue": f"{CPU_MILLICORES}m"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "by-cpu", "namespace": release.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": release.service},
            "minReplicas": 1,
            "maxReplicas": MOST,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
        },
    }


def measure(release: Installation, policy: str) -> Row:
    """One policy's numbers, of a release that is there already."""
    with Watch(release) as watch, Traffic.on(release, LITTLE) as little:
        little.wait_for_answers(1)
        if policy == "cpu":
            apply = release.cluster.kubectl("apply", "--filename=-")
            subprocess.run(apply, input=json.dumps(by_cpu(release)), text=True, check=True)
        watch.wait_until("there is an autoscaler", lambda now: now.desired >= 1, 120)
        little.keep_on(CALM_SECONDS)
        calm = watch.samples[-1].desired
        began = time.time()
        with Traffic.on(release, MUCH) as much:
            much.wait_for_answers(1)
            much.keep_on(OVERLOAD_SECONDS)
        ended = time.time()
        little.keep_on(AFTER_SECONDS)
        after = watch.since(began)
        asked = next((sample.at - began for sample in after if sample.desired > calm), None)
        ready = next((sample.at - began for sample in after if sample.ready >= NEEDED), None)
        records = [*much.report.records, *(r for r in little.report.records if r.started > began)]
        print(watch)
        return {
            "policy": policy,
            "replicas wanted before the overload": calm,
            "seconds until more are asked for": asked and round(asked),
            "seconds until as many as needed are ready": ready and round(ready),
            "most that are asked for (needed: 3)": max(sample.desired for sample in after),
            "requests": len(records),
            "of them over the limit": sum(_over(record) for record in records),
            "lost": sum(record.kind != OK for record in records),
            "replica-seconds": round(watch.replica_seconds(began)),
            "replicas wanted at the end": after[-1].desired,
            "overload, seconds": round(ended - began),
        }


def _over(record: Record) -> bool:
    return record.first_token_seconds is None or record.first_token_seconds > LIMIT_SECONDS


def rows(cluster: Cluster, helm: Helm, profile: Profile, namespace: str, policies: Sequence[str]) -> list[Row]:
    """The numbers of each policy, one after the other."""
    found = []
    for policy in policies:
        own = SCALING if policy == "chart" else ()
        model = dataclasses.replace(profile.article, values={**profile.article.values, "replicaCount": 1})
        set_ = (SLOTS, *picked_up("serviceMonitor"), *own)
        release = Installation(helm, cluster, profile, namespace, f"by-{policy}", model, set_)
        release.install(wait=False)
        try:
            if own:  # a Prometheus that hears of the engine late would be measured, and not what scales
                begin_anew(cluster, namespace)
            release.wait_until_available()
            found.append(measure(release, policy))
        finally:
            subprocess.run(
                cluster.kubectl("delete", "hpa", "--all", f"--namespace={namespace}", "--ignore-not-found"), check=True
            )
            release.uninstall()
        print(json.dumps(found[-1], indent=2), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--json", type=Path, default=Path("bench-autoscaling.json"), help="keeps the numbers")
    parser.add_argument("--only", default="chart,cpu", help="policies (default: %(default)s)")
    options = parser.parse_args()
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    with Cluster(options.kubeconfig) as cluster:
        profile = profiles.choose(cluster)
        helm = Helm(str(tools.helm()), options.kubeconfig)
        with bench_namespace(cluster, profile.folders) as namespace, gpus_a_node(cluster, profile, 2):
            found = rows(cluster, helm, profile, namespace, options.only.split(","))
            options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
