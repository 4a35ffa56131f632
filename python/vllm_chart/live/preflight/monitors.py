"""Whether the cluster knows the kinds of a release's objects, and a Prometheus picks up its monitors and rules."""

from collections.abc import Iterable, Iterator, Mapping

from vllm_chart.cluster import prometheus
from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.wanted import Wanted

#: What brings the kinds of a group.
_BRINGS = {
    prometheus.GROUP: "prometheus-operator",
    "gateway.networking.k8s.io": "the Gateway API",
    "inference.networking.k8s.io": "the Gateway API's inference extension",
}


def explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    """Which kinds are missing, and who nobody picks up."""
    missing = [*_missing(snapshot.kinds, wanted.manifests)]
    for version, kind in missing:
        group = version.partition("/")[0]
        install = f"install {_BRINGS.get(group, 'what defines it')}, or leave it out"
        yield Finding("kinds", f"{kind} ({version})", "the cluster has no such kind", install)
    known = [one for one in wanted.manifests if (one.get("apiVersion"), one.kind) not in missing]
    objects = [_placed(one, wanted.workload.namespace) for one in prometheus.picked(known)]
    if not all(snapshot.pickers.sees(one) for one in objects):
        yield Finding("monitors", "cluster", "Prometheuses: not yours to see, and so not looked at", "", "info")
    for one in objects:
        yield from prometheus.explain("monitors", one, snapshot.pickers)


def _placed(object_: prometheus.Object, namespace: str) -> prometheus.Object:
    """An object with the namespace that Helm puts it into where it says none."""
    return {**object_, "metadata": {"namespace": namespace, **object_["metadata"]}}


def _missing(kinds: Mapping[str, frozenset[str]], objects: Iterable[prometheus.Object]) -> Iterator[tuple[str, str]]:
    """The API version and kind of objects that the cluster does not know, each once."""
    for version, kind in dict.fromkeys((str(one.get("apiVersion")), str(one.get("kind"))) for one in objects):
        if version in kinds and kind not in kinds[version]:
            yield version, kind
