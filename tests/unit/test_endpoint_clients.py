"""The document of the clients: how it is written and read, and that a real Envoy knows clients by it."""

import hashlib
import random
import string
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml
from helm_python import values_from_yaml

from tests.envoy import Proxy, endpoint
from vllm_chart.endpoint import clients
from vllm_chart.endpoint.clients import Credential, DocumentError

VALUES = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "llm-clients"}}
#: Around the ends of SHA-256's blocks, whose last 9 bytes are its own: FIPS 180-4, 5.1.1.
LENGTHS = (1, 2, 31, 43, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 128, 500, 1023, 1024)
KEYS = {str(length): "".join(random.Random(length).choices(string.printable[:94], k=length)) for length in LENGTHS}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with endpoint(tmp_path_factory.mktemp("endpoint"), VALUES, KEYS | {"long": "x" * 1025}, {}) as running:
        yield running


def status(proxy: Proxy, **headers: str) -> int:
    """What a question for the models is answered; _ stands for - in a header's name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(f"{proxy.url}/v1/models", headers=named, timeout=10).status_code


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_key_of_any_length_is_known_by_its_digest(proxy: Proxy, key: str) -> None:
    assert status(proxy, authorization=f"Bearer {key}") == 200
    assert status(proxy, authorization=f"Bearer {key}x") == 401


def test_what_the_secret_has_is_no_key(proxy: Proxy) -> None:
    key = KEYS["43"]
    shown = hashlib.sha256(key.encode()).hexdigest()

    assert status(proxy, authorization=f"bearer {key}") == 200
    assert status(proxy, authorization=f"Bearer {shown}") == 401
    assert status(proxy, authorization=shown) == 401
    assert status(proxy, x_llm_key=shown) == 401
    assert status(proxy, x_llm_key=shown, authorization="Bearer other") == 401
    assert status(proxy, authorization=f"Basic {key}") == 401
    assert status(proxy, authorization=key) == 401


def test_a_key_that_is_too_long_to_be_one_is_none(proxy: Proxy) -> None:
    """Whoever has none cannot have Envoy reckon for long."""
    assert status(proxy, authorization=f"Bearer {'x' * 1025}") == 401


def test_a_client_may_have_several_keys(proxy: Proxy) -> None:
    both = [*map(clients.digest, ("one", "two"))]
    written = clients.write([Credential("app", both[0]), Credential("other", "0" * 64), Credential("app", both[1])])
    proxy.set_clients(written)
    try:
        proxy.until(lambda: status(proxy, authorization="Bearer two") == 200, "the second key")
        assert status(proxy, authorization="Bearer one") == 200
        assert 'client="app"' in proxy.metrics()
    finally:
        proxy.set_clients(clients.document(KEYS))
        proxy.until(lambda: status(proxy, authorization="Bearer one") == 401, "the end of both")


# The document


def test_what_is_written_is_read() -> None:
    credentials = [Credential('a"b: ü', "a" * 64), Credential("b", "b" * 64), Credential('a"b: ü', "c" * 64)]

    assert clients.read(clients.write(credentials)) == credentials
    assert clients.read(clients.write([])) == []


def test_a_name_or_a_digest_that_looks_like_a_number_stays_a_text() -> None:
    credentials = [{"client": "1e3", "key": f"{'1' * 30}e{'2' * 33}"}, {"client": "y", "key": "b" * 64}]
    whole = values_from_yaml(clients.write([Credential(one["client"], one["key"]) for one in credentials]))

    assert whole["resources"][0]["typed_config"]["credentials"] == credentials


def test_every_change_has_a_version_of_its_own() -> None:
    one, two = Credential("a", "a" * 64), Credential("b", "b" * 64)
    documents = [clients.write(each) for each in ([], [one], [two], [one, two], [two, one])]

    assert len({yaml.safe_load(text)["version_info"] for text in documents}) == len(documents)


def test_no_document_has_a_key_in_it() -> None:
    assert "sk-secret" not in clients.document({"app": "sk-secret"})


@pytest.mark.parametrize("keys", [{"": "a"}, {"app": ""}, {"app": "a", "other": "a"}])
def test_a_client_without_a_key_of_its_own_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="key"):
        clients.document(keys)


def changed(**settings: Any) -> str:
    """A document with one setting changed."""
    whole = yaml.safe_load(clients.document({"app": "sk-secret"}))
    whole["resources"][0]["typed_config"] |= settings
    return yaml.safe_dump(whole)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no resource"),
        ("resources: [", "no YAML (line 1)"),
        ("resources: []", "no resource"),
        ("app: sk-secret", "no resource"),
        (changed(credentials=[{"client": "app"}]), "no resource"),
        (changed(credentials=[{"client": "app", "key": "sk-secret"}]), "of 'app' is no SHA-256"),
        (changed(key_sources=[{"header": "authorization"}]), "key_sources"),
    ],
)
def test_what_is_no_document_of_clients_is_said_without_a_key(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        clients.read(text)

    assert said in str(refusal.value)
    assert "sk-secret" not in str(refusal.value)
