"""TLS of the endpoint: a real Envoy, and certificates that change as the kubelet changes them."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from tests.envoy import Proxy, files, mount
from tests.stub_engines import Engine
from vllm_chart.endpoint import clients

VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}},
    "clients": {"secretName": "keys"},
    "tls": {"secretName": "llm-tls"},
}


def certificate(authority: trustme.CA) -> dict[str, str]:
    """A new one for the loopback, as a Secret of type kubernetes.io/tls has it."""
    issued = authority.issue_cert("127.0.0.1")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return {"tls.crt": chain.decode(), "tls.key": issued.private_key_pem.bytes().decode()}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("authority") / "ca.crt"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


def start(folder: Path, llama: Engine, values: dict[str, Any], shown: dict[str, str], document: str = "") -> Proxy:
    proxy = Proxy(folder, files(values), {"llama.default.svc.cluster.local": ("127.0.0.1", llama.port)})
    proxy.set_clients(document or clients.document({"app": "key"}))
    mount(folder / "tls", shown)
    proxy.start()
    return proxy


@pytest.fixture(scope="module")
def proxy(
    llama: Engine, authority: trustme.CA, trusted: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    proxy = start(tmp_path_factory.mktemp("endpoint"), llama, VALUES, certificate(authority))
    try:
        proxy.wait()
        proxy.until(lambda: proxy.ask("key", verify=trusted).ok, "a healthy engine")
        yield proxy
    finally:
        proxy.stop()


def shown(proxy: Proxy) -> str:
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(("127.0.0.1", proxy.port))


def test_a_renewed_certificate_is_shown_without_a_restart(
    proxy: Proxy, llama: Engine, authority: trustme.CA, trusted: str
) -> None:
    """A stream that began under the one before runs on to its end."""
    before = shown(proxy)
    llama.go_on.clear()
    stream = proxy.ask("key", more={"stream": True}, stream=True, verify=trusted)
    lines = stream.iter_lines()
    next(lines)
    mount(proxy.folder / "tls", certificate(authority))
    proxy.until(lambda: shown(proxy) != before, "another certificate")
    llama.go_on.set()

    assert b"data: [DONE]" in [*lines]
    assert proxy.ask("key", verify=trusted).ok


def test_a_broken_certificate_changes_nothing(proxy: Proxy, authority: trustme.CA, trusted: str) -> None:
    before = shown(proxy)
    other = certificate(authority)
    mount(proxy.folder / "tls", other | {"tls.key": certificate(authority)["tls.key"]})
    failed = 'envoy_sds_key_rotation_failed{envoy_xds_resource_name="api"} 1'
    proxy.until(lambda: failed in proxy.metrics(), "a count of it")

    assert shown(proxy) == before
    assert proxy.ask("key", verify=trusted).ok
    mount(proxy.folder / "tls", other)
    proxy.until(lambda: shown(proxy) != before, "another certificate")


def test_without_a_certificate_a_pod_is_not_ready(llama: Engine, authority: trustme.CA, tmp_path: Path) -> None:
    """Its API ends each connection: it must not take the place of a pod that serves."""
    other = certificate(authority)
    proxy = start(tmp_path, llama, VALUES, other | {"tls.key": certificate(authority)["tls.key"]})
    try:
        proxy.wait("/live")
        proxy.until(lambda: "Failed to load private key" in proxy.log, "a word about the key")
        proxy.wait("/clients")
        proxy.wait("/ready", 503)
        mount(tmp_path / "tls", other)
        proxy.wait("/ready")
        assert shown(proxy) in other["tls.crt"]
        proxy.set_clients("resources: [")
        assert requests.get(f"{proxy.operations}/ready", timeout=10).ok
    finally:
        proxy.stop()


def test_without_clients_a_pod_is_not_ready_either(llama: Engine, authority: trustme.CA, tmp_path: Path) -> None:
    proxy = start(tmp_path, llama, VALUES, certificate(authority), document="resources: [")
    try:
        proxy.wait("/live")
        proxy.until(lambda: shown(proxy), "a certificate")
        proxy.wait("/ready", 503)
        proxy.set_clients(clients.document({"app": "key"}))
        proxy.wait("/ready")
    finally:
        proxy.stop()


def test_the_api_is_not_served_plain(proxy: Proxy) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{proxy.port}/v1/models", timeout=10)


def test_probes_and_metrics_stay_plain(proxy: Proxy) -> None:
    proxy.wait("/live")
    proxy.wait("/ready")
    assert "envoy_" in proxy.metrics()


def version(proxy: Proxy, most: ssl.TLSVersion, least: ssl.TLSVersion = ssl.TLSVersion.MINIMUM_SUPPORTED) -> str | None:
    """What a client that speaks these versions comes to."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = least, most
    connection = socket.create_connection(("127.0.0.1", proxy.port), 10)
    with connection, context.wrap_socket(connection, server_hostname="a") as spoken:
        return spoken.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_not_spoken(proxy: Proxy) -> None:
    assert version(proxy, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert version(proxy, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(OSError, match=r"(?i)version|protocol"):
        version(proxy, ssl.TLSVersion.TLSv1_1)


def test_the_oldest_version_may_be_the_newest(llama: Engine, authority: trustme.CA, tmp_path: Path) -> None:
    tls = {"secretName": "llm-tls", "minVersion": "TLSv1.3"}
    proxy = start(tmp_path, llama, VALUES | {"tls": tls}, certificate(authority))
    try:
        proxy.wait()
        assert version(proxy, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        with pytest.raises(OSError, match=r"(?i)version|protocol"):
            version(proxy, ssl.TLSVersion.TLSv1_2)
    finally:
        proxy.stop()


def test_http_2_is_offered(proxy: Proxy, trusted: str) -> None:
    curl = shutil.which("curl")
    if not curl or "HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("needs a curl that speaks HTTP/2")
    options = ["--cacert", trusted, "--silent", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]
    command = [curl, *options, "--header", "Authorization: Bearer key", f"{proxy.url}/v1/models"]

    assert subprocess.run(command, capture_output=True, text=True).stdout == "2 200"
