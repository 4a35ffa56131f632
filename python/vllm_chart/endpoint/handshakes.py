"""Why an endpoint's replicas take no engine of a model, by what Envoy counts of TLS handshakes that failed:
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/upstream/cluster_manager/cluster_stats#tls-statistics
"""

from collections.abc import Iterator, Mapping

from vllm_chart.findings import Finding
from vllm_chart.observe import page
from vllm_chart.observe.page import Page

HEALTHY = "envoy_cluster_membership_healthy"
_SSL = "envoy_cluster_ssl_"
#: Of what is counted: what it means, and what to do. The first that was counted is told.
_REASONS = (
    (
        "fail_verify_san",
        "its certificate is for another name",
        "write {where}.serverName: a name of the certificate, or add the Service's name to it",
    ),
    (
        "fail_verify_error",
        "its certificate is of another authority than the one it is checked by, or has expired",
        "write the authority that signed it into the Secret or ConfigMap of {where}, or renew the certificate",
    ),
    (
        "connection_error",
        "no TLS could be spoken with it",
        "write tls.secretName in the release of the engine, or leave {where} out",
    ),
)
#: What a replica is asked for, of its page of metrics.
QUESTION = {"filter": r"(ssl\.(fail_verify_san|fail_verify_error|connection_error)|membership_healthy)$"}


def explain(check: str, pages: Mapping[str, str]) -> Iterator[Finding]:
    """The models of which a replica has no engine because of TLS. check: the name that findings carry. pages: of
    replicas, by their pods' names."""
    told: dict[str, Finding] = {}
    for text in pages.values():
        read = page.read(text)
        for sample in read.of(HEALTHY):
            model = sample.labels.get("model", "")
            if model and not sample.value and model not in told and (found := _of(check, read, model)):
                told[model] = found
    yield from (told[model] for model in sorted(told))


def _of(check: str, read: Page, model: str) -> Finding | None:
    where = f"models.{model}.tls"
    for counted, meaning, remedy in _REASONS:
        if read.total(f"{_SSL}{counted}", model=model):
            message = f"no engine of it is taken: {meaning}: its requests are answered 503"
            return Finding(check, where, message, remedy.format(where=where))
    return None
