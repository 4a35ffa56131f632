"""Notes on what an autoscaler goes by, beside what the engine's arguments say."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines

TARGET = "scaling-target"
SOURCE = "scaling-source"

CHECKS = (
    Check(
        TARGET,
        "An autoscaler's target is no more than what an engine runs at a time.",
        "Requests wait before another replica comes, which may be meant.",
        "Engine",
    ),
    Check(
        SOURCE,
        "Where the chart's autoscaler is on, something in the values has Prometheus scrape the pods.",
        "It has no metrics to go by, unless somebody else sees to that.",
        "Engine",
    ),
)


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Notes about a rendered release with the chart's own autoscaler; none without it.

    values: the merged values of the chart. app_version: not used.
    """
    autoscaling = values.get("autoscaling") or {}
    if not autoscaling.get("enabled"):
        return []
    return [*_target(manifests, autoscaling, values), *_source(values)]


def _target(manifests: Manifests, autoscaling: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Finding]:
    ranks = max(1, int((values.get("parallelism") or {}).get("dataParallelSize") or 1))
    target, slots = autoscaling.get("requestsPerReplica"), _slots(manifests)
    if not isinstance(target, int) or slots is None or target <= slots * ranks:
        return
    runs = slots * ranks
    yield Finding(
        TARGET,
        "autoscaling.requestsPerReplica",
        f"a replica runs {runs} requests at a time (engine.args.max-num-seqs{', each rank' if ranks > 1 else ''}), so "
        f"that {target - runs} wait before another replica comes",
        f"write {max(1, runs * 3 // 4)}, if they are not to wait",
        "info",
    )


def _slots(manifests: Manifests) -> int | None:
    """Requests that an engine runs at a time, where the arguments say so."""
    for _, engine in engines(manifests):
        words = " ".join(str(word) for word in engine.all("args"))
        if found := re.findall(r"--max[-_]num[-_]seqs[= ]([1-9][0-9]*)(?:\s|$)", words):
            return int(found[-1])
    return None


def _source(values: Mapping[str, Any]) -> Iterator[Finding]:
    monitors = (values.get(name) or {} for name in ("serviceMonitor", "podMonitor", "scrapeAnnotations"))
    if not any(isinstance(monitor, Mapping) and monitor.get("enabled") for monitor in monitors):
        yield Finding(
            SOURCE,
            "autoscaling.enabled",
            "nothing in these values has Prometheus scrape the pods, whose metrics it goes by",
            "write serviceMonitor.enabled or podMonitor.enabled: true, or see that your Prometheus gives their series "
            "the labels namespace and job (<namespace>/<name>)",
            "info",
        )
