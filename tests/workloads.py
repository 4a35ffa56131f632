"""Releases of other kinds of workload than the chart renders today, made of the pod that it does render."""

import copy
from typing import Any

from helm_python import values_from_yaml

from vllm_chart.helm import render
from vllm_chart.rendered import workload
from vllm_chart.rendered.manifests import Manifests, Object

Json = dict[str, Any]


def stateful_set(text: str = "") -> Json:
    """The release `llm` as a StatefulSet."""
    whole = _deployment(text)
    spec = whole["spec"]
    spec["updateStrategy"] = {"type": "RollingUpdate"}
    spec["serviceName"] = "llm-vllm"
    for field in ("strategy", "progressDeadlineSeconds"):
        spec.pop(field, None)
    return {**whole, "apiVersion": "apps/v1", "kind": "StatefulSet"}


def leader_worker_set(text: str = "", size: int = 2) -> Json:
    """The release `llm` as groups of `size` pods, the first of which leads."""
    whole = _deployment(text)
    template = whole["spec"]["template"]
    spec = {
        "replicas": whole["spec"]["replicas"],
        "rolloutStrategy": {"type": "RollingUpdate"},
        "leaderWorkerTemplate": {
            "size": size,
            "leaderTemplate": template,
            "workerTemplate": copy.deepcopy(template),
        },
    }
    kind = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet"}
    return {**kind, "metadata": whole["metadata"], "spec": spec}


def instead(text: str, other: Json) -> Manifests:
    """The whole release, with another workload in the place of its own."""
    manifests = render(values=_values(text))
    own = workload.engine(manifests).where
    return Manifests([Object(other, item.source) if item.where == own else item for item in manifests])


def _deployment(text: str) -> Json:
    manifests = render(values=_values(text))
    found: Json = copy.deepcopy(dict(workload.engine(manifests).object))
    return found


def _values(text: str) -> Json:
    return values_from_yaml(text if "model:" in text else "model: {id: org/name}\n" + text)
