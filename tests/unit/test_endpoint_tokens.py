"""Clients by tokens, beside keys and without: a real Envoy, and tokens that are really signed."""

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.envoy import Proxy, endpoint, files
from tests.stub_engines import Engine
from vllm_chart.endpoint import clients, issuer

ISSUER, AUDIENCE = "https://kubernetes.default.svc.cluster.local", "llm"
CHAT, LAB = "system:serviceaccount:apps:chat", "system:serviceaccount:lab:anyone"
SIGNER, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))


def public(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    found: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return found | {"kid": "one", "alg": "RS256", "use": "sig"}


def token(key: rsa.RSAPrivateKey | str = SIGNER, algorithm: str = "RS256", **claims: Any) -> str:
    """As Kubernetes makes it for a pod; claims of None are left out."""
    now = int(time.time())
    all_ = {"iss": ISSUER, "aud": [AUDIENCE], "sub": CHAT, "iat": now, "nbf": now, "exp": now + 3600} | claims
    kept = {name: value for name, value in all_.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": "one"})


TOKENS: dict[str, Any] = {
    "issuer": ISSUER,
    "audiences": [AUDIENCE],
    "jwks": {"keys": [public(SIGNER)]},
    "subjects": [CHAT, "system:serviceaccount:lab:*"],
}
VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}, "qwen3": {"service": "qwen"}},
    "clients": {"secretName": "keys", "allow": {LAB: ["qwen3"]}, "jwt": TOKENS},
    "limits": {"byClient": {LAB: {"requestsPerMinute": 3}}},
}


@contextmanager
def started(folder: Path, llama: Engine, values: dict[str, Any]) -> Iterator[Proxy]:
    hosts = {f"{name}.default.svc.cluster.local": ("127.0.0.1", llama.port) for name in ("llama", "qwen")}
    with endpoint(folder, values, {"app": "key"}, hosts) as proxy:
        healthy = re.compile(r"^envoy_cluster_membership_healthy{.*model-[01].*} 1$", re.MULTILINE)
        proxy.until(lambda: len(healthy.findall(proxy.metrics())) == 2, "healthy engines")
        yield proxy


@pytest.fixture(scope="module")
def running(llama: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with started(tmp_path_factory.mktemp("endpoint"), llama, VALUES) as proxy:
        yield proxy


@pytest.fixture
def proxy(running: Proxy, llama: Engine) -> Proxy:
    llama.seen.clear()
    return running


def client(proxy: Proxy, request: str) -> str:
    """Who a request was of, by the log's line with its id."""

    def lines() -> list[dict[str, Any]]:
        whole = [line for line in proxy.log.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return [line for line in map(json.loads, whole) if line["request_id"] == request]

    proxy.until(lines, "a line of the log")
    return str(lines()[0]["client"])


def test_a_token_is_a_client_by_its_claim(proxy: Proxy, llama: Engine) -> None:
    for given, name in ((token(), CHAT), ("key", "app")):
        answer = proxy.ask(given)
        assert answer.ok
        assert client(proxy, answer.headers["x-request-id"]) == name
    for one in llama.seen:
        assert "authorization" not in one.headers
        assert not [name for name in one.headers if name.startswith("x-llm-")]


def test_models_and_limits_go_by_the_claim(proxy: Proxy) -> None:
    given = token(sub=LAB)

    assert proxy.ask(given, "llama3").status_code == 404
    assert [proxy.ask(given, "qwen3").status_code for _ in range(3)] == [200, 200, 429]
    assert proxy.ask(token(), "llama3").ok


REFUSED: dict[str, str] = {
    "another audience": token(aud=["https://kubernetes.default.svc.cluster.local"]),
    "no audience": token(aud=None),
    "another issuer": token(iss="https://elsewhere"),
    "no issuer": token(iss=None),
    "expired": token(exp=int(time.time()) - 3600),
    "without an end": token(exp=None),
    "not yet": token(nbf=int(time.time()) + 3600),
    "another signer": token(OTHER),
    "no signature": token("", "none"),
    "the public key as a secret": token(public(SIGNER)["n"], "HS256"),
    "another subject": token(sub="system:serviceaccount:apps:chat2"),
    "a subject that begins so": token(sub="system:serviceaccount:labs:a"),
    "a subject with more before": token(sub=f"x{CHAT}"),
    "no subject": token(sub=None),
    "cut short": token()[:-4],
    "with another's claims": ".".join(
        one.split(".")[place] for place, one in enumerate((token(), token(sub=LAB), token()))
    ),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_token_of_a_client_is_refused(proxy: Proxy, llama: Engine, given: str) -> None:
    answer = proxy.ask(given)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert not llama.seen


@pytest.mark.parametrize("key", [None, "", "no-key"])
def test_who_has_neither_is_refused(proxy: Proxy, llama: Engine, key: str | None) -> None:
    for path in ("/v1/chat/completions", "/v1/models", "/pause"):
        assert proxy.ask(key, path=path).status_code == 401
    assert not llama.seen


def test_nobody_says_who_he_is(proxy: Proxy, llama: Engine) -> None:
    said = {"x-llm-client": CHAT, "x-llm-key": "0" * 64}

    assert proxy.ask(None, headers=said).status_code == 401
    assert proxy.ask("no-key", headers=said).status_code == 401
    answer = proxy.ask("key", headers=said)
    assert client(proxy, answer.headers["x-request-id"]) == "app"
    answer = proxy.ask(token(), headers={"x-llm-client": "root"})
    assert client(proxy, answer.headers["x-request-id"]) == CHAT


def test_a_token_in_the_url_is_none(proxy: Proxy, llama: Engine) -> None:
    assert proxy.ask(None, params={"access_token": token()}).status_code == 401
    assert not llama.seen


def test_tokens_are_taken_without_keys_too(llama: Engine, tmp_path: Path) -> None:
    with started(tmp_path, llama, VALUES | {"clients": {"jwt": TOKENS}}) as proxy:
        llama.seen.clear()
        for key in (None, "", "key", token(OTHER), token(exp=None), token(aud=["https://elsewhere"])):
            answer = proxy.ask(key, headers={"x-llm-client": CHAT})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
        assert proxy.ask(token()).ok
        assert len(llama.seen) == 1


def test_a_claim_may_be_another(llama: Engine, tmp_path: Path) -> None:
    values = VALUES | {"clients": {"secretName": "keys", "jwt": TOKENS | {"claim": "realm.team"}}}
    with started(tmp_path, llama, values) as proxy:
        answer = proxy.ask(token(realm={"team": "search"}))
        assert client(proxy, answer.headers["x-request-id"]) == "search"
        for realm in ({}, {"team": ""}, None):
            assert proxy.ask(token(realm=realm)).status_code == 401


class _Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"keys": [public(SIGNER)]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_an_issuers_keys_are_fetched(llama: Engine, tmp_path: Path) -> None:
    """Of the issuer that an authority vouches for, and of no other."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("issuer.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Issuer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    tokens = {**TOKENS, "jwks": "", "jwksUri": "https://issuer.example.com/keys"}
    rendered = files(VALUES | {"clients": {"jwt": tokens}})
    hosts = {f"{name}.default.svc.cluster.local": ("127.0.0.1", llama.port) for name in ("llama", "qwen")}
    try:
        for trusted, believed in ((tmp_path / "ca.crt", 200), (Path(requests.utils.DEFAULT_CA_BUNDLE_PATH), 401)):
            text = rendered["envoy.yaml"].replace("/etc/ssl/certs/ca-certificates.crt", str(trusted))
            folder = tmp_path / str(believed)
            folder.mkdir()
            given = {**rendered, "envoy.yaml": text}
            proxy = Proxy(folder, given, hosts | {"issuer.example.com": ("127.0.0.1", server.server_address[1])})
            proxy.start()
            try:
                proxy.wait()
                proxy.until(lambda: proxy.ask(token()).status_code == believed, "an answer")  # noqa: B023
                assert proxy.ask(token(OTHER)).status_code == 401
                counted = requests.get(f"{proxy.operations}/metrics", params=issuer.QUESTION, timeout=10).text
                told = [one.message for one in issuer.explain("endpoint-clients", {"pod": counted})]
                assert ["of no authority that the image knows" in one for one in told] == [True] * (believed == 401)
            finally:
                proxy.stop()
    finally:
        server.shutdown()
        server.server_close()


def test_an_unreadable_document_leaves_tokens(llama: Engine, tmp_path: Path) -> None:
    """Who has a token is known without it. A pod is not ready all the same: those with keys would be refused."""
    hosts = {f"{name}.default.svc.cluster.local": ("127.0.0.1", llama.port) for name in ("llama", "qwen")}
    proxy = Proxy(tmp_path, files(VALUES), hosts)
    proxy.set_clients("resources: [")
    proxy.start()
    try:
        proxy.wait("/live")
        assert requests.get(f"{proxy.operations}/ready", timeout=10).status_code == 500
        proxy.until(lambda: proxy.ask(token()).ok, "a healthy engine")
        assert proxy.ask("key").status_code == 503
        proxy.set_clients(clients.document({"app": "key"}))
        proxy.wait()
        proxy.until(lambda: proxy.ask("key").ok, "the key")
    finally:
        proxy.stop()


def test_a_key_is_revoked_beside_tokens(proxy: Proxy) -> None:
    """The document is read again where tokens are taken too."""
    proxy.set_clients(clients.document({"later": "another"}))
    try:
        proxy.until(lambda: proxy.ask("another").ok and proxy.ask("key").status_code == 401, "another key")
        proxy.set_clients("resources: [")
        assert proxy.ask("another").ok
        assert proxy.ask(token()).ok
    finally:
        proxy.set_clients(clients.document({"app": "key"}))
        proxy.until(lambda: proxy.ask("key").ok, "the key again")
