"""What is told of an issuer's keys that replicas could not fetch. A real Envoy's page is in test_endpoint_tokens.py."""

import pytest

from tests.envoy import config
from vllm_chart.endpoint import issuer
from vllm_chart.live.diagnose import endpoint


def page(failed: int, fetched: int, **counted: int) -> str:
    counts = {"failed": failed, "success": fetched}
    lines = [f'envoy_http_jwt_authn_jwks_fetch_{name}{{a="api"}} {n}\n' for name, n in counts.items()]
    return "".join(
        [*lines, *(f'envoy_cluster_{name}{{envoy_cluster_name="issuer"}} {n}\n' for name, n in counted.items())]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (page(3, 0, ssl_fail_verify_san=3), "for another name"),
        (page(3, 0, ssl_fail_verify_error=3), "of no authority"),
        (page(1, 0), "does not answer"),
    ],
)
def test_a_replica_without_keys_is_told(text: str, words: str) -> None:
    [finding] = endpoint.explain(endpoint.Endpoint(issuer={"b": page(0, 1), "a": text}))
    assert (finding.check, finding.where) == ("endpoint-clients", issuer.WHERE)
    assert "replica a" in finding.message
    assert words in finding.message


@pytest.mark.parametrize("text", [page(0, 1), page(0, 0), page(5, 1), ""])
def test_one_that_has_had_keys_or_never_asked_is_not(text: str) -> None:
    assert [*issuer.explain("endpoint-clients", {"a": text})] == []


def test_only_keys_that_are_fetched_are_asked_about() -> None:
    values = {"models": {"a": {"service": "a"}}, "clients": {"secretName": "keys"}}
    jwt = {"issuer": "https://a", "audiences": ["llm"], "jwksUri": "https://a.example.com/keys"}

    assert issuer.is_asked(config(values | {"clients": {"jwt": jwt}}))
    assert not issuer.is_asked(config(values))
