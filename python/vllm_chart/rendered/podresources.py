"""What a pod asks for and may have, as the scheduler and quotas count it.

Written after Kubernetes' own arithmetic, once for all that reckon with it. Sources, of Kubernetes 1.34:
k8s.io/component-helpers/resource/helpers.go (PodRequests, PodLimits), pkg/apis/core/v1/defaults.go (SetDefaults_Pod,
defaultPodRequests) and https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/753-sidecar-containers.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from vllm_chart.rendered.quantities import parse_quantity

Amounts = dict[str, Decimal]
"""By resource: cores of cpu, bytes of memory, whole devices."""


@dataclasses.dataclass(frozen=True)
class Container:
    """What one container asks for and may have; what it is limited to and does not request, it requests."""

    name: str
    requests: Amounts
    limits: Amounts
    is_sidecar: bool = False
    """An init container that keeps running beside the others: `restartPolicy: Always`."""


@dataclasses.dataclass(frozen=True)
class PodResources:
    """What a pod's containers, the pod as a whole and its runtime ask for."""

    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    requests: Amounts = dataclasses.field(default_factory=dict)
    """Of the pod as a whole (`spec.resources`), which take the place of its containers' sum."""
    limits: Amounts = dataclasses.field(default_factory=dict)
    overhead: Amounts = dataclasses.field(default_factory=dict)
    """Of the runtime class."""

    @property
    def every(self) -> tuple[Container, ...]:
        """Its containers, then its init containers."""
        return self.containers + self.init_containers

    def total_requests(self) -> Amounts:
        """What the scheduler keeps free for it (PodRequests)."""
        total = _aggregate(self, lambda container: container.requests)
        total |= _of_a_pod(self._whole_requests())
        for resource, amount in self.overhead.items():
            total[resource] = total.get(resource, Decimal(0)) + amount
        return total

    def total_limits(self) -> Amounts:
        """What it may have (PodLimits): the runtime's overhead counts where there is a limit."""
        total = _aggregate(self, lambda container: container.limits) | _of_a_pod(self.limits)
        for resource, amount in self.overhead.items():
            if total.get(resource):
                total[resource] += amount
        return total

    def _whole_requests(self) -> Amounts:
        """The pod's own requests; where it has limits only, what the API server makes of them (defaultPodRequests)."""
        if not self.limits:
            return self.requests
        of_containers = _aggregate(self, lambda container: container.requests)
        sums = {resource: amount for resource, amount in of_containers.items() if resource in ("cpu", "memory")}
        return {**self.limits, **sums, **self.requests}


def read(spec: Any) -> PodResources:
    """The resources of a pod: its spec as it is written, or as the Kubernetes client's V1PodSpec.

    Raises ValueError for a quantity that is none.
    """
    return PodResources(
        tuple(map(_container, _get(spec, "containers") or [])),
        tuple(map(_container, _get(spec, "initContainers") or [])),
        amounts(_get(_get(spec, "resources"), "requests")),
        amounts(_get(_get(spec, "resources"), "limits")),
        amounts(_get(spec, "overhead")),
    )


def amounts(written: Mapping[str, object] | None) -> Amounts:
    """Quantities by resource, as numbers. Raises ValueError for one that is none."""
    return {resource: parse_quantity(quantity) for resource, quantity in (written or {}).items()}


def add(total: Amounts, more: Mapping[str, Decimal], times: int = 1) -> None:
    """Add amounts to a total."""
    for resource, amount in more.items():
        total[resource] = total.get(resource, Decimal(0)) + amount * times


def is_native(resource: str) -> bool:
    """Whether Kubernetes itself has this resource (cpu, memory); a device plugin's has a domain."""
    return "/" not in resource


def _container(container: Any) -> Container:
    resources = _get(container, "resources")
    limits = amounts(_get(resources, "limits"))
    return Container(
        str(_get(container, "name")),
        # SetDefaults_Pod: a resource that is limited and not requested is requested as it is limited.
        {**limits, **amounts(_get(resources, "requests"))},
        limits,
        _get(container, "restartPolicy") == "Always",
    )


def _aggregate(pod: PodResources, wanted: Callable[[Container], Amounts]) -> Amounts:
    """What runs together in the end, or the most that is there while an init container runs.

    A sidecar stays: it counts beside the containers, and beside the init containers that come after it.
    """
    total: Amounts = {}
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in pod.containers:
        add(total, wanted(container))
    for container in pod.init_containers:
        if container.is_sidecar:
            add(total, wanted(container))
            add(sidecars, wanted(container))
            running = sidecars
        else:
            running = dict(sidecars)
            add(running, wanted(container))
        _raise_to(start, running.items())
    _raise_to(total, start.items())
    return total


def _raise_to(total: Amounts, amounts_: Iterable[tuple[str, Decimal]]) -> None:
    for resource, amount in amounts_:
        total[resource] = max(total.get(resource, amount), amount)


def _of_a_pod(whole: Amounts) -> Amounts:
    """Of what is written for a pod as a whole, what counts (IsSupportedPodLevelResource)."""
    return {
        resource: amount
        for resource, amount in whole.items()
        if resource in ("cpu", "memory") or resource.startswith("hugepages-")
    }


def _get(item: Any, field: str) -> Any:
    """A field by its name in a manifest, of a mapping or of an object of the Kubernetes client."""
    if isinstance(item, Mapping):
        return item.get(field)
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    return getattr(item, snake, None)
