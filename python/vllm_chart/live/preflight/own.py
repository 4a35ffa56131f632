"""What a chart's releases need of a cluster beside what the releases of all charts do."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests

if TYPE_CHECKING:
    from vllm_chart.live.preflight.ask import Snapshot
    from vllm_chart.live.preflight.wanted import Wanted


def _nothing(cluster: Cluster, manifests: Manifests, values: Mapping[str, Any]) -> None:
    return None


@dataclasses.dataclass(frozen=True)
class Own:
    """ask: what of a cluster a chart alone wants to know, which becomes the snapshot's `own`; explain: what follows."""

    explain: "Callable[[Wanted, Snapshot], Iterable[Finding]]"
    ask: Callable[[Cluster, Manifests, Mapping[str, Any]], Any] = _nothing
