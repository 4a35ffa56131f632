"""What a release of the chart vllm-endpoint needs of a cluster: models behind it, and clients that it can read."""

from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import behind
from vllm_chart.endpoint.behind import Behind, Model
from vllm_chart.findings import Finding
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.own import Own
from vllm_chart.live.preflight.wanted import Wanted
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import serving


def _ask(cluster: Cluster, manifests: Manifests, values: Mapping[str, Any]) -> dict[Model, Behind]:
    namespace = serving(manifests)[0].owner.namespace
    return behind.ask(cluster, behind.of_values(values, namespace))


def _explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    given = wanted.values.get("clients") or {}
    name, key = str(given.get("secretName") or ""), str(given.get("key") or "")
    secret = snapshot.found.get(("Secret", name))
    if secret is not None:
        limited = (wanted.values.get("limits") or {}).get("byClient") or {}
        named = {"clients.allow": [*(given.get("allow") or {})], "limits.byClient": [*limited]}
        yield from behind.explain_clients("endpoint-clients", name, key, secret.data or {}, named)
    yield from behind.explain("endpoint-models", snapshot.own or {})


OWN = Own(_explain, _ask)
