"""Whether a cluster has what a release needs, asked before it is installed or changed.

`release` asks a cluster, `explain` draws the conclusions from what it answered. `explain` is pure, so each of its
conclusions has a test with recorded objects. Secrets are read, to see that a key is there and fit for an HTTP header;
nothing of them is ever said.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from vllm_chart.cluster.api import Cluster, asking_the_api_server
from vllm_chart.findings import Finding, Severity
from vllm_chart.live.preflight import (
    ask,
    autoscaling,
    engine,
    image_volumes,
    monitors,
    namespace,
    network,
    nodes,
    objects,
    openshift,
    storage,
)
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.needs import Need, needs
from vllm_chart.live.preflight.own import Own
from vllm_chart.live.preflight.wanted import Wanted, read
from vllm_chart.rendered.manifests import Manifests

__all__ = ["Need", "Own", "Snapshot", "Wanted", "explain", "needs", "release"]


def release(
    manifests: Manifests,
    values: Mapping[str, Any],
    app_version: str,
    cluster: Cluster,
    *,
    autoscaled: bool = False,
    own: Own = engine.OWN,
) -> list[Finding]:
    """Say what a cluster lacks for a release, as `explain`.

    own: what the chart's releases need beside what all do.
    Raises `UnavailableError` when the cluster does not answer, `ManifestError` when no workload runs on.
    """
    with asking_the_api_server():
        snapshot = ask.snapshot(cluster, manifests)
        scaled, asked = autoscaling.ask(cluster, manifests), own.ask(cluster, manifests, values)
        snapshot = dataclasses.replace(snapshot, autoscaling=scaled, own=asked)
    return explain(manifests, values, app_version, snapshot, autoscaled=autoscaled, own=own)


def explain(
    manifests: Manifests,
    values: Mapping[str, Any],
    app_version: str,
    snapshot: Snapshot,
    *,
    autoscaled: bool = False,
    own: Own = engine.OWN,
) -> list[Finding]:
    """Draw the conclusions.

    values, app_version: the merged values that the manifests were rendered from, and the chart's appVersion.
    autoscaled: whether nodes come when pods ask for them, so that what no node offers now is a warning.
    own: what the chart's releases need beside what all do.
    Raises `ManifestError` when no workload runs on.
    """
    wanted = read(manifests, values, app_version, snapshot)
    severity: Severity = "warning" if autoscaled else "error"
    return [
        *namespace.explain(wanted, snapshot),
        *openshift.explain(wanted, snapshot),
        *objects.explain(needs(manifests), snapshot),
        *storage.explain(wanted, snapshot),
        *network.explain(wanted, snapshot),
        *nodes.explain(wanted, snapshot, severity),
        *own.explain(wanted, snapshot),
        *image_volumes.explain(wanted, snapshot),
        *autoscaling.explain(wanted, snapshot),
        *monitors.explain(wanted, snapshot),
    ]
