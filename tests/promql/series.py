"""The series that exist where a release is scraped, by name: the engine's own, and those of what stands around it."""

import functools
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vllm_chart import support
from vllm_chart.observe import metrics, page
from vllm_chart.observe.metrics import COUNTER, GAUGE, HISTOGRAM
from vllm_chart.observe.page import Page

PAGES = Path(__file__).parents[1] / "unit" / "data" / "metrics"

#: In which an engine was asked: ci/metrics/situations.py.
SITUATIONS = frozenset({"one", "servers", "ranks", "adapters", "key"})
#: In which of them a page has a metric, by the metric's `only`. With two ranks vLLM starts two API servers, too.
HAVE = {
    "": SITUATIONS,
    metrics.ONE_SERVER: frozenset({"one", "adapters", "key"}),
    metrics.ADAPTERS: frozenset({"adapters"}),
}

#: What every scrape of the chart's adds to a series, whoever scrapes; nothing else is sure to be there.
TARGET = ("namespace", "job", "pod", "instance")
#: Labels whose values are those of a deployment, not of vLLM.
OPEN = frozenset({*TARGET, "engine", "model_name", "running_lora_adapters", "waiting_lora_adapters", "max_lora"})


@dataclass(frozen=True)
class Series:
    """All series of a name: the type (of a histogram's parts, "histogram"), the labels, and the values of those labels
    that are known; a label that is not in `values` may have any.
    """

    type: str
    labels: frozenset[str]
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


World = Mapping[str, Series]


@dataclass(frozen=True)
class Scrape:
    """A page that was taken: of a release, in a situation."""

    version: str
    situation: str
    text: str

    @functools.cached_property
    def page(self) -> Page:
        """The page, read."""
        return page.read(self.text)

    def __str__(self) -> str:
        return f"vLLM {self.version}, {self.situation}"


@functools.cache
def scrapes() -> tuple[Scrape, ...]:
    """All pages that were taken, of every supported release."""
    return tuple(
        Scrape(version, path.name.removesuffix(".txt.gz"), gzip.decompress(path.read_bytes()).decode())
        for version in support.VLLM
        for path in sorted((PAGES / version).glob("*.txt.gz"))
    )


def world(scrape: Scrape, all_of_it: Iterable[Scrape]) -> World:
    """What exists beside a page: its own series, those of the same release that only some situations have, and those
    of others.

    all_of_it: the other pages, where those of some situations are.
    """
    own = dict(_of_page(scrape.page))
    for other in all_of_it:
        if other.version == scrape.version:
            for name, series in _of_page(other.page):
                if scrape.situation not in _SAID_IN.get(name, SITUATIONS):
                    own.setdefault(name, series)
    return {**OTHERS, **own}


_SAID_IN = {name: HAVE[metric.only] for metric in metrics.METRICS.values() for name in metric.samples}


def _of_page(found: Page) -> Iterator[tuple[str, Series]]:
    labels: dict[str, dict[str, set[str]]] = {}
    for sample in found.samples:
        seen = labels.setdefault(sample.name, {})
        for key, value in sample.labels.items():
            seen.setdefault(key, set()).add(value)
    for name, seen in labels.items():
        closed = {key: frozenset(values) for key, values in seen.items() if key not in OPEN}
        yield name, Series(found.type_of(name), frozenset({*TARGET, *seen}), closed)


def _gauge(*labels: str, **values: tuple[str, ...]) -> Series:
    return Series(GAUGE, frozenset({*labels, *values}), {key: frozenset(known) for key, known in values.items()})


_HPA = ("namespace", "horizontalpodautoscaler")
_POD = ("namespace", "pod", "uid")

#: What is not vLLM's.
OTHERS: Mapping[str, Series] = {
    # https://prometheus.io/docs/concepts/jobs_instances/
    "up": _gauge(*TARGET),
    "scrape_duration_seconds": _gauge(*TARGET),
    "scrape_samples_scraped": _gauge(*TARGET),
    # The kubelet's, of cAdvisor: https://github.com/google/cadvisor/blob/v0.53.0/docs/storage/prometheus.md
    **{
        name: _gauge("namespace", "pod", "container", "image", "id", "name")
        for name in ("container_memory_working_set_bytes", "container_start_time_seconds")
    },
    "container_cpu_usage_seconds_total": Series(
        COUNTER, frozenset({"namespace", "pod", "container", "image", "id", "name", "cpu"})
    ),
    # https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#inspecting-alerts-during-runtime
    "ALERTS": _gauge("alertname", "namespace", "job", "severity", "release", alertstate=("firing", "pending")),
    # kube-state-metrics 2.18, docs/metrics/workload/: what Kubernetes says of the objects.
    **{
        f"kube_horizontalpodautoscaler_{name}": _gauge(*_HPA)
        for name in (
            *("spec_min_replicas", "spec_max_replicas"),
            *("status_current_replicas", "status_desired_replicas"),
        )
    },
    "kube_horizontalpodautoscaler_status_condition": _gauge(
        *_HPA, condition=("AbleToScale", "ScalingActive", "ScalingLimited"), status=("true", "false", "unknown")
    ),
    "kube_horizontalpodautoscaler_spec_target_metric": _gauge(
        *_HPA, "metric_name", metric_target_type=("value", "utilization", "average")
    ),
    "kube_horizontalpodautoscaler_status_target_metric": _gauge(
        *_HPA, "metric_name", metric_target_type=("value", "utilization", "average")
    ),
    **{
        f"kube_deployment_{name}": _gauge("namespace", "deployment")
        for name in (
            *("spec_replicas", "status_replicas", "status_replicas_ready", "status_replicas_available"),
            "status_replicas_unavailable",
        )
    },
    # KEDA 2.21, pkg/metricscollector/prommetrics.go:36 and 81.
    "keda_scaler_detail_errors_total": Series(
        COUNTER, frozenset({"namespace", "metric", "scaledObject", "scaler", "triggerIndex", "type"})
    ),
    "kube_pod_container_status_restarts_total": Series(COUNTER, frozenset({*_POD, "container"})),
    "kube_pod_container_status_waiting_reason": _gauge(*_POD, "container", "reason"),
    "kube_pod_start_time": _gauge(*_POD),
    "kube_pod_status_ready_time": _gauge(*_POD),
    "kube_pod_status_ready": _gauge(*_POD, condition=("true", "false", "unknown")),
    "kube_pod_status_phase": _gauge(*_POD, phase=("Pending", "Running", "Succeeded", "Failed", "Unknown")),
}

__all__ = ["COUNTER", "GAUGE", "HISTOGRAM", "OTHERS", "TARGET", "Scrape", "Series", "World", "scrapes", "world"]
