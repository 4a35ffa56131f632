"""What must hold for every render of a chart, whatever the values: each a promise, by name.

An invariant takes the rendered objects and yields what breaks its promise. It is an error where the chart or
the cluster would be at fault, a warning where a user may have reasons that values can't tell. A module is a topic.
"""

from vllm_chart.checks.invariants import (
    environment,
    gateway,
    identity,
    memory,
    monitoring,
    network,
    objects,
    scaling,
    security,
    start,
    stop,
)
from vllm_chart.checks.invariants.base import CHECKS, GENERAL, INVARIANTS
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests

__all__ = [
    "CHECKS",
    "GENERAL",
    "INVARIANTS",
    "check",
    "environment",
    "gateway",
    "identity",
    "memory",
    "monitoring",
    "network",
    "objects",
    "scaling",
    "security",
    "start",
    "stop",
]


def check(manifests: Manifests, *, ours: bool = True) -> list[Finding]:
    """Hold rendered objects against every invariant; against those for any chart where the chart isn't `ours`."""
    promises = [promise for name, promise in INVARIANTS.items() if ours or name in GENERAL]
    return [finding for promise in promises for finding in promise(manifests)]
