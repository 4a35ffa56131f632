"""What a release of the chart vllm needs of a cluster, as the engine that it runs has it."""

from collections.abc import Iterator

from vllm_chart.findings import Finding
from vllm_chart.live.preflight import addresses, compiling, gpus
from vllm_chart.live.preflight.ask import Snapshot
from vllm_chart.live.preflight.own import Own
from vllm_chart.live.preflight.wanted import Wanted


def _explain(wanted: Wanted, snapshot: Snapshot) -> Iterator[Finding]:
    yield from addresses.explain(wanted, snapshot)
    yield from gpus.explain(wanted, snapshot)
    yield from compiling.explain(wanted, snapshot)


OWN = Own(_explain)
