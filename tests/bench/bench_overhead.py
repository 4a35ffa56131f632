"""What `vllm-chart bench` adds to vLLM's own tool: the same load by its driver and by `vllm bench serve` alone.

python -m tests.bench.bench_overhead --kubeconfig ~/.kube/config [--json out.json] [--pairs 6] [--requests 64]

Both run in one pod, the one that `vllm-chart bench` starts, in pairs, against a release with one replica; which of a
pair comes first changes. Two things are told: what the driver's own processes use of a core, in the pod and where the
command runs, which is exact; and what the tool measured by the one beside the other, with the standard error of the
mean over all pairs, which says how much of a difference could have been seen.
"""

import argparse
import dataclasses
import json
import math
import os
import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci import tools
from tests.bench import overhead_program
from tests.bench.namespaces import bench_namespace
from tests.bench.overhead_program import ALONE, DRIVER
from tests.e2e import profiles
from tests.e2e.evidence import evidence
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.bench import driver, pod, subject
from vllm_chart.bench.pod import Load
from vllm_chart.cluster.api import Cluster
from vllm_chart.cluster.errand import Errand
from vllm_chart.helm import Helm
from vllm_chart.live.smoke import Release

Json = dict[str, Any]

CONCURRENCY, INPUT_TOKENS, OUTPUT_TOKENS = 4, 32, 64
#: What the tool says, and how the table names it.
MEASURED = {
    "rate": "requests a second",
    "ttft_ms": "time to the first token",
    "itl_ms": "time to each further token",
    "seconds": "the tool's call, from its start to its end",
}


@dataclasses.dataclass(frozen=True)
class Ratio:
    """What was measured by the driver, as a multiple of what was alone: the mean over all pairs."""

    mean: float
    error: float
    """The standard error of the mean."""
    least: float
    most: float


def ratio(runs: Sequence[Json], name: str) -> Ratio:
    """The ratio of a number over pairs of runs, in the order in which they were made."""
    by_how = {how: [float(run[name]) for run in runs if run["run"] == how] for how in (DRIVER, ALONE)}
    ratios = [one / other for one, other in zip(by_how[DRIVER], by_how[ALONE], strict=True)]
    error = statistics.stdev(ratios) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.inf
    return Ratio(statistics.fmean(ratios), error, min(ratios), max(ratios))


def share(runs: Sequence[Json]) -> float:
    """Of a core, what the driver's own process uses while the tool runs."""
    own = [run for run in runs if run["run"] == DRIVER]
    return float(sum(run["own_seconds"] for run in own) / sum(run["seconds"] for run in own))


def table(runs: Sequence[Json], beside: float) -> str:
    """All of it, as Markdown. beside: of a core, where the command runs."""
    lines = [
        f"Of a core, while the tool runs: {share(runs):.3%} in the pod, {beside:.3%} where the command runs.",
        "",
        "| by `vllm-chart bench` ÷ by the tool alone | mean | standard error | least | most |",
        "|---|---|---|---|---|",
    ]
    for name, title in MEASURED.items():
        found = ratio(runs, name)
        lines.append(f"| {title} | {found.mean:.3f} | {found.error:.3f} | {found.least:.3f} | {found.most:.3f} |")
    return "\n".join(lines)


def manifest(told: Mapping[str, Any], made: Json) -> Json:
    """The pod of a bench, with the program of this one in it."""
    source = Path(overhead_program.__file__).read_text()
    (container,) = made["spec"]["containers"]
    container["command"] = ["python3", "-c", source, Path(driver.__file__).read_text(), json.dumps(told)]
    return made


def measure(release: Installation, pairs: int, requests: int) -> tuple[list[Json], float]:
    """The runs, and what of a core is used here meanwhile."""
    cluster = release.cluster
    found = subject.find(cluster, Release(release.name, release.namespace))
    model, objectives = subject.model_of(found.engine), found.objectives()
    # So many steps are allowed time for.
    steps = [{"concurrency": CONCURRENCY}] * (2 * pairs + 1)
    load = Load(steps, CONCURRENCY, INPUT_TOKENS, OUTPUT_TOKENS, 0, 120, requests, 0)
    told = {**pod.plan(found, model, load, objectives), "pairs": pairs, "step": steps[0]}
    made = manifest(told, pod.manifest(found, model, load, objectives, pod.storage(cluster, found)))
    runs: list[Json] = []
    with Errand(cluster, release.namespace, made, start_seconds=pod.START_SECONDS, advice="see its events") as errand:
        errand.wait_until_started()
        began, used = time.perf_counter(), _used_seconds()
        for said in errand.documents():
            if "run" in said:
                runs.append(said)
                print(json.dumps(said), file=sys.stderr, flush=True)
            elif "error" in said:
                sys.exit(f"the tool failed: {said['error']}")
            elif "done" in said:
                break
        seconds = time.perf_counter() - began
    return runs, (_used_seconds() - used) / seconds


def _used_seconds() -> float:
    """What this process and the children that have ended used of a processor."""
    both = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _measure_one(cluster: Cluster, helm: Helm, profile: Profile, namespace: str, options: argparse.Namespace) -> None:
    model = dataclasses.replace(profile.article, values={**profile.article.values, "replicaCount": 1})
    release = Installation(helm, cluster, profile, namespace, "llm", model, (SHORT_STOP,))
    release.install()
    try:
        runs, beside = measure(release, options.pairs, options.requests)
    finally:
        release.uninstall()
    options.json.write_text(json.dumps({"beside": beside, "runs": runs}, indent=2))
    print(table(runs, beside))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument(
        "--json", type=Path, default=Path("bench-overhead.json"), help="keeps it (default: %(default)s)"
    )
    parser.add_argument("--pairs", type=int, default=6, help="of runs (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=64, help="of each run (default: %(default)s)")
    options = parser.parse_args()
    os.environ["PATH"] = f"{tools.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    with Cluster(options.kubeconfig) as cluster:
        profile = profiles.choose(cluster)
        helm = Helm(str(tools.helm()), options.kubeconfig)
        with bench_namespace(cluster, profile.folders) as namespace:
            try:
                _measure_one(cluster, helm, profile, namespace, options)
            except BaseException:
                print(evidence(cluster, namespace), file=sys.stderr, flush=True)
                raise


if __name__ == "__main__":
    main()
