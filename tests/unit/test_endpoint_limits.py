"""How much a client may ask of the endpoint, as a real Envoy counts it. The service that counts over all replicas is in
tests/limits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.envoy import Proxy, endpoint
from tests.stub_engines import Engine, engine

ODD = 'a"b%c$(D) ü'
KEYS = {"app": "key-app", "batch": "key-batch", "slow": "key-slow", "free": "key-free", ODD: "key-odd"}
VALUES: dict[str, Any] = {
    "models": {"llama3": {"service": "llama"}},
    "clients": {"secretName": "keys"},
    "limits": {
        "default": {"requestsPerMinute": 5},
        "byClient": {"batch": {"requestsPerMinute": 30}, "slow": {"requestsPerMinute": 1}, "free": {}, ODD: None},
    },
}


@pytest.fixture
def llama() -> Iterator[Engine]:
    with engine("llama3") as one:
        yield one


@pytest.fixture
def proxy(llama: Engine, tmp_path: Path) -> Iterator[Proxy]:
    """An endpoint of which no client has asked anything yet but `free`, and an engine that has seen nothing."""
    with endpoint(tmp_path, VALUES, KEYS, {"llama.default.svc.cluster.local": ("127.0.0.1", llama.port)}) as proxy:
        proxy.until(lambda: proxy.ask("key-free").ok, "a healthy engine")
        llama.seen.clear()
        yield proxy


def answered(proxy: Proxy, key: str, count: int) -> list[int]:
    """The statuses of so many requests at once, sorted."""
    with ThreadPoolExecutor(8) as pool:
        return sorted(answer.status_code for answer in pool.map(lambda _: proxy.ask(key), range(count)))


def test_each_client_has_its_own_minute(proxy: Proxy, llama: Engine) -> None:
    """So many pass, and no more; what is refused reaches no engine, and no other client notices."""
    assert answered(proxy, "key-app", 15) == [200] * 5 + [429] * 10
    assert len(llama.seen) == 5
    assert answered(proxy, "key-odd", 7) == [200] * 5 + [429] * 2
    assert answered(proxy, "key-batch", 20) == [200] * 20
    assert answered(proxy, "key-free", 40) == [200] * 40


def test_a_refusal_is_an_error_that_clients_read(proxy: Proxy) -> None:
    assert proxy.ask("key-slow").ok
    answer = proxy.ask("key-slow")
    error = answer.json()["error"]

    assert (answer.status_code, error["code"], error["type"]) == (429, "rate_limit_exceeded", "rate_limit_error")
    assert error.keys() == {"message", "type", "param", "code"}
    # One a minute: as long as it was told to wait, it is refused.
    assert 50 <= int(answer.headers["retry-after"]) <= 61
    assert not [name for name in answer.headers if name.lower().startswith(("x-ratelimit", "x-envoy"))]


def test_who_waits_as_told_is_answered(proxy: Proxy) -> None:
    answered(proxy, "key-batch", 40)
    answer = proxy.ask("key-batch")
    told = int(answer.headers["retry-after"])

    assert answer.status_code == 429
    assert 1 <= told <= 3
    proxy.until(lambda: proxy.ask("key-batch").ok, "another request")


def test_a_question_that_no_engine_sees_counts_too(proxy: Proxy, llama: Engine) -> None:
    statuses = [proxy.ask("key-app", "unknown").status_code for _ in range(6)]

    assert statuses == [404] * 5 + [429]
    assert not llama.seen


def test_an_engines_own_refusal_is_left_as_it_is(proxy: Proxy, llama: Engine) -> None:
    llama.status = 429
    answer = proxy.ask("key-app")

    assert answer.status_code == 429
    assert "choices" in answer.json()


def test_who_has_no_key_uses_up_nobodys_minute(proxy: Proxy) -> None:
    assert {proxy.ask("none").status_code for _ in range(10)} == {401}
    assert proxy.ask("key-app").ok
