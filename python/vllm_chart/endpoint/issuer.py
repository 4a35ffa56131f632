"""Whether an endpoint's replicas have the public keys of the issuer whose tokens they take, where they fetch them:
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/jwt_authn_filter

Both are counted over a pod's life: one that never fetched them has none. Whatever failed since it has does no harm yet.
"""

from collections.abc import Iterator, Mapping

from vllm_chart.findings import Finding
from vllm_chart.observe import page
from vllm_chart.observe.page import Page

#: What a replica is asked for, of its page of metrics. The cluster is called so in templates/envoy/_clients.tpl.
QUESTION = {"filter": r"(jwks_fetch_(failed|success)|^cluster\.issuer\.ssl\.fail_verify_(san|error))$"}
WHERE = "clients.jwt.jwksUri"
_REASONS = {
    "envoy_cluster_ssl_fail_verify_san": "the certificate that is shown there is for another name",
    "envoy_cluster_ssl_fail_verify_error": "its certificate is of no authority that the image knows, or has expired",
}
_REMEDY = "write a URL that every pod may ask, with a public certificate, or the keys in clients.jwt.jwks"


def is_asked(config: str) -> bool:
    """Whether the configuration that the chart wrote for Envoy has keys that are fetched."""
    return "remote_jwks:" in config


def explain(check: str, pages: Mapping[str, str]) -> Iterator[Finding]:
    """The first replica, by its name, that has none of the keys. check: the name that findings carry; pages: what
    replicas count, by their pods' names."""
    for pod in sorted(pages):
        read = page.read(pages[pod])
        if read.total("envoy_http_jwt_authn_jwks_fetch_failed") and not _fetched(read):
            why = next(
                (words for name, words in _REASONS.items() if _issuers(read, name)), "it does not answer with keys"
            )
            message = f"replica {pod} has none of the issuer's keys, and answers every token 401: {why}"
            yield Finding(check, WHERE, message, _REMEDY)
            return


def _fetched(read: Page) -> bool:
    return bool(read.total("envoy_http_jwt_authn_jwks_fetch_success"))


def _issuers(read: Page, name: str) -> bool:
    return bool(read.total(name, envoy_cluster_name="issuer"))
