"""What an engine asks of a node as values: accelerators in `gpu`, all else in `resources`."""

import re
from collections.abc import Collection
from typing import Any

from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part

Json = Any

#: Names of devices that compute; others (`rdma/…`, `vpc.amazonaws.com/efa`, `hugepages-…`) stay among the resources.
_ACCELERATOR = re.compile(
    r"nvidia\.com/(gpu|mig-).*|nvidia\.com/gpu|amd\.com/gpu|google\.com/tpu|aws\.amazon\.com/neuron.*|habana\.ai/gaudi"
    r"|gpu\.intel\.com/(i915|xe)|huawei\.com/ascend.*|cambricon\.com/.*|ibm\.com/aiu_pf|qualcomm\.com/.*|tenstorrent\..*",
    re.IGNORECASE,
)


def take(draft: Draft, container: Part, pod: Part) -> None:
    """Write the resources of the engine's container."""
    counted: dict[str, Json] = {}
    part = container.get("resources")
    for kind in ("limits", "requests"):
        amounts = part.get(kind) if part else None
        for name, amount in (amounts.fields() if amounts else {}).items():
            if not _ACCELERATOR.fullmatch(name):
                draft.put(amount, ("resources", kind, name), amount.value)
            elif amount.value in (0, "0", None):
                amount.covered("none is asked for")
            else:
                _count(draft, amount, name, counted)
    if part and (claims := part.get("claims")):
        draft.take(claims, "resources.claims")
        draft.put(None, "gpu.count", 0)


def _count(draft: Draft, amount: Part, name: str, counted: dict[str, Json]) -> None:
    count = int(amount.value) if str(amount.value).isdigit() else None
    if count is None:
        amount.left("the chart counts whole devices", "write gpu.count")
    elif counted and name not in counted:
        amount.left("the chart gives a pod devices of one kind", "write it in resourceClaims, or leave it out")
    elif counted.get(name, count) != count:
        amount.left("Kubernetes refuses another request than the limit of a device", "write gpu.count")
    else:
        counted[name] = count
        draft.put(amount, "gpu.count", count)
        draft.put(None, "gpu.resourceName", name)


def sizes(draft: Draft, unwritten: Collection[str] = ()) -> None:
    """Leave out the parallel sizes that follow from the devices. unwritten: keys that the source gives otherwise."""
    parallel = draft.values.get("parallelism", {})
    count = draft.get("gpu.count")
    tensor = parallel.get("tensorParallelSize")
    others = int(parallel.get("pipelineParallelSize", 1)) * int(parallel.get("dataParallelSize", 1))
    cpu = draft.get("engine.device") == "cpu"
    devices = 0 if cpu else 1 if count is None else int(count)
    follows = 1 if cpu else max(devices // others, 1)
    if tensor is None and follows != 1 and devices and not any(key.startswith("parallelism.") for key in unwritten):
        # vLLM's own size is 1 where nothing is said; the chart's follows from the devices.
        parallel = draft.values.setdefault("parallelism", {})
        parallel["tensorParallelSize"] = 1
    elif tensor == follows:
        del parallel["tensorParallelSize"]
    if devices == 1 and not cpu:
        draft.values.get("gpu", {}).pop("count", None)
