"""What counts the replicas of a release: this chart's policy, as it renders it, and those that others publish."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vllm_chart.helm import render

SLOTS = 64
"""Requests that an engine runs at a time."""


@dataclass(frozen=True)
class Policy:
    """signals: which number is compared with which target; the largest answer of several counts.

    A signal is "demand" (running and waiting requests), "running", "waiting", or "busy": the share of pods that do
    anything, which is what a GPU's or a processor's utilisation shows of an engine.
    """

    name: str
    source: str
    signals: Sequence[tuple[str, float]]
    behaviors: Sequence[Mapping[str, Any]]
    """One for each release, or one for all."""
    fixed: bool = False
    """The replicas of the busiest hour, always."""


_QUARTERS = (("Pods", 1), ("Percent", 25))


@functools.cache
def _scaled_object(typical_seconds: int, quarters: bool) -> dict[str, Any]:
    """What the chart renders for a release whose starts take so long. quarters: see `ours`."""
    shrink = {"policies": [{"type": each, "value": value, "periodSeconds": 130} for each, value in _QUARTERS]}
    values = {
        "model": {"id": "org/name"},
        "serviceMonitor": {"enabled": True},
        "engine": {"args": {"max-num-seqs": SLOTS}},
        "startup": {"typicalSeconds": typical_seconds},
        "autoscaling": {
            "enabled": True,
            "maxReplicas": 8,
            "prometheus": {"address": "http://prometheus:9090"},
            "scaleDown": shrink if quarters else {},
        },
    }
    return dict(render(values=values).one("ScaledObject", "llm-vllm")["spec"])


def ours(starts: Sequence[int], quarters: bool = False) -> Policy:
    """This chart's, for releases whose starts take so many seconds. quarters: with a `scaleDown` of one replica or a
    quarter of them at a time, instead of one."""
    rendered = [_scaled_object(int(start), quarters) for start in starts]
    (threshold,) = {_threshold(each) for each in rendered}
    behaviors = [each["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] for each in rendered]
    name = "this chart, down by a quarter" if quarters else "this chart"
    return Policy(name, "its ScaledObject", [("demand", threshold)], behaviors)


def _threshold(scaled_object: Mapping[str, Any]) -> float:
    (trigger,) = (each for each in scaled_object["triggers"] if each["name"] == "requests")
    return float(trigger["metadata"]["threshold"])


def _windows(up: int, down: int) -> list[Mapping[str, Any]]:
    windows = {"scaleUp": up, "scaleDown": down}
    return [{name: {"stabilizationWindowSeconds": seconds} for name, seconds in windows.items()}]


DEFAULT: list[Mapping[str, Any]] = [{}]

PUBLISHED = (
    Policy("demand ÷ 48, HPA's defaults", "this chart's signal alone", [("demand", 48)], DEFAULT),
    Policy("demand ÷ 48, up window 300 s", "llm-d's window", [("demand", 48)], _windows(300, 300)),
    Policy(
        "waiting ÷ 5",
        "GKE: kubernetes-engine-samples, ai-ml/llm-multihost-gpus/vllm-hpa.yaml; production-stack",
        [("waiting", 5)],
        DEFAULT,
    ),
    Policy("waiting ÷ 5, windows 300 s", "the same with llm-d's windows", [("waiting", 5)], _windows(300, 300)),
    Policy(
        "waiting ÷ 1 or running ÷ 16, up window 300 s",
        "llm-d: guides/workload-autoscaling, docs/architecture/advanced/autoscaling/keda-epp.md",
        [("waiting", 1), ("running", 16)],
        _windows(300, 300),
    ),
    Policy("running ÷ 16", "llm-d's second signal, HPA's defaults", [("running", 16)], DEFAULT),
    Policy("running ÷ 2", "LLMKube: hpa_reconciler.go", [("running", 2)], DEFAULT),
    Policy("GPU or processor, 80 %", "an HPA on utilisation, which is high at any load", [("busy", 0.8)], DEFAULT),
    Policy("no autoscaler", "the busiest hour's replicas, always", [], DEFAULT, fixed=True),
)
