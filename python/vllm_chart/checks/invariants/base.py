"""What every invariant is made of: its registration, and what several of them ask of rendered objects."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from decimal import Decimal

from vllm_chart.findings import Check, Finding, Severity
from vllm_chart.rendered.manifests import Manifests, Object
from vllm_chart.rendered.pods import Container, Pod, pods
from vllm_chart.rendered.quantities import parse_quantity

Invariant = Callable[[Manifests], list[Finding]]
Promise = Callable[[Manifests], Iterator[Finding]]

#: Every invariant by its name, in the order of the modules and within them.
INVARIANTS: dict[str, Invariant] = {}

#: What each of them promises.
CHECKS: list[Check] = []

#: Those that hold for the objects of any chart, not only of this project's.
GENERAL: set[str] = set()


def invariant(promise: Promise) -> Invariant:
    """Register a promise; its function's name is the name of the check, its module the topic.

    The first sentence of its docstring is "what is promised: why".
    """
    name = promise.__name__.replace("_", "-")
    said, _, why = " ".join((promise.__doc__ or "").split("\n\n")[0].split()).partition(": ")
    topic = promise.__module__.rpartition(".")[2].capitalize()
    CHECKS.append(Check(name, f"{said.removesuffix('.')}.", why[:1].upper() + why[1:], f"Invariants: {topic}"))

    @functools.wraps(promise)
    def named(manifests: Manifests) -> list[Finding]:
        return [dataclasses.replace(finding, check=name) for finding in promise(manifests)]

    INVARIANTS[name] = named
    return named


def general(promise: Promise) -> Invariant:
    """Register a promise that any chart's objects should keep, not only this project's."""
    GENERAL.add(promise.__name__.replace("_", "-"))
    return invariant(promise)


def broken(where: str, message: str, remedy: str = "", severity: Severity = "error") -> Finding:
    """What breaks the promise of the invariant that yields it."""
    return Finding("", where, message, remedy, severity)


def own(manifests: Manifests) -> list[Object]:
    """The chart's own objects: not what the user added as `extraObjects`."""
    return [found for found in manifests if not found.is_extra]


def containers(manifests: Manifests) -> Iterator[tuple[Pod, Container]]:
    """Every container of every pod, init containers included."""
    return ((pod, container) for pod in pods(manifests) for container in pod.containers)


def grace_period(pod: Pod) -> int:
    """Seconds that a pod has to end."""
    return int(pod.spec.get("terminationGracePeriodSeconds", 30))


def amount(value: object) -> Decimal:
    """A Kubernetes quantity as a number; NaN if it is none, which `<` and `>` raise for and `compare` does not."""
    try:
        return parse_quantity(value)
    except ValueError:
        return Decimal("NaN")
