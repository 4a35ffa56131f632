"""TLS between the endpoint and its engines: a real Envoy, engines with certificates, and authorities that change."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from tests.envoy import Proxy, files, mount
from tests.stub_engines import Engine, engine
from vllm_chart.endpoint import clients, handshakes

NAME = "llama.default.svc"


def values(**tls: str) -> dict[str, Any]:
    return {
        "models": {
            "llama3": {"service": "llama", "tls": {"caSecretName": "llama-tls", **tls}},
            "plain": {"service": "plain"},
        },
        "clients": {"secretName": "keys"},
    }


@contextmanager
def secured(authority: trustme.CA, name: str = NAME) -> Iterator[Engine]:
    """An engine with a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    with engine("llama3", tls=context) as one:
        yield one


@contextmanager
def behind(folder: Path, llama: Engine, plain: Engine, pem: bytes, given: dict[str, Any]) -> Iterator[Proxy]:
    """An endpoint in front of both, which checks the first one by an authority."""
    domain = "svc.cluster.local"
    hosts = {f"llama.default.{domain}": ("127.0.0.1", llama.port), f"plain.default.{domain}": ("127.0.0.1", plain.port)}
    proxy = Proxy(folder, files(given), hosts)
    proxy.set_clients(clients.document({"app": "key"}))
    show(proxy, pem)
    proxy.start()
    try:
        proxy.wait()
        proxy.until(lambda: proxy.ask("key", "plain").ok, "the engine without TLS")
        yield proxy
    finally:
        proxy.stop()


def show(proxy: Proxy, pem: bytes) -> None:
    """Put another authority in the place of the one before, as the kubelet does it."""
    mount(proxy.folder / "engine-authorities" / "ca-0", {"ca.crt": pem.decode()})


@pytest.fixture(scope="module")
def plain() -> Iterator[Engine]:
    with engine("plain") as one:
        yield one


def told(proxy: Proxy) -> list[tuple[str, str]]:
    """What diagnose says of it, of what it asks a replica for."""

    def pages() -> dict[str, str]:
        return {"a": requests.get(f"{proxy.operations}/metrics", params=handshakes.QUESTION, timeout=10).text}

    return [(one.where, one.message) for one in handshakes.explain("endpoint-models", handshakes.watch(pages))]


def refused(proxy: Proxy, words: str) -> None:
    """The model is answered for as one without engines, diagnose says why, and other models are asked as before."""
    proxy.until(lambda: told(proxy), "a count of handshakes that failed")
    answer = proxy.ask("key")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    [(where, message)] = told(proxy)
    assert where == "models.llama3.tls"
    assert words in message
    assert proxy.ask("key", "plain").ok


def test_an_engine_is_asked_by_tls_and_a_renewed_authority_is_taken_up(tmp_path: Path, plain: Engine) -> None:
    """An authority that is renewed: first both are believed, then engines are renewed, then the old one goes."""
    old, new = trustme.CA(), trustme.CA()
    with (
        secured(old) as llama,
        behind(tmp_path, llama, plain, new.cert_pem.bytes(), values()) as proxy,
    ):
        refused(proxy, "of another authority")
        show(proxy, new.cert_pem.bytes() + old.cert_pem.bytes())
        proxy.until(lambda: proxy.ask("key").ok, "an engine of the authority that was added")
        assert proxy.ask("key").json()["choices"][0]["message"]["content"] == "llama3"
        stream = proxy.ask("key", more={"stream": True})
        assert "data: [DONE]" in stream.text
        assert told(proxy) == []  # what failed before is no news


def test_an_authority_that_is_broken_at_a_start_is_told_and_mended(tmp_path: Path, plain: Engine) -> None:
    authority = trustme.CA()
    with (
        secured(authority) as llama,
        behind(tmp_path, llama, plain, b"no certificate", values()) as proxy,
    ):
        refused(proxy, "the authority that it is checked by could not be read")
        assert 'envoy_sds_update_rejected{envoy_xds_resource_name="ca-0"} 1' in proxy.metrics()
        show(proxy, authority.cert_pem.bytes())
        proxy.until(lambda: proxy.ask("key").ok, "an engine of the authority that was mended")
        assert told(proxy) == []


def test_a_broken_authority_changes_nothing(tmp_path: Path, plain: Engine) -> None:
    authority = trustme.CA()
    with (
        secured(authority) as llama,
        behind(tmp_path, llama, plain, authority.cert_pem.bytes(), values()) as proxy,
    ):
        proxy.until(lambda: proxy.ask("key").ok, "an engine")
        show(proxy, b"no certificate")
        failed = 'envoy_sds_key_rotation_failed{envoy_xds_resource_name="ca-0"} 1'
        proxy.until(lambda: failed in proxy.metrics(), "a count of it")
        assert proxy.ask("key").ok


@pytest.mark.parametrize(
    ("name", "given", "ok"),
    [
        (NAME, {}, True),
        (f"{NAME}.cluster.local", {}, True),
        ("*.default.svc", {}, True),
        ("llm-vllm.models.svc", {"serverName": "llm-vllm.models.svc"}, True),
        (NAME, {"serverName": "llm-vllm.models.svc"}, False),
        ("llama.other.svc", {}, False),
    ],
)
def test_the_certificate_has_to_be_for_the_service(
    tmp_path: Path, plain: Engine, name: str, given: dict[str, str], ok: bool
) -> None:
    authority = trustme.CA()
    with (
        secured(authority, name) as llama,
        behind(tmp_path, llama, plain, authority.cert_pem.bytes(), values(**given)) as proxy,
    ):
        if ok:
            proxy.until(lambda: proxy.ask("key").ok, "an engine")
            assert told(proxy) == []
        else:
            refused(proxy, "for another name")


def test_an_engine_without_tls_is_told(tmp_path: Path, plain: Engine) -> None:
    with (
        engine("llama3") as llama,
        behind(tmp_path, llama, plain, trustme.CA().cert_pem.bytes(), values()) as proxy,
    ):
        refused(proxy, "no TLS could be spoken")
