"""Why an endpoint's replicas take no engine of a model, by what Envoy counts of TLS handshakes that failed:
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/upstream/cluster_manager/cluster_stats#tls-statistics

It counts over a pod's life: what failed before a model was scaled to zero, or its authority mended, is there still. So
a replica is asked twice, and what grew in between is told.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping

from vllm_chart.findings import Finding
from vllm_chart.observe import page
from vllm_chart.observe.page import Page

#: Of what is counted: what it means, and what to do. That which grew most is told.
_REASONS = {
    "ssl_fail_verify_san": (
        "its certificate is for another name",
        "write {where}.serverName: a name of the certificate, or add the Service's name to it",
    ),
    "ssl_fail_verify_error": (
        "its certificate is of another authority than the one it is checked by, or has expired",
        "write the authority that signed it into the Secret or ConfigMap of {where}, or renew the certificate",
    ),
    "ssl_connection_error": (
        "no TLS could be spoken with it",
        "write tls.secretName in the release of the engine, or leave {where} out",
    ),
    "client_ssl_socket_factory_upstream_context_secrets_not_ready": (
        "the authority that it is checked by could not be read",
        "write certificates as PEM into the Secret or ConfigMap of {where}; restart the pods if they had no such file",
    ),
}
#: What a replica is asked for, of its page of metrics.
QUESTION = {
    "filter": r"(ssl\.(fail_verify_san|fail_verify_error|connection_error)"
    r"|upstream_context_secrets_not_ready|membership_(healthy|total))$"
}
#: Engines are asked for their health every two seconds (charts/vllm-endpoint, templates/envoy/_clusters.tpl).
SECONDS, EVERY_SECONDS = 6.0, 1.0

Pages = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Watched:
    """What replicas counted, by their pods' names, at first and a few seconds later."""

    first: Pages = dataclasses.field(default_factory=dict)
    last: Pages = dataclasses.field(default_factory=dict)


def watch(ask: Callable[[], Pages], seconds: float = SECONDS) -> Watched:
    """Ask replicas until something is to say of each model that one of them has no engine of, for so long at most; once
    where there is none."""
    end = time.monotonic() + seconds
    first = last = ask()
    wanted = {model for text in first.values() for model in _without(page.read(text))}
    while wanted - _told("", Watched(first, last)).keys() and time.monotonic() < end:
        time.sleep(min(EVERY_SECONDS, max(0.0, end - time.monotonic())))
        last = ask()
    return Watched(first, last)


def explain(check: str, watched: Watched) -> Iterator[Finding]:
    """The models of which a replica has no engine because of TLS. check: the name that findings carry."""
    told = _told(check, watched)
    yield from (told[model] for model in sorted(told))


def _told(check: str, watched: Watched) -> dict[str, Finding]:
    """By model."""
    told: dict[str, Finding] = {}
    for pod in watched.first.keys() & watched.last.keys():
        first, last = page.read(watched.first[pod]), page.read(watched.last[pod])
        for model in _without(last):
            if model not in told and (found := _of(check, first, last, model)):
                told[model] = found
    return told


def _without(read: Page) -> Iterator[str]:
    """The models that have replicas, none of them healthy."""
    for sample in read.of("envoy_cluster_membership_healthy"):
        model = sample.labels.get("model", "")
        if model and not sample.value and read.total("envoy_cluster_membership_total", model=model):
            yield model


def _of(check: str, first: Page, last: Page, model: str) -> Finding | None:
    def grown(counted: str) -> float:
        before, after = (read.total(f"envoy_cluster_{counted}", model=model) or 0.0 for read in (first, last))
        return after - before

    most = max(_REASONS, key=grown)
    if grown(most) <= 0:
        return None
    where = f"models.{model}.tls"
    meaning, remedy = _REASONS[most]
    message = f"no engine of it is taken: {meaning}: its requests are answered 503"
    return Finding(check, where, message, remedy.format(where=where))
