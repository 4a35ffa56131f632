"""Why nothing is measured: a monitor that nobody picks up, or that whoever picks it up refuses."""

from collections.abc import Iterator

from vllm_chart.cluster import prometheus
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose.ask import Snapshot


def explain(snapshot: Snapshot) -> Iterator[Finding]:
    """What is wrong with the release's monitors and rules, as warnings: it is served all the same."""
    for one in snapshot.monitors:
        yield from prometheus.explain("scraping", one, snapshot.pickers)
        yield from _refused(one)


def _refused(object_: prometheus.Object) -> Iterator[Finding]:
    """What the operator itself says of it, where it writes that down (a feature of its newer releases)."""
    for binding in (object_.get("status") or {}).get("bindings") or []:
        for condition in binding.get("conditions") or []:
            if condition.get("type") == "Accepted" and condition.get("status") == "False":
                who = f"{binding.get('resource')} {binding.get('namespace')}/{binding.get('name')}"
                said = condition.get("message") or condition.get("reason")
                where = f"{object_['kind']}/{object_['metadata']['name']}"
                remedy = f"correct {prometheus.BLOCKS[object_['kind']]}"
                yield Finding("scraping", where, f"{who} refuses it: {said}", remedy, "warning")
